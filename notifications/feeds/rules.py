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
    Entry.month: ("每月检查截止：还有 {what} 个县区没有检查记录", "The month's check: {what} regions without a record"),
}  # fmt: skip
LATE = ("（已逾期）", " (overdue)")
ASSUMED = (
    "这一天按尚未公布的放假安排推算，公布后可能调整。",
    "Counted with holidays that are not published yet: it may still move.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One entry. `key` stays the same as long as it is the same thing, so that a calendar moves it and adds no other.

    `what` names number and topic, never what was found: a calendar is read over shoulders and kept by others.
    """

    key: str
    entry: Entry
    on: date
    what: str
    where: str
    since: datetime
    path: str
    late: bool = False
    certainty: Certainty | None = None


def title(day: Day, *, english: bool) -> str:
    return TITLES[day.entry][english].format(what=day.what) + (LATE[english] if day.late else "")


def description(day: Day, *, english: bool) -> str:
    return "\n".join([day.where, *([ASSUMED[english]] if day.certainty == Certainty.assumed else [])])
