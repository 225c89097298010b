"""What time brings about: months begin. Safe to run twice, at any moment, on several workers."""

from backend import clock
from backend.calendar import queries as calendar
from tasks.monthly import queries, rules, starting


async def start_periods() -> int:
    """Make sure that every approved rule has its period and cells for every month up to now; returns how many it made.

    A month that passed while no worker ran is made afterwards, with the group as it stood on the month's first day.
    """
    now, days = clock.now(), await calendar.load()
    made = 0
    for rule in await queries.approved_rules():
        begun = await queries.months_of(rule.id)
        for window in rules.windows(rule.terms, rule.approved_at, now, days):
            if window.month not in begun:
                made += await starting.start(rule.id, window)
    return made
