"""Who holds a role where today, for as many units and areas as are asked about at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.db import raw
from backend.roles import OFFICE, RESPONSIBLE, Role

REVIEWERS = frozenset({Role.lead_unit_reviewer})
PRINCIPALS = frozenset({Role.unit_principal})
BOSSES = frozenset({Role.supervision_leader})
LEADERS = frozenset({Role.leader_viewer, Role.contract_leader})
OF_UNITS = RESPONSIBLE | REVIEWERS
OF_AREAS = OFFICE | LEADERS


@dataclass(frozen=True, slots=True)
class Roll:
    """Who of the open accounts holds a role where, as far as it was asked."""

    held: Mapping[tuple[UUID, Role], Sequence[UUID]]
    offices: Mapping[str, Sequence[tuple[UUID, UUID, Role]]]  # area → person, unit, role
    people: frozenset[UUID]

    @classmethod
    async def of(cls, *, units: Iterable[UUID] = (), areas: Iterable[str] = (), people: Iterable[UUID] = ()) -> "Roll":
        held: dict[tuple[UUID, Role], list[UUID]] = {}
        for row in await _grants("role_grant.unit = ANY($2::uuid[])", OF_UNITS, list(units)):
            held.setdefault((row["unit"], Role(row["role"])), []).append(row["person"])
        offices: dict[str, list[tuple[UUID, UUID, Role]]] = {}
        for row in await _grants("unit.region = ANY($2::text[])", OF_AREAS, list(areas)):
            offices.setdefault(row["region"], []).append((row["person"], row["unit"], Role(row["role"])))
        return cls(held, offices, await _open_accounts(list(people)))

    def holders(self, roles: Iterable[Role], units: Iterable[UUID]) -> Iterator[tuple[UUID, UUID, Role]]:
        return ((person, unit, role) for unit in units for role in roles for person in self.held.get((unit, role), ()))

    def office(self, roles: frozenset[Role], area: Iterable[str]) -> Iterator[tuple[UUID, UUID, Role]]:
        return (found for code in area for found in self.offices.get(code, ()) if found[2] in roles)

    def open(self, people: Iterable[UUID]) -> Iterator[tuple[UUID, None, None]]:
        return ((person, None, None) for person in people if person in self.people)


async def everywhere(roles: Iterable[Role]) -> list[tuple[UUID, UUID, Role]]:
    """Who holds one of these roles, wherever."""
    return [(row["person"], row["unit"], Role(row["role"])) for row in await raw(_ANYWHERE, _values(roles))]


async def at_the_top(roles: Iterable[Role]) -> list[tuple[UUID, UUID, Role]]:
    """Who holds one of these roles in the highest region in which anybody does."""
    rows = await raw(
        f"SELECT person, unit, role FROM (SELECT found.*, rank() OVER (ORDER BY cardinality(region.path)) AS place "
        f"FROM ({_ANYWHERE}) AS found JOIN region ON region.code = found.region) AS ranked WHERE place = 1",
        _values(roles),
    )
    return [(row["person"], row["unit"], Role(row["role"])) for row in rows]


async def _grants(where: str, roles: Iterable[Role], places: Sequence[Any]) -> Sequence[Any]:
    if not places:
        return ()
    return await raw(f"{_ANYWHERE} AND {where} ORDER BY role_grant.granted_at, role_grant.id", _values(roles), places)


def _values(roles: Iterable[Role]) -> list[str]:
    return [role.value for role in roles]


_ANYWHERE = (
    "SELECT role_grant.person, role_grant.unit, role_grant.role, unit.region FROM role_grant "
    "JOIN person ON person.id = role_grant.person JOIN unit ON unit.id = role_grant.unit "
    "WHERE role_grant.revoked_at IS NULL AND person.disabled_at IS NULL AND role_grant.role = ANY($1::text[])"
)


async def _open_accounts(people: Sequence[UUID]) -> frozenset[UUID]:
    if not people:
        return frozenset()
    rows = await raw("SELECT id FROM person WHERE id = ANY($1::uuid[]) AND disabled_at IS NULL", people)
    return frozenset(row["id"] for row in rows)
