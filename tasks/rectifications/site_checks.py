"""现场核查: at least two people, not of the unit, go back to the place before an item is closed (T12 to T14)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from backend import clock, events, geo, once
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import Conflict, Incomplete, NotFound
from backend.evidence.rules import Declaration, Place
from backend.people import queries as people
from backend.roles import FIELD, OFFICE, Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Facts, Verb
from tasks.rectifications.loading import Loaded
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


async def assign(rectification: UUID, actor: Actor, *, id: UUID, checkers: frozenset[UUID], note: str = "") -> None:
    """指派核查. A check that is still open is called off by the new one: other people go.

    Raises Incomplete for somebody who is no inspector or office person, or who belongs to a responsible unit.
    """
    content = {"assigned_by": actor.person, "note": note}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(SiteCheck, id, rectification=rectification, **content):
            return
        move = rules.plan(Verb.assign_check, found.item, actor, replace(found.facts, checkers=len(checkers)))
        await _check_people(found, checkers)
        await raw(
            "UPDATE site_check SET called_off_at = $2 WHERE rectification = $1 AND concluded_at IS NULL "
            "AND called_off_at IS NULL",
            rectification,
            clock.now(),
        )
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
            return await moving.same_files(check, manifest, actor)
        verb = Verb.pass_check if said.result == CheckResult.passed else Verb.fail_check
        distance, near = await _distance(found, said.place)
        it = found.item if found.item.check == check else replace(found.item, check=None)
        move = rules.plan(verb, it, actor, _facts(found, said, len(manifest), near))
        units = rules.named_parts(it, said.units) if verb == Verb.fail_check else frozenset()
        await moving.check_fresh(manifest)
        await _write(check, actor, said, distance)
        await moving.attach(rectification, check, manifest, actor)
        await moving.advance(found, move, units, **moving.returned(found, verb))
        await events.record(
            move.event, rectification, actor=actor, check=check, note=said.note, distance_m=distance,
            files=len(manifest), units=sorted(units), false_rectification=said.false_rectification,
        )  # fmt: skip


async def _check_people(found: Loaded, checkers: frozenset[UUID]) -> None:
    fit = await people.holders(checkers, FIELD | OFFICE)
    if others := checkers - fit:
        told = sorted(map(str, others))
        raise Incomplete("核查人员必须是在任的督查人员。", "not_a_checker", field="checkers", people=told)
    own = await people.of_units(checkers, found.item.of(UnitRole.responsible) | found.item.former)
    if own:
        told = sorted(map(str, own))
        raise Incomplete("责任单位的人员不能参加核查。", "checker_of_responsible_unit", field="checkers", people=told)


async def _row(rectification: UUID, check: UUID) -> Any:
    rows = await raw("SELECT * FROM site_check WHERE id = $1 AND rectification = $2", check, rectification)
    if not rows:
        raise NotFound()
    if rows[0]["called_off_at"]:
        raise Conflict("这次核查已改派他人。", "check_called_off")
    return rows[0]


def _same(row: Any, actor: Actor, said: Conclusion) -> bool:
    """Whether this person concluded so already: the request came twice."""
    told = (actor.person, said.result, said.note, said.false_rectification)
    return (row["concluded_by"], row["result"], row["conclusion"], row["false_rectification"]) == told


def _facts(found: Loaded, said: Conclusion, photos: int, near: bool) -> Facts:
    there = said.present & found.item.checkers
    return replace(
        found.facts, note=said.note, checkers=len(there), photos=photos, near=near, outside_reason=said.outside_reason
    )


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
        at = geo.position(said.place.lat, said.place.lng, said.place.accuracy_m, said.place.datum)
        where |= {"lat": at.lat, "lng": at.lng, "accuracy_m": at.accuracy_m, "datum": said.place.datum.value}
        where |= {"reported_lat": said.place.lat, "reported_lng": said.place.lng}
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
