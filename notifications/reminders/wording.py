"""A rule of reminders in one sentence, in Chinese and English, for the table that the office reads."""

from collections.abc import Sequence
from datetime import time

from backend.workdays import TermUnit
from notifications.inbox.rules import Audience
from notifications.reminders.rules import Anchor

# What is counted from.
ANCHORS = {
    Anchor.due: ("整改期限", "the due day"),
    Anchor.signing: ("交办（未签收）", "being handed over, not signed for"),
    Anchor.objection: ("异议裁定期限", "the last day to rule on an objection"),
    Anchor.extension: ("延期审批期限", "the last day to decide on an extension"),
    Anchor.review: ("申请销号（未初审）", "the hand-in, not reviewed"),
    Anchor.site_check: ("指派核查（无结论）", "the sending of checkers, no conclusion"),
    Anchor.look_back: ("回头看日期", "the day of the look-back"),
    Anchor.hanging: ("挂账复查日期", "the day a hung item is looked at again"),
    Anchor.weekly_report: ("挂牌事项每周报进展（周五）", "the Friday on which listed items report"),
    Anchor.month: ("每月检查的最后一个工作日", "the last working day of the month's check"),
}
CUTOFF = ("每月检查截止日", "the cutoff of the month's check")
AUDIENCES = {
    Audience.responsible_units: ("责任单位", "the responsible units"),
    Audience.principals: ("责任单位负责人", "their principals"),
    Audience.lead_units: ("牵头单位", "the lead units"),
    Audience.checkers: ("核查人员", "the checkers"),
    Audience.office: ("督查办", "the office"),
    Audience.office_leaders: ("督查办负责人", "the head of the office"),
    Audience.leaders: ("领导", "the leaders"),
}
UNITS = {
    TermUnit.workdays: ("个工作日", "working days"),
    TermUnit.days: ("天", "days"),
    TermUnit.months: ("个月", "months"),
}


def sentence(anchor: Anchor, offset: int, unit: TermUnit, *, at: time, tells: Sequence[Audience], english: bool) -> str:
    """When, counted from what, and whom."""
    counted = (CUTOFF if anchor == Anchor.month and offset > 0 else ANCHORS[anchor])[english]
    told = [AUDIENCES[audience][english] for audience in tells]
    n = f"{abs(offset)} {UNITS[unit][english]}"
    if english:
        when = f"{n} {'before' if offset < 0 else 'after'} {counted}" if offset else f"On {counted}"
        return f"{when}, at {at:%H:%M}: to {', '.join(told)}"
    when = f"{counted}{'前' if offset < 0 else '后'} {n}" if offset else f"{counted}当日"
    return f"{when} {at:%H:%M}，提醒{'、'.join(told)}"
