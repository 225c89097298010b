"""Giving feedback, answering it, closing it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.evidence import commands as evidence
from backend.evidence.rules import Declaration
from backend.feedback import queries, rules
from backend.feedback.rules import Kind
from backend.feedback.tables import Feedback, FeedbackAnswer
from backend.once import different
from backend.roles import Actor


async def give(
    actor: Actor, manifest: Sequence[Declaration], *, id: UUID, kind: Kind, text: str, page: str, app_version: str
) -> None:
    """Keep what somebody says, and make room for its files. The same again changes nothing."""
    said = {"kind": kind.value, "said": text, "page": page, "app_version": app_version, "by": actor.person}
    async with transaction():
        await once.one_at_a_time(id)
        if await once.earlier(Feedback, id, **said):
            if await queries.files(id) != {line.id for line in manifest}:
                raise different()
            await evidence.declare(manifest, actor)
            return
        unit = await raw("SELECT unit FROM person WHERE id = $1", actor.person)
        await insert("feedback", [{"id": id, **said, "unit": unit[0]["unit"], "at": clock.now()}])
        await evidence.declare(manifest, actor)
        await _attach(id, manifest)
        await events.record("feedback.given", id, actor=actor, kind=kind.value, files=len(manifest))


async def answer(feedback: UUID, actor: Actor, *, id: UUID, text: str) -> None:
    """Say what comes of it; its giver is told. Raises NotFound, Forbidden, WrongState, Incomplete."""
    content: dict[str, Any] = {"feedback": feedback, "said": text, "by": actor.person}
    async with transaction():
        await once.one_at_a_time(id)
        it = await queries.lock(feedback, actor)
        if await once.earlier(FeedbackAnswer, id, **content):
            return
        rules.check_answer(actor, it, text)
        await insert("feedback_answer", [{"id": id, **content, "at": clock.now()}])
        await events.record("feedback.answered", feedback, actor=actor, answer=id, giver=it.by)


async def close(feedback: UUID, actor: Actor, *, note: str) -> None:
    """Nothing more comes of it; its giver is told. The same closing again is the same request."""
    async with transaction():
        it = await queries.lock(feedback, actor)
        if it.closed_at and await _closed_so(feedback, actor, note):
            return
        rules.check_closing(actor, it, note)
        await raw(
            "UPDATE feedback SET closed_at = $2, closed_by = $3, closing_note = $4 WHERE id = $1",
            feedback,
            clock.now(),
            actor.person,
            note,
        )
        await events.record("feedback.closed", feedback, actor=actor, giver=it.by)


async def _closed_so(feedback: UUID, actor: Actor, note: str) -> bool:
    rows = await raw("SELECT closed_by, closing_note FROM feedback WHERE id = $1", feedback)
    return (rows[0]["closed_by"], rows[0]["closing_note"]) == (actor.person, note)


async def _attach(id: UUID, manifest: Sequence[Declaration]) -> None:
    rows = [
        {"id": uuid7(), "feedback": id, "evidence": line.id, "position": position}
        for position, line in enumerate(manifest)
    ]
    if rows:
        await insert("feedback_evidence", rows)
