"""The reminders of the demo: the sweep as the worker would have run it, at nine and at three, in the last two weeks."""

from datetime import datetime

from backend import clock
from backend.demo_cases import Case
from backend.demo_steps import Days
from notifications.reminders import defaults, jobs

BACK = 10  # working days
HOURS = (9, 15)


async def begin(days: Days) -> None:
    """The rules hold from the first of these days on. (A migration enters them as of the day of installation.)"""
    first = days.at(BACK, 8)
    await defaults.enter(clock.local(first).date(), first)


async def sweeps(days: Days, until: datetime) -> Case:
    """Beside everything that happens: nothing is done but what time brings about."""
    for back in range(BACK, -1, -1):
        for hour in HOURS:
            moment = days.at(back, hour)
            if moment <= until:
                yield moment
                await jobs.sweep()
