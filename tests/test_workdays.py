"""The working-day calendar: published lists, make-up days, years without a list, the legal end of a day."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend import workdays
from backend.workdays import Calendar, Certainty, Stretch, Term, TermUnit, add_months, end_of_day

PLAIN = Calendar()

HOLIDAYS_2026 = """01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25
                   10-01 10-02 10-05 10-06 10-07""".split()
MAKE_UP_2026 = "01-04 02-14 02-28 05-09 09-20 10-10".split()

days = st.dates(date(2003, 1, 1), date(2035, 12, 31))


def test_every_day_of_2026_is_what_the_list_says() -> None:
    day = date(2026, 1, 1)
    while day.year == 2026:
        key = f"{day:%m-%d}"
        expected = key in MAKE_UP_2026 or (day.weekday() < 5 and key not in HOLIDAYS_2026)
        assert PLAIN.is_workday(day) is expected, day
        assert PLAIN.certainty(day) is Certainty.known
        day += timedelta(days=1)


@pytest.mark.parametrize("year", [2020, 2026])
def test_four_fifteenths_of_the_year_are_not_working_days(year: int) -> None:
    off = {month for month in range(1, 13) if not PLAIN.is_workday(date(year, month, 15))}
    assert off == {2, 3, 8, 11}


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 2, 15), date(2026, 2, 14)),
        (date(2026, 3, 15), date(2026, 3, 13)),
        (date(2026, 8, 15), date(2026, 8, 14)),
        (date(2026, 11, 15), date(2026, 11, 13)),
        (date(2026, 2, 24), date(2026, 2, 14)),
    ],
)
def test_working_day_before_is_strictly_before(day: date, before: date) -> None:
    assert PLAIN.previous_workday(day) == before


def test_working_day_after_skips_the_spring_festival() -> None:
    assert PLAIN.next_workday(date(2026, 2, 14)) == date(2026, 2, 24)
    assert PLAIN.next_workday(date(2026, 2, 13)) == date(2026, 2, 14)


@pytest.mark.parametrize("day", [date(2003, 1, 1), date(2003, 12, 31), date(2027, 1, 5), date(2040, 6, 1)])
def test_years_without_a_list_are_monday_to_friday_and_say_so(day: date) -> None:
    assert PLAIN.is_workday(day) is True
    assert PLAIN.certainty(day) is Certainty.assumed


def test_weekend_of_a_year_without_a_list_is_off() -> None:
    assert PLAIN.is_workday(date(2027, 5, 15)) is False
    assert PLAIN.is_workday(date(2027, 8, 15)) is False


def test_day_itself_is_not_counted() -> None:
    assert PLAIN.add_workdays(date(2026, 11, 23), 1) == (date(2026, 11, 24), Certainty.known)
    assert PLAIN.add_workdays(date(2026, 11, 22), 1) == (date(2026, 11, 23), Certainty.known)
    assert PLAIN.add_workdays(date(2026, 11, 22), 0) == (date(2026, 11, 22), Certainty.known)


def test_three_working_days_across_the_spring_festival_count_the_make_up_saturday() -> None:
    assert PLAIN.add_workdays(date(2026, 2, 13), 3) == (date(2026, 2, 25), Certainty.known)


def test_make_up_saturday_after_the_holiday_counts() -> None:
    assert PLAIN.add_workdays(date(2026, 9, 30), 3) == (date(2026, 10, 10), Certainty.known)


def test_last_listed_day_is_known_and_the_next_is_assumed() -> None:
    assert PLAIN.add_workdays(date(2026, 11, 22), 29) == (date(2026, 12, 31), Certainty.known)
    assert PLAIN.add_workdays(date(2026, 11, 22), 30) == (date(2027, 1, 1), Certainty.assumed)


def test_deadline_across_the_year_becomes_known_when_the_office_writes_the_days_in() -> None:
    new_year = {
        date(2027, 1, 1): False,
        date(2027, 1, 2): False,
        date(2027, 1, 3): False,
        date(2027, 1, 4): True,
    }
    assert Calendar(new_year).add_workdays(date(2026, 11, 22), 30) == (date(2027, 1, 4), Certainty.known)
    del new_year[date(2027, 1, 2)]
    assert Calendar(new_year).add_workdays(date(2026, 11, 22), 30) == (date(2027, 1, 4), Certainty.assumed)


def test_override_wins_over_the_published_list_both_ways() -> None:
    ours = Calendar({date(2026, 11, 23): False, date(2026, 11, 28): True})
    assert ours.is_workday(date(2026, 11, 23)) is False
    assert ours.is_workday(date(2026, 11, 28)) is True
    assert ours.add_workdays(date(2026, 11, 20), 1)[0] == date(2026, 11, 24)
    assert PLAIN.is_workday(date(2026, 11, 23)) is True


def test_override_makes_a_day_without_a_list_known() -> None:
    ours = Calendar({date(2027, 2, 8): False})
    assert (ours.is_workday(date(2027, 2, 8)), ours.certainty(date(2027, 2, 8))) == (False, Certainty.known)
    assert ours.certainty(date(2027, 2, 9)) is Certainty.assumed


def test_negative_working_days_are_refused() -> None:
    with pytest.raises(ValueError, match="forwards"):
        PLAIN.add_workdays(date(2026, 11, 22), -1)


def test_moment_is_refused_where_a_day_is_meant() -> None:
    with pytest.raises(TypeError, match="moments"):
        PLAIN.is_workday(datetime(2026, 11, 22, 17, tzinfo=UTC))


def test_calendar_days_are_always_known() -> None:
    assert PLAIN.add_days(date(2026, 12, 20), 15) == (date(2027, 1, 4), Certainty.known)
    assert PLAIN.add_days(date(2026, 3, 1), -1) == (date(2026, 2, 28), Certainty.known)


def test_working_days_between_count_the_end_and_not_the_start() -> None:
    assert PLAIN.workdays_between(date(2026, 2, 13), date(2026, 2, 25)) == 3
    assert PLAIN.workdays_between(date(2026, 2, 25), date(2026, 2, 13)) == -3
    assert PLAIN.workdays_between(date(2026, 2, 25), date(2026, 2, 25)) == 0
    assert PLAIN.workdays_between(date(2026, 2, 14), date(2026, 2, 23)) == 0


@given(days, st.integers(1, 60))
def test_adding_and_counting_agree(day: date, n: int) -> None:
    end, _ = PLAIN.add_workdays(day, n)
    assert PLAIN.is_workday(end)
    assert PLAIN.workdays_between(day, end) == n
    assert PLAIN.workdays_between(day, PLAIN.previous_workday(end)) == n - 1


@given(days)
def test_neighbouring_working_days_have_none_between(day: date) -> None:
    before, after = PLAIN.previous_workday(day), PLAIN.next_workday(day)
    assert before < day < after
    assert PLAIN.workdays_between(before, after) == 1 + PLAIN.is_workday(day)


def test_day_ends_at_midnight_in_shanghai() -> None:
    assert end_of_day(date(2026, 11, 15)) == datetime(2026, 11, 15, 16, tzinfo=UTC)
    assert end_of_day(date(2026, 12, 31)) == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert end_of_day(date(2026, 11, 15)).utcoffset() == timedelta(0)


def test_day_of_the_old_summer_time_ends_an_hour_earlier() -> None:
    assert end_of_day(date(1988, 7, 1)) == datetime(1988, 7, 1, 15, tzinfo=UTC)


def test_a_deadline_looks_at_each_day_once_and_the_list_is_read_once_for_a_thousand(monkeypatch) -> None:
    looked, read = Counter[date](), Counter[date]()
    own, listed = Calendar._listed, chinese_calendar.is_workday
    monkeypatch.setattr(Calendar, "_listed", lambda self, day: looked.update([day]) or own(self, day))
    monkeypatch.setattr(chinese_calendar, "is_workday", lambda day: read.update([day]) or listed(day))
    workdays._published.cache_clear()
    passed = 0
    for n in range(1000):
        day = date(2026, 1, 1) + timedelta(days=n % 200)
        passed += (PLAIN.add_workdays(day, 10 + n % 20)[0] - day).days
    assert looked.total() == passed and max(read.values()) == 1


edge = st.dates(date(2026, 11, 1), date(2027, 2, 28))
settled = st.dictionaries(edge, st.booleans(), max_size=40)


@settings(deadline=None)
@given(edge, st.integers(0, 40), settled)
def test_across_the_last_listed_year_the_count_holds_and_certainty_tells_every_guess(day, n, overrides):
    ours = Calendar(overrides)
    end, certainty = Term(TermUnit.workdays, n).after(day, ours)
    passed = [day + timedelta(days=ahead) for ahead in range(1, (end - day).days + 1)]
    assert ours.workdays_between(day, end) == n and (n == 0 or ours.is_workday(end))
    guessed = any(it.year > 2026 and it not in overrides for it in passed)
    assert (certainty is Certainty.assumed) is guessed


@settings(deadline=None)
@given(edge, st.integers(1, 40), settled, edge, st.booleans())
def test_a_day_outside_of_the_term_moves_nothing(day, n, overrides, other, works):
    end, _ = Calendar(overrides).add_workdays(day, n)
    moved, _ = Calendar(overrides | {other: works}).add_workdays(day, n)
    if not day < other <= end:
        assert moved == end
    elif not works:
        assert moved >= end
    else:
        assert moved <= end


@pytest.mark.parametrize(
    ("day", "n", "end"),
    [
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2020, 2, 29), 12, date(2021, 2, 28)),
        (date(2026, 12, 15), 0, date(2026, 12, 15)),
    ],
)
def test_a_month_ends_on_the_same_day_or_on_its_last(day: date, n: int, end: date) -> None:
    assert add_months(day, n) == end


@given(st.sampled_from(TermUnit), st.integers(0, 999))
def test_a_term_reads_back_what_it_writes(unit: TermUnit, n: int) -> None:
    assert Term.of(str(Term(unit, n))) == Term(unit, n)


@pytest.mark.parametrize("rule", ["", "given", "text", "workdays", "workdays:", "workdays:-1", "weeks:2", "days:two"])
def test_what_is_no_term_is_none(rule: str) -> None:
    assert Term.of(rule) is None


FIRST, LAST = date(2026, 10, 1), date(2027, 2, 28)
COUNTED = Stretch.of(Calendar({date(2026, 12, 5): True, date(2027, 1, 1): False}), FIRST, LAST)


@given(st.dates(date(2026, 9, 1), date(2027, 3, 31)), st.integers(0, 60), st.integers(-90, 90))
def test_a_stretch_counted_beforehand_counts_the_same_in_it_at_its_ends_and_beyond(day, n, days):
    slow = Calendar(COUNTED.overrides)
    assert COUNTED.add_workdays(day, n) == slow.add_workdays(day, n)
    assert COUNTED.workdays_before(day, n) == slow.workdays_before(day, n)
    other = day + timedelta(days=days)
    assert COUNTED.workdays_between(day, other) == slow.workdays_between(day, other)


def test_working_days_are_taken_away_over_weekends_holidays_and_make_up_days():
    for day, n, end, certainty in (
        (date(2026, 12, 7), 1, date(2026, 12, 4), Certainty.known),
        (date(2026, 2, 24), 3, date(2026, 2, 12), Certainty.known),
        (date(2026, 10, 10), 0, date(2026, 10, 10), Certainty.known),
        (date(2027, 1, 5), 0, date(2027, 1, 5), Certainty.known),
        (date(2027, 1, 5), 3, date(2026, 12, 31), Certainty.assumed),
    ):
        assert PLAIN.workdays_before(day, n) == (end, certainty)
    with pytest.raises(ValueError):
        PLAIN.workdays_before(date(2026, 12, 7), -1)
