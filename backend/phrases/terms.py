"""Deadlines that are counted or come back: 15个工作日内, 资金下达后30日内, 每月15日前, 从发布之日起……到12月31日."""

import re
from datetime import date, timedelta

from backend.phrases.days import DAYS, PERIODS, WEEKDAYS, whole_month
from backend.phrases.hits import (
    BEFORE,
    Asked,
    Every,
    Hit,
    Kind,
    Recurrence,
    Shape,
    absent,
    found,
    in_words,
    scan,
)
from backend.phrases.numerals import NUMBER, number
from backend.workdays import Certainty, Term, TermUnit, add_months

LONGEST = {TermUnit.days: 3660, TermUnit.workdays: 2500, TermUnit.months: 120}  # ten years: more is a slip of the pen
# Beginnings that mean the paper itself: its day is known. 下达 of anything else (资金) is an event of its own.
OF_THE_PAPER = re.compile(
    "(?:自|从|在|于)?(?:收到|接到)?(?:本|此|该)?(?:督办|整改|交办)?(?:通知书?|通报|方案|文件|督办[单函]|交办[单函]|意见|问题清单|清单|问题|任务|事项)?"
    "(?:书面)?(?:交办|转办|下发|印发|发布|发文|公布|下达|发出|收到|即日?|今[日天]?)?"
)
ONE_DAY = timedelta(days=1)
TOO_LONG = "太长，请核对原文"


# ── counted ──────────────────────────────────────────────────────────────────────────────────────────────────────


def term_of(match: re.Match[str]) -> Term | None:
    """The length that is written; None for none or for one beyond all sense. Hours are rounded up to whole days."""
    n, unit = match["n"], match["unit"].removeprefix("个")
    if n == "半":
        halves = {"月": Term(TermUnit.days, 15), "年": Term(TermUnit.months, 6), "天": Term(TermUnit.days, 1)}
        return halves.get(unit)
    counted = number(n)
    match unit:
        case "工作日":
            term = Term(TermUnit.workdays, counted)
        case "月" | "季度" | "年":
            term = Term(TermUnit.months, counted * {"月": 1, "季度": 3, "年": 12}[unit])
        case "周" | "星期" | "礼拜":
            term = Term(TermUnit.days, counted * 7)
        case "小时":
            term = Term(TermUnit.days, -(-counted // 24))
        case _:
            term = Term(TermUnit.days, counted)
    return term if 0 < term.n <= LONGEST[term.unit] else None


def _within(match: re.Match[str], asked: Asked) -> Hit:
    event = re.sub("^(?:确保|务必|必须|应当?|须|要|各级|自|从|在|于)+", "", match["event"] or "")
    term = term_of(match)
    if term is None:
        return absent(match, TOO_LONG)
    if begins := _named_day(event, asked):
        return _counted(match, term, begins, asked, Kind.within)
    if OF_THE_PAPER.fullmatch(event):
        return _counted(match, term, asked.from_day, asked, Kind.within)
    if asked.event_day:
        return _counted(match, term, asked.event_day, asked, Kind.after_event)
    meaning = f"从“{event}”那天算起，这一天还没有填写"
    return Hit(kind=Kind.after_event, words=match[0], meaning=meaning, firm=False, term=term)


def _bare(match: re.Match[str], asked: Asked) -> Hit | None:
    """公示（7天）, 延期6个月: a length whose beginning is not written."""
    term = term_of(match)
    if match["least"]:
        return None
    if term is None:
        return absent(match, TOO_LONG)
    if asked.event_day:
        return _counted(match, term, asked.event_day, asked, Kind.after_event)
    day, certainty = term.after(asked.from_day, asked.calendar)
    meaning = f"是一段时间，没有写从哪天算起；从{in_words(asked.from_day)}算起是{in_words(day)}"
    return Hit(
        kind=Kind.after_event, words=match[0], meaning=meaning, days=(day,), firm=False, term=term, certainty=certainty
    )


def _counted(match: re.Match[str], term: Term, begins: date, asked: Asked, kind: Kind) -> Hit:
    day, certainty = term.after(begins, asked.calendar)
    meaning = f"从{in_words(begins)}算起，当日不计，到{in_words(day)}为止"
    if match["unit"].endswith("小时"):
        meaning += "，小时按整天计"
    if certainty is Certainty.assumed:
        meaning += "；其中有的年份放假安排还没有公布，暂按周一至周五推算"
    return Hit(
        kind=kind, words=match[0], meaning=meaning, days=(day,), term=term, counted_from=begins, certainty=certainty
    )


def _named_day(text: str, asked: Asked) -> date | None:
    """The day that a beginning names: 2026年12月1日."""
    hits, _ = scan(text, DAYS, asked)
    return hits[0].days[0] if len(hits) == 1 and hits[0].days else None


# ── coming back ──────────────────────────────────────────────────────────────────────────────────────────────────


def _weekly(match: re.Match[str], asked: Asked) -> Hit:
    wanted = WEEKDAYS[match["weekday"]]
    next_on = asked.from_day + (wanted - asked.from_day.weekday()) % 7 * ONE_DAY
    return _again(match, Recurrence(Every.week, 1, wanted + 1, next_on))


def _monthly(match: re.Match[str], asked: Asked) -> Hit:
    """每月15日前. A month without that day has its last instead."""
    day = number(match["day"])
    if not 1 <= day <= 31:
        return absent(match)
    first = asked.from_day.replace(day=1)
    months = (whole_month(month.year, month.month)[1] for month in (first, add_months(first, 1)))
    next_on = next(it for last in months if (it := last.replace(day=min(day, last.day))) >= asked.from_day)
    return _again(match, Recurrence(Every.month, 1, day, next_on))


def _yearly(match: re.Match[str], asked: Asked) -> Hit:
    """每年6月底前."""
    hits, _ = scan(match["rest"], (*DAYS, *PERIODS), asked)
    next_on = hits[0].days[-1] if hits and hits[0].days else date(asked.from_day.year, 12, 31)
    return _again(match, Recurrence(Every.year, 1, None, next_on))


def _every(match: re.Match[str], asked: Asked) -> Hit:
    every = EVERY[match["every"]]
    interval = number(n) if (n := found(match, "n")) else 1
    if not 1 <= interval <= 100:
        return absent(match, TOO_LONG)
    here = asked.from_day
    months = {Every.month: 1, Every.quarter: 3, Every.half_year: 6, Every.year: 12}
    if interval > 1:
        days = {Every.day: 1, Every.week: 7}
        next_on = (
            here + interval * days[every] * ONE_DAY if every in days else add_months(here, interval * months[every])
        )
    elif every in months:
        next_on = whole_month(here.year, here.month + (-here.month) % months[every])[1]
    else:
        next_on = here if every is Every.day else here + (6 - here.weekday()) * ONE_DAY
    return _again(match, Recurrence(every, interval, None, next_on))


def _again(match: re.Match[str], recurrence: Recurrence) -> Hit:
    meaning = f"是反复要做的事，最近一次到{in_words(recurrence.next_on)}"
    return Hit(
        kind=Kind.recurring, words=match[0], meaning=meaning, days=(recurrence.next_on,), firm=False,
        recurrence=recurrence,
    )  # fmt: skip


# ── from one day to another ──────────────────────────────────────────────────────────────────────────────────────


def _window(match: re.Match[str], asked: Asked) -> Hit | None:
    """The end decides; where only the beginning has a year, the end is of that year."""
    end = match["end"]
    if (year := re.match("[0-9]{4}年", match["start"])) and not re.match("[0-9]{4}年|[今明]年", end):
        end = year[0] + end
    hits, _ = scan(f"到{end}", (*DAYS, *PERIODS), asked)
    if len(hits) != 1 or len(hits[0].days) != 1:
        return None
    starts_on = _named_day(match["start"] + "前", asked)
    if starts_on is None and OF_THE_PAPER.fullmatch(match["start"]):
        starts_on = asked.from_day
    last = hits[0].days[0]
    meaning = f"执行到{in_words(last)}（含当日）" + (f"，从{in_words(starts_on)}开始" if starts_on else "")
    return Hit(kind=Kind.window, words=match[0], meaning=meaning, days=(last,), starts_on=starts_on)


EVERY = {
    "天": Every.day, "日": Every.day, "周": Every.week, "星期": Every.week, "月": Every.month, "季": Every.quarter,
    "季度": Every.quarter, "半年": Every.half_year, "年": Every.year,
}  # fmt: skip

_POINT = f"(?:(?:[0-9]{{4}}|今|明)年)?(?:{NUMBER})月(?:(?:{NUMBER})[日号]|底|末)?"
_COUNT = f"(?<![0-9第每月])(?![0-9]{{3,}}年|[〇零○一二三四五六七八九]{{4}}年)(?P<n>{NUMBER}|半)"

WINDOWS: tuple[Shape, ...] = (
    (
        re.compile(
            "(?:从|自)(?P<start>[^,。;、#]{1,16}?)(?:之日)?起[^。;#]{0,20}?(?:到|至)(?P<end>[^,。;、#到至]{2,14})"
        ),
        _window,
    ),
    (re.compile(f"(?P<start>{_POINT})(?:至|到|-|—|~)+(?P<end>{_POINT})"), _window),
)
RECURRING: tuple[Shape, ...] = (
    (re.compile("每个?(?:周|星期)(?P<weekday>[一二三四五六日天])(?![次个份期轮])"), _weekly),
    (re.compile(f"每个?月的?(?P<day>{NUMBER})[日号]{BEFORE}?"), _monthly),
    (re.compile(f"每年度?的?(?P<rest>(?:{NUMBER})月[^,。;、#]{{1,8}})"), _yearly),
    (re.compile(f"每(?P<n>{NUMBER})?个?(?P<every>天|日|周|星期|月|季度?|半年|年)(?:[底末]{BEFORE}?)?"), _every),
    (re.compile("[按逐](?P<every>周|月|季度?)"), _every),
)
COUNTED: tuple[Shape, ...] = (
    (
        re.compile(
            "(?:(?P<event>[^,.;:。、()#“”]{1,24}?)(?:之日起|当日起|之日后|之后|以后|后|起)(?:算起|计算|的)?,?)?"
            f"{_COUNT}(?P<unit>个?工作日|个?自然日|个?日历日|天|日|周|个?星期|个?礼拜|个月|(?<=半)月|个季度|年|个?小时)"
            "(?:之内|以内|内)"
        ),
        _within,
    ),
)
BARE: tuple[Shape, ...] = (
    (
        re.compile(
            f"(?P<least>不少于|至少|满)?{_COUNT}(?P<unit>个?工作日|个?自然日|天|周|个?星期|个月|个?小时)"
            "(?!以上|以下|之?前|以前|之?后|以后|左右|一次|[0-9])"
        ),
        _bare,
    ),
)
