"""作废 takes two: an office leader asks, another person of the office confirms or declines. The row stays."""

from dataclasses import replace
from uuid import UUID

from backend import clock, events, once
from backend.db import raw, transaction
from backend.errors import BadRequest
from backend.roles import Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Verb
from tasks.rectifications.tables import Voiding
from tasks.rectifications.words import Answer


async def ask_void(rectification: UUID, actor: Actor, *, id: UUID, note: str, duplicate_of: UUID | None) -> None:
    """申请作废: an office leader asks; nothing changes until another person confirms."""
    content = {"asked_by": actor.person, "note": note, "duplicate_of": duplicate_of}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Voiding, id, rectification=rectification, **content):
            return
        move = rules.plan(Verb.ask_void, found.item, actor, replace(found.facts, note=note))
        if duplicate_of == rectification:
            raise BadRequest("不能与自己重复。", "duplicate_of_itself", field="duplicate_of")
        if duplicate_of:
            await queries.seen(duplicate_of, actor)
        await Voiding(id=id, rectification=rectification, asked_at=clock.now(), **content).save()
        await events.record(move.event, rectification, actor=actor, note=note, duplicate_of=duplicate_of)


async def void(rectification: UUID, actor: Actor) -> None:
    """作废: the second person confirms. The row stays; confirming again changes nothing."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await _decided(rectification, actor, Answer.upheld):
            return
        move = rules.plan(Verb.void, found.item, actor, found.facts)
        await _decide(rectification, actor, Answer.upheld)
        await moving.advance(found, move, review_on=None)
        await moving.lapse(rectification)
        await events.record(move.event, rectification, actor=actor)


async def decline_void(rectification: UUID, actor: Actor, *, note: str) -> None:
    """不予作废: the item goes on as it was. Who asked may take it back this way."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        if found.item.void_asked_by is None and await _decided(rectification, actor, Answer.declined):
            return
        move = rules.plan(Verb.decline_void, found.item, actor, replace(found.facts, note=note))
        await _decide(rectification, actor, Answer.declined)
        await events.record(move.event, rectification, actor=actor, note=note)


async def _decided(rectification: UUID, actor: Actor, answer: Answer) -> bool:
    """Whether the latest voiding got this answer from this person already: the request came twice."""
    rows = await raw(
        "SELECT decided_by, answer FROM voiding WHERE rectification = $1 ORDER BY asked_at DESC, id DESC LIMIT 1",
        rectification,
    )
    return bool(rows) and (rows[0]["decided_by"], rows[0]["answer"]) == (actor.person, answer)


async def _decide(rectification: UUID, actor: Actor, answer: Answer) -> None:
    open_one = (Voiding.rectification == rectification) & Voiding.decided_at.is_null()
    await Voiding.update(
        {Voiding.decided_by: actor.person, Voiding.decided_at: clock.now(), Voiding.answer: answer.value}
    ).where(open_one)
