"""现场核查: at least two people, not of the unit, go back to the place before an item is closed (T12 to T14)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from backend import clock, events, geo, once
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import Forbidden, Incomplete, NotFound
from backend.evidence.rules import Declaration, photos
from backend.geo import Place
from backend.people import queries as people
from backend.roles import FIELD, OFFICE, Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Item, Verb
from tasks.rectifications.loading import Loaded, load
from tasks.rectifications.records import SiteCheck, SiteChecker
from tasks.rectifications.words import CheckResult, UnitRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What the checkers say: `present` are those of them who were there; the position is the phone's claim."""

    result: CheckResult
    note: str
    present: frozenset[UUID]
    place: Place | None = None
    outside_reason: str = ""
    false_rectification: bool = False
    units: frozenset[UUID] = frozenset()


class Candidate(msgspec.Struct):
    """Somebody who may be sent."""

    person: UUID
    name: str
    unit_name: str


class Candidates(msgspec.Struct):
    """`more`: there are others, to be found by name."""

    items: list[Candidate]
    more: bool
    next: None = None


MOST_CANDIDATES = 500


async def assign(rectification: UUID, actor: Actor, *, id: UUID, checkers: frozenset[UUID], note: str = "") -> None:
    """指派核查. A check that is still open is called off by the new one: other people go.

    Raises Incomplete for somebody who is no inspector or office person, belongs to a responsible unit, or keeps away
    from a unit of the item.
    """
    content = {"assigned_by": actor.person, "note": note}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(SiteCheck, id, rectification=rectification, **content):
            return await _same_people(id, checkers)
        move = rules.plan(Verb.assign_check, found.item, actor, replace(found.facts, checkers=len(checkers)))
        await _check_people(found, checkers)
        await moving.call_off_check(rectification)
        row = {**content, "round": found.round}
        await SiteCheck(id=id, rectification=rectification, assigned_at=clock.now(), **row).save()
        await SiteChecker.insert(*(SiteChecker(id=uuid7(), site_check=id, person=one) for one in sorted(checkers)))
        await events.record(move.event, rectification, actor=actor, check=id, checkers=sorted(checkers), note=note)


async def conclude(
    rectification: UUID, check: UUID, actor: Actor, said: Conclusion, *, manifest: Sequence[Declaration]
) -> None:
    """核查通过 or 核查不通过: back to the units named (all, when none is), and counted as returned."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        row = await _row(rectification, check)
        if row["concluded_at"] and _same(row, actor, said):
            event = rules.MOVES[_verb(said)].event
            await moving.same_said(rectification, event, check, named=sorted(said.units))
            return await moving.same_files(check, manifest, actor)
        verb = _verb(said)
        distance, near = await _distance(found, said.place)
        # Of this check, also where another one is open: who went there is told what became of it, not sent away.
        it = replace(found.item, check=row["open"], checkers=frozenset(row["checkers"]))
        facts = replace(found.facts, checkers=len(said.present & it.checkers), photos=photos(manifest), near=near)
        move = rules.plan(verb, it, actor, replace(facts, note=said.note, outside_reason=said.outside_reason))
        units = rules.named_parts(it, said.units) if verb == Verb.fail_check else frozenset()
        await moving.check_fresh(manifest)
        await _write(check, actor, said, distance)
        await moving.attach(rectification, check, manifest, actor)
        await moving.advance(found, move, units)
        await events.record(
            move.event, rectification, actor=actor, check=check, note=said.note, distance_m=distance,
            files=len(manifest), units=sorted(units), named=sorted(said.units),
            false_rectification=said.false_rectification,
        )  # fmt: skip


async def fit(rectification: UUID, actor: Actor, *, named: str = "", most: int = MOST_CANDIDATES) -> Candidates:
    """Whom `assign` takes, of the asking office's area. Raises NotFound outside the actor's sight, and Forbidden for
    whom `assign` refuses whatever the state: also somebody who keeps away is told no names.
    """
    await queries.seen(rectification, actor)
    found = await load(rectification)
    if reason := rules.barred(Verb.assign_check, found.item, actor):
        raise Forbidden(reason)
    known, more = await people.named_holders(FIELD | OFFICE, actor.areas(*OFFICE), named, most)
    unfit = frozenset[UUID]().union(*await _unfit(found, frozenset(row["id"] for row in known)))
    shown = [Candidate(row["id"], row["name"], row["unit_name"]) for row in known if row["id"] not in unfit]
    return Candidates(shown, more)


async def _check_people(found: Loaded, checkers: frozenset[UUID]) -> None:
    no_office, own, away = await _unfit(found, checkers)
    if no_office:
        raise Incomplete("核查人员必须是在任的督查人员。", "not_a_checker", field="checkers", people=_told(no_office))
    if own:
        raise Incomplete(
            "责任单位的人员不能参加核查。", "checker_of_responsible_unit", field="checkers", people=_told(own)
        )
    if away:
        raise Incomplete(
            "核查人员已申请回避与本事项有关的单位。", "checker_recused", field="checkers", people=_told(away)
        )


async def _unfit(found: Loaded, asked: frozenset[UUID]) -> tuple[frozenset[UUID], frozenset[UUID], frozenset[UUID]]:
    """Of those asked about: who is no inspector or office person, is of a responsible unit, keeps away."""
    return (
        asked - await people.holders(asked, FIELD | OFFICE),
        await people.of_units(asked, found.item.of(UnitRole.responsible) | found.item.former),
        await people.recused_from(asked, _concerned(found.item), clock.today()),
    )


def _told(people: frozenset[UUID]) -> list[str]:
    return sorted(map(str, people))


def _concerned(it: Item) -> frozenset[UUID]:
    """Every unit that has or had a part in it."""
    return it.of(*UnitRole) | it.former | it.gone


async def _same_people(check: UUID, checkers: frozenset[UUID]) -> None:
    rows = await raw("SELECT person FROM site_checker WHERE site_check = $1", check)
    if {row["person"] for row in rows} != checkers:
        raise once.different()


async def _row(rectification: UUID, check: UUID) -> Any:
    """The check with its people; `open` is its id while it waits for a conclusion."""
    rows = await raw(
        "SELECT *, CASE WHEN concluded_at IS NULL AND called_off_at IS NULL THEN id END AS open, "
        "ARRAY(SELECT person FROM site_checker WHERE site_check = site_check.id) AS checkers, "
        "ARRAY(SELECT person FROM site_checker WHERE site_check = site_check.id AND present) AS present "
        "FROM site_check WHERE id = $1 AND rectification = $2",
        check,
        rectification,
    )
    if not rows:
        raise NotFound()
    return rows[0]


def _verb(said: Conclusion) -> Verb:
    return Verb.pass_check if said.result == CheckResult.passed else Verb.fail_check


def _same(row: Any, actor: Actor, said: Conclusion) -> bool:
    """Whether this person concluded so already: the request came twice."""
    told = (actor.person, said.result, said.note, said.false_rectification, said.present & {*row["checkers"]})
    before = (row["concluded_by"], row["result"], row["conclusion"], row["false_rectification"], {*row["present"]})
    where = geo.reported(said.place) | {"outside_reason": said.outside_reason}
    return before == told and all(row[name] == value for name, value in where.items())


async def _distance(found: Loaded, place: Place | None) -> tuple[float | None, bool]:
    """Metres from where the finding was made, and whether that is near it; without a place of either, not near."""
    rows = await raw("SELECT lat, lng FROM finding WHERE id = $1 AND lat IS NOT NULL", found.row["finding"])
    if place is None:
        return None, found.row["finding"] is None
    at = geo.position(place.lat, place.lng, place.accuracy_m, place.datum)
    if not rows:
        return None, True
    distance = geo.distance_m((rows[0]["lat"], rows[0]["lng"]), at.point)
    return round(distance, 1), geo.within(distance, geo.SITE_RADIUS_M, at.accuracy_m)


async def _write(check: UUID, actor: Actor, said: Conclusion, distance: float | None) -> None:
    where: dict[str, Any] = {"distance_m": distance, "outside_reason": said.outside_reason}
    if said.place:
        where |= geo.columns(said.place)
    await SiteCheck.update(
        {
            "concluded_by": actor.person,
            "concluded_at": clock.now(),
            "conclusion": said.note,
            "result": said.result.value,
            "false_rectification": said.false_rectification,
            **where,
        }
    ).where(SiteCheck.id == check)
    await raw(
        "UPDATE site_checker SET present = true WHERE site_check = $1 AND person = ANY($2::uuid[])",
        check,
        list(said.present),
    )
