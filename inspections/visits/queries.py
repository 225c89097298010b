"""Reading visits: who sees which, and their shapes for screens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from piccolo.querystring import QueryString

from backend.db import select
from backend.errors import NotFound
from backend.roles import FIELD, OFFICE, Actor, Role
from inspections.visits import rules
from inspections.visits.rules import Kind, Status

MOST_OF_TEAM = 100


class TeamMember(msgspec.Struct):
    id: UUID
    name: str
    lead: bool


class ArrivalShape(msgspec.Struct):
    """`phone_at` is what the phone's clock said; `received_at` is ours."""

    id: UUID
    by: UUID
    lat: float
    lng: float
    accuracy_m: float
    phone_at: datetime
    received_at: datetime
    distance_m: float
    inside: bool
    reason: str
    late: bool


class VisitShape(msgspec.Struct):
    """`receipt`: in answers to what was written on it."""

    id: UUID
    status: Status
    kind: Kind
    region: str
    place_name: str
    full_name: str
    purpose: str
    approval_number: str
    lat: float
    lng: float
    radius_m: float
    opened_at: datetime
    submitted_at: datetime | None
    team: list[TeamMember]
    arrivals: list[ArrivalShape]
    receipt: str | UnsetType = UNSET


def visible_to(actor: Actor) -> QueryString:
    """The team sees its visits; the office sees those in its area; leaders too, once they are submitted."""
    if actor.has(Role.system):
        return QueryString("true")
    return QueryString(
        "(({} AND visit.id IN (SELECT visit FROM visit_member WHERE person = {})) "
        "OR region.path && {}::text[] OR (visit.status = 'submitted' AND region.path && {}::text[]))",
        actor.has(*FIELD),  # who is no inspector any more has no visits any more
        actor.person,
        list(actor.areas(*OFFICE)),
        list(actor.areas(Role.leader_viewer)),
    )


async def lock(visit: UUID, actor: Actor) -> rules.Visit:
    """The visit, locked for the running transaction. Raises NotFound outside the actor's sight.

    A team never changes, so it may be read in the statement that waits for the lock.
    """
    rows = await select(
        "SELECT visit.*, ARRAY(SELECT person FROM visit_member AS m WHERE m.visit = visit.id) AS team, "
        "ARRAY(SELECT person FROM visit_member AS m WHERE m.visit = visit.id AND m.lead) AS leads "
        "FROM visit JOIN region ON region.code = visit.region "
        "WHERE visit.id = {} AND {} FOR UPDATE OF visit",
        visit,
        visible_to(actor),
    )
    if not rows:
        raise NotFound()
    row = rows[0]
    return rules.Visit(
        visit,
        Status(row["status"]),
        frozenset(row["team"]),
        frozenset(row["leads"]),
        row["lat"],
        row["lng"],
        row["radius_m"],
        row["submitted_at"],
    )


async def seen(visit: UUID, actor: Actor) -> None:
    """Raises NotFound outside the actor's sight."""
    found = await select(
        "SELECT 1 FROM visit JOIN region ON region.code = visit.region WHERE visit.id = {} AND {}",
        visit,
        visible_to(actor),
    )
    if not found:
        raise NotFound()


async def show(visit: UUID, actor: Actor) -> VisitShape:
    rows = await select(f"{_SHAPE} WHERE visit.id = {{}} AND {{}}", visit, visible_to(actor))
    if not rows:
        raise NotFound()
    return (await _shaped(rows))[0]


async def of_team(actor: Actor) -> list[VisitShape]:
    """What a phone works from: own visits in sight that are not submitted, newest first, at most 100."""
    rows = await select(
        f"{_SHAPE} WHERE visit.status <> 'submitted' AND visit.id IN "
        "(SELECT visit FROM visit_member WHERE person = {}) AND {} ORDER BY visit.opened_at DESC, visit.id LIMIT {}",
        actor.person,
        visible_to(actor),
        MOST_OF_TEAM,
    )
    return await _shaped(rows)


async def listed(actor: Actor, cursor: UUID | None, most: int) -> list[VisitShape]:
    """One page, newest first by id (ids are time-ordered)."""
    rows = await select(
        f"{_SHAPE} WHERE {{}} AND ({{}}::uuid IS NULL OR visit.id < {{}}) ORDER BY visit.id DESC LIMIT {{}}",
        visible_to(actor),
        cursor,
        cursor,
        most,
    )
    return await _shaped(rows)


async def area(region: str) -> frozenset[str]:
    """The codes from the province down to this place; none when there is no such place."""
    rows = await select("SELECT path FROM region WHERE code = {}", region)
    return frozenset(rows[0]["path"]) if rows else frozenset()


async def regions_of_team(actor: Actor) -> frozenset[str]:
    """Where the actor's own visits are that are in sight and not submitted."""
    rows = await select(
        "SELECT DISTINCT visit.region FROM visit JOIN region ON region.code = visit.region "
        "WHERE visit.status <> 'submitted' AND visit.id IN (SELECT visit FROM visit_member WHERE person = {}) AND {}",
        actor.person,
        visible_to(actor),
    )
    return frozenset(row["region"] for row in rows)


async def arrivals(visit: UUID) -> int:
    return (await select("SELECT count(*) AS n FROM arrival WHERE visit = {}", visit))[0]["n"]


_SHAPE = "SELECT visit.*, region.full_name FROM visit JOIN region ON region.code = visit.region"


async def _shaped(rows: Sequence[dict[str, Any]]) -> list[VisitShape]:
    ids = [row["id"] for row in rows]
    team = await select(
        "SELECT visit, person.id, person.name, lead FROM visit_member JOIN person ON person.id = visit_member.person "
        "WHERE visit = ANY({}) ORDER BY lead DESC, person.name",
        ids,
    )
    points = await select("SELECT * FROM arrival WHERE visit = ANY({}) ORDER BY received_at", ids)
    return [
        msgspec.convert(
            {
                **row,
                "team": [member for member in team if member["visit"] == row["id"]],
                "arrivals": [point for point in points if point["visit"] == row["id"]],
            },
            VisitShape,
        )
        for row in rows
    ]
