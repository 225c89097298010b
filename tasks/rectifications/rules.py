"""整改事项: what can happen to a rectification, who may do it, what it needs, and what the world is told.

Read MOVES first. Everything else in this file is a word that MOVES uses, or asks a question of it. Pure: no database,
no clock. Sources are the transitions T1 to T21 of domain.md b.3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from backend.errors import Forbidden, Incomplete, Problem, WrongState
from backend.roles import OFFICE, RESPONSIBLE, Actor, Role
from backend.workdays import Calendar, Certainty, end_of_day


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


LONGEST_TERM = timedelta(days=10 * 366)  # a later date is a slip of the finger


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


class UnitRole(StrEnum):
    lead = "lead"  # 牵头
    responsible = "responsible"  # 责任
    cooperating = "cooperating"  # 配合


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


class ReturnReason(StrEnum):
    """Why an item is sent back: counted, so a closed list."""

    evidence_missing = "evidence_missing"
    not_done = "not_done"
    partly_done = "partly_done"
    evidence_contradicts = "evidence_contradicts"
    other = "other"


@dataclass(frozen=True, slots=True)
class Item:
    """A rectification as the rules see it."""

    id: UUID
    status: Status
    units: dict[UnitRole, frozenset[UUID]]
    area: frozenset[str] = frozenset()  # codes from the province down to the place
    team: frozenset[UUID] = frozenset()  # who inspected
    handed_in_by: UUID | None = None
    passed_by: UUID | None = None
    void_asked_by: UUID | None = None

    def of(self, *roles: UnitRole) -> frozenset[UUID]:
        return frozenset().union(*(self.units.get(role, frozenset()) for role in roles))


@dataclass(frozen=True, slots=True)
class Facts:
    """What comes with the request, and what the database knows that a need asks for."""

    facts_told: bool = False
    due: bool = False
    evidence: int = 0
    no_evidence_reason: bool = False
    responsible_person: str = ""
    note: str = ""
    reason_code: str = ""
    files_declared: int = 0
    files_arrived: int = 0
    site_item: bool = False
    principal: str = ""


# ── who ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Each answers None (may) or the reason why not, in words the person reads.


def issuer(actor: Actor, it: Item) -> str | None:
    if actor.has(Role.system) or _office_here(actor, it, *OFFICE):
        return None
    return None if actor.has(Role.team_lead) and actor.person in it.team else "由督查办或检查组组长交办。"


def responsible_unit(actor: Actor, it: Item) -> str | None:
    return None if actor.units(*RESPONSIBLE) & it.of(UnitRole.responsible) else "由责任单位办理。"


def first_reviewer(actor: Actor, it: Item) -> str | None:
    """The lead unit; the office where no lead unit is named. Never anyone of a responsible unit."""
    if _of_responsible_unit(actor, it):
        return "责任单位的人员不能审核本单位的整改。"
    if it.of(UnitRole.lead):
        here = actor.units(Role.lead_unit_reviewer) & it.of(UnitRole.lead)
        return None if here else "由责任牵头单位初审。"
    return None if _office_here(actor, it, *OFFICE) else "没有牵头单位，由督查办初审。"


def returner(actor: Actor, it: Item) -> str | None:
    """Whoever reviews at this point: the first reviewer before the first pass, the office after it as well."""
    if _of_responsible_unit(actor, it):
        return "责任单位的人员不能退回本单位的整改。"
    if it.status == Status.passed and _office_here(actor, it, *OFFICE):
        return None
    return first_reviewer(actor, it)


def second_key(actor: Actor, it: Item) -> str | None:
    """Two keys, never your own (T16): not the first reviewer, not who handed in, nobody of a responsible unit."""
    if _of_responsible_unit(actor, it):
        return "责任单位的人员不能销本单位的号。"
    if actor.person is not None and actor.person in (it.passed_by, it.handed_in_by):
        return "初审和销号不能是同一个人。"
    return None if _office_here(actor, it, Role.supervision_leader) else "由督查办负责人复核销号。"


def office_leader(actor: Actor, it: Item) -> str | None:
    if _of_responsible_unit(actor, it):
        return "责任单位的人员不能作废本单位的事项。"
    return None if _office_here(actor, it, Role.supervision_leader) else "由督查办负责人提出。"


def second_person(actor: Actor, it: Item) -> str | None:
    """The one who asked cannot be the one who confirms (T21)."""
    if _of_responsible_unit(actor, it):
        return "责任单位的人员不能作废本单位的事项。"
    if actor.person is not None and actor.person == it.void_asked_by:
        return "要由另一人确认作废。"
    return None if _office_here(actor, it, *OFFICE) else "由督查办的另一人确认。"


# ── what it needs ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Need:
    """Something that must be there: the field that supplies it, the sentence that asks for it, the test."""

    field: str
    sentence: str
    met: Callable[[Item, Facts], bool]


FACT = Need("facts", "要写明问题事实", lambda it, f: f.facts_told)
A_UNIT = Need("responsible_units", "要有责任单位", lambda it, f: bool(it.of(UnitRole.responsible)))
DUE = Need("due_on", "要有整改期限", lambda it, f: f.due)
EVIDENCE_OR_REASON = Need(
    "evidence", "要有佐证材料或无材料的原因", lambda it, f: f.evidence > 0 or f.no_evidence_reason
)
NAMED_PERSON = Need("responsible_person", "要写明责任人", lambda it, f: bool(f.responsible_person.strip()))
NOTE = Need("note", "要写明情况", lambda it, f: bool(f.note.strip()))
OPINION = Need("opinion", "要写明意见", lambda it, f: bool(f.note.strip()))
REASON_CODE = Need("reason_code", "要选退回原因", lambda it, f: bool(f.reason_code))
AFTER_PHOTO = Need("evidence", "要有整改后照片", lambda it, f: f.files_declared > 0 or not f.site_item)
# A hand-in is received before its photos are, as a finding is; only the review waits for them.
FILES_THERE = Need("evidence", "整改后照片还没有传完", lambda it, f: f.files_arrived == f.files_declared)
PRINCIPAL = Need("confirmed_by", "要有单位负责人确认", lambda it, f: bool(f.principal.strip()))


# ── what blocks it, beyond the status ────────────────────────────────────────────────────────────────────────────
# Small records that overlap in real life block or allow a move; they are not statuses. None: nothing in the way.


def voiding_asked(it: Item) -> str | None:
    return "已经提出作废，等待另一人确认。" if it.void_asked_by else None


def no_voiding_asked(it: Item) -> str | None:
    return None if it.void_asked_by else "要先由督查办负责人提出作废。"


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that can happen. `end` None means that the status stays; `past` is what the world is told."""

    verb: Verb
    start: frozenset[Status]
    end: Status | None
    by: Callable[[Actor, Item], str | None]
    past: str
    needs: tuple[Need, ...] = ()
    blocks: tuple[Callable[[Item], str | None], ...] = ()

    @property
    def event(self) -> str:
        """The verb of the event this move records."""
        return f"rectification.{self.past}"


def _at(*statuses: Status) -> frozenset[Status]:
    return frozenset(statuses)


S = Status
MOVES = {
    move.verb: move
    for move in (
        Move(Verb.issue, _at(S.draft), S.issued, issuer, "issued", (FACT, A_UNIT, DUE, EVIDENCE_OR_REASON)),
        Move(Verb.acknowledge, _at(S.issued), S.working, responsible_unit, "acknowledged", (NAMED_PERSON,)),
        Move(Verb.report, _at(S.working), None, responsible_unit, "reported", (NOTE,)),
        Move(Verb.hand_in, _at(S.working), S.handed_in, responsible_unit, "handed_in", (NOTE, AFTER_PHOTO, PRINCIPAL)),
        Move(Verb.pass_first, _at(S.handed_in), S.passed, first_reviewer, "passed", (OPINION, FILES_THERE)),
        Move(Verb.send_back, _at(S.handed_in, S.passed), S.working, returner, "sent_back", (REASON_CODE, NOTE)),
        Move(Verb.close_out, _at(S.passed), S.closed, second_key, "closed", (OPINION,)),
        Move(Verb.ask_void, OPEN | {S.draft}, None, office_leader, "void_asked", (NOTE,), (voiding_asked,)),
        Move(Verb.void, OPEN | {S.draft}, S.voided, second_person, "voided", (), (no_voiding_asked,)),
    )
}  # fmt: skip


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────


def why_not(verb: Verb, it: Item, actor: Actor, facts: Facts) -> Problem | None:
    """The first reason against: role, recusal and two keys, then state, then what is missing. None: it may be done.

    Sight comes before all of these and is settled when the item is fetched (404 before 403 before 409 before 422).
    """
    move = MOVES[verb]
    if reason := _recused(actor, it) or move.by(actor, it):
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


def overdue(status: Status, due_at: datetime | None, now: datetime) -> bool:
    """Past its date and still ticking. Computed, never stored; `due_at` is the instant the last day is over."""
    return status in TICKING and due_at is not None and now >= due_at


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day in Asia/Shanghai, and whether the calendar of that day is published."""

    on: date
    certainty: Certainty

    @property
    def at(self) -> datetime:
        """The instant from which it is overdue: the end of that day."""
        return end_of_day(self.on)


DATED = frozenset({"fix_now", "by_date"})  # closing classes that bring a date of their own


def first_deadline(closing_class: str, issued_on: date, calendar: Calendar) -> Deadline | None:
    """The default date of a class (domain.md b.4): 3 working days, 15 calendar days, or none for long-term items."""
    match closing_class:
        case "fix_now":
            return Deadline(*calendar.add_workdays(issued_on, 3))
        case "by_date":
            return Deadline(*calendar.add_days(issued_on, 15))
        case _:
            return None


def _office_here(actor: Actor, it: Item, *roles: Role) -> bool:
    """Holds an office role whose area contains the place of the item."""
    return bool(actor.areas(*roles) & it.area)


def _of_responsible_unit(actor: Actor, it: Item) -> bool:
    return bool(actor.units() & it.of(UnitRole.responsible))


def _recused(actor: Actor, it: Item) -> str | None:
    concerned = it.of(UnitRole.responsible, UnitRole.lead, UnitRole.cooperating)
    return "您已申请回避与本事项有关的单位。" if actor.recused_units & concerned else None
