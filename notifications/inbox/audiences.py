"""Who an audience is today, for many events at once: live accounts with a live role, who see the thing.

A kind of thing has one way to find its people: from the item, from what the event itself names, from who asked.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from uuid import UUID

from backend.db import raw
from backend.feedback import queries as feedback
from backend.roles import OFFICE, RESPONSIBLE, Role
from notifications.inbox.asked import Asked, Heard
from notifications.inbox.roll import BOSSES, LEADERS, PRINCIPALS, REVIEWERS, Roll, at_the_top, everywhere
from notifications.inbox.rules import Audience, Subject
from tasks.batches import queries as batches
from tasks.rectifications import parties
from tasks.rectifications.item import Status
from tasks.rectifications.parties import Parties


async def of(about: Subject, asked: Sequence[Asked]) -> list[Heard]:
    """The people of things of one kind, today; each once for each key, as the first audience that has the person."""
    return once(await WHO[about](asked))


def once(heard: Iterable[Heard]) -> list[Heard]:
    """Each person once for each key, as found first."""
    found: dict[tuple[UUID, UUID], Heard] = {}
    for one in heard:
        found.setdefault((one.key, one.person), one)
    return list(found.values())


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
        Heard(one.key, person, audience, unit, role, it.danger)
        for one in asked
        if (it := items.get(one.subject))
        for audience in one.audience
        for person, unit, role in _around(audience, it, one, roll)
    ]


async def of_named(asked: Sequence[Asked]) -> list[Heard]:
    """What the events name themselves: `unit` or `units`, `region`, `person`. Nothing named is nobody."""
    paths = await _paths({one.facts["region"] for one in asked if one.facts.get("region")})
    people = {UUID(one.facts["person"]) for one in asked if one.facts.get("person")}
    units = {unit for one in asked for unit in one.concerned}
    roll = await Roll.of(units=units, areas={code for path in paths.values() for code in path}, people=people)
    return [
        Heard(one.key, person, audience, unit, role)
        for one in asked
        for audience in one.audience
        for person, unit, role in _named(audience, one, paths.get(one.facts.get("region") or "", frozenset()), roll)
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
        Heard(one.key, person, audience, unit, role)
        for one in asked
        for audience in one.audience
        for person, unit, role in (
            roll.open([UUID(one.facts["giver"])])
            if audience == Audience.asker
            else roll.office(OFFICE, places[one.key])
        )
    ]


async def of_operations(asked: Sequence[Asked]) -> list[Heard]:
    """Administrators, and the office of the highest region that has one: a city's, not those of all its counties."""
    found = {
        Audience.administrators: await everywhere({Role.sys_admin}),
        Audience.office: await at_the_top(OFFICE),
    }
    return [
        Heard(one.key, person, audience, unit, role)
        for one in asked
        for audience in one.audience
        for person, unit, role in found.get(audience, ())
    ]


WHO: dict[Subject, Callable[[Sequence[Asked]], Awaitable[list[Heard]]]] = {
    Subject.rectification: of_items,
    Subject.reminder: of_items,
    Subject.batch: of_batches,
    Subject.files: of_files,
    Subject.month: of_named,
    Subject.summary: of_named,
    Subject.feedback: of_feedback,
    Subject.operations: of_operations,
}

Found = Iterable[tuple[UUID, UUID | None, Role | None]]


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


async def _paths(regions: set[str]) -> dict[str, frozenset[str]]:
    """Of each region the codes from the province down to it: the offices of all of them look after it."""
    if not regions:
        return {}
    rows = await raw("SELECT code, path FROM region WHERE code = ANY($1::text[])", list(regions))
    return {row["code"]: frozenset(row["path"]) for row in rows}
