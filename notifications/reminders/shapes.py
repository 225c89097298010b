"""The shapes of rules, of a preview and of reminders that were given."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import msgspec

from backend.workdays import Certainty, TermUnit
from notifications.inbox.rules import Audience, Urgency
from notifications.reminders import wording
from notifications.reminders.rules import Anchor, Phase


class RuleShape(msgspec.Struct):
    """A line of the table; `says` is all of it in a sentence. `holds`: today. `default`: there from the beginning."""

    id: UUID
    says: str
    anchor: Anchor
    offset: int
    unit: TermUnit
    time_of_day: time
    tells: list[Audience]
    urgency: Urgency
    valid_from: date
    valid_to: date | None
    holds: bool
    default: bool
    replaces: UUID | None
    by_name: str | None
    office_name: str | None
    added_at: datetime
    ended_at: datetime | None
    end_reason: str | None


class RuleList(msgspec.Struct):
    """`refusal`: why the asking person may not change the table; null when they may."""

    items: list[RuleShape]
    refusal: str | None
    next: None = None


def rule(row: Any, today: date, *, english: bool) -> RuleShape:
    holds = row["valid_from"] <= today and (row["valid_to"] is None or today <= row["valid_to"])
    says = wording.sentence(
        Anchor(row["anchor"]),
        row["offset"],
        TermUnit(row["unit"]),
        at=row["at"],
        tells=[Audience(audience) for audience in row["tells"]],
        english=english,
    )
    said = {**row, "says": says, "time_of_day": row["at"], "holds": holds, "default": row["by"] is None}
    return msgspec.convert(said, RuleShape)


class Share(msgspec.Struct):
    """What one rule brings on the day: when, and of how many things it speaks."""

    rule: UUID
    anchor: Anchor
    phase: Phase
    offset: int
    unit: TermUnit
    at: datetime
    count: int


class Person(msgspec.Struct):
    id: UUID
    name: str
    unit_name: str | None
    audience: Audience


class Line(msgspec.Struct):
    """One reminder: what it will say, of what, and who gets it as things stand. `item` is none for a month's check."""

    rule: UUID
    at: datetime
    title: str
    subject: UUID
    item: UUID | None
    target_on: date
    certainty: Certainty
    people: list[Person]


class Preview(msgspec.Struct):
    """What a day brings. `total` and `shares` count all that the reader sees, `items` is a page of it."""

    on: date
    total: int
    shares: list[Share]
    items: list[Line]
    next: str | None


class Given(msgspec.Struct):
    """A reminder that was given. `told`: how many people it reached; `lapsed_at`: it was true no longer."""

    id: UUID
    rule: UUID
    at: datetime
    title: str
    target_on: date
    told: int
    lapsed_at: datetime | None


class GivenList(msgspec.Struct):
    items: list[Given]
    next: None = None
