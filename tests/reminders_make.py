"""Reminders for tests: the default rules as values and as rows, a sweep at a moment, what was given, who was told."""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from backend import clock, outbox
from backend.db import raw
from backend.workdays import moment_of
from backend.worker import REACTIONS
from notifications.reminders import defaults, jobs
from notifications.reminders.defaults import DEFAULTS, Default
from notifications.reminders.rules import Anchor, Rule

LONG_AGO = date(2020, 1, 1)


def rule(default: Default, since: date = LONG_AGO, **said: Any) -> Rule:
    content: dict[str, Any] = {
        "id": default.id, "series": default.id, "since": since, "anchor": default.anchor, "offset": default.offset,
        "unit": default.unit, "at": default.at, "tells": default.tells, "urgency": default.urgency,
        "valid_from": since,
    }  # fmt: skip
    return Rule(**(content | said))


def rules(anchor: Anchor | None = None, since: date = LONG_AGO) -> list[Rule]:
    """The default rules (of one anchor) as if they had always held."""
    return [rule(default, since) for default in DEFAULTS if anchor in (None, default.anchor)]


async def entered(from_day: date = LONG_AGO) -> None:
    """The default rules as an installation has them that began on this day."""
    await defaults.enter(from_day, clock.now())


def moment(day: date, at: str = "09:00") -> datetime:
    return moment_of(day, time.fromisoformat(at))


async def swept(day: date, at: str = "09:00") -> int:
    """What a sweep gives at this moment by the clock of people."""
    with clock.frozen(moment(day, at)):
        return await jobs.sweep()


async def settled(day: date, at: str = "09:00") -> None:
    """A sweep and everything that it causes."""
    with clock.frozen(moment(day, at)):
        await jobs.sweep()
        await outbox.drain(REACTIONS)


async def given(subject: UUID | None = None) -> list[tuple[str, int, str, date]]:
    """What was given (of one thing), in order: what it counts from, the offset, when, and for which day."""
    rows = await raw(
        'SELECT anchor, "offset", reminder.at, target_on FROM reminder JOIN reminder_rule AS rule ON rule.id = rule '
        "WHERE $1::uuid IS NULL OR subject = $1 ORDER BY reminder.at, anchor, 2, target_on",
        subject,
    )
    return [(row["anchor"], row["offset"], f"{clock.local(row['at']):%m-%d %H:%M}", row["target_on"]) for row in rows]


async def told(verbs: Iterable[str] = ()) -> dict[str, list[str]]:
    """Who got a notice of a reminder, by verb."""
    rows = await raw(
        "SELECT verb, person.name FROM notice JOIN person ON person.id = notice.person "
        "WHERE verb LIKE 'reminder.%' ORDER BY verb, person.name"
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["verb"], []).append(row["name"])
    return {verb: found.get(verb, []) for verb in verbs} if verbs else found
