"""Hands events to reactions: claimed with SKIP LOCKED, retried with growing delay, parked after eight tries."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from backend import clock
from backend.db import must_be_inside, raw, savepoint, transaction
from backend.events import Event, of_row

BATCH = 100
TOGETHER = 2500  # of what is reacted to together: the fewer statements an event costs, the sooner all are through
# Batches under way beside the first where there are that many events. Each is worked on by us and by the database in
# turns: of two batches both would often be with the same one of us.
BESIDE = 2
TRIES = 8

Reaction = Callable[[Event], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Together:
    """A reaction to many events of one verb at once, for what comes by the hundred thousand.

    It must do for each event what it would do for that event alone: a batch that fails is handed over again by halves,
    down to the bad one, so that one bad event holds up no other.
    """

    react: Callable[[Sequence[Event]], Awaitable[None]]


Reactions = Mapping[str, Sequence[Reaction | Together]]

log = logging.getLogger("duban.outbox")


async def drain(reactions: Reactions, most: int = 100_000) -> int:
    """React to every event that is due, in batches; returns how many were taken up (done or put off).

    What was never tried is due at once, also where it was written by a clock that is ahead of ours.
    Any number of workers may drain at once. All reactions of an event succeed together or are undone together.
    Killed in the middle, nothing is lost: the batch's rows are still there. Batches are taken from both ends in turns:
    a hundred thousand reminders at nine o'clock do not hold up what somebody does a minute later. Where there is that
    much, others are worked out while the database writes one.
    """
    taken, end, last = 0, "ASC", 0
    while taken < most:
        other = "DESC" if end == "ASC" else "ASC"
        more = [_batch(reactions, other, alone=False) for _ in range(BESIDE if last >= TOGETHER else 0)]
        last = sum(await _all(_batch(reactions, end), *more))
        if not last:
            break
        taken, end = taken + last, other
    return taken


async def unpark(event: str | None = None) -> int:
    """Try parked events again (one, or all); returns how many."""
    rows = await raw(
        "UPDATE outbox SET parked_at = NULL, told_at = NULL, attempts = 0, next_try_at = $1 "
        "WHERE parked_at IS NOT NULL AND ($2::uuid IS NULL OR event = $2) RETURNING event",
        clock.now(),
        event,
    )
    return len(rows)


async def newly_parked(told_of: str) -> int:
    """How many are parked that nobody was told of; from now on they count as told. Inside a transaction.

    Events of the verb `told_of`, by which it is told, are left out: else a failure there would go on for ever.
    """
    must_be_inside("newly_parked")
    rows = await raw(
        "UPDATE outbox SET told_at = $1 FROM event WHERE event.id = outbox.event AND parked_at IS NOT NULL "
        "AND told_at IS NULL AND verb <> $2 RETURNING outbox.event",
        clock.now(),
        told_of,
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


def name(reaction: Reaction | Together) -> str:
    """What a reaction is called, for pages and logs."""
    return getattr(reaction.react if isinstance(reaction, Together) else reaction, "__name__", "")


def delay(attempts: int) -> timedelta:
    """How long to wait after this many failed tries: 2 s, 4 s … at most 5 minutes."""
    return timedelta(seconds=min(2**attempts, 300))


async def _all(*batches: Awaitable[int]) -> list[int]:
    """Each is a transaction of its own. None is left behind: what one failed of is raised when all have ended."""
    ended = await asyncio.gather(*batches, return_exceptions=True)  # noqa: TID251  # no transaction is open here
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if isinstance(one, int)]


async def _batch(reactions: Reactions, order: str, *, alone: bool = True) -> int:
    """With `alone` also what is reacted to alone, which may lock: of that one batch is under way at a time."""
    joined = frozenset(verb for verb in reactions if _only_together(verb, reactions))
    async with transaction(joinable=True):
        rows = await raw(
            "SELECT event.id, at, actor, verb, subject, payload, outbox.attempts FROM outbox "
            "JOIN event ON event.id = outbox.event WHERE parked_at IS NULL AND (attempts = 0 OR next_try_at <= $1) "
            "AND ($3::text[] IS NULL OR attempts = 0 AND verb = ANY($3)) "
            f"ORDER BY next_try_at {order} LIMIT $2 FOR UPDATE OF outbox SKIP LOCKED",
            clock.now(),
            max(BATCH, TOGETHER),
            None if alone else [*joined],
        )
        rows = _taken(rows, joined)
        done = [id for group in _groups(rows, joined) for id in await _react(group, reactions)]
        await raw("DELETE FROM outbox WHERE event = ANY($1::uuid[])", done)
        return len(rows)


def _taken(rows: Sequence[Any], joined: Set[str]) -> Sequence[Any]:
    """All that are reacted to together; but few where one is reacted to alone: what it locks is held to the end."""
    first = rows[:BATCH]
    if all(_together(row, joined) for row in first):
        return [row for row in rows if _together(row, joined)]
    return first


def _together(row: Any, joined: Set[str]) -> bool:
    """What failed before is tried alone: it may be the bad one."""
    return row["attempts"] == 0 and row["verb"] in joined


def _only_together(verb: str, reactions: Reactions) -> bool:
    asked = reactions.get(verb, ())
    return bool(asked) and all(isinstance(reaction, Together) for reaction in asked)


def _groups(rows: Sequence[Any], joined: Set[str]) -> Iterator[list[Any]]:
    """Those of a verb that is reacted to together, together; the rest one by one."""
    together: dict[str, list[Any]] = {}
    for row in rows:
        if _together(row, joined):
            together.setdefault(row["verb"], []).append(row)
        else:
            yield [row]
    yield from together.values()


async def _react(rows: list[Any], reactions: Reactions) -> list[UUID]:
    """The ids of those that are done with, under one savepoint; when that fails, each half under its own, and so on."""
    events, failed = [of_row(row) for row in rows], None
    try:
        async with savepoint():
            for reaction in reactions.get(events[0].verb, ()):
                if isinstance(reaction, Together):
                    await reaction.react(events)
                else:
                    for event in events:
                        await reaction(event)
    except Exception as failure:  # a reaction's bug must not stop the others
        failed = failure
    if failed is None:
        return [event.id for event in events]
    if len(events) > 1:
        log.warning("%s events %s failed together, now by halves", len(events), events[0].verb, exc_info=failed)
        half = len(rows) // 2
        return [id for some in (rows[:half], rows[half:]) for id in await _react(some, reactions)]
    await _put_off(events[0], rows[0]["attempts"] + 1, failed)
    return []


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
