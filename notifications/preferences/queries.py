"""Reading how people want to be told, and who stands in for whom."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import raw, select
from backend.errors import Forbidden, NotFound
from backend.roles import Actor, Role
from notifications.deliveries.rules import ChannelKind
from notifications.preferences.rules import ANSWERS_FOR_UNIT, Wishes, may_enter, sees_alike


class PreferenceShape(msgspec.Struct):
    """Times of the day by clocks in China. `changed_at` is null as long as these are the defaults."""

    at_once: list[ChannelKind]
    normal: list[ChannelKind]
    quiet_from: str
    quiet_to: str
    rest_days_quiet: bool
    digest: bool
    digest_time: str
    changed_at: datetime | None


class AbsenceShape(msgspec.Struct):
    """`person` or `unit` is away; `deputy` is told. `current`: today is one of the days. `may_end`: by who asks."""

    id: UUID
    person: UUID | None
    person_name: str | None
    unit: UUID | None
    unit_name: str | None
    deputy: UUID
    deputy_name: str
    first_day: date
    last_day: date
    entered_at: datetime
    ended_at: datetime | None
    current: bool
    may_end: bool


class AbsenceList(msgspec.Struct):
    items: list[AbsenceShape]
    next: None = None


class DeputyShape(msgspec.Struct):
    """A colleague who sees the same at the same unit."""

    id: UUID
    name: str
    unit_name: str


class DeputyList(msgspec.Struct):
    items: list[DeputyShape]
    next: None = None


@dataclass(frozen=True, slots=True)
class StandingIn:
    """An absence that holds now. Either `person` or `unit` is away."""

    absence: UUID
    person: UUID | None
    unit: UUID | None
    deputy: UUID


async def wishes_of(people: Iterable[UUID]) -> dict[UUID, Wishes]:
    """What these people set; who set nothing is left out."""
    rows = await raw("SELECT * FROM notice_preference WHERE person = ANY($1::uuid[])", list(people))
    return {row["person"]: _wishes(row) for row in rows}


async def mine(actor: Actor) -> PreferenceShape:
    rows = await raw("SELECT * FROM notice_preference WHERE person = $1", actor.person)
    wishes = _wishes(rows[0]) if rows else Wishes()
    return PreferenceShape(
        list(wishes.at_once),
        list(wishes.normal),
        f"{wishes.quiet_from:%H:%M}",
        f"{wishes.quiet_to:%H:%M}",
        wishes.rest_days_quiet,
        wishes.digest,
        f"{wishes.digest_time:%H:%M}",
        rows[0]["changed_at"] if rows else None,
    )


async def standing_in(people: Iterable[UUID], units: Iterable[UUID], day: date) -> list[StandingIn]:
    """Who stands in for these people and units on that day."""
    rows = await raw(
        "SELECT id, person, unit, deputy FROM absence WHERE ended_at IS NULL AND first_day <= $3 AND last_day >= $3 "
        "AND (person = ANY($1::uuid[]) OR unit = ANY($2::uuid[])) ORDER BY entered_at, id",
        list(people),
        list(units),
        day,
    )
    return [StandingIn(row["id"], row["person"], row["unit"], row["deputy"]) for row in rows]


async def roles_held(people: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, Role]]]:
    """The live roles of open accounts, with the unit."""
    rows = await raw(
        "SELECT person, role_grant.unit, role FROM role_grant JOIN person ON person.id = person "
        "WHERE person = ANY($1::uuid[]) AND revoked_at IS NULL AND disabled_at IS NULL",
        list(people),
    )
    held: dict[UUID, list[tuple[UUID, Role]]] = {}
    for row in rows:
        held.setdefault(row["person"], []).append((row["unit"], Role(row["role"])))
    return held


async def roles_at(unit: UUID) -> list[tuple[UUID, Role]]:
    """Every role that somebody holds at this unit."""
    rows = await raw("SELECT DISTINCT unit, role FROM role_grant WHERE unit = $1 AND revoked_at IS NULL", unit)
    return [(row["unit"], Role(row["role"])) for row in rows]


async def could_stand_in(actor: Actor, *, person: UUID | None, unit: UUID | None) -> list[DeputyShape]:
    """Who of the colleagues could be the deputy of oneself, of a colleague or of the unit one answers for.

    Raises Forbidden for others.
    """
    who = person or (None if unit else actor.person)
    home = unit or await home_of(who or UUID(int=0))
    if reason := may_enter(actor, who, home):
        raise Forbidden(reason)
    absent = (await roles_held([who])).get(who, []) if who else await roles_at(unit or UUID(int=0))
    alike = [(at, other) for at, role in absent for other in sees_alike(role)]
    rows = await raw(
        "SELECT DISTINCT person.name, person.id, unit.name AS unit_name FROM role_grant "
        "JOIN unnest($1::uuid[], $2::text[]) AS alike (unit, role) "
        "ON alike.unit = role_grant.unit AND alike.role = role_grant.role JOIN person ON person.id = role_grant.person "
        "JOIN unit ON unit.id = role_grant.unit WHERE revoked_at IS NULL AND disabled_at IS NULL "
        "AND person.id IS DISTINCT FROM $3 ORDER BY person.name, person.id, unit_name",
        [at for at, _ in alike],
        [role.value for _, role in alike],
        who,
    )
    return [DeputyShape(row["id"], row["name"], row["unit_name"]) for row in rows]


def visible_to(actor: Actor) -> QueryString:
    """One's own, those in which one stands in, and those of the people and the unit one answers for."""
    return QueryString(
        "(absence.person = {} OR absence.deputy = {} OR coalesce(absence.unit, away.unit) = ANY({}))",
        actor.person,
        actor.person,
        list(actor.units(*ANSWERS_FOR_UNIT)),
    )


async def absences(actor: Actor, *, past: bool) -> list[AbsenceShape]:
    """Those that run or are to come, the next first; with `past` the others, the latest first; at most a hundred."""
    day = clock.today()
    over = QueryString("(absence.ended_at IS NOT NULL OR absence.last_day < {})", day)
    order = "last_day DESC, id DESC" if past else "first_day, id"
    rows = await select(
        f"{_SHAPE} WHERE {{}} AND {'' if past else 'NOT '}{{}} ORDER BY {order} LIMIT 100", visible_to(actor), over
    )
    return [_shape(row, actor, day) for row in rows]


async def absence(id: UUID, actor: Actor) -> AbsenceShape:
    """Raises NotFound."""
    rows = await select(f"{_SHAPE} WHERE {{}} AND absence.id = {{}}", visible_to(actor), id)
    if not rows:
        raise NotFound()
    return _shape(rows[0], actor, clock.today())


_SHAPE = (
    "SELECT absence.*, coalesce(absence.unit, away.unit) AS home, away.name AS person_name, "
    "unit.name AS unit_name, deputy.name AS deputy_name FROM absence "
    "LEFT JOIN person AS away ON away.id = absence.person LEFT JOIN unit ON unit.id = absence.unit "
    "JOIN person AS deputy ON deputy.id = absence.deputy"
)


def _shape(row: Mapping[str, Any], actor: Actor, day: date) -> AbsenceShape:
    runs = row["ended_at"] is None and row["last_day"] >= day
    may_end = runs and may_enter(actor, row["person"], row["home"]) is None
    return msgspec.convert({**row, "current": runs and row["first_day"] <= day, "may_end": may_end}, AbsenceShape)


async def home_of(person: UUID) -> UUID | None:
    """The unit of an open account."""
    rows = await raw("SELECT unit FROM person WHERE id = $1 AND disabled_at IS NULL", person)
    return rows[0]["unit"] if rows else None


async def names(absences: Sequence[UUID]) -> dict[UUID, str]:
    """Who is away: the name of the person, or of the unit."""
    rows = await raw(
        "SELECT absence.id, coalesce(away.name, unit.name) AS name FROM absence "
        "LEFT JOIN person AS away ON away.id = absence.person LEFT JOIN unit ON unit.id = absence.unit "
        "WHERE absence.id = ANY($1::uuid[])",
        absences,
    )
    return {row["id"]: row["name"] for row in rows}


def _wishes(row: Any) -> Wishes:
    return Wishes(
        at_once=tuple(ChannelKind(kind) for kind in row["at_once"]),
        normal=tuple(ChannelKind(kind) for kind in row["normal"]),
        quiet_from=time.fromisoformat(row["quiet_from"]),
        quiet_to=time.fromisoformat(row["quiet_to"]),
        rest_days_quiet=row["rest_days_quiet"],
        digest=row["digest"],
        digest_time=time.fromisoformat(row["digest_time"]),
    )
