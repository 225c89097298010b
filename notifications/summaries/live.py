"""What is made once for all who ask this process: the month as it stands before it is kept, and whether it comes out
again. A minute is as long as an answer lasts.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from backend import clock
from notifications.summaries import making, rules
from notifications.summaries.shapes import Summary
from notifications.summaries.words import Kind
from tasks.monthly.shapes import Period

LASTS = timedelta(minutes=1)
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Place(Generic[Answer]):
    """Of one period. Who comes while the answer is being made waits for the lock, and finds it made."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    minute: datetime | None = None
    made: tuple[Answer, datetime] | None = None


class Shared(Generic[Answer]):
    """One answer for each period and minute by the clock, so that all processes answer as of the same instant.

    If the one who makes it goes away or fails, the next in line makes it.
    """

    def __init__(self) -> None:
        self._places: dict[UUID, _Place[Answer]] = {}

    async def of(self, period: UUID, make: Callable[[datetime], Awaitable[Answer]]) -> tuple[Answer, datetime]:
        """What `make` gives for the minute that has begun, and when it gave it. Nobody changes anything in it."""
        place = self._places.setdefault(period, _Place())
        async with place.lock:
            now = clock.now()
            minute = now.replace(second=0, microsecond=0)
            if place.made is None or place.minute != minute:
                self._forget(minute)
                place.made, place.minute = (await make(minute), now), minute
            return place.made

    def _forget(self, minute: datetime) -> None:
        """What nobody asked for since: a process does not keep the months of years."""
        for place in self._places.values():
            if place.minute and not place.lock.locked() and minute - place.minute >= LASTS:
                place.made = None


_months: Shared[Summary] = Shared()


async def now(period: Period) -> tuple[Summary, datetime]:
    """The month as it stands, whole, and when it was made."""
    return await _months.of(period.id, lambda minute: making.made(period, as_of(period, minute), Kind.preview))


def as_of(period: Period, minute: datetime) -> datetime:
    """From 17:00 of the last day on as of then: the look ahead that is about to be kept says no more. After the cutoff
    as of that: then there will be none.
    """
    return period.cutoff_at if minute >= period.cutoff_at else min(minute, rules.previewed_at(period.last_on))
