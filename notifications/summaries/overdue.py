"""What was overdue for long at an instant. Read from the ordered indexes, of as few rows as will do.

The indexes have the due instant of what ticks today. What moved since the instant (`standing.Scope`) is left out there
and told as it stood.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from backend.db import raw
from notifications.summaries.replay import Standing
from notifications.summaries.standing import BY_ID, Scope
from notifications.summaries.words import Stands
from tasks.rectifications.item import TICKING

_UNTIL = "($4::date)::timestamp AT TIME ZONE 'Asia/Shanghai'"  # whatever is due on a day before is due by then

_RECENCY = "coalesce(issued_at, '1900-01-01T00:00:00+00:00'::timestamptz)"  # as an index has it


async def carried_over(it: Scope, most: int) -> list[UUID]:
    """The items that were overdue at the cutoff before and still are, the oldest date first.

    Of two instants more than a day apart, the earlier has no later date: so no row is looked at beyond a day after
    the last that is wanted.
    """
    ticking = "rectification AS it WHERE status = ANY($2)"
    unissued = _of_each(it, f"SELECT id FROM {ticking} AND {_RECENCY} >= $3")
    due = _of_each(it, f"SELECT id, urgency FROM {ticking} AND urgency <= {_UNTIL}")
    now = _of_each(it, f"SELECT it.id, due_on FROM near {BY_ID.format('near.id')} WHERE due_on < $4")
    late = [(id, one.due_on) for id, one in _late(it, it.span.since_on)]
    then = _of_each(it, f"SELECT id, own.due_on FROM {_THEN.format('$6::uuid[], $7::date[]', 'id, due_on')}")
    rows = await raw(
        f"WITH other (id) AS ({unissued} UNION ALL SELECT unnest($5::uuid[])), due AS MATERIALIZED ("
        f"SELECT * FROM ({due}) AS it WHERE NOT EXISTS (SELECT FROM other WHERE other.id = it.id)), "
        f"first AS (SELECT urgency FROM due ORDER BY urgency LIMIT {most}), "
        "near AS (SELECT id FROM due WHERE urgency <= (SELECT max(urgency) + interval '1 day' FROM first)) "
        f"SELECT id FROM ({now} UNION ALL {then}) AS item ORDER BY due_on, id LIMIT {most}",
        *_arguments(it, it.span.since_on),
        [id for id, _ in late],
        [due_on for _, due_on in late],
    )
    return [row["id"] for row in rows]


async def units_long_overdue(it: Scope) -> set[UUID]:
    """The responsible units that have anything overdue for ten working days and more: of each the first is enough."""
    now = _of_each(it, f"SELECT FROM {_NOW} AND part.unit = unit.id")
    then = _of_each(it, f"SELECT own.unit FROM {_THEN.format('$6::uuid[], $7::uuid[]', 'id, unit')}")
    held = _held_then(it)
    rows = await raw(
        f"SELECT id FROM unit CROSS JOIN LATERAL ({now} LIMIT 1) AS held UNION {then}",
        *_arguments(it, it.span.red_on),
        [id for id, _ in held],
        [unit for _, unit in held],
    )
    return {row["id"] for row in rows}


@dataclass(frozen=True, slots=True)
class Overdue:
    """Items of one responsible unit that are overdue for long: how many, the numbers of the first, and where."""

    count: int
    numbers: list[str]
    places: set[str]


async def long_overdue(it: Scope, units: Collection[UUID], most: int) -> dict[UUID, Overdue]:
    """Of these units what is overdue for ten working days and more; `most` numbers, the oldest first."""
    held = [(id, unit) for id, unit in _held_then(it) if unit in units]
    now = _of_each(it, f"SELECT part.unit, number, due_on, {{}} AS place FROM {_NOW} AND part.unit = ANY($9::uuid[])")
    own = _THEN.format("$6::uuid[], $7::uuid[], $8::date[]", "id, unit, due_on")
    then = _of_each(it, f"SELECT own.unit, number, own.due_on, {{}} FROM {own}")
    rows = await raw(
        "SELECT unit, count(*) AS count, array_agg(DISTINCT place) AS places, "
        f"(array_agg(number ORDER BY due_on, number))[:{most}] AS numbers FROM ({now} UNION ALL {then}) AS held "
        "GROUP BY unit",
        *_arguments(it, it.span.red_on),
        [id for id, _ in held],
        [unit for _, unit in held],
        [it.moved[id].due_on for id, _ in held],
        list(units),
    )
    return {row["unit"]: Overdue(row["count"], row["numbers"], set(row["places"])) for row in rows}


# A responsible unit's part in what is late today and was then; the date in force is compared, the instant only found.
_NOW = (
    f"rectification_unit AS part {BY_ID.format('part.rectification')} "
    f"WHERE part.role = 'responsible' AND part.item_status = ANY($2) AND part.item_urgency <= {_UNTIL} "
    "AND part.ended_at IS NULL AND issued_at < $3 AND due_on < $4 AND it.id NOT IN (SELECT unnest($5::uuid[]))"
)
# What was late then and has moved since, row by row.
_THEN = "unnest({}) AS own ({}) JOIN rectification AS it USING (id) WHERE issued_at < $3"


def _of_each(it: Scope, statement: str) -> str:
    """The statement for each of the columns in which the regions stand, {} being the column."""
    return " UNION ALL ".join(
        f"{statement.format(f'it.{column}')} AND it.{column} = ANY($1::text[])" for column in it.columns
    )


def _arguments(it: Scope, before: date) -> list[Any]:
    """The first five: regions, what ticks, the instant, the day before which it was due, what moved of what ticks."""
    return [list(it.regions), [status.value for status in TICKING], it.span.as_of, before, list(it.ticking)]


def _late(it: Scope, before: date) -> Iterator[tuple[UUID, Standing]]:
    """Of what has moved, that which ticked then and had been due before that day."""
    return (
        (id, one) for id, one in it.moved.items()
        if one.stands == Stands.in_work and one.due_on and one.due_on < before
    )  # fmt: skip


def _held_then(it: Scope) -> list[tuple[UUID, UUID]]:
    """Item and responsible unit of what has moved and was overdue for long."""
    return [(id, unit) for id, one in _late(it, it.span.red_on) for unit in sorted(one.units)]
