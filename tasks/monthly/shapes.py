"""What the monthly check looks like from outside. Requests stand in api.py."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from backend.evidence.queries import EvidenceShape
from backend.geo import Datum
from backend.workdays import Certainty
from inspections.findings.rules import ClosingClass, Severity
from tasks.monthly.words import Answer, CellState, Roll, RuleState, Verb
from tasks.rectifications.item import Status


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


class Need(msgspec.Struct):
    """Something a move still needs: the request's field, and the sentence that asks for it."""

    field: str
    sentence: str


class Move(msgspec.Struct):
    """A button: what may be done now and what it still needs. `subject`: the record, exemption or rule it is about."""

    verb: Verb
    needs: list[Need]
    subject: UUID | None = None


class SeenCell(Cell):
    """`needs_says`: what is still to be done about it, in a sentence; null when nothing is."""

    needs_says: str | None
    moves: list[Move]


class SeenPeriod(msgspec.Struct):
    """A rule's month as the asking person sees it. `seconds_left` until the cutoff; `left_says` the same in words."""

    period: Period
    seconds_left: int
    workdays_left: int
    left_says: str
    counts: Counts
    leads: list[Lead]
    regions: list[Region]
    cells: list[SeenCell]


class Month(msgspec.Struct):
    """The periods of a month in sight, by their cutoff. None: no rule is in force then, or none concerns the asker."""

    month: str
    as_of: datetime
    periods: list[SeenPeriod]


class WaitingCell(msgspec.Struct):
    """A cell that waits for the asking person: for a check of theirs, or for their word on an exemption."""

    month: str
    title: str
    cutoff_at: datetime
    left_says: str
    lead_name: str
    region_name: str
    cell: SeenCell


class HandedOver(msgspec.Struct):
    """A problem that a check handed over, and the rectification it became; `status` is null until that is issued."""

    id: UUID
    topic: str
    severity: Severity
    closing_class: ClosingClass
    facts: str
    asks: str
    region: str
    responsible: UUID
    responsible_name: str
    due_on: date | None
    number: str | None
    status: Status | None


class Record(msgspec.Struct):
    """A check record. `finished_at` is a claim, `received_at` the server's time; `on_time` and `late_says` from both.

    `corrected_by`: the record that stands in for it. Withdrawn and corrected ones count no more; they are kept.
    """

    id: UUID
    by: UUID
    by_name: str
    received_at: datetime
    first_received_at: datetime
    finished_at: datetime
    on_time: bool
    late_says: str | None
    place: str
    region: str | None
    region_name: str | None
    lat: float | None
    lng: float | None
    accuracy_m: float | None
    datum: Datum | None
    went: list[str]
    found: str
    found_count: int
    solved_count: int
    guidance: str
    corrects: UUID | None
    correction_reason: str | None
    corrected_by: UUID | None
    withdrawn_at: datetime | None
    withdrawn_by_name: str | None
    withdraw_reason: str | None
    handed_over: list[HandedOver]
    declared: int
    arrived: int
    evidence: list[EvidenceShape]


class Exemption(msgspec.Struct):
    """`lapsed`: nobody had decided when the cutoff came, so that it never counted."""

    id: UUID
    by_name: str
    asked_at: datetime
    reason: str
    decided_by_name: str | None
    decided_at: datetime | None
    answer: Answer | None
    decision: str | None
    revoked_by_name: str | None
    revoked_at: datetime | None
    revoke_reason: str | None
    lapsed: bool


class CellDetail(msgspec.Struct):
    """A cell with everything said of it, oldest first. `receipt`: in answers to what was written about it."""

    period: Period
    lead: Lead
    region: Region
    cell: SeenCell
    records: list[Record]
    exemptions: list[Exemption]
    receipt: str | UnsetType = UNSET


class RuleLead(msgspec.Struct):
    unit: UUID
    name: str


class Rule(msgspec.Struct):
    """A rule of the monthly check. `periods`: how many months of it have begun. `receipt`: in answers to entering."""

    id: UUID
    title: str
    clause: str
    state: RuleState
    leads: list[RuleLead]
    target_group: UUID
    target_name: str
    region: str
    window_start_day: int
    cutoff_day: int
    inclusive: bool
    roll: Roll
    valid_from: date
    valid_to: date | None
    replaces: UUID | None
    by_name: str
    at: datetime
    decided_by_name: str | None
    decided_at: datetime | None
    decision: str | None
    ended_at: datetime | None
    end_reason: str | None
    periods: int
    moves: list[Move]
    receipt: str | UnsetType = UNSET


class Rules(msgspec.Struct):
    items: list[Rule]
    next: UUID | None


class Waiting(msgspec.Struct):
    """What of the monthly check waits for a person: cells by their cutoff, rules that a second person must approve."""

    cells: list[WaitingCell]
    rules: list[Rule]


class Preview(msgspec.Struct):
    """The next month of a rule that has not begun, as it would begin if units and groups stay as they are."""

    month: str
    starts_on: date
    last_on: date
    certainty: Certainty
    target_on: date
    target_certainty: Certainty
    cutoff_at: datetime
    leads: list[RuleLead]
    regions: list[Region]
    cells: int
