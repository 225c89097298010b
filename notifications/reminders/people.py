"""Who is reminded: live accounts with a live role, nearest to the thing; one step up where there is nobody."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from uuid import UUID

from backend.db import raw
from backend.roles import OFFICE, RESPONSIBLE, Role
from backend.units import queries as units
from backend.units.region_rows import Level, level_of
from notifications.inbox.asked import Heard
from notifications.inbox.roll import BOSSES, LEADERS, PRINCIPALS, REVIEWERS, Roll
from notifications.inbox.rules import Audience
from notifications.reminders.rules import OF_ITS_PART, climb
from tasks.rectifications import parties
from tasks.rectifications.parties import Parties

Found = tuple[UUID, UUID | None, Role | None]
CONTRACT = frozenset({Role.contract_leader})
OFFICES = (Audience.office, Audience.office_leaders, Audience.leaders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something to remind of: whom its rule tells, the item it is about (none: a month's check), whose work it is."""

    key: UUID
    tells: tuple[Audience, ...]
    item: UUID | None
    units: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What is around one of them. `area` from the place up to the province."""

    units: tuple[UUID, ...]
    lead: Collection[UUID]
    area: Sequence[str]
    checkers: frozenset[UUID] = frozenset()
    listed: bool = False
    danger: bool = False


async def told(waiting: Sequence[Waiting], today: date) -> list[Heard]:
    """The people of each audience of each of them, in the order in which the rule names them."""
    around = await _around(waiting, today)
    roll = await Roll.of(
        units={unit for it in around.values() for unit in (*it.units, *it.lead)},
        people={person for it in around.values() for person in it.checkers},
    )
    steps = {one.key: [*_steps(one.tells, it, roll)] for one in waiting if (it := around.get(one.key))}
    # Offices are asked about only where one is to be told, or nobody below is there.
    up = [one for one in waiting if any(met in OFFICES for met, _ in steps.get(one.key, ()))]
    if up:
        areas = {code for one in up for code in around[one.key].area}
        roll = replace(roll, offices=(await Roll.of(areas=areas)).offices)
        steps |= {one.key: [*_steps(one.tells, around[one.key], roll)] for one in up}
    return [
        Heard(one.key, person, audience, unit, role, around[one.key].danger)
        for one in waiting
        for audience, found in steps.get(one.key, ())
        for person, unit, role in found
    ]


def _steps(tells: Iterable[Audience], it: _Around, roll: Roll) -> Iterator[tuple[Audience, Collection[Found]]]:
    """Each audience, or the step above it that has anybody; of units each goes up for itself."""
    for audience in tells:
        for own in ((unit,) for unit in it.units) if audience in OF_ITS_PART and it.units else [it.units]:
            yield climb(audience, lambda step, own=own: _there(step, own, it, roll))


def _there(audience: Audience, own: Sequence[UUID], it: _Around, roll: Roll) -> Collection[Found]:
    match audience:
        case Audience.responsible_units:
            return [*roll.holders(RESPONSIBLE, own)]
        case Audience.principals:
            return [*roll.holders(PRINCIPALS, own)]
        case Audience.lead_units:
            found = [*roll.holders(REVIEWERS, it.lead)]
            return found or [*roll.holders(RESPONSIBLE, set(it.lead) & set(own))]  # a month is the lead unit's own work
        case Audience.checkers:
            return [*roll.open(it.checkers)]
        case Audience.office:
            return _nearest(OFFICE, it, roll)
        case Audience.office_leaders:
            return [*_nearest(BOSSES, it, roll), *(_nearest(CONTRACT, it, roll) if it.listed else ())]
        case Audience.leaders:
            return _nearest(LEADERS, it, roll)
        case _:
            return ()


def _nearest(roles: frozenset[Role], it: _Around, roll: Roll) -> list[Found]:
    """Of the offices that look after the place the nearest that has anybody, not every one up to the province."""
    for code in it.area:
        if found := [*roll.office(roles, [code])]:
            return [*found]
    return []


async def _around(waiting: Sequence[Waiting], today: date) -> dict[UUID, _Around]:
    items = await parties.of(one.item for one in waiting if one.item)
    months = [one for one in waiting if one.item is None]
    around = {one.key: _of_item(one, items[one.item]) for one in waiting if one.item and one.item in items}
    return around | (await _of_months(months, today) if months else {})


def _of_item(one: Waiting, it: Parties) -> _Around:
    return _Around(
        units=one.units or tuple(it.responsible),
        lead=it.lead,
        area=it.area[::-1],
        checkers=it.checkers,
        listed=it.listed,
        danger=it.danger,
    )


async def _of_months(months: Sequence[Waiting], today: date) -> dict[UUID, _Around]:
    """A lead unit that was merged away is spoken to through the one that does its work today."""
    heirs = await units.heirs(today)
    own = {one.key: tuple(heirs.get(unit, unit) for unit in one.units) for one in months}
    rows = await raw(
        "SELECT unit.id, region.path FROM unit JOIN region ON region.code = unit.region "
        "WHERE unit.id = ANY($1::uuid[])",
        [unit for some in own.values() for unit in some],
    )
    paths: Mapping[UUID, Sequence[str]] = {row["id"]: row["path"] for row in rows}
    return {
        key: _Around(
            units=some, lead=some, area=sorted({code for unit in some for code in paths.get(unit, ())}, key=_height)
        )
        for key, some in own.items()
    }


_LEVELS = {level: place for place, level in enumerate(Level)}


@lru_cache(maxsize=65_536)  # all villages of a province
def _height(code: str) -> int:
    """The place first, the province last."""
    return -_LEVELS[level_of(code)]
