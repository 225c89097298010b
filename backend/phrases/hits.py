"""What is found in a deadline phrase, and the pieces that its patterns share. The shapes stand in days and terms."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from functools import partial

from backend.phrases.numerals import NUMBER
from backend.workdays import Calendar, Certainty, Term


class Kind(StrEnum):
    """The kinds of deadlines that papers know (domain.md a.5)."""

    absolute_day = "absolute_day"  # 6月30日前
    end_of_period = "end_of_period"  # 2月底前, 上半年, 年内
    within = "within"  # 15个工作日内
    after_event = "after_event"  # 资金下达后30日内
    recurring = "recurring"  # 每月15日前
    window = "window"  # 从发布之日起……到2020年12月31日
    ambiguous = "ambiguous"  # 6月份前
    undated = "undated"  # 不定期, 及时
    unread = "unread"  # no deadline recognised


class Every(StrEnum):
    """How often a recurring duty comes back."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"
    half_year = "half_year"
    year = "year"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """`day` is a day of the week (1 Monday) or of the month; None is the last. `next_on` is the first from then on."""

    every: Every
    interval: int
    day: int | None
    next_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a phrase is read against: the day of the paper or of the issue, and the day of the event it names."""

    from_day: date
    calendar: Calendar
    event_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One deadline in a text: what it may mean, the strictest day first, and the sentence that says why.

    It is `firm` when its one day may be taken without asking anybody.
    """

    kind: Kind
    words: str
    meaning: str
    days: tuple[date, ...] = ()
    firm: bool = True
    starts_on: date | None = None
    term: Term | None = None
    counted_from: date | None = None
    certainty: Certainty = Certainty.known
    at: time | None = None
    recurrence: Recurrence | None = None


Shape = tuple[re.Pattern[str], Callable[[re.Match[str], Asked], Hit | None]]

_TAKEN = "#"


def scan(text: str, shapes: Sequence[Shape], asked: Asked) -> tuple[list[Hit], str]:
    """Every hit, in the order of the shapes, and the text with what was understood struck out.

    A shape that answers None has understood that its words are no deadline: they are struck out as well.
    """
    hits: list[Hit] = []

    def struck(match: re.Match[str], meaning: Callable[[re.Match[str], Asked], Hit | None]) -> str:
        if hit := meaning(match, asked):
            hits.append(hit)
        return _TAKEN * len(match[0])

    for pattern, meaning in shapes:
        text = pattern.sub(partial(struck, meaning=meaning), text)
    return hits, text


def in_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def absent(match: re.Match[str], meaning: str = "没有这一天，请核对原文") -> Hit:
    """A date that no calendar has, such as 2月30日, or a length beyond all sense."""
    return Hit(kind=Kind.unread, words=match[0], meaning=meaning)


def found(match: re.Match[str], name: str) -> str | None:
    """A group's text; None also where the pattern has no such group."""
    return match.groupdict().get(name)


# ── pieces of patterns ───────────────────────────────────────────────────────────────────────────────────────────

YEAR = "(?:(?P<year>[0-9]{4}|[〇零○一二三四五六七八九]{4}|[今本当明])年度?)"
MONTH = f"(?:(?P<month>{NUMBER})月份?|(?P<near>[本当这下次])个?月份?)"
HOUR = (
    "(?:(?P<half>上午|中午|下午|晚上|晚)?(?P<hour>[0-9]{1,2})"
    "(?::(?P<minute>[0-9]{2})|[时点](?:(?P<minutes>[0-9]{1,2})分|(?P<thirty>半)|整)?)|下班)"
)
BEFORE = "(?:之前|以前|前)"
END = "(?:底|末|终|之内|以内|内)"
LED = "(?P<led>到|至|截至|截止|于|在|限|最迟|不晚于|不迟于)"
# What closes a deadline that has no 前: a verb, a stop, the end of the text.
STOP = "(?:止|截止|完成|办结|整改|上报|报送|$|(?=[,。;、)”]))"
# What makes of a date a beginning, or the date of a paper.
NO_DEADLINE = "(?:之后|以后|后|起|开始|以来|印发|发布|召开|下发)"
