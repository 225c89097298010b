"""What a trust report looks like from outside."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.evidence.queries import EvidenceShape
from backend.shapes import NOT_BLANK
from backend.trust_reports.facts import Likeness, RecordKind
from backend.trust_reports.rules import Check, Level, Unit


class ExplanationIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why a check that does not fit is as it is. `id` is made by the client: the same request again is once."""

    id: UUID
    check: Check
    because: Annotated[str, Meta(max_length=1000, pattern=NOT_BLANK)]


class ExplanationShape(msgspec.Struct):
    id: UUID
    because: str
    by_name: str
    at: datetime


class CheckShape(msgspec.Struct):
    """One check: its level, a sentence with the measured value, the raw value in its unit, what people explained."""

    check: Check
    name: str
    level: Level
    sentence: str
    value: float | None
    unit: Unit | None
    explanations: list[ExplanationShape]


class UseShape(msgspec.Struct):
    """The same photo elsewhere, in the reader's sight. `link` is the record it came with, `at` when it was declared."""

    evidence: UUID
    likeness: Likeness
    earlier: bool
    at: datetime
    by_name: str
    kind: RecordKind
    place: str
    link: str


class ReportShape(msgspec.Struct):
    """Informs a person, never convicts. `level` is the worst of the checks; what is explained stays at its level.

    `elsewhere`: the same photo came before with something that the reader may not see; nothing more is told.
    """

    level: Level
    sentence: str
    checks: list[CheckShape]
    uses: list[UseShape]
    elsewhere: str | None
    may_explain: bool


class EvidenceDetail(EvidenceShape, kw_only=True):
    """One file with its trust report, for who judges the work of others; the sender's own side gets `hints` instead."""

    report: ReportShape | None
    hints: list[str]


class CheckCount(msgspec.Struct):
    """How many of the files stand at each level of a check, and the worst of them."""

    check: Check
    name: str
    level: Level
    fits: int
    unclear: int
    contradicts: int


class SummaryShape(msgspec.Struct):
    """The reports of the files of one record, counted. Each file's own is under /api/evidence/{id}."""

    level: Level
    sentence: str
    files: int
    checks: list[CheckCount]
