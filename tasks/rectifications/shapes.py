"""What rectifications look like from outside: request and response Structs."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from backend.evidence.queries import EvidenceShape
from backend.evidence.rules import State
from backend.evidence.shapes import FileIn
from backend.shapes import Note, OptionalNote, Percent, RegionCode
from backend.workdays import Certainty
from inspections.findings.queries import FindingShape
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications.item import Status, Verb
from tasks.rectifications.procedures import (
    ExtensionShape,
    HangingShape,
    LookBackShape,
    MeasureShape,
    ObjectionShape,
    PublicityShape,
    ReopeningShape,
    SiteCheckShape,
)
from tasks.rectifications.words import Answer, ReturnReason, Source, UnitRole

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["18:00"])]


class NeedShape(msgspec.Struct):
    """Something a move still needs: the request's field, and the sentence that asks for it."""

    field: str
    sentence: str


class MoveShape(msgspec.Struct):
    """A button: what may be done now and what it still needs.

    `units`: where the move is of one unit's part, those for which it may be done."""

    verb: Verb
    needs: list[NeedShape]
    units: list[UUID] = []


class UnitPart(msgspec.Struct):
    """A unit's part; `status` is that of a responsible unit, `ended_at` says since when it is another's.

    `taken_over_by`: the unit that has it, where this one was merged away."""

    unit: UUID
    name: str
    role: UnitRole
    status: Status | None
    ended_at: datetime | None
    taken_over_by: UUID | None


class Row(msgspec.Struct):
    """A line of a list."""

    id: UUID
    number: str | None
    status: Status
    source: Source
    topic: str
    topic_name: str
    severity: Severity
    closing_class: ClosingClass
    facts: str
    region: str
    region_name: str
    household: UUID | None
    person_concerned: UUID | None
    issued_at: datetime | None
    due_on: date | None
    due_at: datetime | None
    due_certainty: Certainty | None
    original_due_on: date | None
    deadline_text: str | None
    closed_at: datetime | None
    look_back_on: date | None
    review_on: date | None
    overdue: bool
    listed: bool
    public: bool
    returned: int
    reopened: int
    extended: int
    units: list[UnitPart]


class Page(msgspec.Struct):
    items: list[Row]
    next: str | None


class HandInShape(msgspec.Struct):
    """`confirmed_by` is a name that was typed; `principal_name` is who of the unit's leadership confirmed it in the
    system (`principal_answer` upheld) or withdrew it (declined). Null while nobody did."""

    id: UUID
    unit: UUID
    by: UUID
    by_name: str
    at: datetime
    note: str
    finished_on: date | None
    similar_sweep: str
    confirmed_by: str
    principal_name: str | None
    principal_at: datetime | None
    principal_answer: Answer | None
    principal_note: str | None
    declared: int
    arrived: int
    evidence: list[EvidenceShape]


class ReviewShape(msgspec.Struct):
    id: UUID
    unit: UUID | None
    verb: Verb
    by: UUID
    by_name: str
    at: datetime
    note: str
    reason_code: ReturnReason | None


class AcknowledgementShape(msgspec.Struct):
    """The phone number is masked (domain.md i.6)."""

    unit: UUID
    by_name: str
    at: datetime
    responsible_person: str
    phone: str


class ProgressShape(msgspec.Struct):
    id: UUID
    unit: UUID
    by_name: str
    at: datetime
    note: str
    percent: int
    lower_reason: str


class Detail(Row):
    """One rectification whole, with what the asking person may do now.

    `finding`: as filed on a visit. Items from papers, ledgers and checks have none: `found_where` says where they come
    from, and `evidence` is what came with them. `acknowledgement` is the latest of `acknowledgements`. `due_rule` says
    how the date came about: a term ("workdays:3") counted from `due_from`, "text" for a day that `deadline_text` names,
    "given" by a person. `version` may be sent back as `If-Match`: then nothing is done when somebody was faster.
    `receipt`: a signed proof of what was just written, in answers to what carries an id of its own.
    """

    version: int
    asks: str
    found_where: str | None
    declared: int
    arrived: int
    evidence: list[EvidenceShape]
    due_rule: str | None
    due_from: date | None
    milestones: list[date]
    finding: FindingShape | None
    acknowledgement: AcknowledgementShape | None
    acknowledgements: list[AcknowledgementShape]
    progress: list[ProgressShape]
    hand_ins: list[HandInShape]
    reviews: list[ReviewShape]
    voiding: str | None
    measures: list[MeasureShape]
    objections: list[ObjectionShape]
    extensions: list[ExtensionShape]
    site_checks: list[SiteCheckShape]
    publicity: list[PublicityShape]
    hangings: list[HangingShape]
    look_backs: list[LookBackShape]
    reopenings: list[ReopeningShape]
    moves: list[MoveShape]
    receipt: str | UnsetType = UNSET


class Change(msgspec.Struct):
    """What a step set on the item: `before` is what the story had told until then, null when it had told nothing.

    Codes, days (YYYY-MM-DD) and numbers as they are; units by their names.
    """

    field: str
    label: str
    before: object
    after: object


class FileOfStep(msgspec.Struct):
    """A file that a step brought, as far as it has come by now; its copies are under /api/evidence/{id}."""

    id: UUID
    state: State


class TimelineEntry(msgspec.Struct):
    """One thing that happened, with the sentence for screens.

    `role` and `unit_name` are what the person acted as. Steps older than that record name the home unit and no role.
    `facts` are what else was said, by field.
    """

    id: UUID
    at: datetime
    verb: str
    sentence: str
    by: UUID | None
    by_name: str
    role: str | None
    unit_name: str
    changes: list[Change]
    evidence: list[FileOfStep]
    facts: dict[str, object]


class Timeline(msgspec.Struct):
    """Oldest first; `next` is the cursor of the following page."""

    items: list[TimelineEntry]
    next: str | None


class DraftIn(msgspec.Struct, forbid_unknown_fields=True):
    """An item that does not come from a visit. `found_where`: the paper, list or check, as written there."""

    id: UUID
    source: Source
    topic: Annotated[str, Meta(pattern=r"^[0-9]{2}([0-9]{2})?$")]
    facts: Note
    region: RegionCode
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    asks: OptionalNote = ""
    found_where: OptionalNote = ""
    no_evidence_reason: OptionalNote = ""
    responsible_units: Annotated[list[UUID], Meta(max_length=20)] = []
    lead_units: Annotated[list[UUID], Meta(max_length=20)] = []
    cooperating_units: Annotated[list[UUID], Meta(max_length=20)] = []
    evidence: Annotated[list[FileIn], Meta(max_length=30)] = []


class IssueIn(msgspec.Struct, forbid_unknown_fields=True):
    """Units given here join those the inspector named, `without_units` leave; `due_on` replaces the class's date.

    `due_text` are the words of the paper; they are kept, and decide where `due_on` is left out. `due_event_on` is the
    day of the event they name, `due_time` a time of the day in Asia/Shanghai (fix_now only).
    `public`: shown in public before it is closed. `listed`: part of listed supervision (挂牌督战).
    """

    responsible_units: Annotated[list[UUID], Meta(max_length=20)] = []
    lead_units: Annotated[list[UUID], Meta(max_length=20)] = []
    cooperating_units: Annotated[list[UUID], Meta(max_length=20)] = []
    without_units: Annotated[list[UUID], Meta(max_length=20)] = []
    due_on: date | None = None
    due_text: Annotated[str, Meta(max_length=200)] = ""
    due_event_on: date | None = None
    due_time: ClockTime | None = None
    asks: OptionalNote = ""
    public: bool = False
    listed: bool = False


class AcknowledgementIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    responsible_person: Annotated[str, Meta(max_length=50)] = ""
    phone: Annotated[str, Meta(max_length=30, pattern=r"^[0-9+\- ]*$")] = ""
    unit: UUID | None = None


class ReportIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    note: OptionalNote = ""
    percent: Percent = 0
    lower_reason: OptionalNote = ""
    unit: UUID | None = None


class HandInIn(msgspec.Struct, forbid_unknown_fields=True):
    """`evidence` is the manifest of after-photos; the files follow by PUT /api/evidence/{id}.

    `confirmed_by` names the principal of the unit who confirmed; a principal who hands in confirms by doing so.
    """

    id: UUID
    note: OptionalNote = ""
    finished_on: date | None = None
    similar_sweep: OptionalNote = ""
    confirmed_by: Annotated[str, Meta(max_length=50)] = ""
    evidence: Annotated[list[FileIn], Meta(max_length=30)] = []
    unit: UUID | None = None


class OpinionIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    opinion: OptionalNote = ""


class FirstPassIn(OpinionIn, forbid_unknown_fields=True):
    """`unit` says whose hand-in, where several units are responsible."""

    unit: UUID | None = None


class ReturnIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    reason_code: ReturnReason | None = None
    note: OptionalNote = ""
    unit: UUID | None = None


class DeclineIn(msgspec.Struct, forbid_unknown_fields=True):
    note: OptionalNote = ""


class ConcernIn(msgspec.Struct, forbid_unknown_fields=True):
    """The household the item is about, and who in it; null: about none."""

    household: UUID | None
    person: UUID | None = None


class VoidingIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    note: OptionalNote = ""
    duplicate_of: UUID | None = None
