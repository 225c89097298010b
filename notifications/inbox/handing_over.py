"""From the inbox on the way out: for each new notice by which channels and from when, or with the day's digest.

Runs inside the outbox's transaction: a notice and its delivery are there together or not at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend import clock
from backend.calendar import queries as calendars
from backend.workdays import Calendar
from notifications.deliveries import commands as deliveries
from notifications.deliveries.commands import Planned
from notifications.deliveries.rules import ROBOTS, ChannelKind
from notifications.inbox.asked import Heard
from notifications.inbox.rules import Urgency
from notifications.preferences import queries as preferences
from notifications.preferences import rules
from notifications.preferences.rules import Wishes


@dataclass(frozen=True, slots=True)
class New:
    """A notice about to be written."""

    id: UUID
    heard: Heard
    event: UUID
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Way:
    """Out of the app: with the digest, by itself as planned, or (neither) not at all."""

    batched: bool = False
    planned: Planned | None = None


WITH_THE_DIGEST, NOT_AT_ALL = Way(batched=True), Way()


async def ways(new: Sequence[New]) -> dict[UUID, Way]:
    """How each is to be told, by what its reader wishes."""
    wished = await preferences.wishes_of({one.heard.person for one in new})
    calendar = await calendars.load() if any(not wishes.digest for wishes in wished.values()) else Calendar()
    usual, settle = Wishes(), _Settled(clock.now(), calendar)
    return {one.id: _way(one, settle.road(one, wished.get(one.heard.person, usual))) for one in new}


async def hand_over(ways: Iterable[Way]) -> None:
    """Those that are sent by themselves. A digest comes by its own sweep."""
    if planned := [way.planned for way in ways if way.planned]:
        await deliveries.plan_many(planned)


@dataclass(frozen=True, slots=True)
class Road:
    """A way without its traveller: with the digest, or by these channels from a moment on, or (neither) not at all."""

    batched: bool = False
    channels: tuple[ChannelKind, ...] = ()
    start: datetime | None = None


class _Settled:
    """How notices are told that differ in nothing it depends on: settled once, however many there are."""

    def __init__(self, now: datetime, calendar: Calendar) -> None:
        self._now, self._local, self._calendar = now, clock.local(now), calendar
        self._known: dict[tuple[Wishes, Urgency, bool, bool], Road] = {}

    def road(self, one: New, wishes: Wishes) -> Road:
        asked = (wishes, one.urgency, one.heard.danger, one.heard.unit is not None)
        if asked not in self._known:
            self._known[asked] = self._road(*asked)
        return self._known[asked]

    def _road(self, wishes: Wishes, urgency: Urgency, danger: bool, of_unit: bool) -> Road:
        if urgency == Urgency.normal:
            if wishes.digest or not wishes.normal:
                return Road(batched=bool(wishes.normal))
            start = rules.normal_from(wishes, self._now, self._local, self._calendar)
            return Road(channels=_chain(wishes.normal, of_unit), start=start)
        start = self._now if danger else rules.at_once_from(wishes, self._now, self._local)
        return Road(channels=_chain(wishes.at_once, of_unit), start=start)


def _chain(channels: Sequence[ChannelKind], of_unit: bool) -> tuple[ChannelKind, ...]:
    """A group chat is told of what concerns its unit, never of what concerns a person as one of a team."""
    return tuple(kind for kind in channels if of_unit or kind not in ROBOTS)


def _way(one: New, road: Road) -> Way:
    if not road.channels or road.start is None:
        return WITH_THE_DIGEST if road.batched else NOT_AT_ALL
    heard = one.heard
    return Way(planned=Planned(one.id, heard.person, road.channels, road.start, one.urgency, one.event, heard.unit))
