"""Door: three tables read aloud — REACTIONS, JOBS, CRON — and the loop that runs them, with the queue or without it."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from types import CoroutineType
from typing import Any
from uuid import UUID

import arq
import uvloop
from redis.exceptions import RedisError

from backend import clock, db, heartbeats, outbox, wake
from backend.evidence import jobs as evidence
from backend.evidence import stores
from backend.people import commands as people
from backend.uploads import jobs as uploads
from inspections.findings import jobs as findings
from inspections.findings.queries import caption as caption_of_finding
from notifications.deliveries import jobs as deliveries
from notifications.deliveries.rules import LANES
from notifications.inbox import jobs as inbox
from notifications.inbox.outside import words_of
from notifications.inbox.reactions import tell_many
from notifications.inbox.rules import HEARS
from notifications.operations import jobs as operations
from notifications.reminders import jobs as reminders
from notifications.reminders.reactions import tell_reminded
from notifications.reminders.rules import VERBS as REMINDERS
from notifications.summaries import jobs as summaries
from tasks.batches import jobs as batches
from tasks.monthly import jobs as monthly
from tasks.monthly.evidence_settings import caption as caption_of_check
from tasks.monthly.reactions import hand_over
from tasks.numbers import jobs as numbers
from tasks.rectifications import jobs as rectifications
from tasks.rectifications.queries import caption as caption_of_item
from tasks.rectifications.reactions import issue_findings, issue_urgent

# What happens because of an event, inside the database.
REACTIONS: outbox.Reactions = {
    "visit.submitted": (issue_findings,),
    "finding.filed": (issue_urgent,),
    **{verb: (outbox.Together(tell_many),) for verb in HEARS},
    **{verb: (outbox.Together(tell_reminded),) for verb in REMINDERS},
    "month.record_filed": (hand_over, outbox.Together(tell_many)),
    "month.record_corrected": (hand_over, outbox.Together(tell_many)),
}

# What a photo hangs on lets stand below its display copy; the first that knows it is asked no further.
CAPTIONERS: Sequence[evidence.Captioner] = (caption_of_finding, caption_of_item, caption_of_check)


# What a notice says at the moment it is sent; each knows notices of its own.
WORDERS: Sequence[deliveries.Worder] = (words_of,)


async def prepare(file: UUID) -> None:
    await evidence.prepare(file, CAPTIONERS)


async def sweep_received() -> int:
    return await evidence.sweep_received(CAPTIONERS)


# Work outside the database, or too long for an answer, asked for by row. The row has a state and a sweeper below.
JOBS: dict[str, Callable[[UUID], Awaitable[object]]] = {
    "prepare": prepare,
    "run_batch": batches.run,
}

# What is made sure of again and again, and how often in seconds. Never a date: a missed run is not repeated.
Cron = dict[str, tuple[Callable[[], Awaitable[object]], float]]
CRON: Cron = {}

DRAIN_EVERY = 5.0
TOLD_EVERY = 20.0  # seconds: a sweep that is well says so no more often
QUEUE_AWAY_PAUSE = 2.0

log = logging.getLogger("duban.worker")


async def drain() -> int:
    return await outbox.drain(REACTIONS)


async def sweep_incoming() -> None:
    """Half-sent files of connections that broke more than a day ago."""
    await asyncio.to_thread(stores.intake().sweep, timedelta(days=1))


async def sweep_sign_ins() -> None:
    await people.sweep(clock.now())


CRON.update(
    {
        "drain": (drain, DRAIN_EVERY),
        "sweep_received": (sweep_received, 10.0),
        "put_back_aside": (evidence.put_back_aside, 600.0),
        "sweep_batches": (batches.sweep_batches, 5.0),
        "sweep_silent": (rectifications.sweep_silent, 60.0),
        "sweep_reminders": (reminders.sweep, 60.0),
        "start_periods": (monthly.start_periods, 60.0),
        "sweep_missing_of_findings": (findings.sweep_missing, 300.0),
        "sweep_missing_of_checks": (monthly.sweep_missing, 300.0),
        "sweep_missing_of_items": (rectifications.sweep_missing, 300.0),
        "sweep_whole": (uploads.sweep_whole, 2.0),
        "sweep_expired": (uploads.sweep_expired, 600.0),
        "hand_over_parts": (rectifications.hand_over_parts, 60.0),
        "sweep_incoming": (sweep_incoming, 3600.0),
        "count_dates_again": (rectifications.count_dates_again, 10.0),
        "sweep_sign_ins": (sweep_sign_ins, 3600.0),
        "sweep_digests": (inbox.sweep_digests, 60.0),
        "sweep_parked": (inbox.sweep_parked, 60.0),
        "fold_tallies": (numbers.fold_tallies, 15.0),
        "sweep_addresses": (deliveries.sweep_addresses, 3600.0),
        **{f"send_{kind}": (partial(deliveries.run_lane, kind, WORDERS), 2.0) for kind in LANES},
        "ensure_summaries": (summaries.ensure_summaries, 60.0),
        "watch": (operations.watch, 60.0),
    }
)


def run() -> None:
    """Work until SIGTERM or SIGINT. Never ends because the queue or the database is away."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    uvloop.run(main())


async def main() -> None:
    """Two loops side by side: what the doorbell brings, and what the time brings. Either alone loses nothing."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    await db.open_pool(most=16)
    gc.freeze()  # what was imported stays: looking through it again and again was a third of handing a backlog over
    try:
        await _attempt("came back", operations.came_back)
        await _attempt("retire", partial(heartbeats.retire, list(CRON)))
        async with asyncio.TaskGroup() as both:  # no transaction is open here, so nothing is inherited
            timed = both.create_task(_by_time(CRON))
            rung = both.create_task(_by_doorbell())
            await stopping.wait()
            timed.cancel()
            rung.cancel()
    finally:
        await wake.close()
        await db.close_pool()


async def _by_time(cron: Cron) -> None:
    """Run what is due, each on its own: a slow sweep holds up nothing else."""
    async with asyncio.TaskGroup() as each:
        for name, (work, every) in cron.items():
            each.create_task(_every(name, work, every))


async def _every(name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Now, and again so many seconds after each end; a failure is logged and tried again at its next turn."""
    told, well = -TOLD_EVERY, True
    while True:
        failure = await _attempt(name, work)
        now = asyncio.get_running_loop().time()
        if now - told >= TOLD_EVERY or well == bool(failure):
            await _attempt("heartbeat", partial(heartbeats.beat, name, seconds, failure))
            told, well = now, not failure
        await asyncio.sleep(seconds)


async def _by_doorbell() -> None:
    """arq's worker, started again whenever the queue went away (arq exits then: stack.md 1)."""
    while True:
        worker: arq.Worker | None = None
        try:
            worker = _arq_worker()
            await worker.async_run()
        except (RedisError, OSError, TimeoutError) as away:
            log.warning("queue away (%s); working from the database alone", away)
        finally:
            if worker is not None:
                with contextlib.suppress(RedisError, OSError, RuntimeError):
                    await worker.close()
        await asyncio.sleep(QUEUE_AWAY_PAUSE)


def _arq_worker() -> arq.Worker:
    functions = [arq.worker.func(_answer_doorbell, name="drain", keep_result=0)]
    functions += [arq.worker.func(_job(name), name=name, keep_result=0) for name in JOBS]
    return arq.Worker(
        functions,
        queue_name=wake.QUEUE,
        redis_settings=wake.redis_settings(),
        handle_signals=False,
        max_jobs=4,
        job_timeout=60,
        poll_delay=0.1,
        max_tries=3,
        keep_result=0,
        health_check_interval=60,
        job_serializer=wake.encode,
        job_deserializer=wake.decode,
        log_results=False,
    )


async def _answer_doorbell(ctx: dict[Any, Any]) -> None:
    await _attempt("drain", drain)


def _job(name: str) -> "Callable[..., CoroutineType[Any, Any, None]]":
    async def run_job(ctx: dict[Any, Any], row: str) -> None:
        await _attempt(name, lambda: JOBS[name](UUID(row)))

    return run_job


async def _attempt(name: str, work: Callable[[], Awaitable[object]]) -> Exception | None:
    """The failure, which is logged."""
    try:
        await work()
    except Exception as failure:  # the sweeper comes back to it; the worker must live
        log.exception("%s failed", name)
        return failure
    return None
