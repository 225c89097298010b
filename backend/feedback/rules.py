"""投诉建议 about this program itself: kinds, standings, who reads and who answers. No case is decided here.

Every app for internal use must have such a door (国办函〔2026〕12号; domain.md 0.1).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from backend.errors import Forbidden, Incomplete, WrongState
from backend.roles import OFFICE, Actor, Role


class Kind(StrEnum):
    """What somebody wants to say. A fault is one of the program; what is found on site is a finding."""

    complaint = "complaint"
    suggestion = "suggestion"
    fault = "fault"


class Standing(StrEnum):
    """How far it has come. Computed from the answers and the closing, never stored."""

    waiting = "waiting"
    answered = "answered"
    closed = "closed"


class Deed(StrEnum):
    """What whoever answers may do."""

    answer = "answer"
    close = "close"


ANSWERS = OFFICE | {Role.sys_admin}  # the administrator reads faults alone: a role that sees no case


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules ask about one feedback. `by` gave it."""

    by: UUID
    kind: Kind
    answers: int
    closed_at: datetime | None


def standing(answers: int, closed_at: datetime | None) -> Standing:
    if closed_at:
        return Standing.closed
    return Standing.answered if answers else Standing.waiting


def may_answer(actor: Actor, it: Facts) -> str | None:
    """None, or why not. Nobody answers themselves."""
    if it.by == actor.person:
        return "这是您自己提的，由督查办答复。"
    if actor.has(*OFFICE) or (it.kind == Kind.fault and actor.has(Role.sys_admin)):
        return None
    return "投诉建议由督查办答复，报错也可由系统管理员答复。"


def deeds(actor: Actor, it: Facts) -> list[Deed]:
    """The buttons of this person."""
    return list(Deed) if may_answer(actor, it) is None and it.closed_at is None else []


def check_answer(actor: Actor, it: Facts, text: str) -> None:
    """Raises Forbidden, WrongState, Incomplete."""
    _check_open(actor, it)
    if not text.strip():
        raise Incomplete("请写明答复内容。", "feedback.no_answer", field="text")


def check_closing(actor: Actor, it: Facts, note: str) -> None:
    """The same. What nobody answered is closed with a reason that its giver reads."""
    _check_open(actor, it)
    if not it.answers and not note.strip():
        raise Incomplete("还没有答复，办结前请写明理由。", "feedback.no_reason", field="note")


def _check_open(actor: Actor, it: Facts) -> None:
    if refusal := may_answer(actor, it):
        raise Forbidden(refusal)
    if it.closed_at:
        raise WrongState("这条投诉建议已经办结。", "feedback.closed")
