"""The arithmetic of a summary: rates, days, and where an item stood, read off its events."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from backend import clock
from backend.workdays import Calendar
from notifications.summaries import paragraphs, rules
from notifications.summaries.replay import Step, standing
from notifications.summaries.shapes import Items
from notifications.summaries.words import Stands
from tasks.monthly.shapes import Counts
from tests.monthly_make import at

A, B = str(uuid4()), str(uuid4())


def happened(verb: str, **said: Any) -> Step:
    return Step(f"rectification.{verb}", datetime(2026, 1, 1, tzinfo=UTC), msgspec.json.encode(said))


ISSUED = happened("issued", due_on="2026-03-10", responsible_units=[A])


@pytest.mark.parametrize(("part", "whole", "told"), [
    (911, 972, "93.72%"), (737, 972, "75.82%"),  # golden fact l.6, from a bulletin
    (1, 3, "33.33%"), (2, 3, "66.67%"), (1, 8, "12.50%"), (1, 80_000, "0.00%"), (1, 20_000, "0.01%"),
    (0, 5, "0.00%"), (5, 5, "100.00%"), (0, 0, "—"),
])  # fmt: skip
def test_rates_are_rounded_half_up_and_nothing_has_no_rate(part: int, whole: int, told: str) -> None:
    assert rules.percent(rules.rate(part, whole)) == told


def test_the_month_before_has_the_same_last_day() -> None:
    assert rules.month_before(at(4, 16, 0)) == at(3, 16, 0)
    assert rules.month_before(at(1, 16, 0)) == at(12, 16, 0, year=2025)
    assert rules.month_before(at(4, 1, 0)) == at(3, 1, 0)  # of a rule whose last day is the 31st: 28 February
    assert rules.month_before(at(3, 1, 0)) == at(1, 29, 0)


def test_ten_working_days_before_the_cutoff_of_november() -> None:
    """2026-11-16 is a Monday; ten working days before it lie the 2nd to the 13th."""
    assert rules.red_line(at(11, 16, 0), Calendar()) == date(2026, 11, 2)


def test_a_supplement_tells_of_whole_days_that_are_over_and_settled() -> None:
    came = [at(11, 16, 9), at(11, 16, 23, 59), at(11, 18, 0)]
    assert rules.days_to_tell(came, at(11, 17, 0, 4)) == []
    assert rules.days_to_tell(came, at(11, 17, 0, 5)) == [at(11, 17, 0)]
    assert rules.days_to_tell(came, at(12, 1)) == [at(11, 17, 0), at(11, 19, 0)]


def test_an_item_stands_where_its_events_say() -> None:
    it = standing([ISSUED])
    assert (it.stands, it.due_on, it.original_on, it.units) == (
        Stands.in_work, date(2026, 3, 10), date(2026, 3, 10), {UUID(A)},
    )  # fmt: skip


@pytest.mark.parametrize(("steps", "due", "original"), [
    ([("extended", "2026-04-01")], "2026-04-01", "2026-03-10"),
    ([("rescheduled", "2026-03-11")], "2026-03-11", "2026-03-11"),
    ([("extended", "2026-04-01"), ("rescheduled", "2026-04-02")], "2026-04-02", "2026-03-10"),
    ([("reopened", "2026-05-01")], "2026-05-01", "2026-05-01"),
    ([("extended", "2026-04-01"), ("hung", None), ("resumed", "2026-06-01")], "2026-06-01", "2026-06-01"),
])  # fmt: skip
def test_dates_move_as_the_commands_move_them(steps: list[tuple[str, str | None]], due: str, original: str) -> None:
    it = standing([ISSUED, *(happened(verb, due_on=on) for verb, on in steps)])
    assert (str(it.due_on), str(it.original_on)) == (due, original)


@pytest.mark.parametrize(("verbs", "stands"), [
    (("hung",), Stands.hung), (("hung", "resumed"), Stands.in_work), (("closed",), Stands.closed),
    (("closed", "reopened"), Stands.in_work), (("voided",), Stands.voided), (("objection_upheld",), Stands.voided),
])  # fmt: skip
def test_the_last_move_decides(verbs: tuple[str, ...], stands: Stands) -> None:
    said = {"due_on": "2026-06-01", "closed_at": "2026-03-09T08:00:00+00:00"}
    it = standing([ISSUED, *(happened(verb, **said) for verb in verbs)])
    assert it.stands == stands and (it.closed_at is not None) == (stands == Stands.closed)


def test_a_part_goes_over_to_another_unit() -> None:
    moved = happened("redirected", unit=A, to_unit=B, due_on=None)
    taken = happened("taken_over", unit=A, to_unit=B, now="responsible")
    for step in (moved, taken):
        it = standing([ISSUED, step])
        assert {str(unit) for unit in it.units} == {B} and it.due_on == date(2026, 3, 10)


def test_a_midnight_belongs_to_the_day_that_is_over() -> None:
    assert paragraphs.until(at(11, 16, 0)) == "11月15日24时"
    assert paragraphs.until(at(1, 1, 0, year=2027)) == "12月31日24时"
    assert paragraphs.until(at(11, 15, 17)) == "11月15日17时"
    assert paragraphs.until(at(11, 15, 17, 5)) == "11月15日17时5分"


def test_sentences_name_values_and_leave_out_what_is_not_there() -> None:
    counts = Counts(cells=8, done=7, missing=1, checks=7, found=12, solved=5, handed_over=2)
    items = Items(open=4, overdue=1, new=2, cleared=3, due=972, due_closed=911, due_on_time=737, closing_rate=9372,
                  on_time_rate=7582)  # fmt: skip
    told = paragraphs.of_region("新宾县", counts, items, ["市卫健委"])
    assert told == (
        "新宾县：应接受检查8项，按时完成7项，未完成1项（市卫健委）。检查7次，发现问题12个，当场解决5个，交办整改2件。"
        "在办整改事项4件，逾期1件，本期新增2件、销号3件。本期应结972件，已结911件，结案率93.72%（911/972）；"
        "按期结案737件，按期结案率75.82%（737/972）。"
    )
    nothing = paragraphs.of_region("抚顺县", Counts(cells=8, missing=8), Items(), [])
    assert nothing == "抚顺县：应接受检查8项，按时完成0项，未完成8项。没有检查记录。没有整改事项。"


def test_a_span_counts_days_of_china() -> None:
    it = rules.span(at(10, 16, 0), at(11, 16, 0), date(2026, 11, 2))
    assert (it.since_on, it.today) == (date(2026, 10, 16), date(2026, 11, 16))
    assert clock.local(it.as_of - timedelta(seconds=1)).date() == date(2026, 11, 15)
