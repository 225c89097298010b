"""Reading rectifications: who sees which, the locked item for commands, one item whole. Lists are in listing.py."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock, masks
from backend.db import planned, raw, select
from backend.errors import NotFound
from backend.evidence import queries as evidence
from backend.evidence.rules import Caption
from backend.roles import FIELD, READS_AREA, RESPONSIBLE, SYSTEM, Actor, Role
from backend.units.region_rows import level_of
from inspections.findings import queries as findings
from inspections.findings.rules import ClosingClass
from tasks.rectifications import deadlines, procedures, rules, shapes, who
from tasks.rectifications.item import OPEN, Item, Status
from tasks.rectifications.loading import COLUMN_OF, Loaded, load
from tasks.rectifications.words import UnitRole

# The version of the item that the person of the running HTTP request had in front of them (If-Match), if they said so.
expected: ContextVar[int | None] = ContextVar("expected", default=None)


# The columns of a line; the names of topic, place and units come with every line.
LINE = ", ".join(
    f"rectification.{name}"
    for name in shapes.Row.__struct_fields__
    if name not in ("topic_name", "region_name", "overdue", "units")
)


def visible_to(actor: Actor) -> QueryString:
    """Units see what they have a part in, once it was issued; offices and leaders their area; the team its findings.

    Only the branches this actor has are asked: a handler's list then reads the unit's own items and nothing else.
    """
    if actor.has(Role.system):
        return QueryString("true")
    columns: dict[str, list[str]] = {}
    for area in actor.areas(*READS_AREA):
        columns.setdefault(COLUMN_OF[level_of(area)], []).append(area)
    branches = [QueryString(f"rectification.{column} = ANY({{}})", areas) for column, areas in columns.items()]
    if own := actor.units(*RESPONSIBLE, Role.lead_unit_reviewer):
        branches.append(
            QueryString(
                "rectification.issued_at IS NOT NULL AND rectification.id IN (SELECT part.rectification "
                "FROM rectification_unit AS part WHERE part.unit = ANY({}) AND "
                "((part.role <> 'lead' AND part.unit = ANY({})) OR (part.role = 'lead' AND part.unit = ANY({}))))",
                list(own),
                list(actor.units(*RESPONSIBLE)),
                list(actor.units(Role.lead_unit_reviewer)),
            )
        )
    if actor.has(*FIELD):
        mine = (
            "rectification.visit IN (SELECT visit FROM visit_member WHERE person = {}) OR rectification.id IN "
            "(SELECT rectification FROM site_check JOIN site_checker ON site_check = site_check.id WHERE person = {})"
        )
        branches.append(QueryString(mine, actor.person, actor.person))
    if not branches:
        return QueryString("false")
    return QueryString("(" + " OR ".join("({})" for _ in branches) + ")", *branches)


async def lock(rectification: UUID, actor: Actor) -> Loaded:
    """The item, locked for the running transaction. Raises NotFound outside the actor's sight.

    The lock comes first and alone: what is joined to a row that had to be waited for is as old as the statement
    (READ COMMITTED), and two keys would then be turned on yesterday's review. NO KEY: rows that point at the item,
    such as a duplicate's, need not wait.
    """
    row = "SELECT 1 FROM rectification WHERE id = {} AND {} FOR NO KEY UPDATE"
    if not await select(row, rectification, visible_to(actor)):
        raise NotFound()
    found = await load(rectification)
    wanted = expected.get()
    if wanted is None or wanted == found.row["version"]:
        return found
    return replace(found, item=replace(found.item, stale=True))


async def seen(rectification: UUID, actor: Actor) -> None:
    """Raises NotFound outside the actor's sight."""
    if not await select("SELECT 1 FROM rectification WHERE id = {} AND {}", rectification, visible_to(actor)):
        raise NotFound()


async def parties(rectification: UUID) -> Item:
    """The item as the program sees it: for reactions that must know who has a part in it."""
    return (await load(rectification)).item


async def detail(rectification: UUID, actor: Actor) -> shapes.Detail:
    """One item whole, with the moves of the asking person."""
    await seen(rectification, actor)
    found = await load(rectification)
    row = (await rows([rectification], SYSTEM, columns="rectification.*"))[0]
    filed = await findings.read([row["finding"]], actor, shows_household) if row["finding"] else []
    brought = await evidence.shapes("record_evidence", "record", [rectification])
    signed = [{**said, "phone": masks.phone(said["phone"])} for said in await _said("acknowledgement", rectification)]
    return msgspec.convert(
        {
            **row,
            "version": found.row["version"],
            "milestones": _milestones(row),
            "finding": filed[0] if filed else None,
            **evidence.counted(brought.get(rectification, [])),
            "acknowledgement": signed[-1] if signed else None,
            "acknowledgements": signed,
            "progress": await _said("progress", rectification),
            "hand_ins": await _hand_ins(rectification),
            "reviews": await _said("review", rectification),
            "voiding": await _voiding(rectification),
            **await procedures.of(rectification, checks_hidden=who.checks_hidden(actor, found.item)),
            "moves": _moves(found, actor),
        },
        shapes.Detail,
        from_attributes=True,
    )


async def rows(ids: Sequence[UUID], actor: Actor, *, columns: str = LINE) -> list[dict[str, Any]]:
    """Lines of lists for these items, in this order, as far as the actor sees them: one statement."""
    return await found_rows(
        "SELECT id, place FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, place)", [ids], actor, columns
    )


async def found_rows(found: str, args: Sequence[object], actor: Actor, columns: str = LINE) -> list[dict[str, Any]]:
    """The same for what a statement finds: SQL of (id, place) with its arguments.

    Sight is asked of each line (OFFSET 0). Joined instead, a plan made for any arguments begins with all
    parts of a unit.
    """
    seen, values = placed(*visible_to(actor).compile_string(), args)
    now = clock.now()
    sql = (
        f"SELECT {columns}, {_NAMES} FROM ({found}) AS wanted JOIN rectification ON rectification.id = wanted.id "
        "JOIN topic ON topic.code = rectification.topic JOIN region ON region.code = rectification.region "
        f"WHERE EXISTS (SELECT FROM rectification WHERE rectification.id = wanted.id AND {seen} OFFSET 0) "
        "ORDER BY wanted.place"
    )
    return [_line(row, now) for row in await planned(sql, *values)]


def placed(sql: str, values: Sequence[object], before: Sequence[object]) -> tuple[str, list[object]]:
    """The SQL of a condition made elsewhere, with its arguments put behind those of a statement."""
    moved = re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + len(before)}", sql)
    return moved, [*before, *values]


def _line(row: Any, now: datetime) -> dict[str, Any]:
    parts = [_part(part) for part in row["units"]]
    parts.sort(key=lambda part: (part.role, part.name))
    return {**row, "units": parts, "overdue": rules.overdue(Status(row["status"]), row["due_at"], now)}


def _part(of: Any) -> shapes.UnitPart:
    unit, name, role, status, ended_at, by = of
    return shapes.UnitPart(unit, name, UnitRole(role), Status(status) if status else None, ended_at, by)


async def of_finding(finding: UUID) -> UUID | None:
    found = await select("SELECT id FROM rectification WHERE finding = {}", finding)
    return found[0]["id"] if found else None


async def of_record(record: UUID) -> UUID:
    """The item of a record that has files."""
    found = await raw(
        "SELECT rectification FROM hand_in WHERE id = $1 "
        "UNION ALL SELECT rectification FROM record_evidence WHERE record = $1",
        record,
    )
    return found[0]["rectification"]


async def shows_evidence(files: Sequence[UUID], actor: Actor) -> set[UUID]:
    """Those of these files that hang on the finding, a hand-in or a procedure of a rectification the actor sees."""
    found = await select(
        "SELECT DISTINCT hangs.evidence FROM ("
        "SELECT evidence, rectification.id AS item FROM finding_evidence "
        "JOIN rectification ON rectification.finding = finding_evidence.finding WHERE evidence = ANY({}) "
        "UNION ALL SELECT evidence, hand_in.rectification FROM hand_in_evidence "
        "JOIN hand_in ON hand_in.id = hand_in_evidence.hand_in WHERE evidence = ANY({}) "
        "UNION ALL SELECT evidence, rectification FROM record_evidence WHERE evidence = ANY({})"
        ") AS hangs JOIN rectification ON rectification.id = hangs.item WHERE {}",
        *([list(files)] * 3),
        visible_to(actor),
    )
    return {row["evidence"] for row in found}


async def caption(file: UUID) -> Caption | None:
    """What stands below a photo that came with a hand-in or a procedure: region and number of the item, and the unit
    that hands in, or the sender's. Photos of the finding itself are captioned by the finding.
    """
    found = await raw(
        "SELECT region.full_name, rectification.number, unit.name FROM ("
        "SELECT hand_in_evidence.evidence, hand_in.rectification, hand_in.unit FROM hand_in_evidence "
        "JOIN hand_in ON hand_in.id = hand_in_evidence.hand_in WHERE hand_in_evidence.evidence = $1 "
        "UNION ALL SELECT evidence, rectification, NULL FROM record_evidence WHERE evidence = $1"
        ") AS hangs JOIN rectification ON rectification.id = hangs.rectification "
        "JOIN region ON region.code = rectification.region JOIN evidence ON evidence.id = hangs.evidence "
        "JOIN person ON person.id = evidence.declared_by JOIN unit ON unit.id = coalesce(hangs.unit, person.unit) "
        "ORDER BY hangs.unit NULLS LAST LIMIT 1",
        file,
    )
    for row in found:
        return Caption(row["full_name"], row["number"] or "", row["name"])
    return None


def shows_household(actor: Actor) -> QueryString:
    """Whether a row of `household` is concerned by an item the actor sees: a condition for households' own reads."""
    return _concerned_by(visible_to(actor))


def shows_household_at_work(actor: Actor) -> QueryString:
    """The same of items that are open: where there is something to do."""
    return _concerned_by(QueryString("rectification.status = ANY({}) AND {}", sorted(OPEN), visible_to(actor)))


def _concerned_by(items: QueryString) -> QueryString:
    return QueryString(
        "household.id IN (SELECT rectification.household FROM rectification "
        "WHERE rectification.household IS NOT NULL AND {})",
        items,
    )


_NAMES = (
    "topic.name AS topic_name, region.full_name AS region_name, ARRAY(SELECT ROW(part.unit, unit.name, part.role, "
    "part.status, part.ended_at, part.taken_over_by) FROM rectification_unit AS part JOIN unit ON unit.id = part.unit "
    "WHERE part.rectification = rectification.id) AS units"
)


def _milestones(row: dict[str, Any]) -> list[date]:
    """Of a long-term item: when it reports how far it is."""
    if row["closing_class"] != ClosingClass.long_term or row["issued_at"] is None:
        return []
    return deadlines.milestones(clock.local(row["issued_at"]).date(), row["due_on"])


def _moves(found: Loaded, actor: Actor) -> list[shapes.MoveShape]:
    return [
        shapes.MoveShape(move.verb, [shapes.NeedShape(need.field, need.sentence) for need in move.needs], move.units)
        for move in rules.open_moves(found.item, actor, found.facts)
    ]


async def _said(table: str, rectification: UUID) -> list[dict[str, Any]]:
    return await select(
        f"SELECT said.*, person.name AS by_name FROM {table} AS said JOIN person ON person.id = said.by "
        "WHERE rectification = {} ORDER BY at, said.id",
        rectification,
    )


async def _hand_ins(rectification: UUID) -> Sequence[dict[str, Any]]:
    found = await _said("hand_in", rectification)
    names = await _names([row["principal"] for row in found if row["principal"]])
    files = await evidence.shapes("hand_in_evidence", "hand_in", [row["id"] for row in found])
    for row in found:
        own = files.get(row["id"], [])
        row |= evidence.counted(own) | {"principal_name": names.get(row["principal"])}
    return found


async def _names(people: Sequence[UUID]) -> dict[UUID | None, str]:
    rows = await raw("SELECT id, name FROM person WHERE id = ANY($1::uuid[])", people) if people else []
    return {row["id"]: row["name"] for row in rows}


async def _voiding(rectification: UUID) -> str | None:
    found = await select("SELECT note FROM voiding WHERE rectification = {} AND decided_at IS NULL", rectification)
    return found[0]["note"] if found else None
