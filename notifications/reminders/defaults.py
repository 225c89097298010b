"""The rules that an installation begins with. The office ends or changes them like its own; a new default later is a
migration of its own, so nothing is changed here once it has left our machines.

Sources: domain.md e (T-7, T-3, T-1 working days, the day 09:00 and 15:00), issue 5 scope 3, b.3 for what waits where.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID, uuid5

from backend.db import insert, raw
from backend.workdays import TermUnit
from notifications.inbox.rules import Audience, Urgency
from notifications.reminders.rules import Anchor

_NAMES = UUID("5f7f8a52-64b9-4c3f-9d5a-3f2b1c0e7a10")
MORNING, AFTERNOON = time(9, 0), time(15, 0)


@dataclass(frozen=True, slots=True)
class Default:
    """A line of the table: n working days before (below zero) or after, when, whom."""

    anchor: Anchor
    offset: int
    at: time
    tells: tuple[Audience, ...]
    urgency: Urgency = Urgency.normal
    unit: TermUnit = TermUnit.workdays

    @property
    def id(self) -> UUID:
        """The same in every installation."""
        return uuid5(_NAMES, f"{self.anchor} {self.offset} {self.unit} {self.at}")


A, K = Anchor, Audience
NOW = Urgency.at_once
UNITS, PRINCIPALS, LEADS = K.responsible_units, K.principals, K.lead_units

DEFAULTS = (
    Default(A.due, -7, MORNING, (UNITS,)),
    Default(A.due, -3, MORNING, (UNITS,)),
    Default(A.due, -1, MORNING, (UNITS,), NOW),
    Default(A.due, 0, MORNING, (UNITS,), NOW),
    Default(A.due, 0, AFTERNOON, (UNITS,), NOW),
    Default(A.due, 1, MORNING, (UNITS, PRINCIPALS), NOW),
    Default(A.due, 3, MORNING, (PRINCIPALS, LEADS), NOW),
    Default(A.due, 10, MORNING, (PRINCIPALS, LEADS, K.office_leaders), NOW),
    Default(A.signing, 1, AFTERNOON, (UNITS,)),
    Default(A.signing, 2, MORNING, (PRINCIPALS,), NOW),
    Default(A.objection, -1, MORNING, (K.office,)),
    Default(A.objection, 1, MORNING, (K.office_leaders,), NOW),
    Default(A.extension, -3, MORNING, (K.office,)),
    Default(A.extension, 0, MORNING, (K.office_leaders,), NOW),
    Default(A.extension, 1, MORNING, (K.office_leaders,), NOW),
    Default(A.review, 3, MORNING, (LEADS,)),
    Default(A.review, 7, MORNING, (LEADS, K.office)),
    Default(A.site_check, 3, MORNING, (K.checkers,)),
    Default(A.site_check, 7, MORNING, (K.checkers, K.office)),
    Default(A.look_back, 0, MORNING, (K.office,)),
    Default(A.look_back, 5, MORNING, (K.office_leaders,)),
    Default(A.hanging, -3, MORNING, (K.office,)),
    Default(A.hanging, 0, MORNING, (K.office,)),
    Default(A.hanging, 5, MORNING, (K.office_leaders,)),
    Default(A.month, -7, MORNING, (LEADS,)),
    Default(A.month, -3, MORNING, (LEADS,)),
    Default(A.month, -1, MORNING, (LEADS,), NOW),
    Default(A.month, 0, MORNING, (LEADS,), NOW),
    Default(A.month, 0, AFTERNOON, (LEADS,), NOW),
    Default(A.month, 1, MORNING, (LEADS,), NOW, TermUnit.days),
    Default(A.month, 3, MORNING, (K.office,), NOW, TermUnit.days),
)


async def enter(from_day: date, now: datetime) -> None:
    """Enter them as of this day. Those that are there stay as they are, but hold from this day on if it is earlier."""
    rows = [
        {
            "id": rule.id,
            "series": rule.id,
            "anchor": rule.anchor.value,
            "offset": rule.offset,
            "unit": rule.unit.value,
            "at": rule.at,
            "tells": [audience.value for audience in rule.tells],
            "urgency": rule.urgency.value,
            "valid_from": from_day,
            "added_at": now,
        }
        for rule in DEFAULTS
    ]
    await insert("reminder_rule", rows, known_stay=True)
    await raw(
        "UPDATE reminder_rule SET valid_from = $1 WHERE id = ANY($2::uuid[]) AND valid_from > $1 AND ended_at IS NULL",
        from_day,
        [rule.id for rule in DEFAULTS],
    )
