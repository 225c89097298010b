"""整改事项: what can happen to a rectification, who may do it, what it needs, and what the world is told.

Read MOVES first: words it uses stand in item.py and words.py, who may in who.py, what is missing or in the way in
needs.py; everything below the table asks a question of it. Pure: no database, no clock. Sources are the transitions
T1 to T21 of domain.md b.3.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from backend.errors import BadRequest, Forbidden, Incomplete, Problem, WrongState
from backend.roles import Actor
from inspections.findings.rules import ClosingClass
from tasks.rectifications import needs as n
from tasks.rectifications import who as w
from tasks.rectifications.item import (
    IN_WORK,
    OPEN,
    TICKING,
    VOIDABLE,
    WAITING_FOR_REVIEW,
    WAITING_FOR_UNIT,
    Facts,
    Item,
    Status,
    Units,
    Verb,
    least,
)
from tasks.rectifications.needs import Block, Need
from tasks.rectifications.who import By
from tasks.rectifications.words import UnitRole

S, V = Status, Verb


class Moved(StrEnum):
    """What a move moves: the item, the part of one responsible unit, or the parts of the units it names (or all).

    Where parts move, the item follows: it stands where its least advanced responsible unit stands.
    """

    item = "item"
    part = "part"
    parts = "parts"


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that can happen: `verb` leads from one of `start` to `end` (None: the status stays)."""

    verb: Verb
    start: frozenset[Status] | set[Status]
    end: Status | None
    by: By
    event: str
    of: Moved = Moved.item
    never: tuple[By, ...] = ()
    needs: tuple[Need, ...] = ()
    blocks: tuple[Block, ...] = ()


PART, PARTS = Moved.part, Moved.parts
JUDGE = (w.own_unit,)
RULING = (w.own_unit, w.who_inspected)

MOVES = {
    move.verb: move
    for move in (
        # T1, T2
        Move(V.issue, {S.draft}, S.issued, by=w.issuer, event="rectification.issued",
             needs=(n.DESCRIPTION, n.A_UNIT, n.DUE, n.EVIDENCE), blocks=(n.VOIDING_ASKED,)),
        Move(V.drop, {S.draft}, S.voided, by=w.issuer, event="rectification.dropped",
             never=JUDGE, needs=(n.REASON,), blocks=(n.VOIDING_ASKED,)),
        # T3: silence is acceptance
        Move(V.acknowledge, {S.issued}, S.working, of=PART, by=w.responsible_unit, event="rectification.acknowledged",
             needs=(n.NAMED_PERSON,)),
        Move(V.accept_silently, {S.issued}, S.working, of=PART, by=w.program, event="rectification.accepted_silently",
             blocks=(n.OBJECTION_OPEN,)),
        # T4, T5, T6
        Move(V.object_to, WAITING_FOR_UNIT, None, of=PART, by=w.unit_principal, event="rectification.objected",
             needs=(n.GROUND, n.REASON), blocks=(n.OBJECTED_ONCE, n.OBJECTION_LATE)),
        Move(V.decline_objection, WAITING_FOR_UNIT, None, of=PART, by=w.office, never=RULING,
             event="rectification.objection_declined", needs=(n.REASON,), blocks=(n.NO_OBJECTION,)),
        Move(V.redirect, WAITING_FOR_UNIT, S.issued, of=PART, by=w.office, never=RULING,
             event="rectification.redirected", needs=(n.REASON, n.NEW_UNIT),
             blocks=(n.NO_OBJECTION, n.NOT_JURISDICTION)),
        Move(V.uphold_objection, WAITING_FOR_UNIT, S.voided, of=PART, by=w.office_leader, never=RULING,
             event="rectification.objection_upheld", needs=(n.REASON,),
             blocks=(n.NO_OBJECTION, n.JURISDICTION, n.OTHERS_WORK)),
        # T7
        Move(V.report, {S.working}, None, of=PART, by=w.responsible_unit, event="rectification.reported",
             needs=(n.NOTE, n.LOWER_REASON)),
        # the measures of T9: the unit plans them itself, and does or drops each
        Move(V.plan_measure, {S.working}, None, of=PART, by=w.responsible_unit,
             event="rectification.measure_planned", needs=(n.MEASURE,), blocks=(n.MEASURES_ENOUGH,)),
        Move(V.finish_measure, {S.working}, None, of=PART, by=w.responsible_unit,
             event="rectification.measure_done", needs=(n.NOTE,), blocks=(n.NO_MEASURE,)),
        Move(V.drop_measure, {S.working}, None, of=PART, by=w.responsible_unit,
             event="rectification.measure_dropped", needs=(n.REASON,), blocks=(n.NO_MEASURE,)),
        # T8
        Move(V.ask_extension, {S.working}, None, of=PART, by=w.unit_principal,
             event="rectification.extension_asked", needs=(n.REASON, n.NEW_DATE),
             blocks=(n.EXTENSION_OPEN, n.AFTER_DUE, n.EXTENDED_ENOUGH, n.LISTED_TOO_LATE)),
        Move(V.grant_extension, TICKING, None, by=w.extension_decider, event="rectification.extended",
             never=JUDGE, needs=(n.OPINION,), blocks=(n.NO_EXTENSION,)),
        Move(V.decline_extension, TICKING, None, by=w.extension_decider, event="rectification.extension_declined",
             never=JUDGE, needs=(n.OPINION,), blocks=(n.NO_EXTENSION,)),
        # T9, T10, T11
        Move(V.hand_in, {S.working}, S.handed_in, of=PART, by=w.responsible_unit, event="rectification.handed_in",
             needs=(n.NOTE, n.AFTER_PHOTO, n.PRINCIPAL, n.PLAN, n.MEASURES_DONE), blocks=(n.OBJECTION_OPEN,)),
        Move(V.confirm_hand_in, WAITING_FOR_REVIEW, None, of=PART, by=w.unit_principal,
             event="rectification.hand_in_confirmed", blocks=(n.NOTHING_TO_CONFIRM,)),
        Move(V.withdraw_hand_in, {S.handed_in}, S.working, of=PART, by=w.unit_principal,
             event="rectification.hand_in_withdrawn", needs=(n.REASON,), blocks=(n.NOTHING_TO_CONFIRM,)),
        Move(V.pass_first, {S.handed_in}, S.passed, of=PART, by=w.first_reviewer, event="rectification.passed",
             never=(w.own_unit, w.who_handed_in), needs=(n.OPINION, n.FILES_THERE, n.PRINCIPALS_WORD)),
        Move(V.send_back, WAITING_FOR_REVIEW, S.working, of=PART, by=w.reviewer_now, event="rectification.sent_back",
             never=JUDGE, needs=(n.REASON_CODE, n.NOTE)),
        # T12, T13, T14
        Move(V.assign_check, {S.passed}, None, by=w.office, event="rectification.check_assigned",
             never=JUDGE, needs=(n.CHECKERS,)),
        Move(V.pass_check, {S.passed}, None, by=w.checker, event="rectification.check_passed", never=JUDGE,
             needs=(n.CHECKERS, n.NOTE, n.CHECK_PHOTO, n.NEAR), blocks=(n.NO_CHECK,)),
        Move(V.fail_check, {S.passed}, S.working, of=PARTS, by=w.checker, event="rectification.check_failed",
             never=JUDGE, needs=(n.CHECKERS, n.NOTE, n.CHECK_PHOTO, n.NEAR), blocks=(n.NO_CHECK,)),
        # T15, T17
        Move(V.publish, {S.passed}, None, by=w.office, event="rectification.published", never=JUDGE,
             needs=(n.PUBLIC_TEXT,), blocks=(n.PUBLICITY_THERE,)),
        Move(V.take_public_objection, {S.passed}, None, by=w.office, event="rectification.public_objection_taken",
             never=JUDGE, needs=(n.NOTE,), blocks=(n.NO_PUBLICITY, n.PUBLIC_OBJECTION_OPEN)),
        Move(V.decline_public_objection, {S.passed}, None, by=w.office,
             event="rectification.public_objection_declined", never=JUDGE, needs=(n.REASON,),
             blocks=(n.NO_PUBLIC_OBJECTION,)),
        Move(V.uphold_public_objection, {S.passed}, S.working, of=PARTS, by=w.office,
             event="rectification.public_objection_upheld", never=JUDGE, needs=(n.REASON,),
             blocks=(n.NO_PUBLIC_OBJECTION,)),
        # T16
        Move(V.close_out, {S.passed}, S.closed, by=w.second_key, event="rectification.closed",
             never=(w.own_unit, w.who_handed_in, w.who_passed), needs=(n.OPINION,),
             blocks=(n.VOIDING_ASKED, n.CHECK_OPEN, n.CHECK_WANTED, n.PUBLICITY_WANTED, n.PUBLICITY_RUNNING,
                     n.PUBLIC_OBJECTION_OPEN)),
        # T18 and the look-back at +90 days
        Move(V.look_back, {S.closed}, None, by=w.looker_back, event="rectification.looked_back",
             never=JUDGE, needs=(n.RESULT, n.NOTE)),
        Move(V.reopen, {S.closed}, S.working, of=PARTS, by=w.office_leader, event="rectification.reopened",
             never=JUDGE, needs=(n.REASON, n.NEW_DATE, n.NEW_EVIDENCE)),
        # T19, T20
        Move(V.hang, {S.working}, S.hung, by=w.office_leader, event="rectification.hung",
             never=JUDGE, needs=(n.REASON_CODE, n.REASON, n.REVIEW_DATE, n.PAPER),
             blocks=(n.VOIDING_ASKED, n.ANY_OBJECTION_OPEN, n.EXTENSION_OPEN)),
        Move(V.resume, {S.hung}, S.working, by=w.office, event="rectification.resumed",
             never=JUDGE, needs=(n.REASON, n.NEW_DATE)),
        # T21
        Move(V.ask_void, VOIDABLE, None, by=w.office_leader, event="rectification.void_asked",
             never=JUDGE, needs=(n.NOTE,), blocks=(n.VOIDING_ASKED,)),
        Move(V.void, VOIDABLE, S.voided, by=w.office, event="rectification.voided",
             never=(w.own_unit, w.who_asked), blocks=(n.NO_VOIDING_ASKED,)),
        Move(V.decline_void, VOIDABLE, None, by=w.office, event="rectification.void_declined",
             never=JUDGE, needs=(n.NOTE,), blocks=(n.NO_VOIDING_ASKED,)),
        # a unit was merged into another, which takes over what is open
        Move(V.take_over, OPEN, None, by=w.program, event="rectification.taken_over"),
    )
}  # fmt: skip


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────


def why_not(verb: Verb, it: Item, actor: Actor, facts: Facts) -> Problem | None:
    """The first reason against: recusal, role and two keys, then state, then what is missing. None: it may be done.

    Sight comes before all of these and is settled when the item is fetched (404 before 403 before 409 before 422).
    A move of a part is asked for the unit in focus; without one it would mean nobody's part (ValueError).
    """
    move = MOVES[verb]
    if move.of == PART and it.focus is None and it.of(UnitRole.responsible):
        raise ValueError(f"{verb} moves a part: put a unit in focus")
    if reason := barred(verb, it, actor):
        return Forbidden(reason)
    status = standing(move, it)
    if it.stale:
        return WrongState("事项已被他人办理过，请刷新后再办。", "stale", status=status, verb=verb)
    if status not in move.start:
        return WrongState("事项当前的状态不能这样办理。", status=status, verb=verb)
    for block in move.blocks:
        if block.stands(it):
            return WrongState(block.sentence, "blocked", status=status, verb=verb)
    if missing := needs(verb, it, facts):
        return Incomplete(missing[0].sentence + "。", field=missing[0].field, needs=[need.field for need in missing])
    return None


def barred(verb: Verb, it: Item, actor: Actor) -> str | None:
    """Why this person may not do it, whatever the state: recusal, then whose move it is, then the two keys."""
    move = MOVES[verb]
    return next((reason for bar in (w.recused, move.by, *move.never) if (reason := bar(actor, it))), None)


def plan(verb: Verb, it: Item, actor: Actor, facts: Facts) -> Move:
    """The move, if nothing speaks against it; raises the reason otherwise."""
    if problem := why_not(verb, it, actor, facts):
        raise problem
    return MOVES[verb]


def needs(verb: Verb, it: Item, facts: Facts) -> list[Need]:
    """What is still missing for a move, each in the words that are true of this item."""
    return [replace(need, sentence=need.said(it)) for need in MOVES[verb].needs if not need.met(it, facts)]


@dataclass(frozen=True, slots=True)
class Open:
    """A button: the move, the units whose part it may move (none: it moves the item), and what it still needs."""

    verb: Verb
    units: list[UUID]
    needs: list[Need]


def open_moves(it: Item, actor: Actor, facts: Facts) -> list[Open]:
    """What this person may do now, and what each still needs: the buttons of a screen."""
    found = []
    for verb, move in MOVES.items():
        open_for = [seen for seen in _views(move, it) if not _refused(why_not(verb, seen, actor, facts))]
        if open_for:
            units = [seen.focus for seen in open_for if seen.focus]
            found.append(Open(verb, units, needs(verb, open_for[0], facts)))
    return found


def focused(verb: Verb, it: Item, actor: Actor, unit: UUID | None) -> Item:
    """The item with the unit in focus whose part the move is about: the one named, else the only one it can be.

    Raises BadRequest for a unit that is not responsible for the item, Incomplete when several could be meant.
    """
    if MOVES[verb].of != PART:
        return it
    if unit is not None:
        if unit in it.heirs:
            raise BadRequest(
                "该单位已撤并，请选承接的单位。", "unit_ended", field="unit", successor=str(it.heirs[unit])
            )
        if unit not in it.of(UnitRole.responsible):
            raise BadRequest("该单位不是本事项的责任单位。", "not_a_responsible_unit", field="unit")
        return it.at_unit(unit)
    views = _views(MOVES[verb], it)
    refusals = {seen.focus: why_not(verb, seen, actor, Facts()) for seen in views}
    could = [seen for seen in views if not _refused(refusals[seen.focus])]
    if len(could) > 1:
        units = [str(seen.focus) for seen in could]
        raise Incomplete("有几个责任单位，请选择是哪一个。", "unit_needed", field="unit", units=units)
    nearest = could or [seen for seen in views if isinstance(refusals[seen.focus], WrongState)] or views
    return nearest[0]


def standing(move: Move, it: Item) -> Status:
    """Where the thing that the move moves stands: the part in focus while the item is in work, else the item."""
    return it.part.status if move.of == PART and it.focus and it.status in IN_WORK else it.status


def named_parts(it: Item, units: frozenset[UUID]) -> frozenset[UUID]:
    """The responsible units that a move of several parts sends back: those named, or all of them."""
    if units - it.of(UnitRole.responsible):
        raise BadRequest("该单位不是本事项的责任单位。", "not_a_responsible_unit", field="units")
    return units or it.of(UnitRole.responsible)


def after(move: Move, it: Item, units: frozenset[UUID]) -> Status:
    """Where the item stands once the parts of these units have moved."""
    if move.end is None:
        return it.status
    if move.of == Moved.item or move.end not in IN_WORK:
        return move.end
    moved = {unit: replace(part, status=move.end) if unit in units else part for unit, part in it.parts.items()}
    return least(moved)


def overdue(status: Status, due_at: datetime | None, now: datetime) -> bool:
    """Past its date and still ticking. Computed, never stored; `due_at` is the instant the last day is over."""
    return status in TICKING and due_at is not None and now >= due_at


def _views(move: Move, it: Item) -> list[Item]:
    """The item once per unit whose part could move; the item itself where the move is not of a part."""
    responsible = sorted(it.of(UnitRole.responsible))
    return [it.at_unit(unit) for unit in responsible] if move.of == PART and responsible else [it]


def _refused(problem: Problem | None) -> bool:
    return isinstance(problem, Forbidden | WrongState)


BINDING = (UnitRole.responsible, UnitRole.lead, UnitRole.cooperating)  # the first binds most


# ── units and sample ─────────────────────────────────────────────────────────────────────────────────────────────


def left(known: Units, without: frozenset[UUID]) -> Units:
    """The units of an item when some are taken off."""
    return {role: members - without for role, members in known.items()}


def sampled(it: Item) -> bool:
    """Whether the sample decides on a site check: where nothing demands one, and the class does not spare it (b.4)."""
    return it.closing_class == ClosingClass.by_date and not n.check_mandatory(it)


def inherited(it: Item, unit: UUID, heir: UUID) -> tuple[UnitRole, Status | None]:
    """The role of the unit that takes over another's, and where its part stands then.

    Of two roles the one that binds more: who judged and is responsible now judges no more. Of two parts the less
    advanced one: what one of the units still had to do is not done.
    """
    roles = [role for role in BINDING if it.of(role) & {unit, heir}]
    parts = {one: it.parts[one] for one in (unit, heir) if one in it.parts}
    return roles[0], least(parts) if parts else None


def joined(known: Units, added: Units) -> Units:
    """The units of an item when some are added. Raises BadRequest when a unit would have two roles on it."""
    units = {role: known.get(role, frozenset()) | added.get(role, frozenset()) for role in UnitRole}
    named = [unit for members in units.values() for unit in members]
    if twice := {unit for unit in named if named.count(unit) > 1}:
        raise BadRequest(
            "同一个单位只能有一种责任。", "unit_in_two_roles", field="responsible_units", unit=str(min(twice))
        )
    return units
