"""Running numbers of what a person sees, read from a roll-up that triggers keep (docs/decisions/0028)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw
from backend.roles import Actor
from backend.units.region_rows import Level, level_of
from tasks.decisions import queries as decisions
from tasks.decisions.rules import OF_THE_OFFICE
from tasks.numbers.rules import Five, Marks, marks
from tasks.rectifications import listing
from tasks.rectifications.item import OPEN, TICKING, WAITING_FOR_UNIT, Status
from tasks.rectifications.words import UnitRole


class RegionNumbers(msgspec.Struct, kw_only=True):
    region: str
    name: str
    numbers: Five


class AreaNumbers(RegionNumbers, kw_only=True):
    """An area of the reader, and each region right below it. What lies in none of these is in the area's own."""

    children: list[RegionNumbers]


class UnitNumbers(msgspec.Struct, kw_only=True):
    """A unit of the reader, in one role: `lead` for what it reviews, otherwise for what it has to do."""

    unit: UUID
    name: str
    role: UnitRole
    numbers: Five


class Numbers(msgspec.Struct, kw_only=True):
    """`numbers` adds up the reader's areas, or, without an area, the units: an item of two of them counts twice."""

    as_of: datetime
    week_ends_on: date
    month: str
    numbers: Five
    areas: list[AreaNumbers]
    units: list[UnitNumbers]


async def of(actor: Actor) -> Numbers:
    """Exact at this moment. Nobody else's items are counted: scopes are those of the reader's own lists."""
    at = marks(clock.local(clock.now()))
    held = listing.sight(actor)
    areas = await _of_areas(await _outermost([code for codes in held.areas.values() for code in codes]), at)
    units = await _of_units(held.parts, at)
    return Numbers(
        as_of=clock.now(),
        week_ends_on=at.week_ends.date() - timedelta(days=1),
        month=f"{at.month_began:%Y-%m}",
        numbers=_added([it.numbers for it in areas] or [it.numbers for it in units]),
        areas=areas,
        units=units,
    )


def _added(all: Sequence[Five]) -> Five:
    return Five(**{name: sum(getattr(one, name) for one in all) for name in Five.__struct_fields__})


async def _outermost(codes: Sequence[str]) -> list[str]:
    """The areas that lie in no other of them, so that nothing is counted twice."""
    if len(codes) < 2:
        return list(codes)
    rows = await raw("SELECT code, path FROM region WHERE code = ANY($1::text[]) ORDER BY code", codes)
    return [row["code"] for row in rows if not set(row["path"][:-1]) & set(codes)]


async def _of_areas(codes: Sequence[str], at: Marks) -> list[AreaNumbers]:
    if not codes:
        return []
    regions = await raw(
        "SELECT code, parent, name FROM region WHERE code = ANY($1::text[]) "
        "OR (parent = ANY($1::text[]) AND valid_to IS NULL) ORDER BY code",
        codes,
    )
    all = [row["code"] for row in regions]
    counted = await _counted(all, at)
    beside = {code: more for area in codes for code, more in (await decisions.beside(area, all)).items()}
    lines: dict[str, RegionNumbers] = {}
    for row in regions:
        code, five = row["code"], counted.get(row["code"], Five())
        five = msgspec.structs.replace(five, waiting=max(five.waiting + beside.get(code, 0), 0))
        lines[code] = RegionNumbers(region=code, name=row["name"], numbers=five)
    return [
        AreaNumbers(
            region=code,
            name=lines[code].name,
            numbers=lines[code].numbers,
            children=[lines[row["code"]] for row in regions if row["parent"] == code],
        )
        for code in codes
        if code in lines
    ]


async def _counted(codes: Sequence[str], at: Marks) -> dict[str, Five]:
    """By area. Villages have no tally: what lies in one is little, and is counted from its own ordered index."""
    villages = [code for code in codes if level_of(code) == Level.village]
    others = [code for code in codes if level_of(code) != Level.village]
    found = await _tallied(others, at, OF_THE_OFFICE)
    if villages:
        rows = await raw(
            f"SELECT scope, {_FIVE} FROM (SELECT region AS scope, status, CASE WHEN status = 'closed' "
            "THEN date_trunc('month', closed_at, 'Asia/Shanghai') ELSE urgency END AS until, 1 AS count "
            "FROM rectification WHERE region = ANY($1::text[])) AS it GROUP BY scope",
            *_arguments(villages, at, OF_THE_OFFICE),
        )
        found |= {row["scope"]: _five(row) for row in rows}
    return found


async def _of_units(parts: Iterable[tuple[UUID, UnitRole]], at: Marks) -> list[UnitNumbers]:
    """A unit's own work waits for it part by part: who has handed in waits for others, whatever the item waits for."""
    leads = [unit for unit, role in parts if role == UnitRole.lead]
    doers = [unit for unit, role in parts if role == UnitRole.responsible]
    if not leads and not doers:
        return []
    named = {row["id"]: row["name"] for row in await raw("SELECT id, name FROM unit WHERE id = ANY($1)", leads + doers)}
    found = await _tallied(
        [f"unit:{unit}" for unit in doers] + [f"lead:{unit}" for unit in leads], at, {Status.handed_in}
    )
    waiting = await _waiting(doers)
    own = [
        UnitNumbers(
            unit=unit,
            name=named[unit],
            role=UnitRole.responsible,
            numbers=msgspec.structs.replace(found.get(f"unit:{unit}", Five()), waiting=waiting.get(unit, 0)),
        )
        for unit in doers
    ]
    led = [
        UnitNumbers(unit=unit, name=named[unit], role=UnitRole.lead, numbers=found.get(f"lead:{unit}", Five()))
        for unit in leads
    ]
    return own + led


async def _waiting(units: Sequence[UUID]) -> Mapping[UUID, int]:
    rows = await raw(
        "SELECT unit, count(*) AS waiting FROM rectification_unit AS part WHERE unit = ANY($1::uuid[]) "
        "AND role <> 'lead' AND ended_at IS NULL AND item_status = ANY($2) AND coalesce(status, item_status) = ANY($2) "
        "GROUP BY unit",
        units,
        [status.value for status in WAITING_FOR_UNIT],
    )
    return {row["unit"]: row["waiting"] for row in rows}


async def _tallied(scopes: Sequence[str], at: Marks, waits: Iterable[Status]) -> dict[str, Five]:
    """By scope: what is added up, and what has changed since, as one snapshot shows it."""
    if not scopes:
        return {}
    rows = await raw(
        f"SELECT scope, {_FIVE} FROM (SELECT scope, status, until, count FROM rectification_tally "
        "WHERE scope = ANY($1::text[]) UNION ALL SELECT scope, status, until, change FROM tally_change, "
        "unnest(scopes) AS held (scope) WHERE scope = ANY($1::text[])) AS it GROUP BY scope",
        *_arguments(scopes, at, waits),
    )
    return {row["scope"]: _five(row) for row in rows}


_FIVE = (
    "coalesce(sum(count) FILTER (WHERE status = ANY($2)), 0)::int AS open, "
    "coalesce(sum(count) FILTER (WHERE status = ANY($3) AND until <= $4), 0)::int AS overdue, "
    "coalesce(sum(count) FILTER (WHERE status = ANY($3) AND until > $4 AND until <= $5), 0)::int AS due_this_week, "
    "coalesce(sum(count) FILTER (WHERE status = ANY($7)), 0)::int AS waiting, "
    "coalesce(sum(count) FILTER (WHERE status = 'closed' AND until = $6), 0)::int AS cleared_this_month"
)


def _arguments(scopes: Sequence[str], at: Marks, waits: Iterable[Status]) -> tuple[Any, ...]:
    return scopes, [*map(str, OPEN)], [*map(str, TICKING)], at.now, at.week_ends, at.month_began, [*map(str, waits)]


def _five(row: Any) -> Five:
    return Five(**{name: row[name] for name in Five.__struct_fields__})
