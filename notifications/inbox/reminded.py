"""What a reminder says of time: how much is left, or by how much it is late, and until when. Pure."""

from collections.abc import Mapping
from datetime import date

# Of these the day is the one on which it began to wait; of the others the last day of a term.
BEGAN = ("reminder.unsigned", "reminder.review_waits", "reminder.check_waits")
UNITS = {"workdays": ("个工作日", "working days"), "days": ("天", "days")}
# Whom a reminder of something late goes to beside those who have to act: an escalation is said aloud.
RAISED_TO = {
    "principals": ("单位负责人", "the unit's principal"),
    "lead_units": ("牵头单位", "the lead unit"),
    "office_leaders": ("督查办负责人", "the head of the office"),
}
PAST = ("已于{day}到期", "was due {day}")  # on the days off after it, which are no working days late yet
MADE_UP_FOR = ("（补发）", " (given late)")
ASSUMED = ("，以国务院公布的放假安排为准", ", subject to the holidays that the State Council announces")


def when(verb: str, facts: Mapping[str, object], english: bool) -> str:
    """As of when the reminder was given; the day stands beside it, so that it stays true when it is read later."""
    day, left = date.fromisoformat(str(facts["on"])), int(str(facts["left"]))
    unit = UNITS[str(facts["term"])][english]
    late = facts.get("late") is True
    said = PAST[english].format(day=_day(day, english)) if late and left == 0 and verb not in BEGAN else None
    said = said or _said(day, left, unit, verb in BEGAN, english)
    if left < 0:
        said += _raised(facts.get("tells"), english)
    if late:
        said += MADE_UP_FOR[english]
    return said + (ASSUMED[english] if facts.get("certainty") == "assumed" else "")


def _said(day: date, left: int, unit: str, began: bool, english: bool) -> str:
    shown = _day(day, english)
    if began:
        return f"for {-left} {unit}, since {shown}" if english else f"已 {-left} {unit}（{shown}起）"
    if left > 0:
        return f"{left} {unit} left, until {shown}" if english else f"还剩 {left} {unit}，{shown}到期"
    if left == 0:
        return f"{shown} is the last day" if english else f"{shown}到期"
    return f"late by {-left} {unit}, was due {shown}" if english else f"超期 {-left} {unit}（{shown}到期）"


def _day(day: date, english: bool) -> str:
    return day.isoformat() if english else f"{day.month}月{day.day}日"


def _raised(tells: object, english: bool) -> str:
    named = [RAISED_TO[one][english] for one in tells if one in RAISED_TO] if isinstance(tells, list) else []
    if not named:
        return ""
    return f"; raised with {', '.join(named)}" if english else f"，已按规则提醒{'、'.join(named)}"
