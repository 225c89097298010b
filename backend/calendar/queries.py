"""The working-day calendar of this office: the overrides in the database, read into a pure Calendar."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from importlib.metadata import version

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


def fingerprint(overrides: Sequence[Override]) -> str:
    """One word for the calendar as it is now: another as soon as a day is settled or new lists are installed."""
    said = msgspec.json.encode([version("chinesecalendar"), overrides])
    return hashlib.sha256(said).hexdigest()
