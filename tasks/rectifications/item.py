"""What the rules read of a rectification: statuses, verbs, its units' parts, and the facts of a request. Only data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications.words import Ground, UnitRole


class Status(StrEnum):
    draft = "draft"  # 草稿
    issued = "issued"  # 已交办
    working = "working"  # 整改中
    handed_in = "handed_in"  # 已申请销号
    passed = "passed"  # 初审通过
    closed = "closed"  # 已销号
    hung = "hung"  # 挂账
    voided = "voided"  # 作废


IN_WORK = (Status.issued, Status.working, Status.handed_in, Status.passed)  # in this order; a unit's part is in one
OPEN = frozenset(IN_WORK) | {Status.hung}
WAITING_FOR_UNIT = frozenset({Status.issued, Status.working})
WAITING_FOR_REVIEW = frozenset({Status.handed_in, Status.passed})
COUNTED = OPEN | {Status.closed}  # denominators: neither drafts nor what was void
TICKING = OPEN - {Status.hung}  # can be overdue
VOIDABLE = OPEN | {Status.draft}


class Verb(StrEnum):
    issue = "issue"  # 交办
    drop = "drop"  # 撤销草稿
    acknowledge = "acknowledge"  # 签收
    accept_silently = "accept_silently"  # 默认签收
    object_to = "object_to"  # 提出异议
    decline_objection = "decline_objection"  # 异议不成立
    redirect = "redirect"  # 改派
    uphold_objection = "uphold_objection"  # 异议成立
    report = "report"  # 报进展
    plan_measure = "plan_measure"  # 拟定措施
    finish_measure = "finish_measure"  # 完成措施
    drop_measure = "drop_measure"  # 取消措施
    ask_extension = "ask_extension"  # 申请延期
    grant_extension = "grant_extension"  # 准予延期
    decline_extension = "decline_extension"  # 不予延期
    hand_in = "hand_in"  # 申请销号
    confirm_hand_in = "confirm_hand_in"  # 负责人确认
    withdraw_hand_in = "withdraw_hand_in"  # 负责人撤回
    pass_first = "pass_first"  # 初审通过
    send_back = "send_back"  # 退回
    assign_check = "assign_check"  # 指派核查
    pass_check = "pass_check"  # 核查通过
    fail_check = "fail_check"  # 核查不通过
    publish = "publish"  # 公示
    take_public_objection = "take_public_objection"  # 登记公示异议
    decline_public_objection = "decline_public_objection"  # 公示异议不成立
    uphold_public_objection = "uphold_public_objection"  # 公示异议成立
    close_out = "close_out"  # 销号
    look_back = "look_back"  # 回头看
    reopen = "reopen"  # 重开
    hang = "hang"  # 挂账
    resume = "resume"  # 解除挂账
    ask_void = "ask_void"  # 申请作废
    void = "void"  # 作废
    decline_void = "decline_void"  # 不予作废
    take_over = "take_over"  # 承接


Units = dict[UnitRole, frozenset[UUID]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One responsible unit's share: it signs, hands in and is reviewed for itself; the date is shared."""

    status: Status = Status.issued
    objected: bool = False  # once per unit and item
    object_until: datetime | None = None
    objection: UUID | None = None  # the one that waits for a ruling
    ground: Ground | None = None
    files_missing: int = 0  # of the latest hand-in
    unconfirmed: bool = False  # the latest hand-in waits for a word of the unit's principal
    word_wanted: bool = False  # and may not be passed without it
    percent: int = 0  # last reported
    measures: int = 0  # planned and not dropped
    measures_open: int = 0  # of these, not done yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A rectification as the rules see it at the instant `at`. People are all of its rounds; ids are of what is open.

    `focus` is the responsible unit whose part is spoken of.
    """

    id: UUID
    status: Status
    units: Units
    at: datetime = datetime.min.replace(tzinfo=UTC)
    parts: Mapping[UUID, Part] = field(default_factory=dict[UUID, Part])
    former: frozenset[UUID] = frozenset()  # responsible once: redirected away from, or merged away
    gone: frozenset[UUID] = frozenset()  # merged away in another role
    heirs: Mapping[UUID, UUID] = field(default_factory=dict[UUID, UUID])  # who has the part of a unit merged away
    focus: UUID | None = None
    issued: bool = True
    area: frozenset[str] = frozenset()  # codes from the province down to the place
    team: frozenset[UUID] = frozenset()  # who inspected
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    listed: bool = False
    public: bool = False
    sampled: bool = False
    returned: int = 0
    extended: int = 0
    due_at: datetime | None = None
    workdays_left: int | None = None  # until the due day; only asked for listed items
    handed_in_by: frozenset[UUID] = frozenset()
    passed_by: frozenset[UUID] = frozenset()
    void_asked_by: UUID | None = None
    extension: UUID | None = None
    check: UUID | None = None
    checkers: frozenset[UUID] = frozenset()
    check_passed: bool = False  # since the last first pass
    publicity_until: datetime | None = None  # of the round since the last first pass
    public_objection: UUID | None = None
    rebounded: bool = False  # a look-back since the closing said so
    stale: bool = False  # the person decided on an older state than this one

    def of(self, *roles: UnitRole) -> frozenset[UUID]:
        return frozenset().union(*(self.units.get(role, frozenset()) for role in roles))

    @property
    def at_work(self) -> frozenset[UUID]:
        """The responsible units that have something to do: who is done is not told again."""
        return frozenset(unit for unit, part in self.parts.items() if part.status in WAITING_FOR_UNIT)

    @property
    def part(self) -> Part:
        """The part in focus; an empty one when nothing is in focus."""
        return self.parts.get(self.focus, _NOBODYS) if self.focus else _NOBODYS

    def at_unit(self, unit: UUID) -> "Item":
        """Seen from this unit, or from the one that has its part since it was merged away."""
        return replace(self, focus=self.heirs.get(unit, unit))

    @property
    def merged_into_focus(self) -> frozenset[UUID]:
        """The unit in focus and those whose part it took over: what they asked for is its matter now."""
        taken = (unit for unit, heir in self.heirs.items() if heir == self.focus)
        return frozenset({*taken, self.focus} if self.focus else ())


_NOBODYS = Part()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the needs ask about."""

    # known from the database
    described: bool = False
    evidence: int = 0
    no_evidence_reason: bool = False
    site_item: bool = False
    # known from the database or given with the request
    due: bool = False
    # given with the request
    note: str = ""
    reason_code: str = ""
    responsible_person: str = ""
    after_photos: int = 0
    photos: int = 0
    principal: str = ""
    percent: int = 0
    lower_reason: str = ""
    unit: UUID | None = None
    checkers: int = 0
    near: bool = True
    outside_reason: str = ""
    paper: str = ""


def least(statuses: Mapping[UUID, Part]) -> Status:
    """Where an item in work stands: where its least advanced responsible unit stands."""
    return min((part.status for part in statuses.values()), key=IN_WORK.index)
