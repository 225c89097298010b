"""What time brings about: months begin, missing photos are asked for. Safe to run twice, on several workers."""

from backend import clock
from backend.calendar import queries as calendar
from backend.evidence import queries as evidence
from tasks.monthly import commands, queries, rules, starting


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


async def sweep_missing() -> int:
    """Check records with files that were declared a day ago and did not come; of how many their senders were told."""
    found = await evidence.missing("monthly_record_evidence", "record")
    return sum([await commands.remind(missing) for missing in found])
