"""What the running numbers are, and the instants they are counted between. No database, no clock."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import msgspec


class Five(msgspec.Struct, frozen=True, kw_only=True):
    """Five numbers a person looks at first. Overdue and due this week are among the open ones.

    `waiting` is what waits for a decision: in an area for any that is the office's to make, from issuing a draft to the
    second key (each item once; not while it waits for checkers or the end of its publicity); at a responsible unit for
    its own work, at a lead unit for its review.
    """

    open: int = 0
    overdue: int = 0
    due_this_week: int = 0
    waiting: int = 0
    cleared_this_month: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """The instants of one reading: now, the end of the week (Sunday), the beginning of the month."""

    now: datetime
    week_ends: datetime
    month_began: datetime


def marks(local_now: datetime) -> Marks:
    """Of a moment as people in China read it."""
    midnight = datetime.combine(local_now.date(), time.min, local_now.tzinfo)
    monday = midnight + timedelta(days=7 - midnight.weekday())
    return Marks(local_now, monday, midnight.replace(day=1))
