"""Rules of the monthly check: entered, approved by a second person, declined, ended. A change is another rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, WrongState
from backend.roles import Actor
from tasks.monthly import rulebook, rules, starting, who
from tasks.monthly.rules import Terms
from tasks.monthly.tables import MonthlyRule
from tasks.monthly.words import Answer, RuleState
from tasks.rectifications import moving

VERBS = {Answer.upheld: "month.rule_approved", Answer.declined: "month.rule_declined"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A rule as the office enters it. `target` is the word of a group of units in `region` (各县区)."""

    title: str
    clause: str
    leads: tuple[UUID, ...]
    target: str
    region: str
    terms: Terms
    replaces: UUID | None = None


async def propose(actor: Actor, said: Proposal, *, id: UUID) -> None:
    """Enter a rule. It counts from its approval; months whose cutoff has passed by then are not asked for.

    Raises BadRequest for an unknown region or group and a unit that has ended, Forbidden outside the office's area,
    Incomplete for terms that leave no day and for a rule without cells, WrongState for what it cannot replace.
    """
    async with transaction():
        await once.one_at_a_time(id)
        path = await _path(said.region)
        if refusal := who.may_propose(actor, path):
            raise Forbidden(refusal)
        group = await _group(said)
        content = _content(said, actor, group)
        if await once.earlier(MonthlyRule, id, **content):
            return await _same_leads(id, said.leads)
        rules.check_terms(said.terms, clock.today())
        await moving.check_live(said.leads, "leads")
        first_day = max(said.terms.valid_from, clock.today())
        if not said.leads or not await starting.crossed(said.leads, group, first_day):
            raise Incomplete("规则没有可检查的部门或县区。", "no_cells", field="leads" if not said.leads else "target")
        if said.replaces:
            await _check_replaced(said.replaces, actor, said.terms.valid_from)
        await MonthlyRule(id=id, at=clock.now(), **content).save()
        leads = [{"id": uuid7(), "rule": id, "unit": unit, "position": n} for n, unit in enumerate(said.leads)]
        await insert("monthly_rule_lead", leads)
        told = {"title": said.title, "region": said.region, "units": said.leads, "replaces": said.replaces}
        await events.record("month.rule_proposed", id, actor=actor, **told, **_month(said.terms.valid_from))


async def decide(rule: UUID, actor: Actor, *, answer: Answer, opinion: str) -> None:
    """批准 or 不予批准, by a second person. The rule it replaces ends the day before it begins.

    The same again by the same person changes nothing; any other comes too late (409). Raises WrongState when it was to
    replace one whose month has begun since: that month stays as it is, and the rule is entered anew for a later day.
    """
    async with transaction():
        it = await rulebook.lock(rule, actor)
        if (it["decided_by"], it["answer"], it["decision"]) == (actor.person, answer, opinion):
            return
        if refusal := who.may_approve(actor, it["path"], it["by"]):
            raise Forbidden(refusal)
        if it["answer"]:
            raise Conflict("这条规则已经审批。", "already_decided")
        if not opinion.strip():
            raise Incomplete("要写明意见。", field="opinion")
        if answer == Answer.upheld and it["replaces"]:
            await _check_replaced(it["replaces"], actor, it["valid_from"])
            await _end(it["replaces"], actor, it["valid_from"] - timedelta(days=1), f"由新规则“{it['title']}”替代")
        await raw(
            "UPDATE monthly_rule SET decided_by = $2, decided_at = $3, answer = $4, decision = $5 WHERE id = $1",
            rule,
            actor.person,
            clock.now(),
            answer.value,
            opinion,
        )
        told = {"title": it["title"], "region": it["region"], "person": it["by"], "note": opinion}
        told |= {"units": await _leads(rule), **_month(it["valid_from"])}
        await events.record(VERBS[answer], rule, actor=actor, **told)


async def end(rule: UUID, actor: Actor, *, on: date, reason: str) -> None:
    """终止: its last day. Months that have begun by then go on to their end. The same again changes nothing.

    Raises WrongState for a rule that is not approved or ends earlier, BadRequest for a day in the past.
    """
    async with transaction():
        it = await rulebook.lock(rule, actor)
        if (it["ended_by"], it["valid_to"], it["end_reason"]) == (actor.person, on, reason):
            return
        if refusal := who.may_end(actor, it["path"]):
            raise Forbidden(refusal)
        if rulebook.state(it) != RuleState.approved or it["ended_at"] or (it["valid_to"] and it["valid_to"] <= on):
            raise WrongState("这条规则没有生效，或已经终止。", "not_in_force")
        if on < clock.today():
            raise BadRequest("终止日期不能早于今天。", "ends_in_the_past", field="on")
        if not reason.strip():
            raise Incomplete("要写明终止理由。", field="reason")
        await _end(rule, actor, on, reason)
        told = {"title": it["title"], "region": it["region"], "units": await _leads(rule), "on": on, "note": reason}
        await events.record("month.rule_ended", rule, actor=actor, **told, **_month(on))


def _content(said: Proposal, actor: Actor, group: UUID) -> dict[str, Any]:
    terms = said.terms
    return {
        "title": said.title, "clause": said.clause, "target_group": group, "region": said.region,
        "window_start_day": terms.window_start_day, "cutoff_day": terms.cutoff_day, "inclusive": terms.inclusive,
        "roll": terms.roll.value, "valid_from": terms.valid_from, "valid_to": terms.valid_to,
        "replaces": said.replaces, "by": actor.person,
    }  # fmt: skip


async def _path(region: str) -> list[str]:
    rows = await raw("SELECT path FROM region WHERE code = $1", region)
    if not rows:
        raise BadRequest("没有这个区划代码。", "unknown_reference", field="region")
    return rows[0]["path"]


async def _group(said: Proposal) -> UUID:
    rows = await raw("SELECT id FROM unit_group WHERE name = $1 AND region = $2", said.target, said.region)
    if not rows:
        raise BadRequest("该区划下没有这个单位组。", "unknown_reference", field="target")
    return rows[0]["id"]


async def _leads(rule: UUID) -> list[UUID]:
    rows = await raw("SELECT unit FROM monthly_rule_lead WHERE rule = $1 ORDER BY position", rule)
    return [row["unit"] for row in rows]


async def _same_leads(id: UUID, leads: Sequence[UUID]) -> None:
    if await _leads(id) != list(leads):
        raise once.different()


async def _check_replaced(replaced: UUID, actor: Actor, valid_from: date) -> None:
    it = await rulebook.lock(replaced, actor)
    if rulebook.state(it) != RuleState.approved or it["ended_at"]:
        raise WrongState("要替代的规则没有生效，或已经终止。", "not_in_force")
    if valid_from <= clock.today():
        raise WrongState("新规则要从今天以后的日期起生效；已经开始的月份不变。", "begins_too_early")


async def _end(rule: UUID, actor: Actor, on: date, reason: str) -> None:
    await raw(
        "UPDATE monthly_rule SET valid_to = least(valid_to, $2), ended_by = $3, ended_at = $4, end_reason = $5 "
        "WHERE id = $1",
        rule,
        on,
        actor.person,
        clock.now(),
        reason,
    )


def _month(day: date) -> dict[str, str]:
    """For the link of a notice: the month it is first, or last, about."""
    return {"month": f"{day:%Y-%m}"}
