"""异议: a responsible unit contests an item, somebody who did not inspect rules on it (T4 to T6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.calendar import queries as calendar
from backend.db import raw, transaction
from backend.errors import BadRequest, NotFound
from backend.evidence.rules import Declaration
from backend.roles import Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Item, Status, Verb
from tasks.rectifications.loading import Loaded
from tasks.rectifications.records import Objection
from tasks.rectifications.tables import Rectification
from tasks.rectifications.words import Answer, Ground, UnitRole


@dataclass(frozen=True, slots=True)
class Ruled:
    """An objection fetched for a ruling: its item, seen from the unit that objects, and the row."""

    found: Loaded
    it: Item
    row: Any


async def object_to(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    ground: Ground | None,
    note: str,
    duplicate_of: UUID | None = None,
    unit: UUID | None = None,
    manifest: Sequence[Declaration] = (),
) -> None:
    """提出异议: once per unit, within the time from issue. The due date goes on."""
    content: dict[str, Any] = {"by": actor.person, "ground": ground and ground.value, "note": note}
    content |= {"duplicate_of": duplicate_of, **moving.named(unit)}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Objection, id, rectification=rectification, **content):
            return await moving.same_files(id, manifest, actor)
        it = rules.focused(Verb.object_to, found.item, actor, unit)
        move = rules.plan(Verb.object_to, it, actor, replace(found.facts, note=note, reason_code=ground or ""))
        if duplicate_of:
            await _check_duplicate(rectification, duplicate_of, actor)
        row = {**content, "unit": it.focus}
        rule_by = moving.within(moving.RULE_WITHIN, clock.today(), await calendar.load())
        await Objection(id=id, rectification=rectification, at=clock.now(), rule_by=rule_by, **row).save()
        await moving.attach(rectification, id, manifest, actor)
        await events.record(
            move.event, rectification, actor=actor, unit=it.focus, objection=id, ground=ground, note=note,
            files=len(manifest), rule_by=rule_by,
        )  # fmt: skip


async def decline(rectification: UUID, objection: UUID, actor: Actor, *, note: str) -> None:
    """异议不成立: the unit goes on."""
    async with transaction():
        ruled = await _opened(rectification, objection, actor)
        if await _answered(ruled, actor, Answer.declined, note):
            return
        move = rules.plan(Verb.decline_objection, ruled.it, actor, replace(ruled.found.facts, note=note))
        await _answer(objection, actor, Answer.declined, note)
        await events.record(move.event, rectification, actor=actor, unit=ruled.it.focus, objection=objection, note=note)


async def uphold(rectification: UUID, objection: UUID, actor: Actor, *, note: str) -> None:
    """异议成立: the fact is wrong or known already, and the item is void (T6)."""
    async with transaction():
        ruled = await _opened(rectification, objection, actor)
        if await _answered(ruled, actor, Answer.upheld, note):
            return
        move = rules.plan(Verb.uphold_objection, ruled.it, actor, replace(ruled.found.facts, note=note))
        await _answer(objection, actor, Answer.upheld, note)
        await moving.advance(ruled.found, move)
        await moving.lapse(rectification)
        await events.record(move.event, rectification, actor=actor, unit=ruled.it.focus, objection=objection, note=note)


async def redirect(
    rectification: UUID,
    objection: UUID,
    actor: Actor,
    *,
    to_unit: UUID | None,
    note: str,
    due_on: date | None = None,
) -> None:
    """改派: another unit gets the part, with clocks of its own; the former one stays in the history (T5).

    The shared date stays unless `due_on` says another, which then also counts for "on time".
    """
    async with transaction():
        ruled = await _opened(rectification, objection, actor)
        if await _answered(ruled, actor, Answer.upheld, note, to_unit):
            return await moving.same_said(rectification, "rectification.redirected", objection, due_on=due_on)
        facts = replace(ruled.found.facts, note=note, unit=to_unit)
        move = rules.plan(Verb.redirect, ruled.it, actor, facts)
        if to_unit is None:
            raise ValueError("NEW_UNIT is among the needs of the move")
        await _check_new(ruled.it, to_unit)
        columns = _due(due_on)
        await _answer(objection, actor, Answer.upheld, note, to_unit)
        await _hand_over(ruled, to_unit)
        await Rectification.update({"status": Status.issued.value, **columns}).where(Rectification.id == rectification)
        await events.record(
            move.event, rectification, actor=actor, unit=ruled.it.focus, to_unit=to_unit, objection=objection,
            note=note, due_on=due_on,
        )  # fmt: skip


async def _opened(rectification: UUID, objection: UUID, actor: Actor) -> Ruled:
    found = await queries.lock(rectification, actor)
    rows = await raw("SELECT * FROM objection WHERE id = $1 AND rectification = $2", objection, rectification)
    if not rows:
        raise NotFound()
    return Ruled(found, found.item.at_unit(rows[0]["unit"]), rows[0])


async def _answered(ruled: Ruled, actor: Actor, answer: Answer, note: str, to_unit: UUID | None = None) -> bool:
    """Whether this person ruled so already: the request came twice."""
    said = (actor.person, answer, note, to_unit)
    return (ruled.row["decided_by"], ruled.row["answer"], ruled.row["decision"], ruled.row["to_unit"]) == said


async def _answer(objection: UUID, actor: Actor, answer: Answer, note: str, to_unit: UUID | None = None) -> None:
    await Objection.update(
        {
            "decided_by": actor.person,
            "decided_at": clock.now(),
            "answer": answer.value,
            "decision": note,
            "to_unit": to_unit,
        }
    ).where(Objection.id == objection)


async def _check_duplicate(rectification: UUID, other: UUID, actor: Actor) -> None:
    if other == rectification:
        raise BadRequest("不能与自己重复。", "duplicate_of_itself", field="duplicate_of")
    await queries.seen(other, actor)


async def _check_new(it: Item, to_unit: UUID) -> None:
    """Raises BadRequest for a unit that has a part or judges it, or that has ended. Who cooperated may take it over."""
    if to_unit in it.of(UnitRole.responsible, UnitRole.lead):
        raise BadRequest("该单位已在本事项中。", "unit_in_two_roles", field="to_unit", unit=str(to_unit))
    await moving.check_live([to_unit], "to_unit")


def _due(due_on: date | None) -> dict[str, Any]:
    if due_on is None:
        return {}
    return {**moving.given(due_on), "original_due_on": due_on}


async def _hand_over(ruled: Ruled, to_unit: UUID) -> None:
    """The part ends for one unit and begins for another; a unit it was once taken from gets its row back.

    What the one asked for nobody answers any more.
    """
    id, now = ruled.found.item.id, clock.now()
    await raw(
        "UPDATE rectification_unit SET ended_at = $3 WHERE rectification = $1 AND unit = $2", id, ruled.it.focus, now
    )
    await moving.lapse_extension(id, ruled.it.merged_into_focus)
    back = await raw(
        "UPDATE rectification_unit SET ended_at = NULL, role = 'responsible', status = 'issued' "
        "WHERE rectification = $1 AND unit = $2 RETURNING id",
        id,
        to_unit,
    )
    if not back:
        await moving.add_units(id, {UnitRole.responsible: frozenset({to_unit})})
    await moving.ask(id, frozenset({to_unit}), clock.today(), await calendar.load())
