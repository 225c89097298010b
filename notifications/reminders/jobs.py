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
    given, failures = 0, list[Exception]()
    for stage in stages:
        try:
            given += await sweeping.give(stage, now, today)
        except Exception as failure:  # what one rule cannot say must not silence the others
            failures.append(failure)
    if failures:
        raise failures[0]
    return given
