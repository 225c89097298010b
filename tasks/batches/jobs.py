"""Batches being worked through: short ones while the asker waits, long ones by the worker, in turns."""

import logging
from uuid import UUID

from backend import clock, events, wake
from backend.roles import Actor
from tasks.batches import commands, queries, rules
from tasks.batches.shapes import BatchDetail

log = logging.getLogger("duban.batches")


async def answer(batch: UUID, actor: Actor) -> BatchDetail:
    """Work through a short one and say what came of it; of a long one, how far it is."""
    told = await queries.detail(batch, actor)
    if told.total <= rules.AT_ONCE:
        while await commands.step(batch, waited_for=True):
            pass
        told = await queries.detail(batch, actor)
    return told


async def run(batch: UUID) -> None:
    """One turn, then the others'. Safe to run twice, and by two workers: a row is done by one of them."""
    token = events.request_id.set(await queries.request_of(batch))
    try:
        for _ in range(rules.TURN):
            if not await commands.step(batch):
                return
    except Exception as failure:
        await commands.put_off(batch, failure)
        raise
    finally:
        events.request_id.reset(token)
    await wake.job(commands.JOB, batch)


async def sweep_batches() -> int:
    """Batches whose worker, web process or doorbell was lost: a turn each. Returns how many."""
    found = await queries.due(clock.now())
    for batch in found:
        try:
            await run(batch)
        except Exception:  # the next one may fare better
            log.exception("batch %s put off", batch)
    return len(found)
