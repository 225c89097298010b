"""调阅记录: who read the full values of which household, when and why. For auditors and office leaders."""

from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend.db import select
from backend.errors import BadRequest, Forbidden
from backend.households import queries, rules, shapes
from backend.households.queries import Shown
from backend.roles import Actor
from backend.units.queries import within


def visible_to(actor: Actor) -> QueryString:
    """Records of the area; the auditor sees them without seeing the household."""
    branches = within("household", actor.areas(*rules.READS_VIEWS))
    return QueryString("(" + " OR ".join("{}" for _ in branches) + ")", *branches) if branches else QueryString("false")


async def of_household(household: UUID, actor: Actor, shown: Shown, cursor: UUID | None, most: int) -> shapes.Views:
    """One household's, newest first.

    Raises NotFound outside the sight of both the records and the household, Forbidden where only the latter is seen.
    """
    if not await select("SELECT 1 FROM household WHERE id = {} AND {}", household, visible_to(actor)):
        raise Forbidden(rules.may_read_views(actor, await queries.seen(household, actor, shown)) or "")
    return await _page(QueryString("view.household = {}", household), cursor, most)


async def listed(actor: Actor, by: UUID | None, cursor: UUID | None, most: int) -> shapes.Views:
    """All of the area, newest first; of one reader when `by` is given. Raises Forbidden."""
    if not actor.has(*rules.READS_VIEWS):
        raise Forbidden(rules.may_read_views(actor, frozenset()) or "")
    mine = QueryString("({}::uuid IS NULL OR view.by = {})", by, by)
    return await _page(QueryString("{} AND {}", visible_to(actor), mine), cursor, most)


async def _page(condition: QueryString, cursor: UUID | None, most: int) -> shapes.Views:
    after = QueryString("true")
    if cursor:
        rows = await select("SELECT at FROM household_view WHERE id = {}", cursor)
        if not rows:
            raise BadRequest("翻页标记无效，请从第一页重新打开。", "bad_cursor", field="cursor")
        after = QueryString("(view.at, view.id) < ({}, {})", rows[0]["at"], cursor)
    found: list[dict[str, Any]] = await select(
        "SELECT view.*, household.region, region.full_name AS region_name, person.name AS by_name, "
        "unit.short_name AS unit_name FROM household_view AS view "
        "JOIN household ON household.id = view.household JOIN region ON region.code = household.region "
        "JOIN person ON person.id = view.by JOIN unit ON unit.id = person.unit "
        "WHERE {} AND {} ORDER BY view.at DESC, view.id DESC LIMIT {}",
        condition,
        after,
        most,
    )
    items = msgspec.convert(found, list[shapes.ViewShape])
    return shapes.Views(items, str(items[-1].id) if len(items) == most else None)
