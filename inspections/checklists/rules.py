"""Checklists: what a version may be, which answer to a question stands, and what an office still misses in them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from backend.errors import Conflict, Forbidden, Incomplete, WrongState
from backend.roles import OFFICE, Actor

TICK = timedelta(microseconds=1)


class Status(StrEnum):
    """Of a version. One that was in force is never written again: answers point at its questions."""

    draft = "draft"
    in_force = "in_force"
    withdrawn = "withdrawn"


class Conformity(StrEnum):
    """符合, 不符合, 不适用."""

    passes = "passes"
    fails = "fails"
    not_applicable = "not_applicable"


class ChecklistMove(StrEnum):
    """What may be done with a version."""

    write = "write"
    adopt = "adopt"
    withdraw = "withdraw"


MOVES = {
    Status.draft: (ChecklistMove.write, ChecklistMove.adopt, ChecklistMove.withdraw),
    Status.in_force: (ChecklistMove.withdraw,),
    Status.withdrawn: (),
}


@dataclass(frozen=True, slots=True)
class Question:
    """`topic`: of the finding that a failure leads to. `photo_when_fails`: then a finding shows it, or a reason says
    why there is none.
    """

    code: str
    text: str
    hint: str
    topic: str
    photo_when_fails: bool
    may_not_apply: bool


@dataclass(frozen=True, slots=True)
class Content:
    """All that a version says."""

    title: str
    topic: str
    paper: str
    clause: str
    valid_from: date
    valid_to: date | None
    required: bool
    questions: tuple[Question, ...]


class Given(Protocol):
    """One answer: the `number`-th that came in on its visit. `finding_filed`: is the finding it names on the visit?"""

    id: UUID
    number: int
    by: UUID
    answer: Conformity
    note: str
    finding_filed: bool
    seen: UUID | None
    counts_at: datetime


Row = TypeVar("Row", bound=Given)


def moves(actor: Actor, area: Collection[str], status: Status) -> list[ChecklistMove]:
    return [] if may_edit(actor, area) else list(MOVES[status])


def may_edit(actor: Actor, area: Collection[str]) -> str | None:
    """The office, for its own area. `area`: the region's code and those above it."""
    if not actor.has(*OFFICE):
        return "检查表由督查办编制。"
    return None if actor.areas(*OFFICE) & set(area) else "只能编制本督查办辖区的检查表。"


def check_move(actor: Actor, area: Collection[str], status: Status, move: ChecklistMove) -> None:
    """Raises Forbidden, WrongState."""
    if refusal := may_edit(actor, area):
        raise Forbidden(refusal)
    if move not in MOVES[status]:
        raise WrongState("这一版检查表已经启用或停用，不能再改；要修改请另编一版。", "checklist.fixed")


def check_content(content: Content) -> None:
    """Raises Incomplete for a code used twice and for days that end before they begin."""
    codes = [question.code for question in content.questions]
    if len(set(codes)) < len(codes):
        raise Incomplete("问题编号重复。", "checklist.code_twice", field="questions")
    if content.valid_to and content.valid_to < content.valid_from:
        raise Incomplete("有效期的截止日期早于开始日期。", "checklist.ends_before_it_begins", field="valid_to")


def check_adoption(valid_to: date | None, today: date) -> None:
    if valid_to and valid_to < today:
        raise Incomplete("有效期已过，不能启用。", "checklist.expired", field="valid_to")


def check_answer(question: Question, answer: Conformity, finding: UUID | None) -> None:
    """Raises Incomplete for what this question does not take."""
    if answer == Conformity.not_applicable and not question.may_not_apply:
        raise Incomplete("这一问不能答“不适用”。", "answer.not_offered", field="answer")
    if finding and answer != Conformity.fails:
        raise Incomplete("只有“不符合”才关联发现问题。", "answer.finding_without_failure", field="finding")


def check_in_time(phone_at: datetime, submitted_at: datetime | None) -> None:
    """What was answered before the submission is taken whenever it comes; what was answered after it is not."""
    if submitted_at and phone_at > submitted_at:
        raise Conflict("检查已经提交，检查表不能再改；有新情况请补登问题。", "answer.after_submission")


def counts_at(phone_at: datetime, received_at: datetime, known: Iterable[datetime]) -> datetime:
    """When an answer counts as given: by its phone's clock, never ahead of ours, always after the answers it had seen.

    So a clock that is fast wins nothing, one that is slow can still correct what it has seen, and of two phones without
    a signal the later tap stands. `known`: when the answers it had seen count as given.
    """
    return max([min(phone_at, received_at), *(at + TICK for at in known)])


def known_to(seen: UUID | None, answers: Sequence[Row]) -> list[Row]:
    """What a phone that had `seen` this answer knew of the question: it, and all that had come in before it."""
    last = next((given.number for given in answers if given.id == seen), 0)
    return [given for given in answers if given.number <= last]


def standing(answers: Sequence[Row]) -> Row | None:
    """Of all answers to one question the one that stands."""
    return max(answers, key=_order, default=None)


def differing(answers: Sequence[Row]) -> list[Row]:
    """What colleagues said otherwise, unseen by the answer that stands; settled by an answer that has seen it."""
    stands = standing(answers)
    if stands is None:
        return []
    known = {given.id for given in known_to(stands.seen, answers)}
    others = {given.by: given for given in sorted(answers, key=_order)}
    return [given for given in others.values() if given.id not in known and given.answer != stands.answer]


def _order(given: Given) -> tuple[datetime, int]:
    return given.counts_at, given.number


def lacks(question: Question, stands: Given | None) -> bool:
    """No answer, or a failure that must be shown and is neither shown by a finding nor explained."""
    if stands is None:
        return True
    shown = stands.finding_filed or stands.note.strip()
    return stands.answer == Conformity.fails and question.photo_when_fails and not shown


def check_complete(title: str, lacking: Sequence[str]) -> None:
    """Raises Incomplete when a required checklist is handed in with questions open."""
    if lacking:
        said = f"检查表“{title}”还有 {len(lacking)} 问没有答完，答完才能提交。"
        raise Incomplete(said, "checklist.unanswered", field="checklists", questions=list(lacking))
