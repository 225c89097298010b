"""整改措施: what a responsible unit will do, planned by itself; each is done or dropped before it hands in (T9)."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.db import raw, transaction
from backend.errors import BadRequest, NotFound
from backend.roles import Actor
from tasks.rectifications import deadlines, moving, queries, rules
from tasks.rectifications.item import Item, Verb
from tasks.rectifications.loading import Loaded
from tasks.rectifications.records import Measure
from tasks.rectifications.words import MeasureState


async def plan(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    text: str,
    due_on: date | None = None,
    responsible_person: str = "",
    unit: UUID | None = None,
) -> None:
    """拟定措施. What came back keeps its measures, and may get more.

    A day that is over is taken too, the phone may have been out of reach; an absurd one raises BadRequest.
    """
    content = {"by": actor.person, "wording": text, "due_on": due_on, "responsible_person": responsible_person}
    content |= moving.named(unit)
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Measure, id, rectification=rectification, **content):
            return
        it = rules.focused(Verb.plan_measure, found.item, actor, unit)
        move = rules.plan(Verb.plan_measure, it, actor, replace(found.facts, note=text))
        _check_near(due_on)
        row = {**content, "unit": it.focus, "state": MeasureState.planned.value}
        await Measure(id=id, rectification=rectification, at=clock.now(), **row).save()
        await events.record(
            move.event, rectification, actor=actor, unit=it.focus, measure=id, text=text, planned_on=due_on,
            charged=responsible_person,
        )  # fmt: skip


async def finish(rectification: UUID, measure: UUID, actor: Actor, *, note: str) -> None:
    """完成措施: a claim of the unit; whether it holds, the reviewers say."""
    await _settle(Verb.finish_measure, MeasureState.done, rectification, measure, actor, note=note)


async def drop(rectification: UUID, measure: UUID, actor: Actor, *, note: str) -> None:
    """取消措施: it will not be done, and the reason stands in the history for who reviews."""
    await _settle(Verb.drop_measure, MeasureState.dropped, rectification, measure, actor, note=note)


async def _settle(
    verb: Verb, state: MeasureState, rectification: UUID, measure: UUID, actor: Actor, *, note: str
) -> None:
    async with transaction():
        found = await queries.lock(rectification, actor)
        rows = await raw("SELECT * FROM measure WHERE id = $1 AND rectification = $2", measure, rectification)
        if not rows:
            raise NotFound()
        row = rows[0]
        if (row["settled_by"], row["state"], row["settled_note"]) == (actor.person, state, note):
            return  # the request came twice
        it = _about(found, row)
        move = rules.plan(verb, it, actor, replace(found.facts, note=note))
        await Measure.update(
            {"state": state.value, "settled_by": actor.person, "settled_at": clock.now(), "settled_note": note}
        ).where(Measure.id == measure)
        told = {"measure": measure, "text": row["wording"], "note": note}
        await events.record(move.event, rectification, actor=actor, unit=it.focus, **told)


def _about(found: Loaded, row: Any) -> Item:
    """The item seen from the unit that planned the measure; a settled one waits for nothing more."""
    it = found.item.at_unit(row["unit"])
    if row["state"] == MeasureState.planned:
        return it
    settled = replace(it.part, measures_open=0)
    return replace(it, parts={**it.parts, it.focus: settled} if it.focus else it.parts)


def _check_near(due_on: date | None) -> None:
    if due_on is not None and abs(due_on - clock.today()) > deadlines.LONGEST_TERM:
        raise BadRequest("日期超出范围。", "bad_date", field="due_on")
