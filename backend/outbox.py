"""Hands events to reactions: claimed with SKIP LOCKED, retried with growing delay, parked after eight tries."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from backend import clock
from backend.db import raw, savepoint, transaction
from backend.events import Event, of_row

BATCH = 100
TRIES = 8

Reaction = Callable[[Event], Awaitable[None]]
Reactions = Mapping[str, Sequence[Reaction]]

log = logging.getLogger("duban.outbox")


async def drain(reactions: Reactions, most: int = 100_000) -> int:
    """React to every event that is due, in batches; returns how many were taken up (done or put off).

    Any number of workers may drain at once. All reactions of an event succeed together or are undone together.
    Killed in the middle, nothing is lost: the batch's rows are still there.
    """
    taken = 0
    while taken < most and (count := await _batch(reactions)):
        taken += count
    return taken


async def unpark(event: str | None = None) -> int:
    """Try parked events again (one, or all); returns how many."""
    rows = await raw(
        "UPDATE outbox SET parked_at = NULL, attempts = 0, next_try_at = $1 "
        "WHERE parked_at IS NOT NULL AND ($2::uuid IS NULL OR event = $2) RETURNING event",
        clock.now(),
        event,
    )
    return len(rows)


async def waiting() -> dict[str, float]:
    """How many events wait, how many are parked, and the age in seconds of the oldest one that waits."""
    row = (
        await raw(
            "SELECT count(*) FILTER (WHERE parked_at IS NULL) AS waiting, "
            "count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked, "
            "coalesce(extract(epoch FROM $1 - min(event.at) FILTER (WHERE parked_at IS NULL)), 0)::float8 AS oldest "
            "FROM outbox JOIN event ON event.id = outbox.event",
            clock.now(),
        )
    )[0]
    return dict(row)


def delay(attempts: int) -> timedelta:
    """How long to wait after this many failed tries: 2 s, 4 s … at most 5 minutes."""
    return timedelta(seconds=min(2**attempts, 300))


async def _batch(reactions: Reactions) -> int:
    async with transaction(joinable=True):
        rows = await raw(
            "SELECT event.id, at, actor, verb, subject, payload, outbox.attempts FROM outbox "
            "JOIN event ON event.id = outbox.event WHERE parked_at IS NULL AND next_try_at <= $1 "
            "ORDER BY next_try_at LIMIT $2 FOR UPDATE OF outbox SKIP LOCKED",
            clock.now(),
            BATCH,
        )
        done = [row["id"] for row in rows if await _react(dict(row), reactions)]
        await raw("DELETE FROM outbox WHERE event = ANY($1::uuid[])", done)
        return len(rows)


async def _react(row: dict[str, Any], reactions: Reactions) -> bool:
    event = of_row(row)
    if event.verb not in reactions:
        return True
    try:
        async with savepoint():
            for reaction in reactions[event.verb]:
                await reaction(event)
    except Exception as failure:  # a reaction's bug must not stop the others
        await _put_off(event, row["attempts"] + 1, failure)
        return False
    return True


async def _put_off(event: Event, attempts: int, failure: Exception) -> None:
    parked = clock.now() if attempts >= TRIES else None
    log.error("reaction to %s %s failed, try %s", event.verb, event.id, attempts, exc_info=failure)
    await raw(
        "UPDATE outbox SET attempts = $2, next_try_at = $3, last_error = $4, parked_at = $5 WHERE event = $1",
        event.id,
        attempts,
        clock.now() + delay(attempts),
        f"{type(failure).__name__}: {failure}"[:500],
        parked,
    )
