"""What settling a day would do to open dates, asked before it is done. Doing it is in rescheduling.py."""

from datetime import date

import msgspec

from backend import clock
from backend.calendar import queries as calendar
from backend.calendar import rules as calendar_rules
from backend.db import select
from backend.errors import Forbidden
from backend.roles import Actor
from backend.workdays import Calendar
from tasks.rectifications import deadlines
from tasks.rectifications.item import TICKING
from tasks.rectifications.queries import visible_to


class Effects(msgspec.Struct):
    """How many open items in sight would be due on another day, and which way."""

    later: int
    earlier: int


async def of_day(actor: Actor, day: date, *, working: bool) -> Effects:
    """Asked of those whose count passes over that day. Raises Forbidden for who may not settle days."""
    if refusal := calendar_rules.may_settle(actor):
        raise Forbidden(refusal)
    overrides = {it.day: it.working for it in await calendar.overrides()}
    then = Calendar({**overrides, day: working})
    counted = await select(
        "SELECT due_rule, due_from, due_on, count(*) AS n FROM rectification WHERE {} AND status = ANY({}) "
        "AND due_at > {} AND due_rule LIKE 'workdays:%' AND due_from < {} AND due_on >= {} "
        "GROUP BY due_rule, due_from, due_on",
        visible_to(actor),
        [status.value for status in TICKING],
        clock.now(),
        day,
        day,
    )
    effects = Effects(0, 0)
    for row in counted:
        found = deadlines.again(row["due_rule"], row["due_from"], row["due_on"], clock.today(), then)
        if found and found.on > row["due_on"]:
            effects.later += row["n"]
        elif found and found.on < row["due_on"]:
            effects.earlier += row["n"]
    return effects
