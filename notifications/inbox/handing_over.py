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


async def ways(new: Sequence[New]) -> dict[UUID, Way]:
    """How each is to be told, by what its reader wishes."""
    wished = await preferences.wishes_of({one.heard.person for one in new})
    calendar = await calendars.load() if any(not wishes.digest for wishes in wished.values()) else Calendar()
    now = clock.now()
    return {one.id: _way(one, wished.get(one.heard.person, Wishes()), now, calendar) for one in new}


async def hand_over(ways: Iterable[Way]) -> None:
    """Those that are sent by themselves. A digest comes by its own sweep."""
    if planned := [way.planned for way in ways if way.planned]:
        await deliveries.plan_many(planned)


def _way(one: New, wishes: Wishes, now: datetime, calendar: Calendar) -> Way:
    local = clock.local(now)
    if one.urgency == Urgency.normal:
        if wishes.digest or not wishes.normal:
            return Way(batched=bool(wishes.normal))
        return _alone(one, wishes.normal, rules.normal_from(wishes, now, local, calendar))
    start = now if one.heard.danger else rules.at_once_from(wishes, now, local)
    return _alone(one, wishes.at_once, start)


def _alone(one: New, channels: Sequence[ChannelKind], start: datetime) -> Way:
    """A group chat is told of what concerns its unit, never of what concerns a person as one of a team."""
    chain = tuple(kind for kind in channels if one.heard.unit or kind not in ROBOTS)
    if not chain:
        return Way()
    return Way(planned=Planned(one.id, one.heard.person, chain, start, one.urgency.value, one.event, one.heard.unit))
