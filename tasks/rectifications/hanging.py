"""挂账 and 解除挂账: what cannot be done for now stays in sight, with a day to look at it again (T19, T20)."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from backend import clock, events, once
from backend.db import raw, transaction
from backend.errors import BadRequest
from backend.roles import Actor
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Verb
from tasks.rectifications.records import Hanging
from tasks.rectifications.words import HangReason

LONGEST = timedelta(days=183)  # half a year until it is looked at again (T19)


async def hang(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    reason_code: HangReason | None,
    note: str,
    paper: str,
    review_on: date | None,
) -> None:
    """挂账: not overdue meanwhile, still counted as open."""
    content = {"by": actor.person, "reason_code": reason_code and reason_code.value, "note": note}
    content |= {"paper": paper, "review_on": review_on}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Hanging, id, rectification=rectification, **content):
            return
        facts = replace(found.facts, reason_code=reason_code or "", note=note, paper=paper, due=review_on is not None)
        move = rules.plan(Verb.hang, found.item, actor, facts)
        _check_review(review_on)
        await Hanging(id=id, rectification=rectification, at=clock.now(), **content).save()
        await moving.advance(found, move, review_on=review_on)
        told = {"reason_code": reason_code, "note": note, "paper": paper, "review_on": review_on}
        await events.record(move.event, rectification, actor=actor, units=sorted(found.item.at_work), **told)


async def resume(rectification: UUID, actor: Actor, *, id: UUID, note: str, due_on: date | None) -> None:
    """解除挂账: the clock runs again, towards a new date. `id` makes a repetition the same request."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await _resumed(rectification, id, actor, note):
            return await moving.same_said(rectification, "rectification.resumed", id, due_on=due_on)
        facts = replace(found.facts, note=note, due=due_on is not None)
        move = rules.plan(Verb.resume, found.item, actor, facts)
        if due_on is None:
            raise ValueError("NEW_DATE is among the needs of the move")
        due = moving.given(due_on)
        await raw(
            "UPDATE hanging SET resumed_by = $2, resumed_at = $3, resume_note = $4, resumption = $5 "
            "WHERE rectification = $1 AND resumed_at IS NULL",
            rectification, actor.person, clock.now(), note, id,
        )  # fmt: skip
        await moving.advance(found, move, review_on=None, original_due_on=due_on, **due)
        told = {"resumption": id, "note": note, "due_on": due_on}
        await events.record(move.event, rectification, actor=actor, units=sorted(found.item.at_work), **told)


async def _resumed(rectification: UUID, id: UUID, actor: Actor, note: str) -> bool:
    rows = await raw("SELECT rectification, resumed_by, resume_note FROM hanging WHERE resumption = $1", id)
    if rows and tuple(rows[0].values()) != (rectification, actor.person, note):
        raise once.different()
    return bool(rows)


def _check_review(review_on: date | None) -> None:
    if review_on is None:
        raise ValueError("REVIEW_DATE is among the needs of the move")
    moving.check_ahead(review_on, "review_on")
    if review_on > clock.today() + LONGEST:
        raise BadRequest("复查日期最长为半年。", "review_too_far", field="review_on")
