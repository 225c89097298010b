"""The arithmetic of a summary: rates, what it looks at, when a month is previewed, frozen and supplemented. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from backend.workdays import Calendar, add_months, day_of, moment_of

PREVIEW_AT = time(17, 0)  # on the last day (domain.md e)
# What was answered at the last instant may be a moment on its way to the disk: no transaction lives so long.
SETTLED = timedelta(minutes=5)
RED_AFTER = 10  # working days overdue without being cleared (domain.md f.2, level 3)


def rate(part: int, whole: int) -> int | None:
    """Hundredths of a percent, rounded half up; None of nothing (domain.md l 6: 911 of 972 are 93.72 %)."""
    return (part * 20_000 + whole) // (2 * whole) if whole else None


def percent(rate: int | None) -> str:
    return "—" if rate is None else f"{rate // 100}.{rate % 100:02}%"


@dataclass(frozen=True, slots=True)
class Span:
    """What a summary looks at: from the cutoff before to the instant it speaks of. Days are legal days.

    The month's flow is counted between two cutoffs, so that no day falls between two summaries. `today` is the first
    day that is not over: what was due before it is overdue.
    """

    since: datetime
    as_of: datetime
    since_on: date
    today: date
    red_on: date  # what was due before it has been overdue for ten working days


def span(since: datetime, as_of: datetime, red_on: date) -> Span:
    return Span(since, as_of, day_of(since), day_of(as_of), red_on)


def month_before(cutoff: datetime) -> datetime:
    """The cutoff of the month before, for a rule that had no such month."""
    last_on = day_of(cutoff) - timedelta(days=1)
    return moment_of(add_months(last_on, -1) + timedelta(days=1), time.min)


def red_line(as_of: datetime, calendar: Calendar) -> date:
    """What was due before this day was overdue for ten working days when the instant came."""
    day = day_of(as_of)
    for _ in range(RED_AFTER):
        day = calendar.previous_workday(day)
    return day


def previewed_at(last_on: date) -> datetime:
    return moment_of(last_on, PREVIEW_AT)


def days_to_tell(received: Iterable[datetime], now: datetime) -> list[datetime]:
    """The ends of the legal days on which something came, of those that are over and settled: each one supplement."""
    ends = {moment_of(day_of(at) + timedelta(days=1), time.min) for at in received}
    return sorted(end for end in ends if end + SETTLED <= now)
