"""Deputies: who is told too, because somebody of the audience is away; only what a role of their own lets them see."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from backend import clock
from backend.roles import Role
from notifications.inbox.asked import Heard
from notifications.preferences import queries as preferences
from notifications.preferences.queries import StandingIn
from notifications.preferences.rules import sees_alike

MOST_STEPS = 3  # a deputy may be away too


async def deputies(heard: Sequence[Heard]) -> list[Heard]:
    """Of those who hear by a role at a unit. What a person hears as such, as one of a team, goes to nobody else."""
    by_role = [one for one in heard if one.unit and one.role]
    away = await _away({one.person for one in by_role}, {one.unit for one in by_role if one.unit})
    if not away:
        return []
    held = await preferences.roles_held({absence.deputy for absences in away.values() for absence in absences})
    return [
        replace(one, person=absence.deputy, absence=absence.absence)
        for one in by_role
        for absence in _line(one, away)
        if _may_see(one, held.get(absence.deputy, ()))
    ]


async def _away(people: set[UUID], units: set[UUID]) -> dict[UUID, list[StandingIn]]:
    """The absences of today by who is away, person or unit, and those of their deputies."""
    away: dict[UUID, list[StandingIn]] = {}
    for _ in range(MOST_STEPS):
        found = await preferences.standing_in(people, units, clock.today())
        for absence in found:
            away.setdefault(absence.person or absence.unit or absence.deputy, []).append(absence)
        people, units = {absence.deputy for absence in found} - away.keys(), set()
        if not people:
            break
    return away


def _line(one: Heard, away: Mapping[UUID, Sequence[StandingIn]]) -> Iterator[StandingIn]:
    """Who stands in for this person and for the unit, and for them in turn; nobody twice."""
    met, waiting = {one.person}, [*away.get(one.person, ()), *(away.get(one.unit, ()) if one.unit else ())]
    while waiting:
        absence = waiting.pop(0)
        if absence.deputy not in met:
            met.add(absence.deputy)
            yield absence
            waiting += away.get(absence.deputy, ())


def _may_see(one: Heard, held: Sequence[tuple[UUID, Role]]) -> bool:
    alike = sees_alike(one.role) if one.role else frozenset[Role]()
    return any(unit == one.unit and role in alike for unit, role in held)
