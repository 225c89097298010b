"""When an item is due: by class, by the words of a paper, by a person; and what counting again moves. Pure."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import BadRequest, Incomplete
from backend.workdays import Calendar, Certainty
from inspections.findings.rules import ClosingClass
from tasks.rectifications.deadlines import GIVEN, NOTHING, Deadline, Wanted, again, deadline, milestones

TUESDAY = date(2026, 11, 24)
PLAIN = Calendar()


def due(closing_class: ClosingClass = ClosingClass.by_date, **wanted) -> Deadline:
    found = deadline(closing_class, Wanted(**wanted), TUESDAY, PLAIN)
    assert found is not None
    return found


def test_a_closing_class_gives_its_term_and_keeps_how_it_was_counted():
    assert due(ClosingClass.fix_now) == Deadline(on=date(2026, 11, 27), rule="workdays:3", counted_from=TUESDAY)
    assert due(ClosingClass.by_date) == Deadline(on=date(2026, 12, 9), rule="days:15", counted_from=TUESDAY)
    assert deadline(ClosingClass.long_term, NOTHING, TUESDAY, PLAIN) is None


def test_a_date_counted_over_an_unpublished_calendar_says_so():
    found = deadline(ClosingClass.fix_now, NOTHING, date(2031, 1, 2), PLAIN)
    assert found and found.certainty is Certainty.assumed


def test_a_day_that_was_given_wins_over_the_words_and_the_words_stay():
    found = due(on=date(2026, 12, 31), text="2020年6月份前")
    assert found == Deadline(on=date(2026, 12, 31), rule=GIVEN, text="2020年6月份前")


def test_words_decide_where_no_day_is_given():
    assert due(text="15个工作日内") == Deadline(
        on=date(2026, 12, 15), rule="workdays:15", counted_from=TUESDAY, text="15个工作日内"
    )
    assert due(text="年底前") == Deadline(on=date(2026, 12, 31), rule="text", text="年底前")
    found = due(ClosingClass.long_term, text="资金下达后30日内", event_on=date(2026, 12, 1))
    assert (found.on, found.rule, found.counted_from) == (date(2026, 12, 31), "days:30", date(2026, 12, 1))


@pytest.mark.parametrize(
    ("text", "kind", "candidates"),
    [
        ("2027年6月份前", "ambiguous", [date(2027, 5, 31), date(2027, 6, 30)]),
        ("每月15日前", "recurring", [date(2026, 12, 15)]),
        ("不定期", "undated", []),
        ("资金下达后30日内", "after_event", []),
        ("抓紧办", "unread", []),
        ("　", "unread", []),
    ],
)
def test_words_that_name_no_one_day_ask_for_one(text: str, kind: str, candidates: list):
    with pytest.raises(Incomplete) as refusal:
        due(text=text)
    told = refusal.value
    assert (told.code, told.field, told.details["kind"]) == ("due_unclear", "due_on", kind)
    assert told.details["candidates"] == candidates and "请定一个期限" in told.message


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        ({"on": TUESDAY}, "due_in_the_past", "due_on"),
        ({"text": "2026年6月底前"}, "due_in_the_past", "due_text"),
        ({"text": "今天18时前"}, "due_in_the_past", "due_text"),
        ({"text": "2199年底前"}, "due_too_far", "due_text"),
        ({"on": date(2026, 12, 1), "time_of_day": time(18)}, "time_only_to_fix_now", "due_time"),
        ({"event_on": date(2026, 12, 1)}, "event_without_words", "due_event_on"),
    ],
)
def test_a_day_that_is_not_ahead_is_refused_where_it_was_written(wanted: dict, code: str, field: str):
    with pytest.raises(BadRequest) as refusal:
        due(**wanted)
    assert (refusal.value.code, refusal.value.field) == (code, field)


def test_what_is_to_be_fixed_now_can_be_due_tomorrow_at_six():
    tomorrow = date(2026, 11, 25)
    for wanted in (
        {"on": tomorrow, "time_of_day": time(18)},
        {"text": "明天18:00前"},
        {"text": "明天", "time_of_day": time(18)},
    ):
        found = due(ClosingClass.fix_now, **wanted)
        assert (found.on, found.at) == (tomorrow, datetime(2026, 11, 25, 10, tzinfo=UTC))
    assert due(ClosingClass.by_date, text="明天18:00前").at == datetime(2026, 11, 25, 16, tzinfo=UTC)  # the whole day
    assert due(ClosingClass.fix_now, time_of_day=time(9)).at == datetime(2026, 11, 27, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "expected"), [(10, []), (30, []), (31, [30]), (60, [30]), (61, [30, 60]), (365, list(range(30, 361, 30)))]
)
def test_a_long_term_item_has_a_milestone_every_thirty_days_before_it_is_due(days: int, expected: list[int]):
    found = milestones(TUESDAY, TUESDAY + timedelta(days=days))
    assert [(day - TUESDAY).days for day in found] == expected


# ── counting again ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule", [GIVEN, "text", "days:15", "months:1"])
def test_only_what_was_counted_in_working_days_moves(rule: str):
    assert again(rule, TUESDAY, date(2026, 12, 9), TUESDAY, Calendar({date(2026, 12, 9): False})) is None


def test_a_holiday_in_between_moves_the_day_on():
    found = again("workdays:3", TUESDAY, date(2026, 11, 27), TUESDAY, Calendar({date(2026, 11, 25): False}))
    assert found and (found.on, found.counted) == (date(2026, 11, 30), date(2026, 11, 30))


def test_no_correction_makes_an_item_due_before_tomorrow():
    friday, monday = date(2026, 11, 27), date(2026, 11, 30)
    saturday_works = Calendar({date(2026, 11, 28): True})
    found = again("workdays:4", TUESDAY, monday, friday, saturday_works)
    assert found and (found.on, found.counted) == (date(2026, 11, 28), date(2026, 11, 28))
    found = again("workdays:4", TUESDAY, monday, date(2026, 11, 29), saturday_works)
    assert found and (found.on, found.counted) == (monday, date(2026, 11, 28))
    found = again("workdays:4", TUESDAY, monday, monday, saturday_works)  # due today: stays today, not tomorrow
    assert found and found.on == monday


def test_a_list_that_comes_out_makes_the_same_day_certain():
    start = date(2026, 12, 29)
    days = {date(2027, 1, day): day > 3 for day in range(1, 11)}
    found = again("workdays:5", start, date(2027, 1, 5), start, Calendar(days))
    assert found and (found.on, found.certainty) == (date(2027, 1, 6), Certainty.known)


edge = st.dates(date(2026, 12, 1), date(2027, 1, 31))
overrides = st.dictionaries(edge, st.booleans(), max_size=30)


@settings(deadline=None)
@given(edge, st.integers(1, 20), overrides, overrides, st.integers(0, 40))
def test_counted_twice_is_counted_once_and_nobody_becomes_overdue(issued, n, before, after, later):
    """Whatever the office settles, whenever it is counted again while the item is not past its date."""
    was = Calendar(before).add_workdays(issued, n)[0]
    today = min(issued + timedelta(days=later), was)
    found = again(f"workdays:{n}", issued, was, today, Calendar(after))
    assert found and found.on >= min(was, today + timedelta(days=1)) and found.on >= today
    assert again(f"workdays:{n}", issued, found.on, today, Calendar(after)) == found
