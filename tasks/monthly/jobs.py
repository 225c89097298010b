"""What time brings about: months begin, missing photos are asked for. Safe to run twice, on several workers."""

import logging
from datetime import datetime

from backend import clock
from backend.calendar import queries as calendar
from backend.evidence import queries as evidence
from backend.workdays import Calendar
from tasks.monthly import commands, queries, rules, starting
from tasks.monthly.queries import Approved

log = logging.getLogger("duban.monthly")


async def start_periods() -> int:
    """Make sure that every approved rule has its period and cells for every month up to now; returns how many it made.

    A month that passed while no worker ran is made afterwards, with the group as it stood on the month's first day.
    What goes wrong with one rule holds up its own months only; it is raised when the others are done.
    """
    now, days = clock.now(), await calendar.load()
    made, failures = 0, list[Exception]()
    for rule in await queries.approved_rules():
        try:
            made += await _start(rule, now, days)
        except Exception as failure:  # tried again at the next turn
            log.exception("months of rule %s could not begin", rule.id)
            failures.append(failure)
    if failures:
        raise failures[0]
    return made


async def _start(rule: Approved, now: datetime, days: Calendar) -> int:
    begun = await queries.months_of(rule.id)
    due = [window for window in rules.windows(rule.terms, rule.approved_at, now, days) if window.month not in begun]
    return sum([await starting.start(rule.id, window) for window in due])


async def sweep_missing() -> int:
    """Check records with files that were declared a day ago and did not come; of how many their senders were told."""
    found = await evidence.missing("monthly_record_evidence", "record")
    return sum([await commands.remind(missing) for missing in found])
