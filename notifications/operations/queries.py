"""What is wrong now, and what was: for the administrators, the office, /readyz, /metrics and doctor."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from backend import clock, heartbeats, outbox
from backend.db import raw
from notifications.deliveries import queries as deliveries
from notifications.operations import rules
from notifications.operations.rules import FAILED_WITHIN, LATE, Standing, Trouble

MOST = 50


class TroubleShape(msgspec.Struct):
    """`sentence` says what is wrong, `advice` what is safe and what to do; `which` names the sweeps."""

    trouble: Trouble
    count: int
    since: datetime | None
    which: list[str]
    sentence: str
    advice: str


class IncidentShape(msgspec.Struct):
    id: UUID
    trouble: Trouble
    count: int
    began_at: datetime
    ended_at: datetime | None
    sentence: str


class Operations(msgspec.Struct):
    """Nothing in `now` means that all is well."""

    as_of: datetime
    now: list[TroubleShape]
    incidents: list[IncidentShape]


async def standing() -> list[Standing]:
    """The troubles there are now, the worst first. All sweeps are late when the worker is away: it is told alone."""
    now = clock.now()
    counts, alive = await outbox.waiting(), await heartbeats.last()
    found: list[Standing] = []
    if alive is None or now - alive > heartbeats.AWAY:
        found.append(Standing(Trouble.worker_away, 1, alive))
    elif silent := await heartbeats.late(now):
        found.append(Standing(Trouble.sweeps_late, len(silent), silent[0].since, tuple(_named(it) for it in silent)))
    if counts["oldest"] > LATE.total_seconds():
        found.append(Standing(Trouble.events_late, int(counts["waiting"])))
    if counts["parked"]:
        found.append(Standing(Trouble.events_parked, int(counts["parked"])))
    if (behind := await deliveries.behind(now)) > LATE.total_seconds():
        found.append(Standing(Trouble.deliveries_late, round(behind)))
    if failed := await deliveries.failed(now - FAILED_WITHIN):
        found.append(Standing(Trouble.deliveries_failed, failed))
    return found


async def names() -> list[str]:
    """For /readyz: the troubles by name alone."""
    return [it.trouble.value for it in await standing()]


async def told(*, english: bool) -> Operations:
    """What is wrong now, and the last incidents, newest first."""
    rows = await raw(f"SELECT * FROM incident ORDER BY began_at DESC, id DESC LIMIT {MOST}")
    incidents = [
        IncidentShape(
            row["id"], Trouble(row["trouble"]), row["count"], row["began_at"], row["ended_at"],
            rules.words(Trouble(row["trouble"]), row["count"], english=english),
        )
        for row in rows
    ]  # fmt: skip
    return Operations(clock.now(), [_shape(it, english) for it in await standing()], incidents)


async def sweeps() -> Sequence[tuple[str, float]]:
    """Each sweep of the worker, and how many seconds ago it came through."""
    rows = await raw(
        "SELECT name, extract(epoch FROM $1 - coalesce(done_at, begun_at))::float8 AS age FROM heartbeat ORDER BY name",
        clock.now(),
    )
    return [(row["name"], row["age"]) for row in rows]


def _named(late: heartbeats.Late) -> str:
    return f"{late.name} ({late.error})" if late.error else late.name


def _shape(it: Standing, english: bool) -> TroubleShape:
    return TroubleShape(
        it.trouble,
        it.count,
        it.since,
        list(it.which),
        rules.words(it.trouble, it.count, english=english),
        rules.advice(it.trouble, english=english),
    )
