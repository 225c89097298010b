"""Makes sure that every month is previewed, frozen and supplemented. How often is worker.CRON's matter."""

import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime
from uuid import UUID

from backend import clock
from notifications.summaries import commands, kept, rules, supplements
from notifications.summaries.words import Kind
from tasks.monthly import queries as monthly
from tasks.monthly.shapes import Period

log = logging.getLogger("duban.summaries")


async def ensure_summaries() -> int:
    """Whatever was missed: however long nobody was there, however many are here now. Returns how many were kept.

    Months of a rule are frozen in their order: a later one waits for an earlier one that fails.
    """
    now, done = clock.now(), 0
    for period in await monthly.periods_open(now):
        if rules.previewed_at(period.last_on) + rules.SETTLED <= now:
            if not await kept.there(period.id, Kind.preview):
                done += max(await _tried(period, commands.preview(period)), 0)
    failed: set[UUID] = set()
    for period in await _due(now):
        if period.rule in failed:
            continue
        count = await _tried(period, _brought_up(period, now))
        if count < 0:
            failed.add(period.rule)
        done += max(count, 0)
    return done


async def _due(now: datetime) -> Sequence[Period]:
    """Periods that ended a while ago and are not frozen, or have something to tell since; oldest first."""
    open = await kept.unfinished()
    return [it for it in await monthly.periods_due(now - rules.SETTLED) if it.id in open]


async def _brought_up(period: Period, now: datetime) -> int:
    done = 0
    if not await kept.there(period.id, Kind.frozen):
        done += await commands.freeze(period)
    while True:
        earlier = [it for it in await kept.of_period(period.id) if it.kind != Kind.preview]
        days = rules.days_to_tell(await supplements.told_at(period, earlier), now)
        if not days or not await commands.supplement(period, days[0], earlier):
            return done
        done += 1


async def _tried(period: Period, work: Awaitable[int]) -> int:
    try:
        return await work
    except Exception:  # the other rules' months are not to wait for this one
        log.exception("summary of %s %s failed", period.title, period.month)
        return -1
