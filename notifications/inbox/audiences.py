"""Who an audience is today, for many events at once: live accounts with a live role, who see the thing.

A kind of thing has one way to find its people: from the item, from what the event itself names, from who asked.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from backend.db import raw
from backend.feedback import queries as feedback
from backend.roles import OFFICE, RESPONSIBLE, Role
from notifications.inbox.rules import Audience, Subject
from tasks.batches import queries as batches
from tasks.rectifications import parties
from tasks.rectifications.item import Status
from tasks.rectifications.parties import Parties

REVIEWERS = frozenset({Role.lead_unit_reviewer})
PRINCIPALS = frozenset({Role.unit_principal})
BOSSES = frozenset({Role.supervision_leader})
LEADERS = frozenset({Role.leader_viewer, Role.contract_leader})
OF_UNITS = RESPONSIBLE | REVIEWERS
OF_AREAS = OFFICE | LEADERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who are these audiences of this thing? `key` is the event, or whatever the answer is to be known by.

    `facts` is the event's payload, or what it would say.
    """

    key: UUID
    subject: UUID
    audience: tuple[Audience, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def units(self, name: str = "units") -> frozenset[UUID]:
        return frozenset(UUID(unit) for unit in self.facts.get(name) or [] if unit)

    @property
    def concerned(self) -> frozenset[UUID]:
        """The units whose parts it is about; nobody named: all. Where a part went to another unit, that one."""
        one = self.facts.get("to_unit") or self.facts.get("unit")
        return self.units() or frozenset({UUID(one)} if one else ())

    @property
    def left(self) -> frozenset[UUID]:
        """The unit that was taken off, where its part went to another."""
        return frozenset({UUID(self.facts["unit"])} if self.facts.get("to_unit") and self.facts.get("unit") else ())


@dataclass(frozen=True, slots=True)
class Heard:
    """A person who hears of it, as one of an audience; `unit` is where the role is held, None for a person as such."""

    key: UUID
    person: UUID
    audience: Audience
    unit: UUID | None = None
    danger: bool = False  # to life


async def of(about: Subject, asked: Sequence[Asked]) -> list[Heard]:
    """The people of things of one kind; each once for each key, as the first audience of the row that has them."""
    met: set[tuple[UUID, UUID]] = set()
    return [
        one
        for one in await WHO[about](asked)
        if (one.key, one.person) not in met and not met.add((one.key, one.person))
    ]


async def of_items(asked: Sequence[Asked]) -> list[Heard]:
    """Around rectifications."""
    items = await parties.of(one.subject for one in asked)
    places = {
        "units": {unit for it in items.values() for unit in it.responsible | it.lead | it.former | it.gone},
        "areas": {code for it in items.values() for code in it.area},
        "people": {person for it in items.values() for person in it.team | it.checkers},
    }
    roll = await Roll.of(**places)
    return [
        Heard(one.key, person, audience, unit, it.danger)
        for one in asked
        if (it := items.get(one.subject))
        for audience in one.audience
        for person, unit in _around(audience, it, one, roll)
    ]


async def of_named(asked: Sequence[Asked]) -> list[Heard]:
    """What the events name themselves: `unit` or `units`, `region`, `person`. Nothing named is nobody."""
    paths = await _paths({one.facts["region"] for one in asked if one.facts.get("region")})
    people = {UUID(one.facts["person"]) for one in asked if one.facts.get("person")}
    units = {unit for one in asked for unit in one.concerned}
    roll = await Roll.of(units=units, areas={code for path in paths.values() for code in path}, people=people)
    return [
        Heard(one.key, person, audience, unit)
        for one in asked
        for audience in one.audience
        for person, unit in _named(audience, one, paths.get(one.facts.get("region") or "", frozenset()), roll)
    ]


async def of_batches(asked: Sequence[Asked]) -> list[Heard]:
    """Who asked for a batch, unless the answer said it all."""
    waiting = [one for one in asked if not one.facts.get("waited_for")]
    return [Heard(one.key, await batches.asker_of(one.subject), Audience.asker) for one in waiting]


async def of_files(asked: Sequence[Asked]) -> list[Heard]:
    """Who has to send the files of a record."""
    roll = await Roll.of(people={UUID(one.facts["sender"]) for one in asked})
    return [
        Heard(one.key, person, Audience.sender) for one in asked if (person := UUID(one.facts["sender"])) in roll.people
    ]


async def of_feedback(asked: Sequence[Asked]) -> list[Heard]:
    """Who gave it, and the offices that may answer."""
    places = {one.key: await feedback.places(one.subject) for one in asked}
    people = {UUID(one.facts["giver"]) for one in asked if one.facts.get("giver")}
    roll = await Roll.of(areas={code for area in places.values() for code in area}, people=people)
    return [
        Heard(one.key, person, audience, unit)
        for one in asked
        for audience in one.audience
        for person, unit in (
            roll.open([UUID(one.facts["giver"])])
            if audience == Audience.asker
            else roll.office(OFFICE, places[one.key])
        )
    ]


WHO: dict[Subject, Callable[[Sequence[Asked]], Awaitable[list[Heard]]]] = {
    Subject.rectification: of_items,
    Subject.reminder: of_items,
    Subject.batch: of_batches,
    Subject.files: of_files,
    Subject.month: of_named,
    Subject.summary: of_named,
    Subject.feedback: of_feedback,
    Subject.operations: of_named,
}

Found = Iterable[tuple[UUID, UUID | None]]


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

    def holders(self, roles: Iterable[Role], units: Iterable[UUID]) -> Iterator[tuple[UUID, UUID]]:
        return ((person, unit) for unit in units for role in roles for person in self.held.get((unit, role), ()))

    def office(self, roles: frozenset[Role], area: Iterable[str]) -> Iterator[tuple[UUID, UUID]]:
        return ((person, unit) for code in area for person, unit, role in self.offices.get(code, ()) if role in roles)

    def open(self, people: Iterable[UUID]) -> Iterator[tuple[UUID, None]]:
        return ((person, None) for person in people if person in self.people)


def _around(audience: Audience, it: Parties, asked: Asked, roll: Roll) -> Found:
    """The people of one audience of an item."""
    match audience:
        case Audience.responsible_units | Audience.principals | Audience.lead_units if not it.issued:
            return ()  # a draft does not exist for the units it names
        case Audience.responsible_units | Audience.principals:
            roles = RESPONSIBLE if audience == Audience.responsible_units else PRINCIPALS
            return roll.holders(roles, it.responsible & asked.concerned if asked.concerned else it.responsible)
        case Audience.former_units:
            held = roll.holders(RESPONSIBLE, it.former & asked.left)
            return [*held, *roll.holders(REVIEWERS, it.gone & asked.left)]
        case Audience.lead_units:
            return roll.holders(REVIEWERS, it.lead)
        case Audience.closers if asked.facts.get("stands") != Status.passed:
            return ()  # another unit has not come so far: there is nothing to turn the second key on
        case Audience.closers | Audience.office_leaders:
            return roll.office(BOSSES | ({Role.contract_leader} if it.listed else frozenset[Role]()), it.area)
        case Audience.office:
            return roll.office(OFFICE, it.area)
        case Audience.leaders:
            return roll.office(LEADERS, it.area)
        case Audience.team | Audience.checkers:
            return roll.open(it.team if audience == Audience.team else it.checkers)
        case Audience.asker | Audience.sender | Audience.administrators:
            return ()  # nobody around an item


def _named(audience: Audience, asked: Asked, area: frozenset[str], roll: Roll) -> Found:
    """The people of one audience of what an event names."""
    match audience:
        case Audience.responsible_units:
            return roll.holders(RESPONSIBLE, asked.concerned)
        case Audience.principals:
            return roll.holders(PRINCIPALS, asked.concerned)
        case Audience.lead_units:
            return roll.holders(REVIEWERS, asked.concerned)
        case Audience.office_leaders:
            return roll.office(BOSSES, area)
        case Audience.office:
            return roll.office(OFFICE, area)
        case Audience.leaders:
            return roll.office(LEADERS, area)
        case Audience.asker:
            return roll.open([UUID(asked.facts["person"])] if asked.facts.get("person") else [])
        case _:
            return ()


async def _grants(where: str, roles: Iterable[Role], places: Sequence[Any]) -> Sequence[Any]:
    if not places:
        return ()
    return await raw(
        "SELECT role_grant.person, role_grant.unit, role_grant.role, unit.region FROM role_grant "
        "JOIN person ON person.id = role_grant.person JOIN unit ON unit.id = role_grant.unit "
        "WHERE role_grant.revoked_at IS NULL AND person.disabled_at IS NULL AND role_grant.role = ANY($1::text[]) "
        f"AND {where} ORDER BY role_grant.granted_at, role_grant.id",
        [role.value for role in roles],
        places,
    )


async def _open_accounts(people: Sequence[UUID]) -> frozenset[UUID]:
    if not people:
        return frozenset()
    rows = await raw("SELECT id FROM person WHERE id = ANY($1::uuid[]) AND disabled_at IS NULL", people)
    return frozenset(row["id"] for row in rows)


async def _paths(regions: set[str]) -> dict[str, frozenset[str]]:
    """Of each region the codes from the province down to it: the offices of all of them look after it."""
    if not regions:
        return {}
    rows = await raw("SELECT code, path FROM region WHERE code = ANY($1::text[])", list(regions))
    return {row["code"]: frozenset(row["path"]) for row in rows}
