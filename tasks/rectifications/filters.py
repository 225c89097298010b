"""What a list is narrowed to and how it is ordered: one form for the query string and for saved views. Pure."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.errors import BadRequest
from backend.shapes import NO_NUL, RegionCode
from inspections.findings.rules import Severity
from tasks.rectifications.item import OPEN, TICKING, WAITING_FOR_REVIEW, WAITING_FOR_UNIT, Status
from tasks.rectifications.words import Source, UnitRole

SOON = timedelta(days=7)
# What has no date comes after all that has one, in either order. (The driver takes the first and the last instant of
# Python's calendar for infinite.)
EVER = datetime(1900, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)

TopicCode = Annotated[str, Meta(pattern=r"^[0-9]{2,8}$", examples=["0304"])]
Words = Annotated[str, Meta(max_length=50, pattern=NO_NUL)]


class Group(StrEnum):
    """Statuses that belong together, as on the tabs of a board."""

    all = "all"  # 全部
    open = "open"  # 未销号
    waiting_for_unit = "waiting_for_unit"  # 待单位办理
    waiting_for_review = "waiting_for_review"  # 待审核
    closed = "closed"  # 已销号
    hung = "hung"  # 挂账


STATUSES = {
    Group.all: frozenset(Status),
    Group.open: OPEN,
    Group.waiting_for_unit: WAITING_FOR_UNIT,
    Group.waiting_for_review: WAITING_FOR_REVIEW,
    Group.closed: frozenset({Status.closed}),
    Group.hung: frozenset({Status.hung}),
}


class Sort(StrEnum):
    urgency = "urgency"  # 期限近的在前
    newest = "newest"  # 新交办的在前
    returned = "returned"  # 退回多的在前
    number = "number"  # 按编号


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """None, and the group `all`, narrow nothing. `topic` is a 小类 or a whole 大类; every word of `q` must occur."""

    group: Group = Group.all
    status: Status | None = None
    unit: UUID | None = None
    unit_role: UnitRole | None = None
    region: RegionCode | None = None
    topic: TopicCode | None = None
    source: Source | None = None
    severity: Severity | None = None
    overdue: bool | None = None
    due_soon: bool | None = None
    returned: bool | None = None
    rebounded: bool | None = None
    listed: bool | None = None
    look_back_due: bool | None = None
    household: UUID | None = None
    q: Words | None = None


class Span(NamedTuple):
    """Items of one status whose urgency `u` is `after < u <= upto`."""

    status: Status
    after: datetime
    upto: datetime


def check(wanted: Filter) -> None:
    """Raises BadRequest for what says nothing together."""
    if wanted.unit_role and not wanted.unit:
        raise BadRequest("要先选单位，再选单位的责任。", "unit_role_without_unit", field="unit_role")


def spans(wanted: Filter, now: datetime) -> list[Span]:
    """Status, group and the two questions about the date, as spans that do not overlap."""
    statuses = STATUSES[wanted.group] & ({wanted.status} if wanted.status else frozenset(Status))
    return [span for status in Status if status in statuses for span in _spans_of(status, wanted, now)]


def _spans_of(status: Status, wanted: Filter, now: datetime) -> list[Span]:
    if status not in TICKING:
        return [] if wanted.overdue or wanted.due_soon else [Span(status, EVER, NEVER)]
    found: list[Span] = []
    for late, soon, after, upto in (
        (True, False, EVER, now),
        (False, True, now, now + SOON),
        (False, False, now + SOON, NEVER),
    ):
        if wanted.overdue in (None, late) and wanted.due_soon in (None, soon):
            joins = found and found[-1].upto == after
            found = [*found[:-1], Span(status, found[-1].after, upto)] if joins else [*found, Span(status, after, upto)]
    return found


def words(q: str | None) -> tuple[str, ...]:
    """What must occur, letters of ASCII lowered as the index has them."""
    return tuple(dict.fromkeys(_lower(word) for word in (q or "").split()))


def pieces(word: str) -> set[str]:
    """What the index knows of a word: its pairs of neighbouring characters, or the single character."""
    return {word} if len(word) == 1 else {word[at : at + 2] for at in range(len(word) - 1)}


def _lower(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)
