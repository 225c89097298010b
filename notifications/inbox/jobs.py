"""Ensure-sweeps: the digests that are due, and events that failed for good.

每日汇总: what is not urgent is told once a day, on working days, at the time each person chose. No dates are kept.

Whatever restarts, however many workers: one digest per person and day, by a unique key; nothing to say is no digest.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from backend import clock, events, outbox
from backend.calendar import queries as calendars
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.roles import SYSTEM
from notifications.deliveries import commands as deliveries
from notifications.deliveries.commands import Planned
from notifications.inbox.rules import Urgency
from notifications.inbox.spoken import STANDS
from notifications.preferences import queries as preferences
from notifications.preferences.rules import Wishes

LOOKED_FOR = 500  # people
AT_A_TIME = 20  # of them, in one transaction
MOST = 1000  # notices in one digest; what is more comes with the next


async def sweep_digests() -> int:
    """Makes the digests that are due now; returns how many. On a rest day, and in somebody's quiet hours, none is."""
    local = clock.local(clock.now())
    if not (await calendars.load()).is_workday(local.date()):
        return 0
    made = 0
    while people := await _due(local):
        for first in range(0, len(people), AT_A_TIME):
            made += await _make(people[first : first + AT_A_TIME], local.date())
    return made


async def _due(local: datetime) -> list[UUID]:
    """People for whom something waits, whose time has come today and who have had none today."""
    usual = Wishes()
    rows = await raw(
        "SELECT person.id FROM person LEFT JOIN notice_preference AS wish ON wish.person = person.id, "
        "LATERAL (SELECT coalesce(wish.quiet_from, $3) AS start, coalesce(wish.quiet_to, $4) AS stop) AS night "
        "WHERE disabled_at IS NULL AND coalesce(wish.digest_time, $5) <= $2 "
        "AND NOT CASE WHEN night.start <= night.stop THEN night.start <= $2 AND $2 < night.stop "
        "ELSE $2 >= night.start OR $2 < night.stop END "
        "AND NOT EXISTS (SELECT 1 FROM digest WHERE digest.person = person.id AND digest.day = $1) "
        f"AND EXISTS (SELECT 1 FROM notice WHERE notice.person = person.id AND {_WAITS}) LIMIT $6",
        local.date(),
        f"{local:%H:%M}",
        f"{usual.quiet_from:%H:%M}",
        f"{usual.quiet_to:%H:%M}",
        f"{usual.digest_time:%H:%M}",
        LOOKED_FOR,
    )
    return [row["id"] for row in rows]


_WAITS = f"batched AND digest IS NULL AND read_at IS NULL AND {STANDS}"


async def _make(people: Sequence[UUID], day: date) -> int:
    """Another worker's digest of the same person and day stays, and this one is none."""
    now = clock.now()
    async with transaction():
        made = await raw(
            "INSERT INTO digest (id, person, day, at) SELECT id, person, $3, $4 "
            "FROM unnest($1::uuid[], $2::uuid[]) AS due (id, person) "
            "ON CONFLICT (person, day) DO NOTHING RETURNING id, person",
            [uuid7() for _ in people],
            sorted(people),
            day,
            now,
        )
        await raw(
            "UPDATE notice SET digest = waits.digest FROM (SELECT made.id AS digest, first.id "
            "FROM unnest($1::uuid[], $2::uuid[]) AS made (id, person), LATERAL (SELECT id FROM notice "
            f"WHERE notice.person = made.person AND {_WAITS} ORDER BY id LIMIT $3) AS first) AS waits "
            "WHERE notice.id = waits.id",
            [row["id"] for row in made],
            [row["person"] for row in made],
            MOST,
        )
        wished = await preferences.wishes_of([row["person"] for row in made])
        await deliveries.plan_many(
            [
                Planned(row["id"], row["person"], wished.get(row["person"], Wishes()).normal, now, Urgency.normal.value)
                for row in made
            ]
        )
    return len(made)


PARKED = "outbox.parked"


async def sweep_parked() -> int:
    """Tells once of events that failed for good; returns how many. Let go and failed again, they are told of again."""
    async with transaction():
        if count := await outbox.newly_parked(PARKED):
            await events.record(PARKED, uuid7(), actor=SYSTEM, count=count)
    return count
