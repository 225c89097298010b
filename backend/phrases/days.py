"""Deadlines that name their day or the period it ends: 6月30日前, 2月底前, 上半年, 本周五, 6月份前."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, time, timedelta

from backend.phrases.hits import (
    BEFORE,
    END,
    HOUR,
    LED,
    MONTH,
    NO_DEADLINE,
    STOP,
    YEAR,
    Asked,
    Hit,
    Kind,
    Shape,
    absent,
    found,
    in_words,
)
from backend.phrases.numerals import NUMBER, number
from backend.workdays import add_months

Bounds = tuple[date, date]
WEEKDAYS = {name: n for n, names in enumerate(("一", "二", "三", "四", "五", "六", "日天")) for name in names}
ONE_DAY = timedelta(days=1)


# ── which year, which month ──────────────────────────────────────────────────────────────────────────────────────


def of_year(match: re.Match[str], asked: Asked, bounds: Callable[[int], Bounds | None]) -> tuple[Bounds | None, str]:
    """The period in the year that is written; where none is, the next one from the day of the paper, saying so."""
    here = asked.from_day.year
    match found(match, "year"):
        case None:
            period = bounds(here)
            if period and period[1] < asked.from_day:
                period = bounds(here + 1)
            return period, f"；文中没有写年份，取{in_words(asked.from_day)}以后最近的一个"
        case "今" | "本" | "当":
            return bounds(here), ""
        case "明":
            return bounds(here + 1), ""
        case written:
            return (bounds(year) if 1949 <= (year := number(written)) < 2200 else None), ""


def of_month(
    match: re.Match[str], asked: Asked, bounds: Callable[[int, int], Bounds | None]
) -> tuple[Bounds | None, str]:
    """The same for a month: written, 本月, 下月, or (月底) the running one."""
    written = found(match, "month")
    if written is not None:
        month = number(written)
        return of_year(match, asked, lambda year: bounds(year, month) if 1 <= month <= 12 else None)
    later = 1 if (found(match, "near") or "本") in "下次" else 0
    there = add_months(asked.from_day.replace(day=1), later)
    return bounds(there.year, there.month), ""


def whole_month(year: int, month: int) -> Bounds:
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def one_day(year: int, month: int, day: int) -> Bounds | None:
    if not 1 <= day <= monthrange(year, month)[1]:
        return None
    return (it := date(year, month, day)), it


# ── what is made of them ─────────────────────────────────────────────────────────────────────────────────────────


def on_day(match: re.Match[str], period: Bounds | None, note: str = "") -> Hit:
    if period is None:
        return absent(match)
    at = hour(match)
    clock = f"{at:%H:%M}" if at else "（含当日）"
    return Hit(
        kind=Kind.absolute_day,
        words=match[0],
        meaning=f"理解为{in_words(period[1])}{clock}{note}",
        days=(period[1],),
        at=at,
    )


def by_end(match: re.Match[str], asked: Asked, period: Bounds | None, note: str = "") -> Hit:
    """The last day of a period; 前 right after its name may mean before it begins or by its end (JM-17)."""
    if period is None:
        return absent(match)
    first, last = period
    if found(match, "before") is None or found(match, "end"):
        meaning = f"理解为{in_words(last)}（含当日）{note}"
        return Hit(kind=Kind.end_of_period, words=match[0], meaning=meaning, days=(last,))
    before = first - ONE_DAY
    meaning = f"可以是{in_words(before)}，也可以是{in_words(last)}，建议从严{note}"
    days = (before, last) if before >= asked.from_day or last < asked.from_day else (last,)
    return Hit(kind=Kind.ambiguous, words=match[0], meaning=meaning, days=days, firm=False)


def hour(match: re.Match[str]) -> time | None:
    """The time of day that is written; None for none, for 24时 and for one that no clock shows."""
    written = found(match, "hour")
    if written is None:
        return None
    hours = int(written) + (12 if found(match, "half") in ("下午", "晚上", "晚") and int(written) < 12 else 0)
    minutes = 30 if found(match, "thirty") else int(found(match, "minute") or found(match, "minutes") or 0)
    return time(hours, minutes) if hours < 24 and minutes < 60 else None


# ── the shapes ───────────────────────────────────────────────────────────────────────────────────────────────────


def _date(match: re.Match[str], asked: Asked) -> Hit | None:
    if re.fullmatch(NO_DEADLINE, match["tail"] or "") or (match["tail"] is None and not match["led"]):
        return None
    day = number(match["day"])
    return on_day(match, *of_month(match, asked, lambda year, month: one_day(year, month, day)))


def _day_of_this_month(match: re.Match[str], asked: Asked) -> Hit:
    """15日前: in this month or, when that is over, in the next."""
    day, here = number(match["day"]), asked.from_day
    later = add_months(here.replace(day=1), 1) if day < here.day else here
    return on_day(match, one_day(later.year, later.month, day), "；文中没有写月份，取最近的一个")


def _day_word(match: re.Match[str], asked: Asked) -> Hit:
    day = asked.from_day + {"明": 1, "次": 1, "翌": 1, "后": 2}.get(match["word"][0], 0) * ONE_DAY
    return on_day(match, (day, day))


def _weekday(match: re.Match[str], asked: Asked) -> Hit:
    monday = asked.from_day - asked.from_day.weekday() * ONE_DAY + (7 if found(match, "near") == "下" else 0) * ONE_DAY
    day = monday + WEEKDAYS[match["weekday"]] * ONE_DAY
    if found(match, "near") is None and day < asked.from_day:
        day += 7 * ONE_DAY
    return on_day(match, (day, day))


def _week(match: re.Match[str], asked: Asked) -> Hit:
    monday = asked.from_day - asked.from_day.weekday() * ONE_DAY + (7 if found(match, "near") == "下" else 0) * ONE_DAY
    return by_end(match, asked, (monday, monday + 6 * ONE_DAY), "，周日为一周的最后一天")


def _month(match: re.Match[str], asked: Asked) -> Hit | None:
    if not any(match[name] is not None for name in ("led", "part", "end", "before", "tail")):
        return None
    first, last = {"上旬": (1, 10), "中旬": (11, 20), "下旬": (21, 31)}.get(match["part"] or "", (1, 31))

    def bounds(year: int, month: int) -> Bounds:
        whole = whole_month(year, month)
        return whole[0].replace(day=first), whole[1].replace(day=min(last, whole[1].day))

    return by_end(match, asked, *of_month(match, asked, bounds))


def _quarter(match: re.Match[str], asked: Asked) -> Hit:
    def bounds(year: int, n: int) -> Bounds:
        return date(year, 3 * n - 2, 1), whole_month(year, 3 * n)[1]

    if match["quarter"]:
        n = number(match["quarter"])
        return by_end(match, asked, *of_year(match, asked, lambda year: bounds(year, n)))
    there = add_months(asked.from_day.replace(day=1), 3 if match["near"] == "下" else 0)
    return by_end(match, asked, bounds(there.year, (there.month + 2) // 3))


def _half_year(match: re.Match[str], asked: Asked) -> Hit:
    first, last = ((1, 1), (6, 30)) if match["which"] == "上" else ((7, 1), (12, 31))
    return by_end(match, asked, *of_year(match, asked, lambda year: (date(year, *first), date(year, *last))))


def _year(match: re.Match[str], asked: Asked) -> Hit:
    return by_end(match, asked, *of_year(match, asked, lambda year: (date(year, 1, 1), date(year, 12, 31))))


def _shape(pattern: str, meaning: Callable[[re.Match[str], Asked], Hit | None]) -> Shape:
    return re.compile(pattern), meaning


_NOT_COUNTED = "(?<![0-9〇零一二两三四五六七八九十百半几多])"
_ENDS = f"(?P<end>{END})?(?P<before>{BEFORE})?"

DAYS: tuple[Shape, ...] = (
    _shape(f"{LED}?{YEAR}?{MONTH}(?P<day>{NUMBER})[日号]{HOUR}?(?P<tail>{NO_DEADLINE}|{BEFORE}|内|{STOP})?", _date),
    _shape(f"(?<![0-9])(?P<day>{NUMBER})[日号]{HOUR}?{BEFORE}", _day_of_this_month),
    _shape(f"(?P<word>今天|今日|当天|当日|明天|明日|次日|翌日|后天){HOUR}?(?:{BEFORE}|内|{STOP})", _day_word),
    _shape(f"(?P<near>[本这下])(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天]){HOUR}?{BEFORE}?", _weekday),
    _shape(f"(?<!每)(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天]){HOUR}?{BEFORE}", _weekday),
)
PERIODS: tuple[Shape, ...] = (
    _shape(f"(?P<near>[本这下])个?(?:周|星期)(?P<end>内|之内|底)?(?P<before>{BEFORE})?", _week),
    _shape(
        f"{LED}?(?<![上每个]){YEAR}?(?:{MONTH}|{_NOT_COUNTED}(?<![上每个])月(?=[底末内]))(?P<part>上旬|中旬|下旬)?"
        f"{_ENDS}(?P<tail>{STOP})?",
        _month,
    ),
    _shape(f"{YEAR}?第?(?:(?P<quarter>[一二三四1-4])季度|(?P<near>[本当这下])季度|季度?(?=[末底])){_ENDS}", _quarter),
    _shape(f"{YEAR}?(?P<which>[上下])半年{_ENDS}", _half_year),
    _shape(f"(?:{YEAR}年?|{_NOT_COUNTED}年)(?P<end>底|末|终)(?P<before>{BEFORE})?", _year),
    _shape(f"(?:{YEAR}|{_NOT_COUNTED}年度?)(?P<end>之内|以内|内)", _year),
    _shape(f"{YEAR}(?:(?P<before>{BEFORE})(?![0-9一二两三四五六七八九十半#])|{STOP})", _year),
)
