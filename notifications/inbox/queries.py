"""Reading one's own notices, and finding out who an audience is today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw, select
from backend.roles import OFFICE, RESPONSIBLE, Actor, Role
from notifications.inbox import wording
from notifications.inbox.rules import Audience, Urgency
from tasks.rectifications.item import Item, Status
from tasks.rectifications.words import UnitRole


class NoticeShape(msgspec.Struct):
    """`why` says which audience the reader belonged to; `link` is where it leads."""

    id: UUID
    at: datetime
    verb: str
    title: str
    urgency: Urgency
    why: Audience
    subject: UUID
    link: str
    read_at: datetime | None


class NoticePage(msgspec.Struct):
    items: list[NoticeShape]
    next: UUID | None
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an event says of itself: whose parts it is about (nobody named: all), who was taken off, where it stands."""

    units: frozenset[UUID] = frozenset()
    left: frozenset[UUID] = frozenset()
    stands: Status | None = None


def about(told: Mapping[str, Any]) -> About:
    """Read off the payload. Where the part went to another unit, it is about that one."""
    named = told.get("units") or [told.get("to_unit") or told.get("unit")]
    left = [told["unit"]] if told.get("to_unit") else []
    return About(
        units=frozenset(UUID(unit) for unit in named if unit),
        left=frozenset(UUID(unit) for unit in left),
        stands=Status(told["stands"]) if told.get("stands") else None,
    )


async def of_person(actor: Actor, *, unread_only: bool, cursor: UUID | None, most: int, english: bool) -> NoticePage:
    """Newest first. What has lapsed is left out: nothing is left to be done about it."""
    rows = await select(
        "SELECT notice.*, rectification.number, batch.total, batch.done FROM notice "
        "LEFT JOIN rectification ON rectification.id = notice.subject LEFT JOIN batch ON batch.id = notice.subject "
        "WHERE person = {} AND ({}::uuid IS NULL OR notice.id < {}) AND (read_at IS NULL OR NOT {}) "
        f"AND {_STANDS} ORDER BY notice.id DESC LIMIT {{}}",
        actor.person,
        cursor,
        cursor,
        unread_only,
        most,
    )
    waiting = await _waiting([row["subject"] for row in rows if row["verb"] in wording.MISSING_TITLES])
    items = [
        NoticeShape(
            row["id"],
            row["at"],
            row["verb"],
            _title(row, waiting, english),
            Urgency(row["urgency"]),
            Audience(row["reason"]),
            row["subject"],
            _link(row, waiting),
            row["read_at"],
        )
        for row in rows
    ]
    return NoticePage(items, items[-1].id if len(items) == most else None, await unread(actor))


# The files of a record, whichever kind it is, with the path under which a screen finds it.
_FILES = """
    SELECT link.finding AS record, link.evidence, '/api/visits/' || finding.visit || '/findings/' || finding.id AS path
    FROM finding_evidence AS link JOIN finding ON finding.id = link.finding
    UNION ALL SELECT link.hand_in, link.evidence, '/api/rectifications/' || hand_in.rectification
    FROM hand_in_evidence AS link JOIN hand_in ON hand_in.id = link.hand_in
    UNION ALL SELECT record, evidence, '/api/rectifications/' || rectification FROM record_evidence
"""
_MISSING = ", ".join(f"'{verb}'" for verb in wording.MISSING_TITLES)
_STANDS = (
    f"(notice.verb NOT IN ({_MISSING}) OR EXISTS (SELECT 1 FROM ({_FILES}) AS hangs "
    "JOIN evidence ON evidence.id = hangs.evidence WHERE hangs.record = notice.subject AND state = 'declared'))"
)


async def _waiting(records: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Of records with missing files: how many were declared, how many of them are missing, and where it stands."""
    if not records:
        return {}
    rows = await raw(
        "SELECT record, path, count(*) AS declared, count(*) FILTER (WHERE state = 'declared') AS missing "
        f"FROM ({_FILES}) AS hangs JOIN evidence ON evidence.id = hangs.evidence "
        "WHERE record = ANY($1::uuid[]) GROUP BY record, path",
        records,
    )
    return {row["record"]: dict(row) for row in rows}


def _link(row: dict[str, Any], waiting: Mapping[UUID, dict[str, Any]]) -> str:
    if row["verb"] in wording.MISSING_TITLES:
        return waiting[row["subject"]]["path"]
    return wording.link(row["verb"], row["subject"])


def _title(row: dict[str, Any], waiting: Mapping[UUID, dict[str, Any]], english: bool) -> str:
    if row["verb"] in wording.MISSING_TITLES:
        files = waiting[row["subject"]]
        return wording.of_missing(row["verb"], files["missing"], files["declared"], english)
    if row["total"] is None:
        return wording.title(row["verb"], row["number"], english)
    return wording.of_batch(row["verb"], row["total"], row["done"], english)


async def unread(actor: Actor) -> int:
    rows = await select(
        f"SELECT count(*) AS n FROM notice WHERE person = {{}} AND read_at IS NULL AND {_STANDS}", actor.person
    )
    return rows[0]["n"]


async def people(audience: Audience, it: Item, about: About) -> set[UUID]:
    """Who belongs to an audience now: live accounts with a live grant or of the team, who see the item."""
    match audience:
        case Audience.responsible_units | Audience.principals | Audience.lead_units if not it.issued:
            return set()  # a draft does not exist for the units it names
        case Audience.responsible_units | Audience.principals:
            roles = RESPONSIBLE if audience == Audience.responsible_units else {Role.unit_principal}
            concerned = it.of(UnitRole.responsible)
            return await _holders(roles, concerned & about.units if about.units else concerned)
        case Audience.former_units:
            held = await _holders(RESPONSIBLE, it.former & about.left)
            return held | await _holders({Role.lead_unit_reviewer}, it.gone & about.left)
        case Audience.checkers:
            return await _open_accounts(it.checkers)
        case Audience.lead_units:
            return await _holders({Role.lead_unit_reviewer}, it.of(UnitRole.lead))
        case Audience.office_leaders if about.stands != Status.passed:
            return set()  # another unit has not come so far: there is nothing to turn the second key on
        case Audience.office_leaders:
            leaders = {Role.supervision_leader} | ({Role.contract_leader} if it.listed else set())
            return await _office(leaders, it.area)
        case Audience.office:
            return await _office(OFFICE, it.area)
        case Audience.team:
            return await _open_accounts(it.team)
        case Audience.asker | Audience.sender:
            return set()  # nobody around an item: reactions.tell_asker, tell_sender


async def _holders(roles: set[Role] | frozenset[Role], units: frozenset[UUID]) -> set[UUID]:
    rows = await select(f"{_LIVE} AND role_grant.unit = ANY({{}})", [role.value for role in roles], list(units))
    return {row["person"] for row in rows}


async def _office(roles: set[Role] | frozenset[Role], area: frozenset[str]) -> set[UUID]:
    rows = await select(
        f"{_LIVE} AND role_grant.unit IN (SELECT id FROM unit WHERE region = ANY({{}}))",
        [role.value for role in roles],
        list(area),
    )
    return {row["person"] for row in rows}


async def office_of(areas: frozenset[str]) -> set[UUID]:
    """The people of the offices at these regions, today."""
    return await _office(OFFICE, areas)


async def _open_accounts(people: frozenset[UUID]) -> set[UUID]:
    rows = await select("SELECT id FROM person WHERE id = ANY({}) AND disabled_at IS NULL", list(people))
    return {row["id"] for row in rows}


_LIVE = (
    "SELECT DISTINCT role_grant.person FROM role_grant JOIN person ON person.id = role_grant.person "
    "WHERE role_grant.revoked_at IS NULL AND person.disabled_at IS NULL AND role_grant.role = ANY({})"
)
