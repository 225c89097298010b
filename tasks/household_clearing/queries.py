"""Reading households together with their items: the ledger as a list, one household, clearing by region.

A concept of its own because neither side may know the other way round: items name households, so households cannot
count items; and what is cleared is no business of one item.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend.db import select
from backend.households import cursors
from backend.households import queries as households
from backend.households.rules import Category, check_search
from backend.roles import Actor
from backend.units import queries as units
from backend.units.queries import AREA_COLUMNS
from backend.units.region_rows import Level
from tasks.household_clearing import rules, shapes
from tasks.rectifications import filters, listing
from tasks.rectifications.item import COUNTED, Status
from tasks.rectifications.queries import shows_household
from tasks.rectifications.shapes import Page as ItemPage

BELOW = {level: below for level, below in zip(Level, [*list(Level)[1:], Level.village], strict=True)}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to; None means not narrowed. `cleared` false: has items that are not."""

    region: str | None = None
    q: str | None = None
    category: Category | None = None
    cleared: bool | None = None


def visible_to(actor: Actor) -> QueryString:
    return households.visible_to(actor, shows_household)


async def page(actor: Actor, wanted: Filter, cursor: str | None, most: int) -> shapes.Page:
    """One page of the ledger, by village, number and id, masked. `q` is a part of the ledger's number.

    Raises BadRequest for a personal number in `q`.
    """
    check_search(wanted.q)
    rows = await select(
        f"{_ROW} WHERE {{}} AND {{}} AND {{}} ORDER BY {cursors.ORDER} LIMIT {{}}",
        visible_to(actor),
        _condition(wanted),
        cursors.after(cursor),
        most,
    )
    items = msgspec.convert([_row(row) for row in rows], list[shapes.Row])
    return shapes.Page(items, cursors.next_of(items, most))


async def detail(household: UUID, actor: Actor) -> shapes.Detail:
    """Raises NotFound outside the actor's sight."""
    seen = await households.masked(household, actor, shows_household)
    tally = (await select(f"SELECT {_COUNTS} FROM rectification WHERE household = {{}} AND {_COUNTED}", household))[0]
    return shapes.Detail(**msgspec.structs.asdict(seen), tally=_tally(tally))


async def items(household: UUID, actor: Actor, cursor: str | None, most: int) -> ItemPage:
    """The household's items that the actor sees, the most urgent first. Raises NotFound."""
    found = await listing.page(
        actor, filters.Filter(household=household), sort=filters.Sort.urgency, cursor=cursor, most=most
    )
    await households.seen(household, actor, shows_household)
    return found


async def clearing(actor: Actor, region: str, cursor: str | None, most: int) -> shapes.Clearing:
    """The households in sight at and below this region. Raises NotFound for an unknown one."""
    place = await units.region(region)
    below = AREA_COLUMNS[BELOW[place.level]]
    rows = await select(
        "SELECT part.code AS region, part.name AS region_name, count(*) AS households, "
        "count(*) FILTER (WHERE closed = counted) AS cleared, "
        "count(*) FILTER (WHERE closed < counted) AS not_cleared, "
        "count(*) FILTER (WHERE closed < counted AND closed + hung = counted) AS hung "
        f"FROM household {_TALLIED} JOIN region AS part ON part.code = coalesce(household.{below}, household.region) "
        "WHERE counted > 0 AND {} AND {} GROUP BY part.code, part.name ORDER BY part.code",
        visible_to(actor),
        _at_or_below(region),
    )
    parts = msgspec.convert(rows, list[shapes.Part])
    left = await page(actor, Filter(region=region, cleared=False), cursor, most)
    counts = {name: sum(getattr(part, name) for part in parts) for name in shapes.Counts.__struct_fields__}
    return shapes.Clearing(
        **counts, region=region, region_name=place.full_name, parts=parts, items=left.items, next=left.next
    )


_COUNTED = "status IN ({})".format(", ".join(f"'{status}'" for status in sorted(COUNTED)))
_COUNTS = (
    "count(*) AS counted, "
    f"count(*) FILTER (WHERE status = '{Status.closed}') AS closed, "
    f"count(*) FILTER (WHERE status = '{Status.hung}') AS hung"
)
_TALLIED = (
    f"CROSS JOIN LATERAL (SELECT {_COUNTS} FROM rectification "
    f"WHERE rectification.household = household.id AND {_COUNTED}) AS tally"
)
_ROW = (
    "SELECT household.*, region.full_name AS region_name, counted, closed, hung FROM household "
    f"JOIN region ON region.code = household.region {_TALLIED}"
)


def _condition(wanted: Filter) -> QueryString:
    parts = [QueryString("true")]
    if wanted.region:
        parts.append(_at_or_below(wanted.region))
    if wanted.category:
        parts.append(QueryString("household.category = {}", wanted.category.value))
    if wanted.cleared is not None:
        parts.append(QueryString("counted > 0 AND closed = counted" if wanted.cleared else "closed < counted"))
    if wanted.q:
        literal = wanted.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        parts.append(QueryString("household.household_number ILIKE {}", f"%{literal}%"))
    return QueryString(" AND ".join("({})" for _ in parts), *parts)


def _at_or_below(region: str) -> QueryString:
    return households.within("household", [region])[0]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**households.masked_row(row), "tally": _tally(row)}


def _tally(row: dict[str, Any]) -> shapes.Tally:
    counts = {name: row[name] for name in ("counted", "closed", "hung")}
    return shapes.Tally(**counts, standing=rules.standing(**counts))
