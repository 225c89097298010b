"""How many items stand on each tab of a board. Exact up to 10,000; nobody reads more of a number than that."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from backend import clock
from backend.db import raw
from backend.roles import Actor
from tasks.rectifications import filters, listing, narrowing
from tasks.rectifications.drivers import ORDERS, Args, Tail, bounded, rows_of, sources
from tasks.rectifications.filters import STATUSES, Filter, Group, Sort, Span
from tasks.rectifications.item import Status
from tasks.rectifications.listing import Asked

MOST = 10_000
MOST_LOOKED_AT = 20_000  # items that are read one by one, where a filter is set that no ordered index knows


class Count(msgspec.Struct, frozen=True):
    """`more`: at least so many; a screen writes 10000+."""

    count: int
    more: bool = False


class Counts(msgspec.Struct, frozen=True):
    """Items in sight by tab. Status and group of the filter are the tabs themselves and narrow nothing here."""

    groups: dict[Group, Count]
    statuses: dict[Status, Count]
    overdue: Count
    due_soon: Count
    returned: Count


class _Part(msgspec.Struct, frozen=True):
    """Items of one status in one window of time."""

    span: Span
    count: int


async def of(actor: Actor, wanted: Filter) -> Counts:
    """Raises BadRequest for filters that say nothing together."""
    now = clock.now()
    wanted = msgspec.structs.replace(wanted, group=Group.all, status=None)
    it = await listing.asked(actor, wanted, now)
    spans = [*_cut(wanted, now)]
    more, returned = False, 0
    if not spans or not it.scopes:
        parts = []
    elif it.rest or it.scopes.person:
        parts, returned, more = await _by_looking(it, spans)
    else:
        parts, returned = await _by_index(it, spans)

    def total(chosen: Iterable[_Part]) -> Count:
        return _capped(sum(part.count for part in chosen), more)

    return Counts(
        groups={name: total(part for part in parts if part.span.status in held) for name, held in STATUSES.items()},
        statuses={status: total(part for part in parts if part.span.status == status) for status in Status},
        overdue=total(part for part in parts if part.span.upto <= now),
        due_soon=total(part for part in parts if part.span.after == now),
        returned=_capped(returned, more),
    )


def _capped(count: int, more: bool) -> Count:
    return Count(min(count, MOST), more or count > MOST)


def _cut(wanted: Filter, now: datetime) -> Iterable[Span]:
    """The spans of a filter, cut where overdue and due soon end."""
    for late, soon in ((True, False), (False, True), (False, False)):
        if wanted.overdue in (None, late) and wanted.due_soon in (None, soon):
            cut = msgspec.structs.replace(wanted, overdue=late, due_soon=soon)
            yield from filters.spans(cut, now)


async def _by_index(it: Asked, spans: Sequence[Span]) -> tuple[list[_Part], int]:
    """Without looking at an item: each status and window is a range of the index, counted up to the limit.

    Those returned stand in an index of their own, which has no dates: they are counted in the spans as they were asked
    for, not in the many they were cut into.
    """
    last = f" LIMIT {MOST + 1}"
    every = await _in_each(it, spans, Sort.urgency, lambda key, id, limited: last)
    returned = await _in_each(it, it.spans, Sort.returned, lambda key, id, limited: f" AND {key} > 0{last}")
    return [_Part(span, count) for span, count in zip(spans, every, strict=True)], sum(returned)


async def _in_each(it: Asked, spans: Sequence[Span], sort: Sort, tail: Tail) -> list[int]:
    args, once = Args(), " UNION " if it.scopes.overlap else " UNION ALL "
    asked = rows_of(spans, args, placed=True)
    found = sources(it.scopes, spans, args, order=ORDERS[sort], tail=tail, span="")
    counted = f"(SELECT count(*) FROM ({once.join(f'({one})' for one in found)}) AS seen)"
    return [row["count"] for row in await raw(f"SELECT {counted} AS count FROM {asked} ORDER BY span.place", *args)]


async def _by_looking(it: Asked, spans: Sequence[Span]) -> tuple[list[_Part], int, bool]:
    """Of the items that can be reached, those that fit, and of these the returned; and whether more could be reached
    than are looked at."""
    args, last = Args(), f" LIMIT {MOST_LOOKED_AT + 1}"
    if pieces := narrowing.pieces(it.anywhere, spans):
        reached, fits = "SELECT", it.anywhere
        by = f"search_pieces(it.text, it.marks) @> {args.put(pieces)}::text[]"
    else:
        found = sources(
            it.scopes,
            spans,
            args,
            order=ORDERS[Sort.urgency],
            tail=lambda key, id, limited: last if limited else "",
            span=f"{rows_of(spans, args)}, ",
        )
        reached = f"SELECT DISTINCT id FROM ({' UNION ALL '.join(f'({one})' for one in found)}) AS found{last}"
        by, fits = "it.rectification IN (SELECT id FROM reached)", it.rest
    rows = await raw(
        f"WITH reached AS MATERIALIZED ({reached}), looked AS MATERIALIZED (SELECT it.status, it.urgency, it.returned "
        f"FROM rectification_search AS it WHERE {by} AND {narrowing.condition(fits, args, it.today)}{last}) "
        "SELECT count(it.status) AS count, count(*) FILTER (WHERE it.returned > 0) AS returned, "
        "greatest((SELECT count(*) FROM looked), (SELECT count(*) FROM reached)) AS looked "
        f"FROM {rows_of(spans, args, placed=True)} LEFT JOIN looked AS it ON it.status = span.status"
        f"{' AND it.urgency > span.after AND it.urgency <= span.upto' if bounded(spans) else ''} "
        "GROUP BY span.place ORDER BY span.place",
        *args,
    )
    parts = [_Part(span, row["count"]) for span, row in zip(spans, rows, strict=True)]
    return parts, sum(row["returned"] for row in rows), rows[0]["looked"] > MOST_LOOKED_AT
