"""豁免: a region need not be checked this month. Asked for, decided by another person, revoked; before the cutoff."""

from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.db import raw, transaction
from backend.errors import Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.roles import Actor
from tasks.monthly import queries, rules, who
from tasks.monthly.queries import Held
from tasks.monthly.tables import MonthlyExemption
from tasks.monthly.words import Answer, CellState

VERBS = {Answer.upheld: "month.exempted", Answer.declined: "month.exemption_declined"}


async def ask(actor: Actor, *, id: UUID, cell: UUID, reason: str) -> None:
    """申请豁免. Raises Forbidden, WrongState after the cutoff and when the cell is done, Conflict for a second one."""
    async with transaction():
        await once.one_at_a_time(id)
        held = await queries.lock(cell, actor)
        if await once.earlier(MonthlyExemption, id, cell=cell, by=actor.person, reason=reason):
            return
        if refusal := who.may_ask(actor, held.around):
            raise Forbidden(refusal)
        now = clock.now()
        rules.check_open(held.cutoff_at, now)
        if await queries.stands(cell, now) == CellState.done:
            raise WrongState("本格已完成检查，不需要豁免。", "already_done")
        if await raw(_OPEN, cell):
            raise Conflict("本格已有待审批或有效的豁免。", "already_asked")
        if not reason.strip():
            raise Incomplete("要写明豁免理由。", field="reason")
        await MonthlyExemption(id=id, cell=cell, by=actor.person, asked_at=now, reason=reason).save()
        await events.record("month.exemption_asked", cell, actor=actor, **held.told(), exemption=id, note=reason)


async def decide(exemption: UUID, actor: Actor, *, answer: Answer, opinion: str) -> None:
    """准予 or 不予豁免. The same again by the same person changes nothing; any other comes too late (409)."""
    async with transaction():
        held, it = await _locked(exemption, actor)
        if (it["decided_by"], it["answer"], it["decision"]) == (actor.person, answer, opinion):
            return
        if refusal := who.may_decide(actor, held.around, it["by"]):
            raise Forbidden(refusal)
        if it["decided_at"]:
            raise Conflict("这项申请已经审批。", "already_decided")
        now = clock.now()
        rules.check_open(held.cutoff_at, now)
        if not opinion.strip():
            raise Incomplete("要写明意见。", field="opinion")
        await raw(
            "UPDATE monthly_exemption SET decided_by = $2, decided_at = $3, answer = $4, decision = $5 WHERE id = $1",
            exemption,
            actor.person,
            now,
            answer.value,
            opinion,
        )
        told = {"exemption": exemption, "note": opinion, "person": it["by"]}
        await events.record(VERBS[answer], held.id, actor=actor, **held.told(), **told)


async def revoke(exemption: UUID, actor: Actor, *, reason: str) -> None:
    """撤销豁免, while there is still time to check. The same again by the same person changes nothing."""
    async with transaction():
        held, it = await _locked(exemption, actor)
        if (it["revoked_by"], it["revoke_reason"]) == (actor.person, reason):
            return
        if refusal := who.may_revoke(actor, held.around):
            raise Forbidden(refusal)
        if it["answer"] != Answer.upheld or it["revoked_at"]:
            raise Conflict("这项豁免没有生效，或已经撤销。", "not_in_force")
        now = clock.now()
        rules.check_open(held.cutoff_at, now)
        if not reason.strip():
            raise Incomplete("要写明撤销理由。", field="reason")
        await raw(
            "UPDATE monthly_exemption SET revoked_by = $2, revoked_at = $3, revoke_reason = $4 WHERE id = $1",
            exemption,
            actor.person,
            now,
            reason,
        )
        told = {"exemption": exemption, "note": reason, "person": it["by"]}
        await events.record("month.exemption_revoked", held.id, actor=actor, **held.told(), **told)


_OPEN = (
    "SELECT 1 FROM monthly_exemption WHERE cell = $1 AND (decided_at IS NULL OR answer = 'upheld') "
    "AND revoked_at IS NULL"
)


async def _locked(exemption: UUID, actor: Actor) -> tuple[Held, Any]:
    """Its cell, locked, and it. Raises NotFound."""
    found = await raw("SELECT cell FROM monthly_exemption WHERE id = $1", exemption)
    if not found:
        raise NotFound()
    held = await queries.lock(found[0]["cell"], actor)
    return held, (await raw("SELECT * FROM monthly_exemption WHERE id = $1", exemption))[0]
