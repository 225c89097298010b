"""负责人确认: the principal's own word on what the handler handed in (T9), in the system and not only as a typed name.

Whether the first review waits for it is a setting (loading.py); without one the name is shown as the claim it is.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from backend import clock, events
from backend.db import raw, transaction
from backend.errors import NotFound
from backend.roles import Actor, Role
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Item, Verb
from tasks.rectifications.loading import Loaded
from tasks.rectifications.tables import HandIn
from tasks.rectifications.words import Answer


def own_word(actor: Actor, unit: UUID | None) -> dict[str, Any]:
    """The columns of a hand-in that the unit's principal makes: nobody else need confirm it. Empty for others."""
    if unit not in actor.units(Role.unit_principal):
        return {}
    return _columns(actor, Answer.upheld, None)


async def confirm(rectification: UUID, hand_in: UUID, actor: Actor, *, note: str) -> None:
    """负责人确认."""
    await _answer(Verb.confirm_hand_in, Answer.upheld, rectification, hand_in, actor, note=note)


async def withdraw(rectification: UUID, hand_in: UUID, actor: Actor, *, note: str) -> None:
    """负责人撤回: the unit goes on working. It was not reviewed, so it is not counted as returned."""
    await _answer(Verb.withdraw_hand_in, Answer.declined, rectification, hand_in, actor, note=note)


async def _answer(verb: Verb, answer: Answer, rectification: UUID, hand_in: UUID, actor: Actor, *, note: str) -> None:
    async with transaction():
        found = await queries.lock(rectification, actor)
        rows = await raw("SELECT * FROM hand_in WHERE id = $1 AND rectification = $2", hand_in, rectification)
        if not rows:
            raise NotFound()
        row = rows[0]
        if (row["principal"], row["principal_answer"], row["principal_note"]) == (actor.person, answer, note):
            return  # the request came twice
        it = _about(found, row)
        move = rules.plan(verb, it, actor, replace(found.facts, note=note))
        await HandIn.update(_columns(actor, answer, note)).where(HandIn.id == hand_in)
        await moving.advance(found, move, [it.focus])
        told = {"unit": it.focus, "hand_in": hand_in, "note": note}
        await events.record(move.event, rectification, actor=actor, **told)


def _columns(actor: Actor, answer: Answer, note: str | None) -> dict[Any, Any]:
    return {
        "principal": actor.person,
        "principal_at": clock.now(),
        "principal_answer": answer.value,
        "principal_note": note,
    }


def _about(found: Loaded, row: Any) -> Item:
    """The item seen from the unit that handed in. Only its latest hand-in, while nobody answered, waits for a word."""
    it = found.item.at_unit(row["unit"])
    waits = row["principal_answer"] is None and found.hand_in(it.focus) == row["id"]
    return replace(it, parts={**it.parts, it.focus: replace(it.part, unconfirmed=waits)} if it.focus else it.parts)
