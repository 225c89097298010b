"""Which months a rule has, when each ends, and how a cell stands: every border, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest

from backend.errors import Incomplete
from backend.workdays import Calendar, Certainty
from tasks.monthly import rules
from tasks.monthly.rules import Cell, Exempted, Filed, Terms
from tasks.monthly.words import CellState, Roll
from tests.monthly_make import at

DAYS = Calendar()
CUTOFF = at(3, 16, 0)
TICK = timedelta(microseconds=1)


def terms(**said) -> Terms:
    return Terms(**{"valid_from": date(2026, 1, 1)} | said)


def filed(received: datetime, finished: datetime | None = None, **more) -> Filed:
    return Filed(more.pop("first", received), received, finished or received, **more)


def test_seed_004_has_ten_months_in_2020() -> None:
    """Golden fact l.1: March to December."""
    of_2020 = terms(valid_from=date(2020, 3, 1), valid_to=date(2020, 12, 31))
    found = list(rules.windows(of_2020, at(2, 20, year=2020), at(1, 1), DAYS))
    assert [it.month for it in found] == [f"2020-{month:02}" for month in range(3, 13)]


@pytest.mark.parametrize("year", [2020, 2026])
def test_the_15ths_that_are_no_working_days(year: int) -> None:
    """Golden fact l.2."""
    assert [month for month in range(1, 13) if not DAYS.is_workday(date(year, month, 15))] == [2, 3, 8, 11]


@pytest.mark.parametrize(
    ("month", "target"), [(2, date(2026, 2, 14)), (3, date(2026, 3, 13)), (8, date(2026, 8, 14)),
                          (11, date(2026, 11, 13)), (4, date(2026, 4, 15))],
)  # fmt: skip
def test_reminders_aim_at_the_working_day_before_and_the_cutoff_stays(month: int, target: date) -> None:
    """Golden fact l.3; 14 February 2026 is a Saturday that is worked."""
    it = rules.window(date(2026, month, 1), terms(), DAYS)
    assert rules.target_on(it.last_on, DAYS) == (target, Certainty.known)
    assert (it.last_on, it.cutoff_at) == (date(2026, month, 15), at(month, 16, 0))


@pytest.mark.parametrize(
    ("roll", "last"), [(Roll.none, date(2026, 2, 15)), (Roll.previous_workday, date(2026, 2, 14)),
                       (Roll.next_workday, date(2026, 2, 24))],
)  # fmt: skip
def test_the_roll_over_spring_festival_of_2026(roll: Roll, last: date) -> None:
    it = rules.window(date(2026, 2, 1), terms(roll=roll), DAYS)
    assert (it.last_on, it.certainty) == (last, Certainty.known)


def test_without_the_15th_itself_its_first_instant_is_too_late() -> None:
    it = rules.window(date(2026, 3, 1), terms(inclusive=False), DAYS)
    assert (it.last_on, it.cutoff_at) == (date(2026, 3, 14), at(3, 15, 0))


def test_a_roll_backwards_never_passes_the_first_day() -> None:
    it = rules.window(date(2026, 10, 1), terms(cutoff_day=3, roll=Roll.previous_workday), DAYS)
    assert (it.starts_on, it.last_on) == (date(2026, 10, 1), date(2026, 10, 3))


def test_days_beyond_the_end_of_a_month_mean_its_last() -> None:
    it = rules.window(date(2026, 2, 1), terms(window_start_day=20, cutoff_day=31), DAYS)
    assert (it.starts_on, it.last_on) == (date(2026, 2, 20), date(2026, 2, 28))


def test_a_year_whose_calendar_is_not_out_is_assumed() -> None:
    """Golden fact l.4: and nothing breaks. 15 May 2027 is a Saturday."""
    it = rules.window(date(2027, 5, 1), terms(roll=Roll.next_workday), DAYS)
    assert (it.last_on, it.certainty) == (date(2027, 5, 17), Certainty.assumed)
    assert rules.window(date(2027, 5, 1), terms(), DAYS).certainty == Certainty.known  # no calendar is asked
    assert rules.target_on(date(2027, 5, 15), DAYS) == (date(2027, 5, 14), Certainty.assumed)


def test_a_month_belongs_to_the_rule_that_is_valid_on_its_first_day() -> None:
    old, new = terms(valid_to=date(2026, 3, 10)), terms(valid_from=date(2026, 3, 11))
    months = [[it.month for it in rules.windows(rule, at(1, 1, 0), at(5, 2), DAYS)] for rule in (old, new)]
    assert months == [["2026-01", "2026-02", "2026-03"], ["2026-04", "2026-05"]]


def test_a_month_that_was_over_before_the_approval_is_not_asked_for() -> None:
    months = [it.month for it in rules.windows(terms(), at(3, 5), at(3, 20), DAYS)]
    assert months == ["2026-03"]


def test_a_month_begins_at_midnight_in_shanghai() -> None:
    before, after = at(3, 1, 0) - TICK, at(3, 1, 0)
    counted = [len(list(rules.windows(terms(), at(1, 1, 0), now, DAYS))) for now in (before, after)]
    assert counted == [2, 3]


@pytest.mark.parametrize(
    "said",
    [{"cutoff_day": 32}, {"window_start_day": 16}, {"window_start_day": 0}, {"cutoff_day": 1, "inclusive": False},
             {"valid_to": date(2025, 12, 31)}],
)  # fmt: skip
def test_terms_that_leave_no_day_are_refused(said: dict) -> None:
    with pytest.raises(Incomplete):
        rules.check_terms(terms(**said), date(2026, 1, 1))


S = CellState
LAST = CUTOFF - timedelta(milliseconds=1)  # 23:59:59.999 on the 15th


@pytest.mark.parametrize(
    ("cell", "as_of", "stands"),
    [
        (Cell(), CUTOFF - TICK, S.not_started),
        (Cell(), CUTOFF, S.missing),
        (Cell((filed(LAST),)), CUTOFF, S.done),
        (Cell((filed(CUTOFF),)), CUTOFF, S.done_late),
        (Cell((filed(LAST),)), LAST - TICK, S.not_started),  # not known yet
        (Cell((filed(at(3, 16, 9), at(3, 14)),)), at(3, 17), S.done_late),
        (Cell((filed(at(3, 16, 9), at(3, 14)),)), CUTOFF, S.missing),
        (Cell((filed(at(3, 14), at(3, 20)),)), at(3, 15), S.done),  # a check that ends tomorrow
        (Cell((filed(at(3, 10), until=at(3, 12)),)), at(3, 11), S.done),
        (Cell((filed(at(3, 10), until=at(3, 12)),)), at(3, 12), S.not_started),
        (Cell((filed(at(3, 10), until=at(3, 20)),)), at(3, 21), S.missing),
        (Cell((filed(at(3, 18), at(3, 9), first=at(3, 10)),)), at(3, 19), S.done),  # corrected later
        (Cell((filed(at(3, 18), at(3, 17), first=at(3, 10)),)), at(3, 19), S.done_late),  # and was later than said
        (Cell(exemptions=(Exempted(at(3, 5)),)), at(3, 4), S.not_started),
        (Cell(exemptions=(Exempted(at(3, 5)),)), CUTOFF, S.exempt),
        (Cell(exemptions=(Exempted(at(3, 5), at(3, 9)),)), CUTOFF, S.missing),
        (Cell((filed(at(3, 9)),), (Exempted(at(3, 5)),)), CUTOFF, S.done),
        (Cell((filed(at(3, 20)),), (Exempted(at(3, 5)),)), at(3, 21), S.exempt),
        (Cell((filed(at(3, 20)), filed(at(3, 15))), ()), at(3, 21), S.done),
    ],
)  # fmt: skip
def test_a_cell_stands_as_of_an_instant(cell: Cell, as_of: datetime, stands: CellState) -> None:
    assert rules.state(cell, CUTOFF, as_of) == stands


def test_a_late_record_says_why() -> None:
    assert rules.late_says(filed(LAST), CUTOFF) is None
    assert rules.late_says(filed(at(3, 16), at(3, 14)), CUTOFF) == "检查在14日，记录16日送达"
    assert rules.late_says(filed(at(4, 2), at(3, 14)), CUTOFF) == "检查在3月14日，记录4月2日送达"
    assert rules.late_says(filed(at(3, 17)), CUTOFF) == "检查在3月17日，已过截止时间"


def test_the_borders_are_those_of_shanghai_wherever_the_server_is() -> None:
    assert CUTOFF.astimezone(UTC) == datetime(2026, 3, 15, 16, tzinfo=UTC)
    assert rules.window(date(2026, 3, 1), terms(), DAYS).cutoff_at == CUTOFF
