"""What the monthly check looks like from outside: answers first, then requests."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from backend.workdays import Certainty
from tasks.monthly.words import CellState


class Counts(msgspec.Struct):
    """Cells by how they stand; `cells` is all of them. Of checks: how many, and what came of them."""

    cells: int = 0
    not_started: int = 0
    done: int = 0
    done_late: int = 0
    missing: int = 0
    exempt: int = 0
    checks: int = 0
    found: int = 0
    solved: int = 0
    handed_over: int = 0


class Period(msgspec.Struct):
    """A month of a rule. `cutoff_at` is the first instant that is too late, `last_on` the last day that counts.

    `target_on` is the working day that reminders aim at; it follows the calendar, the others never change.
    """

    id: UUID
    rule: UUID
    month: str
    title: str
    clause: str
    starts_on: date
    last_on: date
    target_on: date
    target_certainty: Certainty
    starts_at: datetime
    cutoff_at: datetime


class Lead(msgspec.Struct):
    """A line: the unit under the name it had when the period began, and the one that has its work since."""

    unit: UUID
    name: str
    taken_over_by: UUID | None
    taken_over_by_name: str | None
    counts: Counts


class Region(msgspec.Struct):
    """A column. `target` is the region's unit in the rule's group."""

    code: str
    name: str
    target: UUID
    counts: Counts


class Cell(msgspec.Struct):
    """`checked_at`: when the check that counts ended, as claimed; `received_at`: when the server first heard of it.

    `late_says` is a sentence on a check that was late. `exempt_reason` and `exempt_by_name` of an exemption in force.
    """

    id: UUID
    lead_unit: UUID
    region: str
    state: CellState
    checks: int
    found: int
    solved: int
    handed_over: int
    checked_at: datetime | None
    received_at: datetime | None
    late_says: str | None
    exempt_reason: str | None
    exempt_by_name: str | None


class Matrix(msgspec.Struct):
    """A period as of an instant: the same answer whenever it is asked for the same instant. Lines in the rule's order,
    columns by code, cells line by line.
    """

    period: Period
    as_of: datetime
    counts: Counts
    leads: list[Lead]
    regions: list[Region]
    cells: list[Cell]


class Missing(msgspec.Struct):
    """A cell that has no check and no exemption. `unit` is who owes it today: the lead unit, or its successor."""

    cell: UUID
    unit: UUID
    lead_unit: UUID
    lead_name: str
    region: str
    region_name: str
    state: CellState
