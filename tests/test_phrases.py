"""Deadline phrases as the four papers write them, and as an office types them. Seeds 001-004 by clause."""

from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.phrases.hits import Every, Kind, Recurrence
from backend.phrases.numerals import number, plain
from backend.phrases.reading import Reading, read
from backend.workdays import Calendar, Certainty

PAPER = date(2020, 2, 20)  # within the weeks in which all four were issued
ISSUE = date(2026, 11, 24)  # a Tuesday


def of_paper(text: str, event_day: date | None = None) -> Reading:
    return read(text, PAPER, PAPER, Calendar(), event_day)


def at_issue(text: str, calendar: Calendar | None = None) -> Reading:
    return read(text, ISSUE, ISSUE, calendar or Calendar())


# ── every deadline of the four papers (domain.md a.1 to a.4) ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("clause", "text", "kind", "due_on"),
    [
        ("FS-01", "2月底前", Kind.end_of_period, date(2020, 2, 29)),
        ("FS header", "从发布之日起实施，暂执行到2020年12月31日。", Kind.window, date(2020, 12, 31)),
        ("JM-04", "确保3月底全市", Kind.end_of_period, date(2020, 3, 31)),
        ("JM-10", "年内各市（区）", Kind.end_of_period, date(2020, 12, 31)),
        ("JM-11", "确保2020年6月底前", Kind.end_of_period, date(2020, 6, 30)),
        ("JM-11", "年底前", Kind.end_of_period, date(2020, 12, 31)),
        ("JM-14", "力争到2020年底前", Kind.end_of_period, date(2020, 12, 31)),
        ("JX-05", "原则上于2月底前开工建设", Kind.end_of_period, date(2020, 2, 29)),
        ("JX-05", "3月底前", Kind.end_of_period, date(2020, 3, 31)),
        ("NX-05", "今年上半年", Kind.end_of_period, date(2020, 6, 30)),
    ],
)
def test_a_date_of_the_papers_is_read(clause: str, text: str, kind: Kind, due_on: date):
    found = of_paper(text)
    assert (found.kind, found.due_on, found.candidates, found.text) == (kind, due_on, (due_on,), text), clause
    assert (found.rule, found.certainty) == ("text", Certainty.known)


@pytest.mark.parametrize(
    ("clause", "text", "kind", "candidates"),
    [
        ("JM-17", "到2020年6月份前", Kind.ambiguous, (date(2020, 5, 31), date(2020, 6, 30))),
        ("FS-32", "每月15日前", Kind.recurring, (date(2020, 3, 15),)),
        ("JM-01", "实行每周", Kind.recurring, (date(2020, 2, 23),)),
        ("JX-05", "资金下达后30日内", Kind.after_event, ()),
        ("FS-21", "公示（7天）", Kind.after_event, (date(2020, 2, 27),)),
        ("FS-27", "还款期限延期 6 个月", Kind.after_event, (date(2020, 8, 20),)),
        ("NX-08", "延期最长不超过6个月", Kind.after_event, (date(2020, 8, 20),)),
        ("FS-31", "不定期", Kind.undated, ()),
        ("FS-31", "发现问题立即通报", Kind.undated, ()),
        ("FS-32", "及时解决突出问题", Kind.undated, ()),
        ("FS-11", "定期", Kind.undated, ()),
        ("FS-26", "年累计用工 90 天以上", Kind.unread, ()),
        ("NX-08", "到期日在2020年1月1日后（含续贷、展期）", Kind.unread, ()),
        ("JM", "2020年3月20日印发", Kind.unread, ()),
        ("JX-02", "2020年“春风行动”", Kind.unread, ()),
    ],
)
def test_what_the_papers_leave_open_is_left_to_a_person(clause: str, text: str, kind: Kind, candidates: tuple):
    found = of_paper(text)
    assert (found.kind, found.due_on, found.candidates) == (kind, None, candidates), clause
    assert found.text == text and "请定一个期限" in found.sentence


def test_funds_are_counted_from_the_day_they_came_in():
    came = date(2020, 3, 10)
    found = of_paper("资金下达后30日内", came)
    assert (found.due_on, found.rule, found.counted_from) == (date(2020, 4, 9), "days:30", came)
    assert of_paper("公示（7天）", came).due_on == date(2020, 3, 17)
    assert of_paper("延期最长不超过6个月", date(2020, 8, 31)).due_on == date(2021, 2, 28)  # no 31 February


def test_the_15th_of_a_month_comes_back():
    for day, next_on in ((1, 15), (15, 15)):
        found = read("每月15日前", date(2020, 3, day), date(2020, 3, day), Calendar())
        assert found.recurrence == Recurrence(Every.month, 1, 15, date(2020, 3, next_on))


def test_a_window_has_a_beginning_and_an_end():
    found = of_paper("从发布之日起实施，暂执行到2020年12月31日。")
    assert (found.starts_on, found.due_on) == (PAPER, date(2020, 12, 31))
    found = of_paper("2020年3月1日至6月30日")
    assert (found.kind, found.starts_on, found.due_on) == (Kind.window, date(2020, 3, 1), date(2020, 6, 30))


# ── what an office types ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "due_on", "rule"),
    [
        ("15个工作日内", date(2026, 12, 15), "workdays:15"),
        ("十五个工作日内", date(2026, 12, 15), "workdays:15"),
        ("１５ 个 工作日 内", date(2026, 12, 15), "workdays:15"),
        ("自收到本通知之日起10个工作日内", date(2026, 12, 8), "workdays:10"),
        ("即日起3个工作日内", date(2026, 11, 27), "workdays:3"),
        ("下发后10日内", date(2026, 12, 4), "days:10"),
        ("三十日内", date(2026, 12, 24), "days:30"),
        ("两周内", date(2026, 12, 8), "days:14"),
        ("一个月内", date(2026, 12, 24), "months:1"),
        ("半个月内", date(2026, 12, 9), "days:15"),
        ("半年内", date(2027, 5, 24), "months:6"),
        ("自2026年12月1日起15日内", date(2026, 12, 16), "days:15"),
        ("48小时内", date(2026, 11, 26), "days:2"),
        ("二〇二六年十二月三十一日前", date(2026, 12, 31), "text"),
        ("2026-12-31前", date(2026, 12, 31), "text"),
        ("**12月31日**前", date(2026, 12, 31), "text"),
        ("24日前", date(2026, 11, 24), "text"),
        ("15日前", date(2026, 12, 15), "text"),
        ("本月底前", date(2026, 11, 30), "text"),
        ("月内", date(2026, 11, 30), "text"),
        ("下月15日前", date(2026, 12, 15), "text"),
        ("本周内", date(2026, 11, 29), "text"),
        ("本周五前", date(2026, 11, 27), "text"),
        ("周一前", date(2026, 11, 30), "text"),
        ("下周三前", date(2026, 12, 2), "text"),
        ("12月上旬", date(2026, 12, 10), "text"),
        ("2027年2月下旬", date(2027, 2, 28), "text"),
        ("明年6月底前", date(2027, 6, 30), "text"),
        ("上半年", date(2027, 6, 30), "text"),
        ("下半年", date(2026, 12, 31), "text"),
        ("第一季度末", date(2027, 3, 31), "text"),
        ("本季度末前", date(2026, 12, 31), "text"),
        ("2026年年底前", date(2026, 12, 31), "text"),
        ("本年度内", date(2026, 12, 31), "text"),
        ("2027年完成", date(2027, 12, 31), "text"),
    ],
)
def test_a_phrase_gives_a_day_and_how_it_came_about(text: str, due_on: date, rule: str):
    found = at_issue(text)
    assert (found.due_on, found.rule) == (due_on, rule), found.sentence


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("2027年6月前", (date(2027, 5, 31), date(2027, 6, 30))),
        ("12月前", (date(2026, 11, 30), date(2026, 12, 31))),
        ("11月份前", (date(2026, 11, 30),)),  # before November is over already
        ("2027年二季度前", (date(2027, 3, 31), date(2027, 6, 30))),
        ("2028年前", (date(2027, 12, 31), date(2028, 12, 31))),
        ("12月底前开工，明年6月底前完成", (date(2026, 12, 31), date(2027, 6, 30))),
    ],
)
def test_of_two_meanings_a_person_chooses_and_the_stricter_comes_first(text: str, candidates: tuple):
    found = at_issue(text)
    assert (found.kind, found.due_on, found.candidates) == (Kind.ambiguous, None, candidates)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("11月26日18:00前", "18:00"),
        ("11月26日18时前", "18:00"),
        ("11月26日下午5点半前", "17:30"),
        ("11月26日24时前", None),
        ("11月26日下班前", None),
    ],
)
def test_a_time_of_day_is_read_with_its_day(text: str, at: str | None):
    assert (at_issue(text).due_on, at_issue(text).due_time) == (date(2026, 11, 26), at)


@pytest.mark.parametrize(
    ("text", "recurrence"),
    [
        ("每周五前", Recurrence(Every.week, 1, 5, date(2026, 11, 27))),
        ("每周一次", Recurrence(Every.week, 1, None, date(2026, 11, 29))),
        ("每两周", Recurrence(Every.week, 2, None, date(2026, 12, 8))),
        ("每月31日前", Recurrence(Every.month, 1, 31, date(2026, 11, 30))),
        ("每季度末", Recurrence(Every.quarter, 1, None, date(2026, 12, 31))),
        ("每半年", Recurrence(Every.half_year, 1, None, date(2026, 12, 31))),
        ("每年6月底前", Recurrence(Every.year, 1, None, date(2027, 6, 30))),
        ("每天", Recurrence(Every.day, 1, None, date(2026, 11, 24))),
    ],
)
def test_a_recurring_duty_names_its_next_day_and_is_no_deadline(text: str, recurrence: Recurrence):
    found = at_issue(text)
    assert (found.kind, found.due_on, found.recurrence) == (Kind.recurring, None, recurrence)


@pytest.mark.parametrize("text", ["2月30日前", "2026年13月底前", "31日前", "9999日内", "每月40日前", "1000年内"])
def test_a_date_that_no_calendar_has_is_said_to_be_none(text: str):
    found = at_issue(text)
    assert (found.kind, found.due_on, found.candidates) == (Kind.unread, None, ())


def test_a_reading_says_what_it_assumed():
    assert "没有写年份" in at_issue("2月底前").sentence and "2027年2月28日" in at_issue("2月底前").sentence
    assert "没有写年份" not in at_issue("2027年2月底前").sentence
    assert "已经过去" in at_issue("2026年6月底前").sentence
    assert "“签收”" in at_issue("签收后5个工作日内").sentence


def test_working_days_into_a_year_without_a_list_are_assumed_and_say_so():
    found = at_issue("30个工作日内")
    assert (found.due_on, found.certainty) == (date(2027, 1, 5), Certainty.assumed)
    assert "还没有公布" in found.sentence
    listed = at_issue("30个工作日内", Calendar({date(2027, 1, day): day > 3 for day in range(1, 7)}))
    assert (listed.due_on, listed.certainty) == (date(2027, 1, 6), Certainty.known)


# ── any text ─────────────────────────────────────────────────────────────────────────────────────────────────────

PIECES = """年 月 日 号 底 末 前 内 后 起 之日起 至 到 每 周 星期 季度 半 上 下 本 明 旬 上旬 个 工作日 天 小时 自 从
    资金下达 0 1 2 6 12 15 30 31 99 2020 2026 9999 〇 一 十 廿 百 二〇二六 ２ ， 。 （ ） 18:00 下午 下班
    不超过 立即 ㊊ ① ٣ #"""
WORDS = st.lists(st.sampled_from([*PIECES.split(), " ", "\x00"]), max_size=12).map("".join)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), WORDS), st.dates(date(1949, 1, 1), date(2199, 12, 31)), st.booleans())
@example("", date(2020, 2, 29), False)
@example("2月29日前", date(2021, 3, 1), True)
@example("每月31日前", date(2199, 12, 31), False)
def test_no_text_is_too_odd_and_none_is_changed(text: str, day: date, event: bool):
    found = read(text, day, day, Calendar(), day if event else None)
    assert found.text == text and found.sentence
    assert list(found.candidates) == sorted(set(found.candidates))
    assert found.due_on is None or found.candidates == (found.due_on,)


@given(st.integers(1, 999))
def test_a_number_reads_the_same_in_digits_and_in_chinese(n: int):
    digits = "〇一二三四五六七八九"
    hundreds, tens, ones = n // 100, n // 10 % 10, n % 10
    written = f"{digits[hundreds]}百" if hundreds else ""
    written += f"{digits[tens]}十" if tens else ("〇" if hundreds and ones else "")
    assert number(written + (digits[ones] if ones else "")) == n == number(str(n))
    assert plain(f"{n:０>3}".translate({ord(str(d)): chr(0xFF10 + d) for d in range(10)})) == f"{n:03}"
