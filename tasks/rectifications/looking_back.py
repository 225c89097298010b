"""回头看 and 重开: a closed item is looked at again, and goes on under the same number when it did not hold (T18)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.db import transaction
from backend.evidence.rules import Declaration, photos
from backend.roles import Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Verb
from tasks.rectifications.records import LookBack, Reopening
from tasks.rectifications.words import LookBackResult


async def look_back(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    result: LookBackResult | None,
    note: str,
    manifest: Sequence[Declaration] = (),
) -> None:
    """回头看. One that found a relapse proposes to reopen; the office leader decides."""
    content = {"by": actor.person, "result": result and result.value, "note": note}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(LookBack, id, rectification=rectification, **content):
            return await moving.same_files(id, manifest, actor)
        facts = replace(found.facts, reason_code=result or "", note=note)
        move = rules.plan(Verb.look_back, found.item, actor, facts)
        await moving.check_fresh(manifest)
        await LookBack(id=id, rectification=rectification, round=found.round, at=clock.now(), **content).save()
        await moving.attach(rectification, id, manifest, actor)
        await moving.advance(found, move, look_back_on=None)
        told = {"look_back": id, "result": result, "note": note, "files": len(manifest)}
        await events.record(move.event, rectification, actor=actor, **told)


async def reopen(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    note: str,
    due_on: date | None,
    units: frozenset[UUID] = frozenset(),
    manifest: Sequence[Declaration] = (),
) -> None:
    """重开: back to the units named (all, when none is), with a new date, counted as a rebound."""
    content: dict[str, Any] = {"by": actor.person, "note": note, "due_on": due_on}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Reopening, id, rectification=rectification, **content):
            await moving.same_said(rectification, "rectification.reopened", id, named=sorted(units))
            return await moving.same_files(id, manifest, actor)
        facts = replace(found.facts, note=note, due=due_on is not None, photos=photos(manifest))
        move = rules.plan(Verb.reopen, found.item, actor, facts)
        if due_on is None:
            raise ValueError("NEW_DATE is among the needs of the move")
        back = rules.named_parts(found.item, units)
        due = moving.given(due_on)
        await moving.check_fresh(manifest)
        await Reopening(id=id, rectification=rectification, at=clock.now(), **content).save()
        await moving.attach(rectification, id, manifest, actor)
        counted = {"reopened": found.row["reopened"] + 1, "closed_at": None, "look_back_on": None}
        counted |= {"sampled": False}  # drawn anew when it is passed again
        await moving.advance(found, move, back, original_due_on=due_on, **due, **counted)
        await events.record(
            move.event, rectification, actor=actor, reopening=id, note=note, due_on=due_on, units=sorted(back),
            named=sorted(units),
        )  # fmt: skip
