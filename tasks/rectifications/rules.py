"""整改事项: what can happen to a rectification, who may do it, what it needs, and what the world is told.

Read MOVES first, near the end: everything above it is a word that the table uses, everything below asks a question
of it. Pure: no database, no clock. Sources are the transitions T1 to T21 of domain.md b.3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from backend.errors import BadRequest, Forbidden, Incomplete, Problem, WrongState
from backend.roles import OFFICE, RESPONSIBLE, Actor, Role
from backend.workdays import Calendar, Certainty, end_of_day
from inspections.findings.rules import ClosingClass


class Status(StrEnum):
    draft = "draft"  # 草稿
    issued = "issued"  # 已交办
    working = "working"  # 整改中
    handed_in = "handed_in"  # 已申请销号
    passed = "passed"  # 初审通过
    closed = "closed"  # 已销号
    hung = "hung"  # 挂账
    voided = "voided"  # 作废


OPEN = frozenset({Status.issued, Status.working, Status.handed_in, Status.passed, Status.hung})
WAITING_FOR_UNIT = frozenset({Status.issued, Status.working})
WAITING_FOR_REVIEW = frozenset({Status.handed_in, Status.passed})
COUNTED = OPEN | {Status.closed}  # denominators: neither drafts nor what was void
TICKING = OPEN - {Status.hung}  # can be overdue
VOIDABLE = OPEN | {Status.draft}


class Verb(StrEnum):
    issue = "issue"  # 交办
    acknowledge = "acknowledge"  # 签收
    report = "report"  # 报进展
    hand_in = "hand_in"  # 申请销号
    pass_first = "pass_first"  # 初审通过
    send_back = "send_back"  # 退回
    close_out = "close_out"  # 销号
    ask_void = "ask_void"  # 申请作废
    void = "void"  # 作废
    decline_void = "decline_void"  # 不予作废


class UnitRole(StrEnum):
    lead = "lead"  # 牵头
    responsible = "responsible"  # 责任
    cooperating = "cooperating"  # 配合


Units = dict[UnitRole, frozenset[UUID]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A rectification as the rules see it. The people are those of the latest hand-in, review and pending voiding."""

    id: UUID
    status: Status
    units: Units
    issued: bool = True
    area: frozenset[str] = frozenset()  # codes from the province down to the place
    team: frozenset[UUID] = frozenset()  # who inspected
    handed_in_by: UUID | None = None
    passed_by: UUID | None = None
    void_asked_by: UUID | None = None

    def of(self, *roles: UnitRole) -> frozenset[UUID]:
        return frozenset().union(*(self.units.get(role, frozenset()) for role in roles))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the needs ask about."""

    # known from the database
    described: bool = False
    evidence: int = 0
    no_evidence_reason: bool = False
    site_item: bool = False
    files_missing: int = 0  # of the latest hand-in
    # known from the database or given with the request
    due: bool = False
    # given with the request
    note: str = ""
    reason_code: str = ""
    responsible_person: str = ""
    after_photos: int = 0
    principal: str = ""


# ── by: who may ──────────────────────────────────────────────────────────────────────────────────────────────────
# Each answers None (may) or the reason why not, in words the person reads.


def issuer(actor: Actor, it: Item) -> str | None:
    if actor.has(Role.system) or _office_here(actor, it, *OFFICE):
        return None
    return None if actor.has(Role.team_lead) and actor.person in it.team else "由督查办或检查组组长交办。"


def responsible_unit(actor: Actor, it: Item) -> str | None:
    return None if actor.units(*RESPONSIBLE) & it.of(UnitRole.responsible) else "由责任单位办理。"


def first_reviewer(actor: Actor, it: Item) -> str | None:
    """The lead unit; the office where no lead unit is named."""
    if it.of(UnitRole.lead):
        here = actor.units(Role.lead_unit_reviewer) & it.of(UnitRole.lead)
        return None if here else "由责任牵头单位初审。"
    return None if _office_here(actor, it, *OFFICE) else "没有牵头单位，由督查办初审。"


def reviewer_now(actor: Actor, it: Item) -> str | None:
    """The first reviewer; after the first pass the office as well."""
    if it.status == Status.passed and _office_here(actor, it, *OFFICE):
        return None
    return first_reviewer(actor, it)


def office(actor: Actor, it: Item) -> str | None:
    return None if _office_here(actor, it, *OFFICE) else "由督查办办理。"


def office_leader(actor: Actor, it: Item) -> str | None:
    return None if _office_here(actor, it, Role.supervision_leader) else "由督查办负责人办理。"


# ── never: who may not, although the role would do ───────────────────────────────────────────────────────────────


def own_unit(actor: Actor, it: Item) -> str | None:
    """Nobody of a responsible unit, by role or by home, decides on what the unit did."""
    own = (actor.units() | {actor.home}) & it.of(UnitRole.responsible)
    return "责任单位的人员不能办理本单位的审核、销号和作废。" if own else None


def who_handed_in(actor: Actor, it: Item) -> str | None:
    return "申请销号和销号不能是同一个人。" if actor.person and actor.person == it.handed_in_by else None


def who_passed(actor: Actor, it: Item) -> str | None:
    return "初审和销号不能是同一个人。" if actor.person and actor.person == it.passed_by else None


def who_asked(actor: Actor, it: Item) -> str | None:
    return "要由另一人确认作废。" if actor.person and actor.person == it.void_asked_by else None


# ── needs: what must be there ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Need:
    """Something that must be there: the field that supplies it, the sentence that asks for it, the test."""

    field: str
    sentence: str
    met: Callable[[Item, Facts], bool]


DESCRIPTION = Need("facts", "要写明问题事实", lambda it, f: f.described)
A_UNIT = Need("responsible_units", "要有责任单位", lambda it, f: bool(it.of(UnitRole.responsible)))
DUE = Need("due_on", "要有整改期限", lambda it, f: f.due)
EVIDENCE = Need("evidence", "要有佐证材料或无材料的原因", lambda it, f: f.evidence > 0 or f.no_evidence_reason)
NAMED_PERSON = Need("responsible_person", "要写明责任人", lambda it, f: bool(f.responsible_person.strip()))
NOTE = Need("note", "要写明情况", lambda it, f: bool(f.note.strip()))
OPINION = Need("opinion", "要写明意见", lambda it, f: bool(f.note.strip()))
REASON_CODE = Need("reason_code", "要选退回原因", lambda it, f: bool(f.reason_code))
AFTER_PHOTO = Need("evidence", "要有整改后照片", lambda it, f: f.after_photos > 0 or not f.site_item)
# A hand-in is received before its photos are, as a finding is; only the review waits for them.
FILES_THERE = Need("evidence", "整改后照片还没有传完", lambda it, f: f.files_missing == 0)
PRINCIPAL = Need("confirmed_by", "要有单位负责人确认", lambda it, f: bool(f.principal.strip()))


# ── blocks: what stands in the way, beyond the status ────────────────────────────────────────────────────────────
# Small records that overlap in real life block or allow a move; they are not statuses. None: nothing in the way.


def voiding_asked(it: Item) -> str | None:
    return "已经提出作废，要先由另一人确认或不予作废。" if it.void_asked_by else None


def no_voiding_asked(it: Item) -> str | None:
    return None if it.void_asked_by else "要先由督查办负责人提出作废。"


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────

By = Callable[[Actor, Item], str | None]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that can happen: `verb` leads from one of `start` to `end` (None: the status stays)."""

    verb: Verb
    start: frozenset[Status] | set[Status]
    end: Status | None
    by: By
    event: str
    never: tuple[By, ...] = ()
    needs: tuple[Need, ...] = ()
    blocks: tuple[Callable[[Item], str | None], ...] = ()


MOVES = {
    move.verb: move
    for move in (
        Move(Verb.issue, {Status.draft}, Status.issued, by=issuer, event="rectification.issued",
             needs=(DESCRIPTION, A_UNIT, DUE, EVIDENCE)),
        Move(Verb.acknowledge, {Status.issued}, Status.working, by=responsible_unit, event="rectification.acknowledged",
             needs=(NAMED_PERSON,)),
        Move(Verb.report, {Status.working}, None, by=responsible_unit, event="rectification.reported",
             needs=(NOTE,)),
        Move(Verb.hand_in, {Status.working}, Status.handed_in, by=responsible_unit, event="rectification.handed_in",
             needs=(NOTE, AFTER_PHOTO, PRINCIPAL)),
        Move(Verb.pass_first, {Status.handed_in}, Status.passed, by=first_reviewer, event="rectification.passed",
             never=(own_unit,), needs=(OPINION, FILES_THERE)),
        Move(Verb.send_back, WAITING_FOR_REVIEW, Status.working, by=reviewer_now, event="rectification.sent_back",
             never=(own_unit,), needs=(REASON_CODE, NOTE)),
        Move(Verb.close_out, {Status.passed}, Status.closed, by=office_leader, event="rectification.closed",
             never=(own_unit, who_handed_in, who_passed), needs=(OPINION,), blocks=(voiding_asked,)),
        Move(Verb.ask_void, VOIDABLE, None, by=office_leader, event="rectification.void_asked",
             never=(own_unit,), needs=(NOTE,), blocks=(voiding_asked,)),
        Move(Verb.void, VOIDABLE, Status.voided, by=office, event="rectification.voided",
             never=(own_unit, who_asked), blocks=(no_voiding_asked,)),
        Move(Verb.decline_void, VOIDABLE, None, by=office, event="rectification.void_declined",
             never=(own_unit,), needs=(NOTE,), blocks=(no_voiding_asked,)),
    )
}  # fmt: skip


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────


def why_not(verb: Verb, it: Item, actor: Actor, facts: Facts) -> Problem | None:
    """The first reason against: recusal, role and two keys, then state, then what is missing. None: it may be done.

    Sight comes before all of these and is settled when the item is fetched (404 before 403 before 409 before 422).
    """
    move = MOVES[verb]
    for bar in (recused, move.by, *move.never):
        if reason := bar(actor, it):
            return Forbidden(reason)
    if it.status not in move.start:
        return WrongState("事项当前的状态不能这样办理。", status=it.status, verb=verb)
    for block in move.blocks:
        if reason := block(it):
            return WrongState(reason, "blocked", status=it.status, verb=verb)
    if missing := needs(verb, it, facts):
        return Incomplete(missing[0].sentence + "。", field=missing[0].field, needs=[need.field for need in missing])
    return None


def plan(verb: Verb, it: Item, actor: Actor, facts: Facts) -> Move:
    """The move, if nothing speaks against it; raises the reason otherwise."""
    if problem := why_not(verb, it, actor, facts):
        raise problem
    return MOVES[verb]


def needs(verb: Verb, it: Item, facts: Facts) -> list[Need]:
    """What is still missing for a move."""
    return [need for need in MOVES[verb].needs if not need.met(it, facts)]


def open_moves(it: Item, actor: Actor, facts: Facts) -> list[tuple[Verb, list[Need]]]:
    """What this person may do now, and what each still needs: the buttons of a screen."""
    return [
        (verb, needs(verb, it, facts))
        for verb in MOVES
        if not isinstance(why_not(verb, it, actor, facts), Forbidden | WrongState)
    ]


def recused(actor: Actor, it: Item) -> str | None:
    """Who declared to keep away from a unit touches nothing that the unit has a part in (回避)."""
    return "您已申请回避与本事项有关的单位。" if actor.recused_units & it.of(*UnitRole) else None


def overdue(status: Status, due_at: datetime | None, now: datetime) -> bool:
    """Past its date and still ticking. Computed, never stored; `due_at` is the instant the last day is over."""
    return status in TICKING and due_at is not None and now >= due_at


# ── dates and units ──────────────────────────────────────────────────────────────────────────────────────────────

LONGEST_TERM = timedelta(days=10 * 366)  # a later date is a slip of the finger

# The date a closing class brings of its own (domain.md b.4); long-term items get theirs from the plan.
TERMS: dict[ClosingClass, Callable[[Calendar, date], tuple[date, Certainty]]] = {
    ClosingClass.fix_now: lambda calendar, day: calendar.add_workdays(day, 3),
    ClosingClass.by_date: lambda calendar, day: calendar.add_days(day, 15),
}


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day in Asia/Shanghai, and whether the calendar of that day is published."""

    on: date
    certainty: Certainty

    @property
    def at(self) -> datetime:
        """The instant from which it is overdue: the end of that day."""
        return end_of_day(self.on)


def deadline(closing_class: ClosingClass, wanted: date | None, today: date, calendar: Calendar) -> Deadline | None:
    """The day that was asked for, else the one of the class, counted from the day of issue; None: there is none.

    Raises BadRequest for a day that is not ahead, or absurdly far.
    """
    if wanted is None:
        return Deadline(*TERMS[closing_class](calendar, today)) if closing_class in TERMS else None
    if wanted <= today:
        raise BadRequest("整改期限要晚于今天。", "due_in_the_past", field="due_on")
    if wanted > today + LONGEST_TERM:
        raise BadRequest("整改期限太远，请核对年份。", "due_too_far", field="due_on")
    return Deadline(wanted, Certainty.known)


def joined(known: Units, added: Units) -> Units:
    """The units of an item when some are added. Raises BadRequest when a unit would have two roles on it."""
    units = {role: known.get(role, frozenset()) | added.get(role, frozenset()) for role in UnitRole}
    named = [unit for members in units.values() for unit in members]
    if twice := {unit for unit in named if named.count(unit) > 1}:
        raise BadRequest(
            "同一个单位只能有一种责任。", "unit_in_two_roles", field="responsible_units", unit=str(min(twice))
        )
    return units


# ── closed lists of what is written on an item ───────────────────────────────────────────────────────────────────


class ReturnReason(StrEnum):
    """Why an item is sent back: counted, so a closed list."""

    evidence_missing = "evidence_missing"
    not_done = "not_done"
    partly_done = "partly_done"
    evidence_contradicts = "evidence_contradicts"
    other = "other"


class Answer(StrEnum):
    """To what was asked: every small record ends in one of two (docs/decisions/0007)."""

    upheld = "upheld"
    declined = "declined"


class Source(StrEnum):
    """Where an item comes from (domain.md a.5)."""

    unannounced = "unannounced"  # 四不两直
    monthly_check = "monthly_check"  # 每月检查
    look_back = "look_back"  # 回头看
    third_party = "third_party"  # 第三方评估
    cross_check = "cross_check"  # 交叉互查
    inspection_tour = "inspection_tour"  # 巡视巡察
    assessment = "assessment"  # 考核评估
    covert_supervision = "covert_supervision"  # 督查暗访
    audit = "audit"  # 审计检查
    public_report = "public_report"  # 群众反映
    paper = "paper"  # 公文
    ledger = "ledger"  # 台账


def _office_here(actor: Actor, it: Item, *roles: Role) -> bool:
    """Holds an office role whose area contains the place of the item."""
    return bool(actor.areas(*roles) & it.area)
