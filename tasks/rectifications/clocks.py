"""Short clocks follow the calendar too: a unit's time to sign and to object, the office's to rule and to decide.

Counted in working days from the day they began; a clock that ran out, or whose answer came, is left alone. When: jobs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from backend import clock, events
from backend.calendar.queries import Override
from backend.db import raw, transaction
from backend.roles import SYSTEM, Actor
from backend.workdays import Calendar, Term, TermUnit, end_of_day
from tasks.rectifications import deadlines, moving, queries, rescheduling
from tasks.rectifications.deadlines import Recount
from tasks.rectifications.item import IN_WORK
from tasks.rectifications.rescheduling import BATCH, Batch

ANSWERING, DECIDING = "rectification.answer_time_moved", "rectification.decision_time_moved"


@dataclass(frozen=True, slots=True)
class Clock:
    """Which column of which table it is, how many working days it runs, and the event that tells when it moves."""

    table: str
    days: int
    event: str


CLOCKS = {
    "accept_by": Clock("rectification_unit", moving.ACCEPT_AFTER, ANSWERING),
    "object_until": Clock("rectification_unit", moving.OBJECT_WITHIN, ANSWERING),
    "rule_by": Clock("objection", moving.RULE_WITHIN, DECIDING),
    "decide_by": Clock("extension", moving.DECIDE_WITHIN, DECIDING),
}


@dataclass(frozen=True, slots=True)
class Moved:
    """A clock that ends on another day now. `row` is the one of _RUNNING."""

    row: Any
    found: Recount

    @property
    def until(self) -> datetime:
        return end_of_day(self.found.on)


async def count_again(after: UUID, overrides: Sequence[Override], calendar: Calendar) -> Batch:
    """Count the clocks of the next items again, each item locked. Done twice it changes nothing."""
    async with transaction():
        rows = await raw(_ITEMS, after, clock.now(), [status.value for status in IN_WORK])
        items = [row["id"] for row in rows]
        running = await raw(
            f"SELECT * FROM ({_RUNNING}) AS running WHERE rectification = ANY($1::uuid[]) "
            "ORDER BY rectification, unit, event, clock",
            items,
            clock.now(),
        )
        moved = [one for row in running if (one := again(row, calendar))]
        for name in CLOCKS:
            await _write(name, [one for one in moved if one.row["clock"] == name])
        for (item, unit, event), together in groupby(moved, lambda one: _about(one.row)):
            await _tell(item, unit, event, list(together), overrides)
        return Batch(len(rows), len(moved), items[-1] if len(items) == BATCH else None)


async def in_sight(actor: Actor) -> Sequence[Any]:
    """How many clocks run on items that the actor sees, by kind, first day and end."""
    seen, args = queries.placed(*queries.visible_to(actor).compile_string(), [[*map(str, IN_WORK)], clock.now()])
    return await raw(
        f"SELECT clock, began_on, until, count(*) AS n FROM ({_RUNNING}) AS running "
        "JOIN rectification ON rectification.id = running.rectification "
        f"WHERE rectification.status = ANY($1) AND {seen} GROUP BY clock, began_on, until",
        *args,
    )


def again(row: Any, calendar: Calendar) -> Moved | None:
    """A clock that ends on another day by this calendar."""
    rule = str(Term(TermUnit.workdays, CLOCKS[row["clock"]].days))
    found = deadlines.again(rule, row["began_on"], last_day(row["until"]), clock.today(), calendar)
    return Moved(row, found) if found and found.on != last_day(row["until"]) else None


def _about(row: Any) -> tuple[UUID, UUID, str]:
    return row["rectification"], row["unit"], row["event"]


async def _write(name: str, moved: Sequence[Moved]) -> None:
    table = CLOCKS[name].table
    await raw(
        f"UPDATE {table} SET {name} = new.until FROM unnest($1::uuid[], $2::timestamptz[]) AS new (id, until) "
        f"WHERE {table}.id = new.id",
        [one.row["id"] for one in moved],
        [one.until for one in moved],
    )


async def _tell(item: UUID, unit: UUID, event: str, moved: Sequence[Moved], overrides: Sequence[Override]) -> None:
    """One event for what one unit has to answer, one for what it waits for."""
    first = moved[0]
    began_on, before = first.row["began_on"], max(last_day(one.row["until"]) for one in moved)
    why = rescheduling.why(began_on, before, end_of_day(began_on - timedelta(days=1)), first.found, overrides)
    told: dict[str, Any] = {one.row["clock"]: one.until for one in moved}
    told |= {ON[one.row["clock"]]: one.found.on for one in moved}
    await events.record(event, item, actor=SYSTEM, unit=unit, why=why, **told)


def last_day(until: datetime) -> date:
    """The last day of a clock that runs until this instant."""
    return clock.local(until - timedelta(microseconds=1)).date()


# The day that a payload names for each clock: what people read.
ON = {"accept_by": "accept_on", "object_until": "object_on", "rule_by": "rule_on", "decide_by": "decide_on"}


def _running(name: str, began_on: str, condition: str) -> str:
    """Clocks of this kind that run, each with the unit whose matter it is today."""
    kind = CLOCKS[name]
    return (
        f"SELECT '{name}' AS clock, '{kind.event}' AS event, it.id, it.rectification, "
        f"coalesce({_HEIR}, it.unit) AS unit, {began_on} AS began_on, it.{name} AS until "
        f"FROM {kind.table} AS it WHERE it.{name} > $2 AND {condition}"
    )


_HEIR = (
    "(SELECT own.taken_over_by FROM rectification_unit AS own "
    "WHERE own.rectification = it.rectification AND own.unit = it.unit)"
)
_HERE = "it.role = 'responsible' AND it.ended_at IS NULL AND it.asked_on IS NOT NULL"
_SAID = (
    "SELECT FROM objection JOIN rectification_unit AS own ON own.rectification = objection.rectification "
    "AND own.unit = objection.unit WHERE objection.rectification = it.rectification "
    "AND it.unit IN (own.unit, own.taken_over_by)"
)
_DAY_OF = "(it.at AT TIME ZONE 'Asia/Shanghai')::date"
_RUNNING = " UNION ALL ".join(
    (
        _running("accept_by", "it.asked_on", f"{_HERE} AND it.status = 'issued'"),
        _running(
            "object_until", "it.asked_on", f"{_HERE} AND it.status = ANY('{{issued,working}}') AND NOT EXISTS ({_SAID})"
        ),
        _running("rule_by", _DAY_OF, "it.decided_at IS NULL"),
        _running("decide_by", _DAY_OF, "it.decided_at IS NULL"),
    )
)
_ITEMS = (
    f"SELECT id FROM rectification WHERE id IN (SELECT rectification FROM ({_RUNNING}) AS running) AND id > $1 "
    f"AND status = ANY($3) ORDER BY id LIMIT {BATCH} FOR NO KEY UPDATE"
)
