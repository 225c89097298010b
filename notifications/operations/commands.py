"""Writing incidents down: once each, however many workers look."""

from datetime import datetime

from backend import clock, events
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.roles import SYSTEM
from notifications.operations.rules import QUIET_FOR, QUIET_LOOKS, Standing, Trouble

# Each event that is parked is told of at once, by the inbox's own sweep.
TOLD_ELSEWHERE = Trouble.events_parked


async def note(found: list[Standing]) -> None:
    """Begins an incident for each trouble that has none, and ends those whose trouble was not there for a while.

    A while is both a time and a number of looks: the time alone passes in an instant when the clock jumps ahead, and
    never when it had run ahead and comes back.
    """
    now = clock.now()
    async with transaction():
        await raw("SELECT pg_advisory_xact_lock(hashtext('operations.note'))")
        for it in found:
            await _begun(it.trouble, it.count, it.since or now, now)
        await raw(
            "UPDATE incident SET seen_at = least(seen_at, $2), quiet_looks = quiet_looks + 1 "
            "WHERE ended_at IS NULL AND trouble <> ALL($1::text[])",
            [it.trouble.value for it in found],
            now,
        )
        ended = await raw(
            "UPDATE incident SET ended_at = greatest(seen_at, began_at) WHERE ended_at IS NULL AND seen_at < $1 "
            "AND quiet_looks >= $2 RETURNING id, trouble, count",
            now - QUIET_FOR,
            QUIET_LOOKS,
        )
        for row in ended:
            told = {"trouble": row["trouble"], "count": row["count"]}
            await events.record("operations.recovered", row["id"], actor=SYSTEM, **told)


async def was_away(since: datetime, until: datetime) -> None:
    """The worker is back: nobody could tell of it before. Begins and ends the incident, unless it stands already."""
    async with transaction():
        await raw("SELECT pg_advisory_xact_lock(hashtext('operations.note'))")
        await _begun(Trouble.worker_away, 1, since, until)


async def _begun(trouble: Trouble, count: int, since: datetime, now: datetime) -> None:
    known = await raw(
        "UPDATE incident SET seen_at = $2, quiet_looks = 0, count = greatest(count, $3) "
        "WHERE trouble = $1 AND ended_at IS NULL RETURNING id",
        trouble.value,
        now,
        count,
    )
    if known:
        return
    incident = uuid7()
    await raw(
        "INSERT INTO incident (id, trouble, count, began_at, seen_at, quiet_looks) VALUES ($1, $2, $3, $4, $5, 0)",
        incident,
        trouble.value,
        count,
        since,
        now,
    )
    if trouble != TOLD_ELSEWHERE:
        await events.record("operations.troubled", incident, actor=SYSTEM, trouble=trouble, count=count, since=since)
