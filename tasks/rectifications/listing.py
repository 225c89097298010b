"""Lists of rectifications: which items stand on a page. Where they are read from is in drivers.py."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw
from backend.roles import FIELD, READS_AREA, RESPONSIBLE, Actor, Role
from backend.units.region_rows import level_of
from tasks.rectifications import cursors, filters, narrowing, queries, shapes
from tasks.rectifications.drivers import ORDERS, After, Args, Drivers, Order, beyond, front, within
from tasks.rectifications.filters import SOON, Filter, Sort, Span
from tasks.rectifications.item import WAITING_FOR_UNIT
from tasks.rectifications.loading import COLUMN_OF
from tasks.rectifications.narrowing import Rest
from tasks.rectifications.words import UnitRole

# How far the front of a list is looked through for what no order knows, and how many finds make going on worth while.
FIRST_LOOK, SECOND_LOOK, PROMISING = 1_000, 20_000, 8
EVERYTHING = 2**31 - 1


class Waiting(msgspec.Struct):
    """What a person's units must work on: how much of it is late or soon late, and the most urgent of it."""

    overdue: int
    due_soon: int
    items: list[shapes.Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One list as it is read: from which scopes, and what is asked of each item.

    `rest` is asked of what the scopes lead to; `anywhere`, which holds sight and all, of an item found in any way.
    """

    scopes: Drivers
    spans: Sequence[Span]
    rest: Rest
    anywhere: Rest
    today: date


async def page(
    actor: Actor, wanted: Filter, *, sort: Sort = Sort.urgency, cursor: str | None, most: int
) -> shapes.Page:
    """One page in the order of `sort`. Raises BadRequest for a cursor that is not of this very list."""
    order = ORDERS[sort]
    after = cursors.opened(cursor, sort, wanted)
    lines = await _next(await asked(actor, wanted, clock.now()), order, after, most + 1, actor)
    items = lines[:most]
    return shapes.Page(items, cursors.made(items[-1], sort, wanted) if len(lines) > most else None)


async def waiting_for(actor: Actor, most: int) -> Waiting:
    """Items that wait for the actor's units, the most urgent first; the numbers count all of them.

    A unit that has handed in its part waits for others, whatever the item waits for.
    """
    units, now = sorted(actor.units(*RESPONSIBLE)), clock.now()
    if not units:
        return Waiting(0, 0, [])
    found = await raw(
        "WITH mine AS (SELECT part.rectification, min(item_urgency) AS urgency FROM rectification_unit AS part "
        "WHERE part.unit = ANY($1::uuid[]) AND part.role <> 'lead' AND part.ended_at IS NULL "
        "AND item_status = ANY($2::text[]) AND coalesce(part.status, item_status) = ANY($2) GROUP BY 1) "
        "SELECT count(*) FILTER (WHERE urgency <= $3) AS overdue, "
        "count(*) FILTER (WHERE urgency > $3 AND urgency <= $4) AS due_soon, "
        "(array_agg(rectification ORDER BY urgency, rectification))[:$5] AS ids FROM mine",
        units,
        [status.value for status in WAITING_FOR_UNIT],
        now,
        now + SOON,
        most,
    )
    row = found[0]
    return Waiting(row["overdue"], row["due_soon"], await _lines(row["ids"] or [], actor))


async def asked(actor: Actor, wanted: Filter, now: datetime) -> Asked:
    """Raises BadRequest for filters that say nothing together."""
    filters.check(wanted)
    own = sight(actor)
    if wanted.region and own.areas:
        own = replace(own, areas=await _within(own.areas, wanted.region))
    only_areas = not own.parts and not own.person
    region = () if wanted.region is None or only_areas else (wanted.region,)
    rest = Rest(
        marks=(*narrowing.marks(wanted), *region),
        never=narrowing.never(wanted),
        words=filters.words(wanted.q),
        look_back_due=wanted.look_back_due,
    )
    anywhere = _seen(rest, own, actor)
    if wanted.unit and own:
        rest = anywhere = replace(anywhere, unit=wanted.unit, unit_role=wanted.unit_role)
        own = _of_unit(wanted.unit, wanted.unit_role)
    spans, today = filters.spans(wanted, now), clock.local(now).date()
    return Asked(scopes=own, spans=spans, rest=rest, anywhere=anywhere, today=today)


def sight(actor: Actor) -> Drivers:
    """The scopes of queries.visible_to(actor)."""
    areas: dict[str, list[str]] = {}
    for area in sorted(actor.areas(*READS_AREA)):
        areas.setdefault(COLUMN_OF[level_of(area)], []).append(area)
    parts = [(unit, role) for unit in sorted(actor.units(*RESPONSIBLE)) for role in UnitRole if role != UnitRole.lead]
    parts += [(unit, UnitRole.lead) for unit in sorted(actor.units(Role.lead_unit_reviewer))]
    return Drivers(areas=areas, parts=parts, person=actor.person if actor.has(*FIELD) else None)


async def _lines(ids: Sequence[UUID], actor: Actor) -> list[shapes.Row]:
    return _shaped(await queries.rows(ids, actor)) if ids else []


def _shaped(rows: list[dict[str, Any]]) -> list[shapes.Row]:
    return msgspec.convert(rows, list[shapes.Row])


def _of_unit(unit: UUID, role: UnitRole | None) -> Drivers:
    """The unit's parts lead to its items; sight is asked of each."""
    return Drivers(areas={}, parts=[(unit, one) for one in ([role] if role else UnitRole)], asked_for=True)


def _seen(rest: Rest, own: Drivers, actor: Actor) -> Rest:
    """With sight as a condition, for items that were not reached through the actor's scopes."""
    if own.parts or own.person:
        return replace(rest, seen_by=actor)
    return replace(rest, areas=tuple(code for codes in own.areas.values() for code in codes))


async def _within(areas: dict[str, list[str]], region: str) -> dict[str, list[str]]:
    """What of the areas lies in the region: the region itself where one of them holds it."""
    codes = [code for held in areas.values() for code in held]
    found = await raw("SELECT code, path FROM region WHERE code = ANY($1::text[])", [region, *codes])
    paths = {row["code"]: row["path"] for row in found}
    if any(code in paths.get(region, ()) for code in codes):
        return {COLUMN_OF[level_of(region)]: [region]}
    inside = {column: [code for code in held if region in paths.get(code, ())] for column, held in areas.items()}
    return {column: held for column, held in inside.items() if held}


async def _next(it: Asked, order: Order, after: After | None, most: int, actor: Actor) -> list[shapes.Row]:
    """The next lines in order: in one statement where an ordered index knows all that is asked."""
    if not it.spans or not it.scopes:
        return []
    if it.rest:
        return await _lines(await _narrowed(it, order, after, most), actor)
    args = Args()
    ahead = front(it.scopes, it.spans, args, order=order, after=after, most=most)
    place = f"row_number() OVER (ORDER BY key {order.way}, id {order.way})"
    return _shaped(await queries.found_rows(f"SELECT id, {place} AS place FROM ({ahead}) AS ahead", args, actor))


async def _narrowed(it: Asked, order: Order, after: After | None, most: int) -> list[UUID]:
    """The next items in order.

    What no ordered index knows is looked for at the front of the list first: a common word is found there at once. When
    little turns up, the inverted index gathers all that could match, which is then little, too.
    """
    gathered = narrowing.pieces(it.anywhere, it.spans)
    for look in (FIRST_LOOK, SECOND_LOOK, EVERYTHING):
        ids, seen = await _look(it, order, after, most, look)
        if len(ids) == most or seen < look:
            return ids
        if gathered and (len(ids) < PROMISING or look == SECOND_LOOK):
            return await _gather(it, order, after, most)
    raise AssertionError("a list has an end")


async def _look(it: Asked, order: Order, after: After | None, most: int, look: int) -> tuple[list[UUID], int]:
    """What matches among the first `look` items, and how many were there to look at (not counted on a full page)."""
    args = Args()
    ahead = front(it.scopes, it.spans, args, order=order, after=after, most=look)
    matches = narrowing.condition(it.rest, args, it.today)
    found = await raw(
        f"WITH ahead AS NOT MATERIALIZED ({ahead}), hit AS MATERIALIZED (SELECT ahead.id FROM ahead, LATERAL "
        f"(SELECT FROM rectification_search AS it WHERE it.rectification = ahead.id AND {matches} OFFSET 0) AS fits "
        f"ORDER BY ahead.key {order.way}, ahead.id {order.way} LIMIT {most}) "
        f"SELECT ARRAY(SELECT id FROM hit) AS ids, CASE WHEN (SELECT count(*) FROM hit) < {most} "
        "THEN (SELECT count(*) FROM ahead) END AS seen",
        *args,
    )
    return found[0]["ids"], found[0]["seen"] or 0


async def _gather(it: Asked, order: Order, after: After | None, most: int) -> list[UUID]:
    """All that matches, by the inverted index, then sorted."""
    args, key = Args(), order.item.format("it.")
    found = await raw(
        "SELECT it.rectification AS id FROM rectification_search AS it "
        f"WHERE search_pieces(it.text, it.marks) @> {args.put(narrowing.pieces(it.anywhere, it.spans))}::text[] "
        f"AND {narrowing.condition(it.anywhere, args, it.today)} AND {within(it.spans, args)}"
        f"{beyond(key, 'it.rectification', order, after, args)} "
        f"ORDER BY {key} {order.way}, it.rectification {order.way} LIMIT {most}",
        *args,
    )
    return [row["id"] for row in found]
