"""The month as it stands now, before it is kept: made once for all who ask this process, and for a minute."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from backend import clock
from notifications.summaries import making
from notifications.summaries.shapes import Summary
from notifications.summaries.words import Kind
from tasks.monthly.shapes import Period

LASTS = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Made:
    """Whole: whoever reads it is shown a part of it, and changes nothing in it."""

    summary: Summary
    at: datetime


@dataclass(slots=True)
class _Place:
    """Of one period. Who comes while it is being made waits for the lock, and finds it made."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    made: Made | None = None


_places: dict[UUID, _Place] = {}


async def now(period: Period) -> Made:
    """The month up to this moment or its cutoff, at most a minute old.

    If the one who makes it goes away or fails, the next in line makes it.
    """
    place = _places.setdefault(period.id, _Place())
    async with place.lock:
        at = clock.now()
        if place.made is None or not place.made.at <= at < place.made.at + LASTS:
            _forget(at)
            place.made = Made(await making.made(period, min(at, period.cutoff_at), Kind.preview), at)
        return place.made


def _forget(at: datetime) -> None:
    """What nobody asked for since: a process does not keep the months of years."""
    for place in _places.values():
        if place.made and not place.lock.locked() and at - place.made.at >= LASTS:
            place.made = None
