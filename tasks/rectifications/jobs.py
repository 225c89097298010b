"""What time brings about: silence becomes acceptance, dates follow the calendar. Safe to run twice, at any moment."""

from datetime import timedelta
from uuid import UUID

from backend import clock
from backend.calendar import queries as calendar
from backend.db import raw
from backend.errors import Problem
from backend.evidence import queries as evidence
from backend.roles import SYSTEM
from backend.units import queries as units
from backend.workdays import Calendar
from tasks.rectifications import clocks, commands, rescheduling, taking_over
from tasks.rectifications.item import OPEN

AT_ONCE = 500
# Also when the calendar seems the same: an item issued in the instant a day was settled may have missed it.
COUNT_AT_LEAST_EVERY = timedelta(days=1)


async def sweep_silent() -> int:
    """Units whose time to sign is over have accepted (T3); returns how many. An open objection holds it up."""
    rows = await raw(
        "SELECT part.rectification, part.unit FROM rectification_unit AS part "
        "JOIN rectification ON rectification.id = part.rectification "
        "WHERE part.status = 'issued' AND part.ended_at IS NULL AND part.accept_by <= $1 "
        "AND rectification.status = 'issued' AND NOT EXISTS (SELECT 1 FROM objection "
        "JOIN rectification_unit AS own ON own.rectification = objection.rectification AND own.unit = objection.unit "
        "WHERE objection.rectification = part.rectification AND decided_at IS NULL "
        "AND part.unit IN (own.unit, own.taken_over_by)) "
        "ORDER BY part.accept_by LIMIT $2",
        clock.now(),
        AT_ONCE,
    )
    accepted = 0
    for row in rows:
        try:
            await commands.accept_silently(row["rectification"], SYSTEM, unit=row["unit"])
            accepted += 1
        except Problem:
            continue  # the unit signed, objected or lost the part meanwhile
    return accepted


async def hand_over_parts() -> int:
    """Units that were merged into others give up what is open to them; returns how many parts went over.

    Items that nobody can hand over now are tried again at the next turn.
    """
    heirs = await units.heirs(clock.today())
    rows = await raw(
        "SELECT rectification, unit FROM rectification_unit WHERE unit = ANY($1::uuid[]) AND ended_at IS NULL "
        "AND item_status = ANY($2) ORDER BY rectification LIMIT $3",
        list(heirs),
        [status.value for status in OPEN],
        AT_ONCE,
    )
    return sum([await _handed_over(row["rectification"], row["unit"], heirs[row["unit"]]) for row in rows])


async def _handed_over(rectification: UUID, unit: UUID, heir: UUID) -> bool:
    try:
        return await taking_over.take_over(rectification, SYSTEM, unit=unit, heir=heir)
    except Problem:
        return False  # closed meanwhile


async def sweep_missing() -> int:
    """Hand-ins and other records with files that were declared a day ago and did not come; of how many was told."""
    found = [it for link in (("hand_in_evidence", "hand_in"), ("record_evidence", "record"))
             for it in await evidence.missing(*link)]  # fmt: skip
    return sum([await commands.remind(missing) for missing in found])


async def count_dates_again() -> int:
    """Count every open date and clock again if the calendar is another than at the last complete run.

    Returns how many dates moved; clocks are not counted.

    Killed in the middle, the run is not written down and the next begins anew; what was done stays done.
    """
    began_at, overrides = clock.now(), await calendar.overrides()
    now = calendar.fingerprint(overrides)
    if not await _due(now):
        return 0
    days, looked_at, moved = Calendar({it.day: it.working for it in overrides}), 0, 0
    after = rescheduling.NONE_YET
    while after is not None:
        batch = await rescheduling.count_again(after, overrides, days)
        looked_at, moved, after = looked_at + batch.looked_at, moved + batch.moved, batch.last
    after = rescheduling.NONE_YET
    while after is not None:
        after = (await clocks.count_again(after, overrides, days)).last
    await rescheduling.finish(now, began_at, looked_at, moved)
    return moved


async def _due(fingerprint: str) -> bool:
    last = await raw("SELECT began_at FROM calendar_run WHERE calendar = $1", fingerprint)
    return not last or clock.now() - last[0]["began_at"] >= COUNT_AT_LEAST_EVERY
