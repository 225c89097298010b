"""Which days are working days, and counting by them. Legal days of Asia/Shanghai; no clock, no database."""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar

# Named here again rather than taken from clock.py: rules may import this file and must not come near now().
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_ONE_DAY = timedelta(days=1)


class Certainty(StrEnum):
    """How firm a computed day is.

    `known`: every day counted stands in a published list. `assumed`: the list of some year was not out yet
    and Monday to Friday was taken instead; to be computed again when it is.
    """

    known = "known"
    assumed = "assumed"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days: our own overrides (day: works?), then the State Council's lists, then Monday to Friday.

    The lists come with chinesecalendar and end at a year (2004-2026 in 1.11); no year is an error.
    """

    overrides: Mapping[date, bool] = field(default_factory=dict)

    def is_workday(self, day: date) -> bool:
        listed = self._listed(day)
        return day.weekday() < 5 if listed is None else listed

    def certainty(self, day: date) -> Certainty:
        """Whether this one day is listed."""
        return Certainty.assumed if self._listed(day) is None else Certainty.known

    def add_workdays(self, day: date, n: int) -> tuple[date, Certainty]:
        """The nth working day after `day`, which itself is not counted; 0 gives the day itself.

        Assumed when any day passed over was not listed. Raises ValueError when n is negative.
        """
        if n < 0:
            raise ValueError("working days are added forwards")
        certainty, end = Certainty.known, day
        while n:
            end += _ONE_DAY
            listed = self._listed(end)
            if listed is None:
                certainty = Certainty.assumed
            n -= end.weekday() < 5 if listed is None else listed
        return end, certainty

    def workdays_before(self, day: date, n: int) -> tuple[date, Certainty]:
        """The nth working day before `day`, which itself is not counted; 0 gives the day itself.

        Assumed when any day passed over, or `day` itself, was not listed. Raises ValueError when n is negative.
        """
        if n < 0:
            raise ValueError("working days are taken away backwards")
        certainty, end = self.certainty(day) if n else Certainty.known, day
        while n:
            end -= _ONE_DAY
            listed = self._listed(end)
            if listed is None:
                certainty = Certainty.assumed
            n -= end.weekday() < 5 if listed is None else listed
        return end, certainty

    def add_days(self, day: date, n: int) -> tuple[date, Certainty]:
        """The day n calendar days after `day` (before, when negative). Always known: no list is asked."""
        return day + n * _ONE_DAY, Certainty.known

    def workdays_between(self, a: date, b: date) -> int:
        """How many working days lie after `a` up to and including `b`; negative when `b` comes first.

        The other side of `add_workdays`: `workdays_between(day, add_workdays(day, n)[0]) == n`.
        """
        if b < a:
            return -self.workdays_between(b, a)
        return sum(self.is_workday(day) for day in _days_after(a, b))

    def previous_workday(self, day: date) -> date:
        """The last working day strictly before `day`."""
        day -= _ONE_DAY
        while not self.is_workday(day):
            day -= _ONE_DAY
        return day

    def next_workday(self, day: date) -> date:
        """The first working day strictly after `day`."""
        return self.add_workdays(day, 1)[0]

    def _listed(self, day: date) -> bool | None:
        if isinstance(day, datetime):
            # From 16:00 UTC on it is already the next legal day: taking a moment's date would hide that.
            raise TypeError("working days are counted in days, not in moments: use clock.local(moment).date()")
        override = self.overrides.get(day)
        return _published(day) if override is None else override


@dataclass(frozen=True, slots=True)
class Stretch(Calendar):
    """The same calendar with a stretch of it counted beforehand: for who asks a thousand times. Beyond, as always."""

    first: date = date.max
    last: date = date.min
    works: Sequence[int] = ()  # ordinals of the working days of the stretch
    unlisted: Sequence[int] = ()  # and of the days that stand in no list

    @classmethod
    def of(cls, calendar: Calendar, first: date, last: date) -> "Stretch":
        days = [first, *_days_after(first, last)]
        works = [day.toordinal() for day in days if calendar.is_workday(day)]
        unlisted = [day.toordinal() for day in days if calendar.certainty(day) is Certainty.assumed]
        return cls(calendar.overrides, first, last, works, unlisted)

    def add_workdays(self, day: date, n: int) -> tuple[date, Certainty]:
        at = bisect_right(self.works, day.toordinal()) + n - 1
        if n < 1 or not self.first <= day <= self.last or at >= len(self.works):
            return Calendar.add_workdays(self, day, n)
        return date.fromordinal(self.works[at]), self._sure(day.toordinal() + 1, self.works[at])

    def workdays_before(self, day: date, n: int) -> tuple[date, Certainty]:
        at = bisect_left(self.works, day.toordinal()) - n
        if n < 1 or not self.first <= day <= self.last or at < 0:
            return Calendar.workdays_before(self, day, n)
        return date.fromordinal(self.works[at]), self._sure(self.works[at], day.toordinal())

    def workdays_between(self, a: date, b: date) -> int:
        if not (self.first <= a <= self.last and self.first <= b <= self.last):
            return Calendar.workdays_between(self, a, b)
        return bisect_right(self.works, b.toordinal()) - bisect_right(self.works, a.toordinal())

    def _sure(self, first: int, last: int) -> Certainty:
        """Whether every day from this one to that one is listed."""
        some = bisect_left(self.unlisted, first) < bisect_right(self.unlisted, last)
        return Certainty.assumed if some else Certainty.known


class TermUnit(StrEnum):
    """What a term is counted in."""

    workdays = "workdays"
    days = "days"
    months = "months"


@dataclass(frozen=True, slots=True)
class Term:
    """A length of time that ends on a day: 3 working days, 15 days, 1 month.

    The day it is counted from is not counted (民法典 201); a month ends on the day of the same number, or on its
    last day where there is none (202). A last day that is a holiday stays the last day: nothing is put off (domain.md
    e, b.4). As text, "workdays:3", a term is kept beside the date it gave, so that the date can be counted again.
    """

    unit: TermUnit
    n: int

    def __str__(self) -> str:
        return f"{self.unit.value}:{self.n}"

    @classmethod
    def of(cls, text: str) -> "Term | None":
        """The term that was written like this; None for any other rule, such as "given"."""
        unit, _, n = text.partition(":")
        return cls(TermUnit(unit), int(n)) if n.isdecimal() and unit in TermUnit.__members__ else None

    def after(self, day: date, calendar: Calendar) -> tuple[date, Certainty]:
        """The last day of the term, when it is counted from `day`."""
        match self.unit:
            case TermUnit.workdays:
                return calendar.add_workdays(day, self.n)
            case TermUnit.days:
                return calendar.add_days(day, self.n)
            case TermUnit.months:
                return add_months(day, self.n), Certainty.known


def add_months(day: date, n: int) -> date:
    """The day of the same number n months later, or the last of that month (民法典 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + n, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def end_of_day(day: date) -> datetime:
    """The moment (UTC) at which `day` is over in Asia/Shanghai: what was due then is overdue from it on."""
    return moment_of(day + _ONE_DAY, time.min)


@lru_cache(10_000)  # reminders ask for the same ones every minute
def moment_of(day: date, at: time) -> datetime:
    """The moment (UTC) at which clocks in Asia/Shanghai show this time on this day."""
    return datetime.combine(day, at, _SHANGHAI).astimezone(UTC)


def day_of(moment: datetime) -> date:
    """The legal day on which this moment lies in Asia/Shanghai."""
    return moment.astimezone(_SHANGHAI).date()


def _days_after(a: date, b: date) -> Iterator[date]:
    return (a + n * _ONE_DAY for n in range(1, (b - a).days + 1))


@lru_cache(maxsize=8192)
def _published(day: date) -> bool | None:
    """What the State Council's list says; None for a year it has not been published for."""
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:
        return None
