"""Rectifications as they stood at an instant, counted in the database (docs/decisions/0030).

An item that nothing happened to since stands today where it stood then: its row is read. What moved since is read off
its events, and handed to the same statement as rows. So the answer is the same whenever it is asked.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend import clock
from backend.db import raw
from backend.units.region_rows import level_of
from notifications.summaries.replay import CHANGES, TOLD, Standing, hear
from notifications.summaries.rules import Span
from notifications.summaries.words import Stands
from tasks.rectifications.item import OPEN, TICKING, Status
from tasks.rectifications.loading import COLUMN_OF

# The row `it` of a given id. One by one: to the planner a pass over all rows would look as cheap.
BY_ID = "CROSS JOIN LATERAL (SELECT * FROM rectification WHERE rectification.id = {} OFFSET 0) AS it"
FLOW = ("new", "cleared", "open", "hung", "overdue", "carried_over", "due", "due_closed", "due_on_time")


@dataclass(frozen=True, slots=True)
class Scope:
    """The regions of a summary, the span it looks at, and what has moved since the span ended.

    `ticking` are those of `moved` that tick by their rows of today: whoever reads what ticks from an index leaves
    them out.
    """

    regions: Sequence[str]
    span: Span
    moved: Mapping[UUID, Standing]
    ticking: Collection[UUID]

    @property
    def columns(self) -> list[str]:
        """The columns in which these regions stand: a rule may aim at counties and at townships."""
        return sorted({COLUMN_OF[level_of(code)] for code in self.regions})


async def scope(regions: Sequence[str], span: Span, others: Iterable[UUID] = ()) -> Scope:
    """`others` are items that are told of, wherever they lie."""
    it = Scope(regions, span, {}, ())
    moved: dict[UUID, Standing] = {}
    ticking: set[UUID] = set()
    for id, ticks, *step in await _steps_of_moved(it, others):
        if id not in moved:
            moved[id] = Standing()
            if ticks:
                ticking.add(id)
        hear(moved[id], *step)
    return Scope(regions, span, moved, ticking)


async def _steps_of_moved(it: Scope, others: Iterable[UUID]) -> Sequence[Any]:
    """What had happened, before the instant, to items of these regions to which something happened since."""
    inside = " OR ".join(f"it.{column} = ANY($4::text[])" for column in it.columns)
    return await raw(
        "WITH moved AS (SELECT DISTINCT subject FROM event WHERE at >= $1 AND verb = ANY($2)) "
        "SELECT event.subject, it.status = ANY($6), verb, at, payload "
        f"FROM moved {BY_ID.format('moved.subject')} JOIN event ON event.subject = moved.subject "
        f"WHERE ({inside} OR it.id = ANY($5::uuid[])) AND at < $1 AND verb = ANY($3) "
        "ORDER BY event.subject, at, event.id",
        it.span.as_of,
        list(CHANGES),
        list(TOLD),
        list(it.regions),
        list(others),
        [status.value for status in TICKING],
    )


async def counted(it: Scope) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """The flow of each region, and how many new items each topic has.

    One pass over the rows as they are today; what has moved is taken out as it stands and put in as it stood.
    """
    flow: dict[str, Counter[str]] = {}
    topics = Counter[str]()
    rows = [*await raw(_today(it), *_arguments(it))]
    if it.moved:
        rows += await raw(_moved(it), *_arguments(it), *_moved_arguments(it))
    for row in rows:
        if row["topic"] is None:
            flow.setdefault(row["place"], Counter()).update({name: row[name] for name in FLOW})
        else:
            topics[row["topic"]] += row["new"]
    return {place: dict(counts) for place, counts in sorted(flow.items())}, {
        topic: new for topic, new in sorted(topics.items()) if new
    }


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


# Numbered as in _arguments(): 2 ticking, 3 open, 4 since, 5 the instant, 6 day of the cutoff before, 7 first day that
# is not over.
_CONDITIONS = {
    "new": "status = ANY($3) AND issued_at >= $4 OR status = 'closed' AND issued_at >= $4",
    "cleared": "status = 'closed' AND closed_at >= $4",
    "open": "status = ANY($3)",
    "hung": "status = 'hung'",
    "overdue": "status = ANY($2) AND due_on < $7",
    "carried_over": "status = ANY($2) AND due_on < $6",
    "due": "(status = ANY($2) OR status = 'closed') AND due_on >= $6 AND due_on < $7",
    "due_closed": "status = 'closed' AND due_on >= $6 AND due_on < $7",
    "due_on_time": "status = 'closed' AND due_on >= $6 AND due_on < $7 "
    "AND closed_at < (original_due_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'",
}
# What was closed in months gone by counts in none of these, and is most of the rows: first of all it is left out.
_COUNTS = "(status <> 'closed' OR closed_at >= $4 OR issued_at >= $4 OR due_on >= $6)"


def _today(it: Scope) -> str:
    """SQL of the flow of the regions and topics, by rows as they are today."""
    item = " UNION ALL ".join(
        f"SELECT {column} AS place, topic, status, issued_at, due_on, original_due_on, closed_at FROM rectification "
        f"WHERE {column} = ANY($1::text[])"
        for column in it.columns
    )
    return _grouped(item, "count(*)")


def _moved(it: Scope) -> str:
    """SQL of what is to be added to that: of what has moved, each row of today less, and each as it stood more."""
    item = " UNION ALL ".join(
        f"SELECT {column} AS place, topic, issued_at, item.* FROM unnest($8::uuid[], $9::text[], $10::date[], "
        "$11::date[], $12::timestamptz[]) AS own (id, status, due_on, original_on, closed_at) "
        f"{BY_ID.format('own.id')} "
        "CROSS JOIN LATERAL (VALUES (-1, it.status, it.due_on, original_due_on, it.closed_at), "
        "(1, own.status, own.due_on, own.original_on, own.closed_at)) "
        "AS item (sign, status, due_on, original_due_on, closed_at) "
        f"WHERE {column} = ANY($1::text[])"
        for column in it.columns
    )
    return _grouped(item, "sum(sign)")


def _grouped(item: str, counting: str) -> str:
    flow = ", ".join(
        f"coalesce({counting} FILTER (WHERE {condition}), 0)::int AS {name}" for name, condition in _CONDITIONS.items()
    )
    return (
        f"SELECT place, topic, {flow} FROM ({item}) AS item WHERE issued_at < $5 AND {_COUNTS} "
        "GROUP BY GROUPING SETS ((place), (topic))"
    )


def _arguments(it: Scope) -> list[Any]:
    return [
        list(it.regions),
        [status.value for status in TICKING],
        [status.value for status in OPEN],
        it.span.since,
        it.span.as_of,
        it.span.since_on,
        it.span.today,
    ]


def _moved_arguments(it: Scope) -> list[list[Any]]:
    stood = it.moved.values()
    return [
        list(it.moved),
        [Status.working if one.stands is Stands.in_work else one.stands for one in stood],  # the same words else
        [one.due_on for one in stood],
        [one.original_on for one in stood],
        [one.closed_at for one in stood],
    ]


def issued_on(line: Line) -> Any:
    return clock.local(line.issued_at).date()
