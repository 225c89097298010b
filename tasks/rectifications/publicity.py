"""公示: a text without personal data is shown for some days before an item is closed (T15, T17)."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from backend import clock, events, once, personal_data
from backend.db import raw, transaction
from backend.errors import BadRequest, Incomplete, NotFound
from backend.personal_data import Kind
from backend.roles import Actor
from backend.workdays import end_of_day
from tasks.rectifications import moving, queries, rules
from tasks.rectifications.item import Verb
from tasks.rectifications.records import Publicity, PublicObjection
from tasks.rectifications.words import Answer

DAYS = 7  # calendar days, the first one counted (seed 004, 七.2; domain.md b.3, T15)


async def publish(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    text: str,
    starts_on: date | None = None,
    days: int = DAYS,
) -> None:
    """公示. Raises Incomplete for a text in which personal data were found, BadRequest for a start in the past."""
    starts_on = starts_on or clock.today()
    content: dict[str, Any] = {"by": actor.person, "wording": text, "starts_on": starts_on}
    content |= {"ends_on": starts_on + timedelta(days=days - 1)}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Publicity, id, rectification=rectification, **content):
            return
        move = rules.plan(Verb.publish, found.item, actor, replace(found.facts, note=text))
        _check_days(starts_on)
        _check_masked(text)
        row = {**content, "round": found.round, "until": end_of_day(content["ends_on"])}
        await Publicity(id=id, rectification=rectification, at=clock.now(), **row).save()
        await events.record(
            move.event, rectification, actor=actor, publicity=id, starts_on=starts_on, ends_on=content["ends_on"]
        )


async def take_objection(rectification: UUID, publicity: UUID, actor: Actor, *, id: UUID, note: str) -> None:
    """登记公示异议: what somebody said, in the office's words and without names."""
    content = {"by": actor.person, "note": note}
    async with transaction():
        found = await queries.lock(rectification, actor)
        shown_in = await _round(rectification, publicity)
        if await once.earlier(PublicObjection, id, publicity=publicity, **content):
            return
        it = found.item if shown_in == found.round else replace(found.item, publicity_until=None)
        move = rules.plan(Verb.take_public_objection, it, actor, replace(found.facts, note=note))
        await PublicObjection(id=id, publicity=publicity, at=clock.now(), **content).save()
        await events.record(move.event, rectification, actor=actor, publicity=publicity, objection=id, note=note)


async def decline_objection(rectification: UUID, objection: UUID, actor: Actor, *, note: str) -> None:
    """公示异议不成立."""
    await _rule(Verb.decline_public_objection, rectification, objection, actor, note=note)


async def uphold_objection(
    rectification: UUID, objection: UUID, actor: Actor, *, note: str, units: frozenset[UUID] = frozenset()
) -> None:
    """公示异议成立: back to the units named (all, when none is), and counted as returned."""
    await _rule(Verb.uphold_public_objection, rectification, objection, actor, note=note, units=units)


async def _rule(
    verb: Verb, rectification: UUID, objection: UUID, actor: Actor, *, note: str, units: frozenset[UUID] = frozenset()
) -> None:
    answer = Answer.upheld if verb == Verb.uphold_public_objection else Answer.declined
    async with transaction():
        found = await queries.lock(rectification, actor)
        row = await _row(rectification, objection)
        if (row["decided_by"], row["answer"], row["decision"]) == (actor.person, answer, note):
            return await moving.same_said(rectification, rules.MOVES[verb].event, objection, named=sorted(units))
        it = found.item if found.item.public_objection == objection else replace(found.item, public_objection=None)
        move = rules.plan(verb, it, actor, replace(found.facts, note=note))
        back = rules.named_parts(it, units) if answer == Answer.upheld else frozenset()
        await PublicObjection.update(
            {"decided_by": actor.person, "decided_at": clock.now(), "answer": answer.value, "decision": note}
        ).where(PublicObjection.id == objection)
        await moving.advance(found, move, back)
        told = {"objection": objection, "note": note, "units": sorted(back), "named": sorted(units)}
        await events.record(move.event, rectification, actor=actor, **told)


WORDS = {Kind.id_number: "身份证号", Kind.mobile_number: "手机号", Kind.bank_card: "银行卡号"}


def _check_masked(text: str) -> None:
    """The one place that lets a text out to the public: raises Incomplete where it holds personal data (i.6)."""
    if found := personal_data.found_in(text):
        kinds = "、".join(dict.fromkeys(WORDS[one.kind] for one in found))
        places = [{"kind": one.kind, "start": one.start, "end": one.end} for one in found]
        raise Incomplete(f"公示内容中有{kinds}，请隐去后再公示。", "personal_data", field="text", found=places)


def _check_days(starts_on: date) -> None:
    if starts_on < clock.today():
        raise BadRequest("公示开始日期不能早于今天。", "starts_in_the_past", field="starts_on")
    if starts_on > clock.today() + timedelta(days=30):
        raise BadRequest("公示开始日期太远，请核对。", "starts_too_far", field="starts_on")


async def _round(rectification: UUID, publicity: UUID) -> int:
    """In which round of the item it was shown: an earlier one takes no objections any more."""
    rows = await raw("SELECT round FROM publicity WHERE id = $1 AND rectification = $2", publicity, rectification)
    if not rows:
        raise NotFound()
    return rows[0]["round"]


async def _row(rectification: UUID, objection: UUID) -> Any:
    rows = await raw(
        "SELECT public_objection.* FROM public_objection JOIN publicity ON publicity.id = publicity "
        "WHERE public_objection.id = $1 AND publicity.rectification = $2",
        objection,
        rectification,
    )
    if not rows:
        raise NotFound()
    return rows[0]
