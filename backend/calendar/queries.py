"""The working-day calendar of this office: the overrides in the database, read into a pure Calendar."""

from datetime import date, datetime

import msgspec

from backend.db import raw
from backend.workdays import Calendar


class Override(msgspec.Struct):
    """A day the office has settled, with the paper that says so."""

    day: date
    working: bool
    source: str
    set_at: datetime


async def load() -> Calendar:
    """Everything the office has overridden, over the seed."""
    return Calendar({override.day: override.working for override in await overrides()})


async def overrides() -> list[Override]:
    rows = await raw("SELECT day, working, source, set_at FROM day_override ORDER BY day")
    return [Override(row["day"], row["working"], row["source"], row["set_at"]) for row in rows]
