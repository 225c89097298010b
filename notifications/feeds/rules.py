"""日历订阅: what stands in a person's calendar, one day each. Pure: no database, no clock, no format."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from backend.workdays import Certainty

MOST_FEEDS = 5  # of a person: a phone, a desk, and some to spare


class Entry(StrEnum):
    """Why a day is in a calendar."""

    due = "due"  # an item of one's unit
    decide = "decide"  # something of an item waits for one's decision
    month = "month"  # the month's check of one's department


TITLES = {
    Entry.due: ("整改期限：{what}", "Due: {what}"),
    Entry.decide: ("待我处理：{what}", "Waits for me: {what}"),
    Entry.month: ("每月检查：还有 {what} 个县区没有检查记录", "The month's check: {what} regions without a record"),
}
# What the day is, where it is not what the title says.
OF_THE_DAY = {
    Entry.due: ("整改期限", "The due day"),
    Entry.decide: ("请在这一天以前办理", "To be decided by this day"),
    Entry.month: ("截止日", "The last day that counts"),
}
LAST_IS_LATER = ("宜在这一天办完，截止日是 {until}", "Better done on this day; the last that counts is {until}")
DUE_THEN = ("这一天是整改期限，您的办理没有单独期限", "The item is due on this day; your part has no date of its own")
LATE = ("（已逾期）", " (overdue)")
ASSUMED = (
    "这一天按尚未公布的放假安排推算，公布后可能调整。",
    "Counted with holidays that are not published yet: it may still move.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One entry. `key` stays the same as long as it is the same thing, so that a calendar moves it and adds no other.

    `until` is the last day that counts, where `on` is only aimed at; None where `on` is a date of something else.

    `what` names number and topic, never what was found: a calendar is read over shoulders and kept by others.
    """

    key: str
    entry: Entry
    on: date
    what: str
    where: str
    since: datetime
    path: str
    until: date | None = None
    late: bool = False
    certainty: Certainty | None = None


def title(day: Day, *, english: bool) -> str:
    return TITLES[day.entry][english].format(what=day.what) + (LATE[english] if day.late else "")


def description(day: Day, *, english: bool) -> str:
    assumed = [ASSUMED[english]] if day.certainty == Certainty.assumed else []
    return "\n".join([day.where, meaning(day, english=english), *assumed])


def meaning(day: Day, *, english: bool) -> str:
    """What is to be done by the day: a last day, one to aim at, or the due day of what waits for a word."""
    if day.until is None:
        return DUE_THEN[english]
    if day.until == day.on:
        return OF_THE_DAY[day.entry][english]
    until = day.until.isoformat() if english else f"{day.until.month}月{day.until.day}日"
    return LAST_IS_LATER[english].format(until=until)
