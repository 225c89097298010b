"""The working-day calendar of this office: the overrides in the database, read into a pure Calendar."""

from datetime import date

from backend import clock
from backend.db import raw, transaction
from backend.workdays import Calendar


async def load() -> Calendar:
    """Everything the office has overridden, over the seed."""
    rows = await raw("SELECT day, working FROM day_override")
    return Calendar({row["day"]: row["working"] for row in rows})


async def override(day: date, working: bool, source: str) -> None:
    """Say that a day is or is not a working day, and on which paper's authority. The last word counts."""
    async with transaction():
        await raw(
            "INSERT INTO day_override (day, working, source, set_at) VALUES ($1, $2, $3, $4) ON CONFLICT (day) "
            "DO UPDATE SET working = excluded.working, source = excluded.source, set_at = excluded.set_at",
            day,
            working,
            source,
            clock.now(),
        )
