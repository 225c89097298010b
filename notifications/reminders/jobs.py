"""The sweep: every reminder that is due has been given. Safe to run at any moment, twice, and side by side."""

from backend import clock
from backend.calendar import queries as calendar
from notifications.reminders import queries, rules, sweeping


async def sweep() -> int:
    """Give what is due now and was not given before; returns how many.

    Never a date on which something happens: what was missed while nothing ran is made up for by the latest rule that
    has spoken since (rules.plan), and a clock that jumps back gives nothing twice.
    """
    now, today = clock.now(), clock.today()
    stages = rules.plan(await queries.rules(today), now, today, await calendar.load())
    return sum([await sweeping.give(stage, now, today) for stage in stages])
