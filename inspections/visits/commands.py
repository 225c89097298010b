"""What happens on a visit: opened, arrived, submitted. One transaction each."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from backend import clock, events, geo, once
from backend.columns import uuid7
from backend.db import transaction
from backend.errors import Forbidden, Incomplete
from backend.geo import Place
from backend.people import queries as people
from backend.roles import FIELD, Actor
from inspections.visits import queries, rules
from inspections.visits.rules import Kind, Status
from inspections.visits.tables import Arrival, Visit, VisitMember


async def open_visit(
    actor: Actor,
    *,
    id: UUID,
    region: str,
    place_name: str,
    purpose: str,
    kind: Kind,
    approval_number: str,
    target: tuple[float, float],
    radius_m: float,
    team: Sequence[UUID],
    lead: UUID,
) -> None:
    """Send a team to a place (WGS-84 target, metres). From now on the team's phones show it.

    Raises Forbidden outside the office's area, Incomplete for an unknown place or somebody who is no inspector.
    """
    members = frozenset(team)
    where = {"region": region, "place_name": place_name, "lat": target[0], "lng": target[1], "radius_m": radius_m}
    why = {"purpose": purpose, "kind": kind.value, "approval_number": approval_number, "opened_by": actor.person}
    content = where | why
    async with transaction():
        await _check_place(region, actor)
        rules.check_target(*target, radius_m)
        rules.check_team(members, frozenset({lead}))
        await once.one_at_a_time(id)
        if await once.earlier(Visit, id, **content):
            await _check_same_team(id, members, lead)
            return
        rules.check_inspectors(members, await people.holders(members, FIELD))
        await Visit(id=id, **content, status=Status.released.value, opened_at=clock.now()).save()
        await VisitMember.insert(
            *(VisitMember(id=uuid7(), visit=id, person=person, lead=person == lead) for person in sorted(members))
        )
        await events.record("visit.opened", id, actor=actor, place=place_name, kind=kind)


async def arrive(
    visit: UUID,
    actor: Actor,
    *,
    id: UUID,
    place: Place,
    phone_at: datetime,
    reason: str,
) -> None:
    """Record that the team is there. Outside the radius only with a reason; after submission it is marked late.

    Raises BadRequest for a place too poor to be one, see geo.position.
    """
    position = geo.position(place.lat, place.lng, place.accuracy_m, place.datum)
    content = {
        "visit": visit,
        "by": actor.person,
        **geo.reported(place),
        "phone_at": phone_at,
        "reason": reason,
    }
    async with transaction():
        seen = await queries.lock(visit, actor)
        if await once.earlier(Arrival, id, **content):
            return
        if refusal := rules.may_record(actor, seen):
            raise Forbidden(refusal)
        distance, inside = rules.arrival(seen, position, reason)
        found = {"inside": inside, "late": seen.status == Status.submitted}
        measured = {"lat": position.lat, "lng": position.lng, "distance_m": distance, **found}
        await Arrival(id=id, **content, **measured, received_at=clock.now()).save()
        if seen.status == Status.released:
            await Visit.update({Visit.status: Status.in_field.value}).where(Visit.id == visit)
        away = round(distance, 1)
        await events.record("visit.arrived", visit, actor=actor, arrival=id, distance_m=away, **found)


Check = Callable[[UUID], Awaitable[None]]


async def submit(visit: UUID, actor: Actor, checks: Sequence[Check] = ()) -> None:
    """The team lead hands in the visit; what was found is issued at once by the reactions to this event.

    `checks` are what concepts above this one ask of a visit before it is handed in; each raises its own refusal.
    """
    async with transaction():
        seen = await queries.lock(visit, actor)
        if seen.status == Status.submitted and actor.person in seen.leads:
            return  # the phone tried twice
        if refusal := rules.may_submit(actor, seen):
            raise Forbidden(refusal)
        rules.check_submission(seen, await queries.arrivals(visit))
        for check in checks:
            await check(visit)
        await Visit.update(
            {
                Visit.status: Status.submitted.value,
                Visit.submitted_by: actor.person,
                Visit.submitted_at: clock.now(),
            }
        ).where(Visit.id == visit)
        await events.record("visit.submitted", visit, actor=actor)


async def _check_place(region: str, actor: Actor) -> None:
    area = await queries.area(region)
    if refusal := rules.may_open(actor, area):
        raise Forbidden(refusal)
    if not area:
        raise Incomplete("没有这个区划代码。", "unknown_region", field="region")


async def _check_same_team(visit: UUID, members: frozenset[UUID], lead: UUID) -> None:
    team = await VisitMember.select(VisitMember.person, VisitMember.lead).where(VisitMember.visit == visit)
    if {(member["person"], member["lead"]) for member in team} != {(one, one == lead) for one in members}:
        raise once.different()
