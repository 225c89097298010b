"""Reading feedback: one's own, and for those who answer it what came from their area."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from piccolo.querystring import QueryString

from backend.db import raw, select
from backend.errors import NotFound
from backend.evidence import queries as evidence
from backend.evidence.queries import EvidenceShape
from backend.feedback.rules import Deed, Facts, Kind, Standing, deeds, standing
from backend.roles import OFFICE, Actor, Role


class AnswerShape(msgspec.Struct):
    id: UUID
    text: str
    by_name: str
    at: datetime


class FeedbackShape(msgspec.Struct):
    """One feedback with its answers, oldest first. `moves`: what the asking person may do with it now.

    `evidence` is empty for the administrator, who sees no pictures of cases. `receipt`: in answers to writing.
    """

    id: UUID
    kind: Kind
    text: str
    page: str
    app_version: str
    own: bool
    by_name: str
    unit_name: str
    at: datetime
    standing: Standing
    closed_at: datetime | None
    closing_note: str | None
    answers: list[AnswerShape]
    declared: int
    arrived: int
    evidence: list[EvidenceShape]
    moves: list[Deed]
    receipt: str | UnsetType = UNSET


class FeedbackPage(msgspec.Struct):
    """`waiting`: how many of all in this list nobody has answered."""

    items: list[FeedbackShape]
    next: UUID | None
    waiting: int


def visible_to(actor: Actor) -> QueryString:
    """One's own; for the office what was given in its area; for the administrator the faults given there."""
    return QueryString(
        "(feedback.by = {} OR region.path && {}::text[] OR (feedback.kind = 'fault' AND region.path && {}::text[]))",
        actor.person,
        sorted(actor.areas(*OFFICE)),
        sorted(actor.areas(Role.sys_admin)),
    )


_FROM = (
    "FROM feedback JOIN unit ON unit.id = feedback.unit JOIN region ON region.code = unit.region "
    "JOIN person ON person.id = feedback.by"
)
_ANSWERS = "(SELECT count(*) FROM feedback_answer WHERE feedback_answer.feedback = feedback.id)"
_ROW = f"SELECT feedback.*, person.name AS by_name, unit.name AS unit_name, {_ANSWERS} AS answers {_FROM}"
_STANDS = {
    Standing.waiting: f"feedback.closed_at IS NULL AND {_ANSWERS} = 0",
    Standing.answered: f"feedback.closed_at IS NULL AND {_ANSWERS} > 0",
    Standing.closed: "feedback.closed_at IS NOT NULL",
}


async def listed(actor: Actor, *, own: bool, stands: Standing | None, cursor: UUID | None, most: int) -> FeedbackPage:
    """Newest first: one's own, or what others gave and the actor answers."""
    mine = QueryString("feedback.by = {}" if own else "feedback.by <> {}", actor.person)
    seen = QueryString("{} AND {}", visible_to(actor), mine)
    rows = await select(
        f"{_ROW} WHERE {{}} AND {_STANDS[stands] if stands else 'true'} AND ({{}}::uuid IS NULL OR "
        "(feedback.at, feedback.id) < (SELECT at, id FROM feedback WHERE id = {})) "
        "ORDER BY feedback.at DESC, feedback.id DESC LIMIT {}",
        seen,
        cursor,
        cursor,
        most,
    )
    waiting = await select(f"SELECT count(*) AS n {_FROM} WHERE {{}} AND {_STANDS[Standing.waiting]}", seen)
    items = await _shaped(rows, actor)
    return FeedbackPage(items, items[-1].id if len(items) == most else None, waiting[0]["n"])


async def one(feedback: UUID, actor: Actor) -> FeedbackShape:
    """Raises NotFound outside the actor's sight."""
    rows = await select(f"{_ROW} WHERE feedback.id = {{}} AND {{}}", feedback, visible_to(actor))
    if not rows:
        raise NotFound()
    return (await _shaped(rows, actor))[0]


async def lock(feedback: UUID, actor: Actor) -> Facts:
    """What the rules ask, locked for the running transaction. Raises NotFound outside the actor's sight."""
    await raw("SELECT 1 FROM feedback WHERE id = $1 FOR NO KEY UPDATE", feedback)
    rows = await select(f"{_ROW} WHERE feedback.id = {{}} AND {{}}", feedback, visible_to(actor))
    if not rows:
        raise NotFound()
    return _facts(rows[0])


async def files(feedback: UUID) -> set[UUID]:
    rows = await raw("SELECT evidence FROM feedback_evidence WHERE feedback = $1", feedback)
    return {row["evidence"] for row in rows}


async def places(feedback: UUID) -> frozenset[str]:
    """The giver's region and all above it: whose offices hear of it."""
    rows = await raw(
        "SELECT region.path FROM feedback JOIN unit ON unit.id = feedback.unit "
        "JOIN region ON region.code = unit.region WHERE feedback.id = $1",
        feedback,
    )
    return frozenset(rows[0]["path"]) if rows else frozenset()


async def shows_evidence(files: Sequence[UUID], actor: Actor) -> set[UUID]:
    """Those of these files that came with feedback whose pictures the actor sees: its giver, the office."""
    rows = await select(
        "SELECT DISTINCT hangs.evidence FROM feedback_evidence AS hangs JOIN feedback ON feedback.id = hangs.feedback "
        "JOIN unit ON unit.id = feedback.unit JOIN region ON region.code = unit.region "
        "WHERE hangs.evidence = ANY({}) AND {}",
        list(files),
        visible_to(actor.as_only(*OFFICE)),
    )
    return {row["evidence"] for row in rows}


def _facts(row: dict[str, Any]) -> Facts:
    return Facts(row["by"], Kind(row["kind"]), row["answers"], row["closed_at"])


async def _shaped(rows: Sequence[dict[str, Any]], actor: Actor) -> list[FeedbackShape]:
    ids = [row["id"] for row in rows]
    brought = await evidence.shapes("feedback_evidence", "feedback", ids)
    seen = await shows_evidence([file.id for files in brought.values() for file in files], actor)
    said = await raw(
        "SELECT feedback_answer.*, person.name AS by_name FROM feedback_answer "
        'JOIN person ON person.id = feedback_answer."by" WHERE feedback = ANY($1::uuid[]) '
        "ORDER BY at, feedback_answer.id",
        ids,
    )
    answers: dict[UUID, list[AnswerShape]] = {id: [] for id in ids}
    for row in said:
        answers[row["feedback"]].append(AnswerShape(row["id"], row["said"], row["by_name"], row["at"]))
    return [
        _shape(row, answers[row["id"]], [f for f in brought.get(row["id"], []) if f.id in seen], actor) for row in rows
    ]


def _shape(row: dict[str, Any], answers: list[AnswerShape], files: list[EvidenceShape], actor: Actor) -> FeedbackShape:
    return FeedbackShape(
        id=row["id"],
        kind=Kind(row["kind"]),
        text=row["said"],
        page=row["page"],
        app_version=row["app_version"],
        own=row["by"] == actor.person,
        by_name=row["by_name"],
        unit_name=row["unit_name"],
        at=row["at"],
        standing=standing(len(answers), row["closed_at"]),
        closed_at=row["closed_at"],
        closing_note=row["closing_note"],
        answers=answers,
        **evidence.counted(files),
        moves=deeds(actor, _facts(row)),
    )
