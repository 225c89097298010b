"""What settling a day would do to open dates, asked before it is done. Doing it: rescheduling.py and clocks.py."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from backend import clock
from backend.calendar import queries as calendar
from backend.calendar import rules as calendar_rules
from backend.db import select
from backend.errors import Forbidden
from backend.roles import Actor
from backend.workdays import Calendar
from tasks.rectifications import clocks, deadlines
from tasks.rectifications.deadlines import Recount
from tasks.rectifications.item import TICKING
from tasks.rectifications.queries import visible_to


class Shift(msgspec.Struct):
    """How many of a kind would end on a later day, and how many on an earlier one."""

    later: int = 0
    earlier: int = 0


class Effects(msgspec.Struct):
    """Of open items in sight, by the kind of date: what a unit has to do, to sign and to object by, and the office to
    rule on an objection and to decide on an extension by. No other date that is running is moved by the calendar:
    a month that has begun and a publicity keep their last day.
    """

    due_on: Shift
    accept_by: Shift
    object_until: Shift
    rule_by: Shift
    decide_by: Shift


async def of_day(actor: Actor, day: date, *, working: bool) -> Effects:
    """Raises Forbidden for who may not settle days."""
    if refusal := calendar_rules.may_settle(actor):
        raise Forbidden(refusal)
    then = Calendar({it.day: it.working for it in await calendar.overrides()} | {day: working})
    shifts = {"due_on": Shift(), **{name: Shift() for name in clocks.CLOCKS}}
    for row in await _due(actor, day):
        if found := deadlines.again(row["due_rule"], row["due_from"], row["due_on"], clock.today(), then):
            _count(shifts["due_on"], row["due_on"], found, row["n"])
    for row in await clocks.in_sight(actor):
        if moved := clocks.again(row, then):
            _count(shifts[row["clock"]], clocks.last_day(row["until"]), moved.found, row["n"])
    return Effects(**shifts)


def _count(shift: Shift, before: date, found: Recount, n: int) -> None:
    shift.later += n * (found.on > before)
    shift.earlier += n * (found.on < before)


async def _due(actor: Actor, day: date) -> Sequence[Any]:
    """Of items whose count passes over that day."""
    return await select(
        "SELECT due_rule, due_from, due_on, count(*) AS n FROM rectification WHERE {} AND status = ANY({}) "
        "AND due_at > {} AND due_rule LIKE 'workdays:%' AND due_from < {} AND due_on >= {} "
        "GROUP BY due_rule, due_from, due_on",
        visible_to(actor),
        [status.value for status in TICKING],
        clock.now(),
        day,
        day,
    )
