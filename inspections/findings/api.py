"""HTTP of findings and topics."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from backend import receipts
from backend.evidence.shapes import FileIn, declarations
from backend.households.queries import Shown
from backend.roles import Actor
from backend.shapes import Note, OptionalNote, PositionIn, RegionCode, check_claimed
from backend.trust_reports.api import Language, english
from backend.trust_reports.loading import Settings
from inspections.findings import commands, queries
from inspections.findings.commands import Filing
from inspections.findings.queries import FindingDetail, FindingShape, TopicShape
from inspections.findings.rules import ClosingClass, NonImplementation, Severity


class FindingIn(msgspec.Struct, forbid_unknown_fields=True):
    """A finding as the phone files it. `evidence` is the manifest; the files follow by PUT /api/evidence/{id}.

    `responsible_units` may stay empty: then the office names them before the item is issued.
    `household` is one of the ledger, `person` somebody who lives there; the item issued from the finding concerns them.
    """

    topic: Annotated[str, Meta(pattern=r"^[0-9]{2}([0-9]{2})?$")]
    facts: Note
    found_at: Annotated[datetime, Meta(tz=True)]
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    non_implementation: NonImplementation | None = None
    asks: OptionalNote = ""
    region: RegionCode | None = None
    place_note: Annotated[str, Meta(max_length=200)] = ""
    position: PositionIn | None = None
    danger_to_life: bool = False
    no_evidence_reason: OptionalNote = ""
    responsible_units: Annotated[list[UUID], Meta(max_length=20)] = []
    lead_units: Annotated[list[UUID], Meta(max_length=20)] = []
    household: UUID | None = None
    person: UUID | None = None
    evidence: Annotated[list[FileIn], Meta(max_length=30)] = []

    def __post_init__(self) -> None:
        check_claimed(self.found_at, "found_at")

    def filing(self) -> Filing:
        return Filing(
            topic=self.topic,
            severity=self.severity,
            closing_class=self.closing_class,
            non_implementation=self.non_implementation,
            facts=self.facts,
            asks=self.asks,
            region=self.region,
            place_note=self.place_note,
            place=self.position and self.position.place(),
            danger_to_life=self.danger_to_life,
            no_evidence_reason=self.no_evidence_reason,
            found_at=self.found_at,
            responsible_units=frozenset(self.responsible_units),
            lead_units=frozenset(self.lead_units),
            household=self.household,
            person=self.person,
        )


class FindingList(msgspec.Struct):
    items: list[FindingShape]
    next: None = None


class TopicList(msgspec.Struct):
    items: list[TopicShape]
    next: None = None


class FindingController(Controller):
    path = "/api/visits/{visit_id:uuid}/findings"
    tags = ["findings"]

    @put("/{finding_id:uuid}", summary="File a finding (登记问题)", status_code=201)
    async def file(
        self,
        visit_id: FromPath[UUID],
        finding_id: FromPath[UUID],
        data: JSONBody[FindingIn],
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
    ) -> FindingShape:
        manifest = declarations(data.evidence)
        await commands.file(visit_id, actor, data.filing(), id=finding_id, manifest=manifest, shown=shown)
        filed = (await queries.read([finding_id], actor, shown))[0]  # who may file on a visit sees what is on it
        filed.receipt = receipts.of_record("finding", finding_id, filed.received_at, filed.evidence)
        return filed

    @get("/", summary="What was found on a visit")
    async def list(
        self, visit_id: FromPath[UUID], actor: NamedDependency[Actor], shown: NamedDependency[Shown]
    ) -> FindingList:
        return FindingList(await queries.of_visit(visit_id, actor, shown))

    @get("/{finding_id:uuid}", summary="One finding, with how many of its files have arrived and what speaks of them")
    async def show(
        self,
        visit_id: FromPath[UUID],
        finding_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        settings: NamedDependency[Sequence[Settings]],
        language: Language = "zh-CN",
    ) -> FindingDetail:
        return await queries.show(finding_id, visit_id, actor, shown, settings, english=english(language))


class TopicController(Controller):
    path = "/api/topics"
    tags = ["findings"]

    @get("/", summary="Topics to sort findings under")
    async def list(self, actor: NamedDependency[Actor]) -> TopicList:
        return TopicList(await queries.topics())
