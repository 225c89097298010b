"""Whether the worker's sweeps come through: each says so here, and what has been silent too long is late.

Several workers write the same rows: a sweep is well as long as one of them does it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend import clock
from backend.db import raw

GRACE = timedelta(seconds=60)
TURNS = 3  # a sweep may miss so many
AWAY = timedelta(seconds=120)  # without any sign of life


@dataclass(frozen=True, slots=True)
class Late:
    """A sweep that has not come through since then; `error` is what it last failed with, if it did."""

    name: str
    since: datetime
    error: str | None


async def beat(name: str, every: float, failure: BaseException | None) -> None:
    """A sweep came through, or failed. Its time is ours, its error the kind and not the text: that may name people.

    The last word counts, not the latest time: a clock that ran ahead for a while must not hide a silence after it.
    """
    now = clock.now()
    done, failed = (None, now) if failure else (now, None)
    await raw(
        "INSERT INTO heartbeat (name, every_s, begun_at, done_at, failed_at, error) VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (name) DO UPDATE SET every_s = excluded.every_s, "
        "begun_at = least(heartbeat.begun_at, excluded.begun_at), "
        "done_at = coalesce(excluded.done_at, least(heartbeat.done_at, excluded.begun_at)), "
        "failed_at = coalesce(excluded.failed_at, heartbeat.failed_at), "
        "error = coalesce(excluded.error, heartbeat.error)",
        name,
        round(every),
        now,
        done,
        failed,
        type(failure).__name__ if failure else None,
    )


async def retire(names: Collection[str]) -> None:
    """Forget the sweeps that are not among these: an upgrade took them away."""
    await raw("DELETE FROM heartbeat WHERE name <> ALL($1::text[])", list(names))


async def last() -> datetime | None:
    """The newest sign of life of any worker; None when there never was one. What lies far ahead is a clock's fault."""
    rows = await raw(
        "SELECT max(at) AS at FROM heartbeat, unnest(ARRAY[done_at, failed_at, begun_at]) AS sign (at) "
        "WHERE at <= $1::timestamptz + $2::interval",
        clock.now(),
        AWAY,
    )
    return rows[0]["at"]


async def late(now: datetime) -> list[Late]:
    """Sweeps that missed some turns and a minute, the longest silent first."""
    rows = await raw(
        "SELECT name, coalesce(done_at, begun_at) AS since, CASE WHEN failed_at > coalesce(done_at, begun_at) "
        "OR done_at IS NULL THEN error END AS error FROM heartbeat "
        "WHERE coalesce(done_at, begun_at) < $1::timestamptz - $2::interval - every_s * $3 * interval '1 second' "
        "ORDER BY since",
        now,
        GRACE,
        TURNS,
    )
    return [Late(row["name"], row["since"], row["error"]) for row in rows]
