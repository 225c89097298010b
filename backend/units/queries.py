"""Reading regions, units, their other names and groups; everyone who is signed in may."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import raw, select
from backend.errors import NotFound
from backend.roles import Actor
from backend.units.region_rows import Level, level_of
from backend.units.rules import ADMINISTERS, UnitKind


class RegionShape(msgspec.Struct):
    """One region. `full_name` leaves the province out: 抚顺市新宾满族自治县上夹河镇腰站村."""

    code: str
    parent: str | None
    level: Level
    name: str
    full_name: str
    valid_from: date
    valid_to: date | None


class AliasShape(msgspec.Struct):
    id: UUID
    name: str
    valid_from: date
    valid_to: date | None


class UnitShape(msgspec.Struct):
    """One unit with all its other names, past ones too. Days are legal days; `valid_to` is the last one."""

    id: UUID
    name: str
    short_name: str
    kind: UnitKind
    region: str
    region_name: str
    parent: UUID | None
    valid_from: date
    valid_to: date | None
    successor: UUID | None
    aliases: list[AliasShape]


class Ended(msgspec.Struct):
    """A unit that is over, and the one that took over its work."""

    id: UUID
    name: str
    successor: UUID | None
    successor_name: str | None


async def regions(parent: str | None, cursor: str | None = None, most: int = 100) -> list[RegionShape]:
    """A page of today's regions right below `parent` (without it: the provinces), by code, after `cursor`."""
    rows = await select(
        "SELECT * FROM region WHERE parent IS NOT DISTINCT FROM {} AND {} "
        "AND ({}::text IS NULL OR code > {}) ORDER BY code LIMIT {}",
        parent,
        _holds("region", clock.today()),
        cursor,
        cursor,
        most,
    )
    return msgspec.convert(rows, list[RegionShape])


async def region(code: str) -> RegionShape:
    """One region, also one that is no more. Raises NotFound."""
    rows = await select("SELECT * FROM region WHERE code = {}", code)
    if not rows:
        raise NotFound()
    return msgspec.convert(rows[0], RegionShape)


# Tables that are listed by area repeat the codes above a place in columns of these names (stack.md 11.2); a village
# is their `region` itself.
AREA_COLUMNS = {
    Level.province: "province",
    Level.prefecture: "prefecture",
    Level.county: "county",
    Level.township: "township",
    Level.village: "region",
}


async def ancestors(code: str) -> dict[Level, str]:
    """The codes from the province down to this place, by level; levels that do not exist there are missing.

    Empty for an unknown code.
    """
    rows = await select(
        "SELECT level, code FROM region WHERE code = ANY((SELECT path FROM region WHERE code = {})::text[])", code
    )
    return {Level(row["level"]): row["code"] for row in rows}


def within(table: str, areas: Iterable[str]) -> list[QueryString]:
    """One condition per level for rows of `table` (one of our own names, with AREA_COLUMNS) in one of these areas."""
    columns: dict[str, list[str]] = {}
    for area in sorted(areas):
        columns.setdefault(AREA_COLUMNS[level_of(area)], []).append(area)
    return [
        # One code is compared by itself: before PostgreSQL 17 an index gives no order to = ANY.
        QueryString(f"{table}.{column} = {{}}", codes[0])
        if len(codes) == 1
        else QueryString(f"{table}.{column} = ANY({{}})", codes)
        for column, codes in columns.items()
    ]


async def region_codes() -> set[str]:
    """Codes that may be parents of new ones: everything above the villages."""
    rows = await select("SELECT code FROM region WHERE level <> {}", Level.village.value)
    return {row["code"] for row in rows}


def visible_to(actor: Actor) -> QueryString:
    """Units are no secret; those that have ended are shown to who keeps the list."""
    return QueryString("true") if actor.has(*ADMINISTERS) else _holds("unit", clock.today())


async def units(
    actor: Actor,
    *,
    region: str | None = None,
    covering: str | None = None,
    q: str | None = None,
    cursor: UUID | None = None,
    most: int = 100,
) -> list[UnitShape]:
    """One page, by region, name and id, after the unit `cursor`.

    `region`: those at and below it. `covering`: those whose own area holds that place, who may be responsible
    there. `q`: part of a name, short name or other name.
    """
    conditions = [visible_to(actor)]
    if region:
        conditions.append(QueryString("region.path && {}::text[]", [region]))
    if covering:
        conditions.append(QueryString("unit.region = ANY((SELECT path FROM region WHERE code = {})::text[])", covering))
    if q and q.strip():
        conditions.append(_named_like(q.strip()))
    if cursor:
        after = "(unit.region, unit.name, unit.id) > (SELECT region, name, id FROM unit WHERE id = {})"
        conditions.append(QueryString(after, cursor))
    return await _shaped(
        "WHERE {} ORDER BY unit.region, unit.name, unit.id LIMIT {}",
        QueryString(" AND ".join("{}" for _ in conditions), *conditions),
        most,
    )


async def unit(id: UUID, actor: Actor) -> UnitShape:
    """Raises NotFound."""
    found = await _shaped("WHERE unit.id = {} AND {}", id, visible_to(actor))
    if not found:
        raise NotFound()
    return found[0]


async def ended(ids: Iterable[UUID], on: date) -> list[Ended]:
    """Which of these units were over on that day, and who took over."""
    rows = await raw(
        "SELECT unit.id, unit.name, unit.successor, heir.name AS successor_name FROM unit "
        "LEFT JOIN unit AS heir ON heir.id = unit.successor "
        "WHERE unit.id = ANY($1::uuid[]) AND unit.valid_to < $2 ORDER BY unit.name",
        list(ids),
        on,
    )
    return [Ended(**row) for row in rows]


async def heirs(on: date) -> dict[UUID, UUID]:
    """The units that were over on that day, each with the one that does its work then; without such a one left out."""
    rows = await raw(
        "WITH RECURSIVE line (unit, heir) AS ("
        "SELECT id, successor FROM unit WHERE valid_to < $1 AND successor IS NOT NULL "
        "UNION SELECT line.unit, next.successor FROM line JOIN unit AS next ON next.id = line.heir "
        "WHERE next.valid_to < $1 AND next.successor IS NOT NULL) "
        "SELECT line.unit, line.heir FROM line JOIN unit ON unit.id = line.heir "
        "WHERE unit.valid_from <= $1 AND (unit.valid_to IS NULL OR unit.valid_to >= $1)",
        on,
    )
    return {row["unit"]: row["heir"] for row in rows}


async def known_as(name: str, on: date) -> list[UnitShape]:
    """Which units of that day a paper of that day means by this name, in full, short or as an alias."""
    return await _shaped(
        "WHERE {} AND (unit.name = {} OR unit.short_name = {} OR unit.id IN "
        "(SELECT unit FROM unit_alias WHERE name = {} AND {})) ORDER BY unit.region, unit.name, unit.id",
        _holds("unit", on),
        name,
        name,
        name,
        _holds("unit_alias", on),
    )


async def expand(group_name: str, region: str, on: date) -> list[UnitShape]:
    """The units a group's word stands for on that day: members that day that are units that day.

    Raises NotFound when the region has no group of this name.
    """
    groups = await select("SELECT id FROM unit_group WHERE name = {} AND region = {}", group_name, region)
    if not groups:
        raise NotFound()
    return await members(groups[0]["id"], on)


async def members(group: UUID, on: date) -> list[UnitShape]:
    """The units a group stands for on that day: members that day that are units that day."""
    return await _shaped(
        'WHERE {} AND unit.id IN (SELECT unit FROM unit_group_member WHERE "group" = {} AND {}) '
        "ORDER BY unit.region, unit.name, unit.id",
        _holds("unit", on),
        group,
        _holds("unit_group_member", on),
    )


def _holds(table: str, on: date) -> QueryString:
    """From the first day to the last, both included. `table` is one of our own names, never a client's."""
    dates = f"({table}.valid_from <= {{}} AND ({table}.valid_to IS NULL OR {table}.valid_to >= {{}}))"
    return QueryString(dates, on, on)


def _named_like(q: str) -> QueryString:
    literal = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return QueryString(
        "(unit.name ILIKE {} OR unit.short_name ILIKE {} OR unit.id IN "
        "(SELECT unit FROM unit_alias WHERE unit_alias.name ILIKE {} AND {}))",
        *[f"%{literal}%"] * 3,
        _holds("unit_alias", clock.today()),
    )


async def _shaped(condition: str, *args: Any) -> list[UnitShape]:
    rows: Sequence[dict[str, Any]] = await select(
        "SELECT unit.*, region.full_name AS region_name FROM unit JOIN region ON region.code = unit.region "
        + condition,
        *args,
    )
    aliases = await select(
        "SELECT * FROM unit_alias WHERE unit = ANY({}) ORDER BY valid_from, name", [row["id"] for row in rows]
    )
    return [
        msgspec.convert({**row, "aliases": [a for a in aliases if a["unit"] == row["id"]]}, UnitShape) for row in rows
    ]
