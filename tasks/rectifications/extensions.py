"""延期: asked for before the due day, decided by the office, the second by its leader (T8)."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.calendar import queries as calendar
from backend.db import raw, transaction
from backend.errors import NotFound
from backend.roles import Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Facts, Item, Verb
from tasks.rectifications.loading import Loaded
from tasks.rectifications.records import Extension
from tasks.rectifications.words import Answer


async def ask(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    note: str,
    done_so_far: str,
    due_on: date | None,
    unit: UUID | None = None,
) -> None:
    """申请延期. Raises BadRequest for a date that is not later than the one there is."""
    content: dict[str, Any] = {"by": actor.person, "note": note, "done_so_far": done_so_far, "wanted_on": due_on}
    content |= moving.named(unit)
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Extension, id, rectification=rectification, **content):
            return
        it = rules.focused(Verb.ask_extension, found.item, actor, unit)
        move = rules.plan(Verb.ask_extension, it, actor, replace(found.facts, note=note, due=due_on is not None))
        if due_on is None:
            raise ValueError("NEW_DATE is among the needs of the move")
        moving.check_ahead(due_on, later_than=found.row["due_on"])
        row = {**content, "unit": it.focus, "due_before": found.row["due_on"]}
        decide_by = moving.within(moving.DECIDE_WITHIN, clock.today(), await calendar.load())
        await Extension(id=id, rectification=rectification, at=clock.now(), decide_by=decide_by, **row).save()
        await events.record(
            move.event, rectification, actor=actor, unit=it.focus, extension=id, note=note, wanted_on=due_on,
            due_on=found.row["due_on"], decide_by=decide_by,
        )  # fmt: skip


async def grant(
    rectification: UUID, extension: UUID, actor: Actor, *, opinion: str, due_on: date | None = None
) -> None:
    """准予延期, to the date asked for or another. The original date goes on counting for "on time"."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        row = await _row(rectification, extension)
        granted = due_on or row["wanted_on"]
        if _answered(row, actor, Answer.upheld, opinion) and row["granted_on"] == granted:
            return
        move = rules.plan(Verb.grant_extension, _about(found, row), actor, _facts(found, opinion))
        due = moving.given(granted, later_than=found.row["due_on"])  # it may have moved since
        await _answer(extension, actor, Answer.upheld, opinion, granted)
        await moving.advance(found, move, extended=found.row["extended"] + 1, **due)
        await events.record(
            move.event, rectification, actor=actor, extension=extension, note=opinion,
            due_before=row["due_before"], due_on=granted, units=sorted(found.item.at_work | {_asker(found, row)}),
        )  # fmt: skip


async def decline(rectification: UUID, extension: UUID, actor: Actor, *, opinion: str) -> None:
    """不予延期: the date stays."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        row = await _row(rectification, extension)
        if _answered(row, actor, Answer.declined, opinion):
            return
        move = rules.plan(Verb.decline_extension, _about(found, row), actor, _facts(found, opinion))
        await _answer(extension, actor, Answer.declined, opinion, None)
        told = {"unit": _asker(found, row), "extension": extension, "note": opinion}
        await events.record(move.event, rectification, actor=actor, **told)


def _facts(found: Loaded, opinion: str) -> Facts:
    return replace(found.facts, note=opinion)


def _about(found: Loaded, row: Any) -> Item:
    """The item as it was for who decides on this extension: a decided one is open no more, nor counted."""
    if row["decided_at"] is None:
        return found.item
    return replace(found.item, extension=None, extended=found.item.extended - (row["answer"] == Answer.upheld))


def _asker(found: Loaded, row: Any) -> UUID:
    """The unit that asked, or the one that has its part now."""
    return found.item.heirs.get(row["unit"], row["unit"])


async def _row(rectification: UUID, extension: UUID) -> Any:
    rows = await raw("SELECT * FROM extension WHERE id = $1 AND rectification = $2", extension, rectification)
    if not rows:
        raise NotFound()
    return rows[0]


def _answered(row: Any, actor: Actor, answer: Answer, opinion: str) -> bool:
    """Whether this person decided so already: the request came twice."""
    return (row["decided_by"], row["answer"], row["decision"]) == (actor.person, answer, opinion)


async def _answer(extension: UUID, actor: Actor, answer: Answer, opinion: str, granted_on: date | None) -> None:
    await Extension.update(
        {
            "decided_by": actor.person,
            "decided_at": clock.now(),
            "answer": answer.value,
            "decision": opinion,
            "granted_on": granted_on,
        }
    ).where(Extension.id == extension)
