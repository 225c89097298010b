"""Rectifications as they stood at an instant, counted in the database (docs/decisions/0030).

An item that nothing happened to since stands today where it stood then: its row is read. What moved since is read off
its events, and handed to the same statement as rows. So the answer is the same whenever it is asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend import clock, events
from backend.db import raw
from backend.units.region_rows import level_of
from notifications.summaries.replay import CHANGES, TOLD, Standing, standing
from notifications.summaries.rules import Span
from notifications.summaries.words import Stands
from tasks.rectifications.item import OPEN, TICKING, Status
from tasks.rectifications.loading import COLUMN_OF

STATUS_OF = {
    Stands.in_work: Status.working,
    Stands.hung: Status.hung,
    Stands.closed: Status.closed,
    Stands.voided: Status.voided,
}
FLOW = ("new", "cleared", "open", "hung", "overdue", "carried_over", "due", "due_closed", "due_on_time")


@dataclass(frozen=True, slots=True)
class Scope:
    """The regions of a summary, the span it looks at, and what has moved since the span ended."""

    regions: Sequence[str]
    span: Span
    moved: Mapping[UUID, Standing]


async def scope(regions: Sequence[str], span: Span, others: Iterable[UUID] = ()) -> Scope:
    """`others` are items that are told of, wherever they lie."""
    return Scope(regions, span, await _moved(regions, span, others))


async def _moved(regions: Sequence[str], span: Span, others: Iterable[UUID]) -> dict[UUID, Standing]:
    """Items of these regions to which something happened at the instant or later, as they stood before it."""
    inside = " OR ".join(f"it.{column} = ANY($4::text[])" for column in _columns(regions))
    rows = await raw(
        "WITH moved AS (SELECT DISTINCT subject FROM event WHERE at >= $1 AND verb = ANY($2)) "
        "SELECT event.id, at, actor, verb, event.subject, payload FROM moved "
        f"JOIN rectification AS it ON it.id = moved.subject AND ({inside} OR it.id = ANY($5::uuid[])) "
        "JOIN event ON event.subject = moved.subject WHERE at < $1 AND verb = ANY($3) "
        "ORDER BY event.subject, at, event.id",
        span.as_of,
        list(CHANGES),
        list(TOLD),
        list(regions),
        list(others),
    )
    steps: dict[UUID, list[events.Event]] = {}
    for row in rows:
        steps.setdefault(row["subject"], []).append(events.of_row(row))
    return {id: standing(own) for id, own in steps.items()}


async def counted(it: Scope) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """The flow of each region, and how many new items each topic has: one pass over the items."""
    rows = await raw(
        f"{_items(it)} SELECT place, topic, {_FLOW} FROM item "
        "GROUP BY GROUPING SETS ((place), (topic)) ORDER BY place, topic",
        *_arguments(it),
    )
    flow = {row["place"]: {name: row[name] for name in FLOW} for row in rows if row["topic"] is None}
    return flow, {row["topic"]: row["new"] for row in rows if row["topic"] is not None and row["new"]}


async def carried_over(it: Scope, most: int) -> tuple[list[UUID], int]:
    """The items that were overdue at the cutoff before and still are, the oldest date first, and how many in all."""
    rows = await raw(
        f"{_items(it, late='$7')} SELECT id, count(*) OVER () AS total FROM item WHERE status = ANY($3) "
        f"AND due_on < $7 ORDER BY due_on, id LIMIT {most}",
        *_arguments(it),
    )
    return [row["id"] for row in rows], rows[0]["total"] if rows else 0


@dataclass(frozen=True, slots=True)
class Overdue:
    """Items of one responsible unit that are overdue for long: how many, the numbers of the first, and where."""

    count: int
    numbers: list[str]
    places: set[str]


async def long_overdue(it: Scope, most: int) -> dict[UUID, Overdue]:
    """By responsible unit: what is overdue for ten working days and more; `most` numbers, the oldest first."""
    rows = await raw(
        f"{_items(it, late='$9')}, late AS (SELECT id, number, place, due_on FROM item WHERE status = ANY($3) "
        "AND due_on < $9), held AS (SELECT late.*, part.unit FROM late JOIN rectification_unit AS part "
        "ON part.rectification = late.id AND part.role = 'responsible' AND part.ended_at IS NULL "
        "WHERE NOT EXISTS (SELECT FROM moved WHERE moved.id = late.id) UNION ALL SELECT late.*, own.unit FROM late "
        "JOIN unnest($14::uuid[], $15::uuid[]) AS own (id, unit) ON own.id = late.id) "
        "SELECT unit, count(*) AS count, array_agg(DISTINCT place) AS places, "
        f"(array_agg(number ORDER BY due_on, number))[:{most}] AS numbers FROM held GROUP BY unit",
        *_arguments(it),
        *(list(column) for column in _parts(it)),
    )
    return {row["unit"]: Overdue(row["count"], row["numbers"], set(row["places"])) for row in rows}


def _parts(it: Scope) -> tuple[list[UUID], list[UUID]]:
    """Of what has moved: item and unit, line by line."""
    pairs = [(id, unit) for id, own in it.moved.items() for unit in sorted(own.units)]
    return [id for id, _ in pairs], [unit for _, unit in pairs]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item for a list. Names are not looked up here."""

    id: UUID
    number: str
    place: str
    region: str
    topic: str
    facts: str
    issued_at: Any
    standing: Standing


async def lines(it: Scope, ids: Iterable[UUID]) -> list[Line]:
    """Items that had been issued by then, in the order of the ids."""
    wanted = list(ids)
    rows = await raw(
        "SELECT it.id, number, region, province, prefecture, county, township, topic, facts, issued_at, status, "
        "due_on, original_due_on, closed_at, ARRAY(SELECT unit FROM rectification_unit WHERE rectification = it.id "
        "AND role = 'responsible' AND ended_at IS NULL) AS units "
        "FROM unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, place) JOIN rectification AS it ON it.id = wanted.id "
        "WHERE issued_at < $2 ORDER BY place",
        wanted,
        it.span.as_of,
    )
    return [_line(it, row) for row in rows]


def _line(it: Scope, row: Any) -> Line:
    path = [row[column] for column in COLUMN_OF.values()]
    said = {name: row[name] for name in ("id", "number", "region", "topic", "facts", "issued_at")}
    place = next((code for code in path if code in it.regions), row["region"])
    return Line(**said, place=place, standing=it.moved.get(row["id"]) or _of_row(row))


def _of_row(row: Any) -> Standing:
    stands = {
        Status.hung: Stands.hung, Status.closed: Stands.closed, Status.voided: Stands.voided
    }.get(row["status"], Stands.in_work)  # fmt: skip
    closed_at = row["closed_at"] if stands == Stands.closed else None
    return Standing(stands, row["due_on"], row["original_due_on"], closed_at, set(row["units"]))


# Numbered as in _arguments(): 3 ticking, 4 open, 5 since, 7 day of the cutoff before, 8 first day that is not over.
_FLOW = ", ".join(
    f"count(*) FILTER (WHERE {condition})::int AS {name}"
    for name, condition in {
        "new": "status = ANY($4) AND issued_at >= $5 OR status = 'closed' AND issued_at >= $5",
        "cleared": "status = 'closed' AND closed_at >= $5",
        "open": "status = ANY($4)",
        "hung": "status = 'hung'",
        "overdue": "status = ANY($3) AND due_on < $8",
        "carried_over": "status = ANY($3) AND due_on < $7",
        "due": "(status = ANY($3) OR status = 'closed') AND due_on >= $7 AND due_on < $8",
        "due_closed": "status = 'closed' AND due_on >= $7 AND due_on < $8",
        "due_on_time": "status = 'closed' AND due_on >= $7 AND due_on < $8 "
        "AND closed_at < (original_due_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'",
    }.items()
)
# Naming an argument once more makes its type known where a statement does not use it.
_ALL = (
    "$3::text[] IS NOT NULL AND $4::text[] IS NOT NULL AND $5::timestamptz IS NOT NULL AND $6::timestamptz IS NOT NULL"
)
_DAYS = "$7::date IS NOT NULL AND $8::date IS NOT NULL AND $9::date IS NOT NULL"


def _items(it: Scope, *, late: str = "") -> str:
    """SQL of `item`: every item of the regions that had been issued by then, as it stood.

    With `late`, of those in which nothing moved only what was due before that day, read from the ordered indexes.
    """
    until = f"{late}::timestamp AT TIME ZONE 'Asia/Shanghai'"
    narrowed = f" AND status = ANY($3) AND urgency <= {until}" if late else ""
    columns = _columns(it.regions)
    now = " UNION ALL ".join(
        f"SELECT id, number, {column} AS place, topic, status, issued_at, due_on, original_due_on, closed_at "
        f"FROM rectification AS it WHERE {column} = ANY($1::text[]) AND issued_at < $6 "
        f"AND NOT EXISTS (SELECT FROM moved WHERE moved.id = it.id){narrowed}"
        for column in columns
    )
    then = " UNION ALL ".join(
        f"SELECT it.id, it.number, it.{column}, it.topic, moved.status, it.issued_at, moved.due_on, moved.original_on, "
        f"moved.closed_at FROM moved JOIN rectification AS it ON it.id = moved.id "
        f"WHERE it.{column} = ANY($1::text[]) AND it.issued_at < $6"
        for column in columns
    )
    return (
        "WITH moved AS (SELECT * FROM unnest($2::uuid[], $10::text[], $11::date[], $12::date[], $13::timestamptz[]) "
        "AS moved (id, status, due_on, original_on, closed_at)), "
        f"item AS ({now} UNION ALL {then}), asked AS (SELECT WHERE {_ALL} AND {_DAYS})"
    )


def _columns(regions: Sequence[str]) -> list[str]:
    """The columns in which these regions stand: a rule may aim at counties and at townships."""
    return sorted({COLUMN_OF[level_of(code)] for code in regions})


def _arguments(it: Scope) -> list[Any]:
    moved = list(it.moved.items())
    return [
        list(it.regions),
        [id for id, _ in moved],
        [status.value for status in TICKING],
        [status.value for status in OPEN],
        it.span.since,
        it.span.as_of,
        it.span.since_on,
        it.span.today,
        it.span.red_on,
        [STATUS_OF[one.stands].value for _, one in moved],
        [one.due_on for _, one in moved],
        [one.original_on for _, one in moved],
        [one.closed_at for _, one in moved],
    ]


def issued_on(line: Line) -> Any:
    return clock.local(line.issued_at).date()
