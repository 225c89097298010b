"""Changing the table of rules: a rule is entered, or ends. Nothing that was is ever rewritten."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.db import insert, raw, transaction
from backend.errors import BadRequest, Conflict, Forbidden, NotFound, WrongState
from backend.roles import Actor
from notifications.reminders import rules
from notifications.reminders.tables import ReminderRule
from notifications.reminders.wanted import Wanted, check

_TABLE = UUID("8a3d1f0e-6c0b-4b55-9a57-2d7f4f6f9c11")  # one change of the table at a time


async def add(rule: UUID, actor: Actor, wanted: Wanted, *, replaces: UUID | None = None) -> None:
    """Enter a rule, from tomorrow on or later. In the place of another it continues its series: that one ends the day
    before, and what it has said of a target is not said again.

    Raises Forbidden; BadRequest for what could not be meant; Conflict for a rule that is there already; WrongState when
    the other has ended.
    """
    if refusal := rules.may_edit(actor):
        raise Forbidden(refusal)
    content = _content(wanted)
    async with transaction():
        await once.one_at_a_time(_TABLE)
        if await once.earlier(ReminderRule, rule, by=actor.person, replaces=replaces, **content):
            return
        check(wanted, clock.today())
        old = await _replaced(replaces, wanted) if replaces else None
        await _check_new(wanted, replaces)
        if old:
            await _end(old, actor, wanted.valid_from - timedelta(days=1), "由新规则替代。")
        row = {"id": rule, "series": old["series"] if old else rule, "replaces": replaces, **content}
        row |= {"by": actor.person, "office": rules.office_of(actor), "added_at": clock.now()}
        await insert("reminder_rule", [row])
        await events.record("reminder.rule_added", rule, actor=actor, replaces=replaces, **content)


async def end(rule: UUID, actor: Actor, *, last_on: date, reason: str) -> None:
    """Set a rule's last day, today at the earliest; one that has not begun by then never will. The same again is the
    same request.

    Raises NotFound, Forbidden, BadRequest for a day that is past, WrongState for a rule that has ended.
    """
    async with transaction():
        await once.one_at_a_time(_TABLE)
        old = await _row(rule)
        if old is None:
            raise NotFound()
        if refusal := rules.may_edit(actor):
            raise Forbidden(refusal)
        if (old["ended_by"], old["valid_to"], old["end_reason"]) == (actor.person, last_on, reason):
            return
        if last_on < clock.today():
            raise BadRequest("终止日期不能早于今天。", "ends_in_the_past", field="last_on")
        _check_live(old)
        await _end(old, actor, last_on, reason)


async def _end(old: Any, actor: Actor, last_on: date, reason: str) -> None:
    await raw(
        "UPDATE reminder_rule SET valid_to = least(valid_to, $2), ended_by = $3, ended_at = $4, end_reason = $5 "
        "WHERE id = $1",
        old["id"], last_on, actor.person, clock.now(), reason,
    )  # fmt: skip
    await events.record("reminder.rule_ended", old["id"], actor=actor, last_on=last_on, reason=reason)


async def _replaced(rule: UUID, wanted: Wanted) -> Any:
    """The rule that another takes the place of. Raises BadRequest, WrongState."""
    old = await _row(rule)
    if old is None:
        raise BadRequest("要替代的规则不存在。", "unknown_reference", field="replaces")
    if old["anchor"] != wanted.anchor:
        raise BadRequest("替代的规则要从同一个日期起算。", "another_anchor", field="anchor")
    _check_live(old)
    return old


def _check_live(old: Any) -> None:
    if old["ended_at"] is not None or (old["valid_to"] is not None and old["valid_to"] < clock.today()):
        raise WrongState("这条规则已经终止，或已由别的规则替代。", "rule_ended")


async def _check_new(wanted: Wanted, replaces: UUID | None) -> None:
    """Two rules that say the same at the same time would tell the same people twice."""
    same = await raw(
        'SELECT id FROM reminder_rule WHERE anchor = $1 AND "offset" = $2 AND unit = $3 AND at = $4 '
        "AND (valid_to IS NULL OR valid_to >= $5) AND ($6::date IS NULL OR valid_from <= $6) "
        "AND tells && $7 AND ($8::uuid IS NULL OR id <> $8)",
        wanted.anchor.value, wanted.offset, wanted.unit.value, wanted.at, wanted.valid_from, wanted.valid_to,
        [audience.value for audience in wanted.tells], replaces,
    )  # fmt: skip
    if same:
        raise Conflict("已有同一时间提醒同一对象的规则。", "same_rule", rule=str(same[0]["id"]))


async def _row(rule: UUID) -> Any:
    rows = await raw("SELECT * FROM reminder_rule WHERE id = $1", rule)
    return rows[0] if rows else None


def _content(wanted: Wanted) -> dict[str, Any]:
    return {
        "anchor": wanted.anchor.value,
        "offset": wanted.offset,
        "unit": wanted.unit.value,
        "at": wanted.at,
        "tells": [audience.value for audience in wanted.tells],
        "urgency": wanted.urgency.value,
        "valid_from": wanted.valid_from,
        "valid_to": wanted.valid_to,
    }
