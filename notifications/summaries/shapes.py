"""What a summary says, to the letter: these Structs, keys sorted, are the bytes that are hashed and kept."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from notifications.summaries.words import Ground, Kind, Late, Stands
from tasks.monthly.shapes import Counts
from tasks.monthly.words import CellState

SCHEMA = 1


class RuleLine(msgspec.Struct, kw_only=True):
    id: UUID
    title: str
    clause: str


class Inputs(msgspec.Struct, kw_only=True):
    """What was read beside the facts, and may read otherwise later: kept, so that the same bytes can be made again.

    `names` of units, regions and topics as they were; `since` the cutoff before; `red_on` by the calendar of the day;
    `before` the frozen numbers that it is compared with.
    """

    names: dict[str, str]
    since: datetime
    red_on: date
    before: UUID | None


class Items(msgspec.Struct, kw_only=True):
    """Rectifications as they stood. The flow is that between two cutoffs; rates are hundredths of a percent.

    `due` are those whose date in force lay between the cutoffs, hung ones not among them; `due_closed` of these were
    cleared, `due_on_time` by their original date. `carried_over` were overdue at the cutoff before, and still are.
    """

    new: int = 0
    cleared: int = 0
    open: int = 0
    hung: int = 0
    overdue: int = 0
    carried_over: int = 0
    due: int = 0
    due_closed: int = 0
    due_on_time: int = 0
    closing_rate: int | None = None
    on_time_rate: int | None = None


class LeadLine(msgspec.Struct, kw_only=True):
    """A line of the matrix; `items` are what its checks of this month handed over."""

    unit: UUID
    name: str
    taken_over_by: str | None
    counts: Counts
    handed_over: int
    handed_over_cleared: int
    handed_over_overdue: int
    text: str


class RegionLine(msgspec.Struct, kw_only=True):
    """A column of the matrix, and all rectifications of the region."""

    code: str
    name: str
    counts: Counts
    items: Items
    text: str


class CellLine(msgspec.Struct, kw_only=True):
    """`records` are the check records that had come, `withdrawn` those that had gone; what is later is in neither."""

    lead_unit: UUID
    region: str
    state: CellState
    checks: int
    found: int
    solved: int
    handed_over: int
    checked_at: datetime | None
    late_says: str | None
    exempt_reason: str | None
    records: list[UUID]
    withdrawn: list[UUID]


class ItemLine(msgspec.Struct, kw_only=True):
    """A rectification as it stood. `facts` is None for a reader who does not see the item."""

    id: UUID
    number: str
    region: str
    region_name: str
    topic: str
    facts: str | None
    stands: Stands
    overdue: bool
    issued_on: date
    due_on: date | None
    closed_on: date | None
    units: list[str]
    lead: str | None = None


class TopicLine(msgspec.Struct, kw_only=True):
    code: str
    name: str
    new: int


class Candidate(msgspec.Struct, kw_only=True):
    """A proposal for a circular: the facts and the rule that fired. Nobody is judged; a person decides."""

    ground: Ground
    unit: UUID
    name: str
    rule: str
    facts: list[str]
    regions: list[str]


class Change(msgspec.Struct, kw_only=True):
    """A number beside that of the month before."""

    name: str
    label: str
    now: int
    before: int


class Previous(msgspec.Struct, kw_only=True):
    month: str
    sha256: str
    changes: list[Change]


class LateLine(msgspec.Struct, kw_only=True):
    """What came after the numbers were frozen, and how its cell stands since. `record`: of a check, or an exemption."""

    record: UUID
    late: Late
    lead_unit: UUID
    lead_name: str
    region: str
    region_name: str
    at: datetime
    finished_at: datetime | None  # of a check
    says: str
    found: int
    solved: int
    was: CellState
    state: CellState


class Supplement(msgspec.Struct, kw_only=True):
    """`of` is the hash of the frozen numbers, `after` that of what was kept last. The frozen numbers stay as they are.

    Who reads only own columns is told no counts.
    """

    of: str
    after: str
    counts_before: Counts | None
    counts: Counts | None
    lines: list[LateLine]
    text: str


class Summary(msgspec.Struct, kw_only=True):
    """The month of one rule as of an instant. `supplement` instead of numbers in what came afterwards."""

    schema: int = SCHEMA
    kind: Kind
    number: int
    rule: RuleLine
    month: str
    starts_on: date
    last_on: date
    cutoff_at: datetime
    as_of: datetime
    inputs: Inputs
    counts: Counts
    leads: list[LeadLine]
    regions: list[RegionLine]
    cells: list[CellLine]
    items: Items
    topics: list[TopicLine]
    text: str
    previous: Previous | None
    candidates: list[Candidate]
    candidates_more: int
    handed_over: list[ItemLine]
    carried_over: list[ItemLine]
    carried_over_more: int
    supplement: Supplement | None = None


def canonical(it: Any) -> bytes:
    """The one way in which a summary is written: UTF-8 JSON, keys sorted, instants in UTC, no spaces, no fractions."""
    return msgspec.json.encode(it, order="sorted")
