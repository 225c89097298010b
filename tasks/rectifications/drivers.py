"""Where a list is read from: the ordered indexes of an area, of a unit's parts, of a team. One SQL text per shape."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tasks.rectifications import shapes
from tasks.rectifications.filters import EVER, NEVER, Sort, Span
from tasks.rectifications.words import UnitRole

Key = datetime | int | str
Tail = Callable[[str, str, bool], str]  # of a key, an id, and whether this is the place to order and limit


class Args(list[Any]):
    """The arguments of one statement; put() gives the placeholder."""

    def put(self, value: Any) -> str:
        self.append(value)
        return f"${len(self)}"


@dataclass(frozen=True, slots=True)
class Order:
    """A sort: its key in SQL, of an item and of a part's copy, and of a row. Ties go by id, the same way."""

    item: str
    part: str
    cast: str
    of: Callable[[shapes.Row], Key]
    descending: bool = False

    @property
    def way(self) -> str:
        return "DESC" if self.descending else "ASC"

    @property
    def beyond(self) -> str:
        return "<" if self.descending else ">"


# The indexes say the same, to the letter. What has no date or number comes at the end.
ORDERS = {
    Sort.urgency: Order("{}urgency", "item_urgency", "timestamptz", lambda row: row.due_at or NEVER),
    Sort.newest: Order(
        "coalesce({}issued_at, '1900-01-01T00:00:00+00:00'::timestamptz)", "item_issued_at", "timestamptz",
        lambda row: row.issued_at or EVER, True,
    ),
    Sort.returned: Order("{}returned", "item_returned", "integer", lambda row: row.returned, True),
    Sort.number: Order(
        """coalesce({}number, '~') COLLATE "C\"""", 'item_number COLLATE "C"', "text", lambda row: row.number or "~"
    ),
}  # fmt: skip


class After(NamedTuple):
    """The last line of the page before."""

    key: Key
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Drivers:
    """The scopes a list is read from. `areas` are codes by the column that holds them."""

    areas: dict[str, list[str]]
    parts: Sequence[tuple[UUID, UnitRole]] = ()
    person: UUID | None = None
    asked_for: bool = False  # the parts are those of a filter, not of sight: drafts are among them

    def __bool__(self) -> bool:
        return bool(self.areas or self.parts or self.person)

    @property
    def overlap(self) -> bool:
        """Whether an item may be reached twice. Areas of a level have nothing in common, nor have a unit's roles."""
        return len(self.areas) + len({unit for unit, _ in self.parts}) + (self.person is not None) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What every scope is asked alike. `span` brings the row `span` into reach, where it is not there already."""

    order: Order
    tail: Tail
    args: Args
    span: str
    window: str  # a condition on urgency, of the row `span`


def front(drivers: Drivers, spans: Sequence[Span], args: Args, *, order: Order, after: After | None, most: int) -> str:
    """SQL of (id, key): the first `most` items of the drivers after a line, in order, each once."""

    def tail(key: str, id: str, limited: bool) -> str:
        last = f" ORDER BY {key} {order.way}, {id} {order.way} LIMIT {most}" if limited else ""
        return f"{beyond(key, id, order, after, args)}{last}"

    found = " UNION ALL ".join(sources(drivers, spans, args, order=order, tail=tail, span=f"{rows_of(spans, args)}, "))
    once = "GROUP BY id, key " if drivers.overlap else ""
    return f"SELECT id, key FROM ({found}) AS scope {once}ORDER BY key {order.way}, id {order.way} LIMIT {most}"


def sources(drivers: Drivers, spans: Sequence[Span], args: Args, *, order: Order, tail: Tail, span: str) -> list[str]:
    """SQL of (id, key) for each scope: all that lies in the row `span`. `tail` narrows, orders, limits each index."""
    window = " AND urgency > span.after AND urgency <= span.upto" if bounded(spans) else ""
    how = Reading(order=order, tail=tail, args=args, span=span, window=window)
    return [
        *(_area(column, codes, how) for column, codes in drivers.areas.items()),
        *([_parts(drivers, how)] if drivers.parts else []),
        *([_team(drivers.person, how)] if drivers.person else []),
    ]


def bounded(spans: Sequence[Span]) -> bool:
    return any((span.after, span.upto) != (EVER, NEVER) for span in spans)


def rows_of(spans: Sequence[Span], args: Args, *, placed: bool = False) -> str:
    """The spans as rows; a set that is bounded nowhere has no dates, so that nothing is compared with them."""
    values, names = [f"{args.put([span.status.value for span in spans])}::text[]"], ["status"]
    if bounded(spans):
        values += [f"{args.put([span[at] for span in spans])}::timestamptz[]" for at in (1, 2)]
        names += ["after", "upto"]
    if placed:
        return f"unnest({', '.join(values)}) WITH ORDINALITY AS span ({', '.join(names)}, place)"
    return f"unnest({', '.join(values)}) AS span ({', '.join(names)})"


def within(spans: Sequence[Span], args: Args) -> str:
    """A condition: status and urgency of `it` lie in one of the spans."""
    if not bounded(spans):
        return f"it.status = ANY({args.put([span.status.value for span in spans])}::text[])"
    window = "it.urgency > span.after AND it.urgency <= span.upto"
    return f"EXISTS (SELECT FROM {rows_of(spans, args)} WHERE span.status = it.status AND {window})"


def beyond(key: str, id: str, order: Order, after: After | None, args: Args) -> str:
    if after is None:
        return ""
    return f" AND ({key}, {id}) {order.beyond} ({args.put(after.key)}::{order.cast}, {args.put(after.id)}::uuid)"


def _area(column: str, codes: list[str], how: Reading) -> str:
    key = how.order.item.format("")
    return (
        f"SELECT found.id, found.key FROM {how.span}unnest({how.args.put(codes)}::text[]) AS area (code), "
        f"LATERAL (SELECT id, {key} AS key FROM rectification WHERE {column} = area.code AND status = span.status"
        f"{how.window}{how.tail(key, 'id', True)}) AS found"
    )


def _parts(drivers: Drivers, how: Reading) -> str:
    """Of the parts' own copies of what lists are ordered by; a trigger keeps them (docs/decisions/0018)."""
    key = how.order.part
    units = how.args.put([unit for unit, _ in drivers.parts])
    roles = how.args.put([role.value for _, role in drivers.parts])
    issued = "" if drivers.asked_for else " AND item_issued_at > '1900-01-01T00:00:00+00:00'"
    return (
        f"SELECT found.id, found.key FROM {how.span}unnest({units}::uuid[], {roles}::text[]) AS own (unit, role), "
        f"LATERAL (SELECT rectification AS id, {key} AS key FROM rectification_unit AS part "
        f"WHERE part.unit = own.unit AND part.role = own.role AND item_status = span.status{issued}"
        f"{how.window.replace('urgency', 'item_urgency')}{how.tail(key, 'rectification', True)}) AS found"
    )


def _team(person: UUID, how: Reading) -> str:
    """What a person inspected or went back to check is not much: it is all read, and sorted."""
    key, who = how.order.item.format("it."), how.args.put(person)
    return (
        f"SELECT it.id, {key} AS key FROM {how.span}rectification AS it "
        f"WHERE (it.visit = ANY(ARRAY(SELECT visit FROM visit_member WHERE person = {who})) "
        "OR it.id = ANY(ARRAY(SELECT rectification FROM site_check JOIN site_checker "
        f"ON site_checker.site_check = site_check.id WHERE site_checker.person = {who}))) "
        f"AND it.status = span.status{how.window}{how.tail(key, 'it.id', False)}"
    )
