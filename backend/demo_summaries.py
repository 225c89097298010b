"""The summaries of the demo's months, made as the worker would have made them, at the times at which it would have."""

from datetime import datetime, timedelta

from backend import clock, outbox
from backend.db import raw
from backend.outbox import Reactions
from notifications.summaries import jobs, rules
from tasks.monthly import queries as monthly
from tasks.monthly.shapes import Period

SOON = rules.SETTLED + timedelta(minutes=1)
REACTS_AFTER = timedelta(seconds=2)


async def tell(until: datetime, reactions: Reactions) -> None:
    """Every month's look ahead, freeze and supplements up to `until`. A summary speaks of its own instant, so that it
    may be told after everything else; but for the latest month people have read what they were told.
    """
    periods = [*await monthly.periods_due(until), *await monthly.periods_open(until)]
    for period in periods:
        for moment in await _moments(period):
            if moment <= until:
                with clock.frozen(moment):
                    await jobs.ensure_summaries()
                with clock.frozen(moment + REACTS_AFTER):
                    await outbox.drain(reactions)
        if period != periods[-1]:
            await raw(
                "UPDATE notice SET read_at = at + interval '9 hours' WHERE read_at IS NULL AND verb LIKE 'month.%' "
                "AND at < $1 AND at + interval '9 hours' <= $2",
                period.cutoff_at + timedelta(days=8),
                until,
            )


async def _moments(period: Period) -> list[datetime]:
    """When there was something to do: the last day at 17:00, the cutoff, the end of each day with late records."""
    late = await raw(
        "SELECT received_at FROM monthly_record JOIN monthly_cell ON monthly_cell.id = cell "
        "WHERE period = $1 AND received_at >= $2",
        period.id,
        period.cutoff_at,
    )
    far = datetime.max.replace(tzinfo=clock.SHANGHAI) - timedelta(days=2)
    days = rules.days_to_tell((row["received_at"] for row in late), far)
    return [moment + SOON for moment in (rules.previewed_at(period.last_on), period.cutoff_at, *days)]
