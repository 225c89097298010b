"""What time alone brings about: silence becomes acceptance. Safe to run twice and at any moment."""

from backend import clock
from backend.db import raw
from backend.errors import Problem
from backend.roles import SYSTEM
from tasks.rectifications import commands

AT_ONCE = 500


async def sweep_silent() -> int:
    """Units whose time to sign is over have accepted (T3); returns how many. An open objection holds it up."""
    rows = await raw(
        "SELECT part.rectification, part.unit FROM rectification_unit AS part "
        "JOIN rectification ON rectification.id = part.rectification "
        "WHERE part.status = 'issued' AND part.ended_at IS NULL AND part.accept_by <= $1 "
        "AND rectification.status = 'issued' AND NOT EXISTS (SELECT 1 FROM objection WHERE objection.rectification "
        "= part.rectification AND objection.unit = part.unit AND decided_at IS NULL) "
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
