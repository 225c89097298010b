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
from backend.errors import NotFound
from backend.roles import Actor, Role
from notifications.deliveries.rules import ChannelKind
from notifications.preferences.rules import ANSWERS_FOR_UNIT, Wishes


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
    """`person` or `unit` is away; `deputy` is told. `current`: today is one of the days."""

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


class AbsenceList(msgspec.Struct):
    items: list[AbsenceShape]
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
    return [_shape(row, day) for row in rows]


async def absence(id: UUID, actor: Actor) -> AbsenceShape:
    """Raises NotFound."""
    rows = await select(f"{_SHAPE} WHERE {{}} AND absence.id = {{}}", visible_to(actor), id)
    if not rows:
        raise NotFound()
    return _shape(rows[0], clock.today())


_SHAPE = (
    "SELECT absence.*, away.name AS person_name, unit.name AS unit_name, deputy.name AS deputy_name FROM absence "
    "LEFT JOIN person AS away ON away.id = absence.person LEFT JOIN unit ON unit.id = absence.unit "
    "JOIN person AS deputy ON deputy.id = absence.deputy"
)


def _shape(row: Mapping[str, Any], day: date) -> AbsenceShape:
    current = row["ended_at"] is None and row["first_day"] <= day <= row["last_day"]
    return msgspec.convert({**row, "current": current}, AbsenceShape)


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
