"""HTTP of the monthly check: a month as a matrix, its cells, check records, exemptions, rules."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from backend import clock, receipts
from backend.errors import BadRequest
from backend.evidence.shapes import FileIn, declarations
from backend.roles import Actor
from backend.shapes import Line, Note, OptionalNote, PositionIn, RegionCode, Word, check_claimed
from inspections.findings.rules import ClosingClass, Severity
from tasks.monthly import commands, exemptions, listing, queries, rulebook, ruling, shapes
from tasks.monthly.commands import Check, HandOver
from tasks.monthly.rules import Terms
from tasks.monthly.words import Answer, Roll

Id = FromPath[UUID]
Month = Annotated[str, PathParameter(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]
Count = Annotated[int, Meta(ge=0, le=10_000)]
Day = Annotated[int, Meta(ge=1, le=31)]


class HandOverIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A problem that becomes a rectification under this id. Left out, `region` and `responsible` are the cell's.

    `files`: those of the record's evidence that show it.
    """

    id: UUID
    topic: Annotated[str, Meta(pattern=r"^[0-9]{2}([0-9]{2})?$")]
    facts: Note
    asks: OptionalNote = ""
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    due_on: date | None = None
    region: RegionCode | None = None
    responsible: UUID | None = None
    files: Annotated[list[UUID], Meta(max_length=30)] = []

    def hand_over(self) -> HandOver:
        said = {name: getattr(self, name) for name in self.__struct_fields__ if name != "files"}
        return HandOver(**said, files=tuple(self.files))


class MonthlyRecordIn(msgspec.Struct, forbid_unknown_fields=True):
    """A check that was made. `finished_at` is the sender's claim of when it was over; the server notes when it came.

    `corrects`: the record this one stands in for, with the `reason`.
    """

    cell: UUID
    finished_at: Annotated[datetime, Meta(tz=True)]
    place: Line
    went: Annotated[list[Word], Meta(max_length=30)] = []
    found: OptionalNote = ""
    found_count: Count = 0
    solved_count: Count = 0
    guidance: OptionalNote = ""
    region: RegionCode | None = None
    position: PositionIn | None = None
    handed_over: Annotated[list[HandOverIn], Meta(max_length=30)] = []
    evidence: Annotated[list[FileIn], Meta(max_length=30)] = []
    corrects: UUID | None = None
    reason: OptionalNote = ""

    def __post_init__(self) -> None:
        check_claimed(self.finished_at, "finished_at")

    def check(self) -> Check:
        own = ("cell", "finished_at", "place", "found", "found_count", "solved_count", "guidance", "region", "corrects")
        return Check(
            **{name: getattr(self, name) for name in own},
            reason=self.reason,
            went=tuple(self.went),
            position=self.position and self.position.place(),
            handed_over=tuple(it.hand_over() for it in self.handed_over),
            manifest=tuple(declarations(self.evidence)),
        )


class ReasonIn(msgspec.Struct, forbid_unknown_fields=True):
    reason: OptionalNote = ""


class ExemptionIn(msgspec.Struct, forbid_unknown_fields=True):
    cell: UUID
    reason: OptionalNote = ""


class DecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    answer: Answer
    opinion: OptionalNote = ""


class MonthlyRuleIn(msgspec.Struct, forbid_unknown_fields=True):
    """`target`: the word for a group of units of `region`; `leads` in the order of the matrix.

    The whole `cutoff_day` counts unless `inclusive` is false; `roll` says what becomes of a last day off.
    """

    id: UUID
    title: Line
    leads: Annotated[list[UUID], Meta(max_length=50)]
    target: Word
    region: RegionCode
    valid_from: date
    valid_to: date | None = None
    clause: OptionalNote = ""
    window_start_day: Day = 1
    cutoff_day: Day = 15
    inclusive: bool = True
    roll: Roll = Roll.none
    replaces: UUID | None = None

    def proposal(self) -> ruling.Proposal:
        own = ("window_start_day", "cutoff_day", "inclusive", "roll", "valid_from", "valid_to")
        return ruling.Proposal(
            title=self.title, clause=self.clause, leads=tuple(dict.fromkeys(self.leads)), target=self.target,
            region=self.region, terms=Terms(**{name: getattr(self, name) for name in own}), replaces=self.replaces,
        )  # fmt: skip


class RuleEndIn(msgspec.Struct, forbid_unknown_fields=True):
    """`on`: its last day; a month that has begun by then goes on."""

    on: date
    reason: OptionalNote = ""


class MonthlyController(Controller):
    path = "/api/monthly"
    tags = ["monthly"]

    @get("/{month:str}", summary="每月检查: a month as a matrix of lead units and regions, with what each cell needs")
    async def month(
        self, month: Month, actor: NamedDependency[Actor], as_of: FromQuery[datetime | None] = None
    ) -> shapes.Month:
        return await listing.month(actor, month, _instant(as_of))

    @get("/waiting", summary="What waits for me: cells without a check, exemptions to decide on, rules to approve")
    async def waiting(self, actor: NamedDependency[Actor]) -> shapes.Waiting:
        return shapes.Waiting(await listing.waiting(actor), await rulebook.proposed(actor))

    @get("/{month:str}/cells/{cell_id:uuid}", summary="A cell with its check records and exemptions")
    async def cell(self, month: Month, cell_id: Id, actor: NamedDependency[Actor]) -> shapes.CellDetail:
        return await listing.cell(actor, month, cell_id)

    @put("/records/{record_id:uuid}", summary="填报检查记录, or with `corrects` its correction", status_code=201)
    async def file(
        self, record_id: Id, data: JSONBody[MonthlyRecordIn], actor: NamedDependency[Actor]
    ) -> shapes.CellDetail:
        await commands.file(actor, data.check(), id=record_id)
        answer = await _cell(data.cell, actor)
        stored_at = await queries.received_at(record_id)
        answer.receipt = receipts.of_record("monthly_record", record_id, stored_at, data.evidence)
        return answer

    @post("/records/{record_id:uuid}/withdrawal", summary="撤回检查记录; it is kept, with the reason")
    async def withdraw(
        self, record_id: Id, data: JSONBody[ReasonIn], actor: NamedDependency[Actor]
    ) -> shapes.CellDetail:
        await commands.withdraw(record_id, actor, reason=data.reason)
        return await _cell((await queries.record(record_id))["cell"], actor)

    @put("/exemptions/{exemption_id:uuid}", summary="申请豁免", status_code=201)
    async def ask(
        self, exemption_id: Id, data: JSONBody[ExemptionIn], actor: NamedDependency[Actor]
    ) -> shapes.CellDetail:
        await exemptions.ask(actor, id=exemption_id, cell=data.cell, reason=data.reason)
        answer = await _cell(data.cell, actor)
        asked = next(it for it in answer.exemptions if it.id == exemption_id)
        answer.receipt = receipts.of_record("monthly_exemption", exemption_id, asked.asked_at)
        return answer

    @post("/exemptions/{exemption_id:uuid}/decision", summary="准予 or 不予豁免, by another person")
    async def decide(
        self, exemption_id: Id, data: JSONBody[DecisionIn], actor: NamedDependency[Actor]
    ) -> shapes.CellDetail:
        await exemptions.decide(exemption_id, actor, answer=data.answer, opinion=data.opinion)
        return await _cell(await queries.cell_of_exemption(exemption_id), actor)

    @post("/exemptions/{exemption_id:uuid}/revocation", summary="撤销豁免, before the cutoff")
    async def revoke(
        self, exemption_id: Id, data: JSONBody[ReasonIn], actor: NamedDependency[Actor]
    ) -> shapes.CellDetail:
        await exemptions.revoke(exemption_id, actor, reason=data.reason)
        return await _cell(await queries.cell_of_exemption(exemption_id), actor)

    @get("/rules", summary="The rules in sight, the latest entered first")
    async def rules(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> shapes.Rules:
        return await rulebook.listed(actor, cursor, limit)

    @post("/rules", summary="Enter a rule; it counts when a second person of the office approves it")
    async def propose(self, data: JSONBody[MonthlyRuleIn], actor: NamedDependency[Actor]) -> shapes.Rule:
        await ruling.propose(actor, data.proposal(), id=data.id)
        answer = await rulebook.rule(data.id, actor)
        answer.receipt = receipts.of_record("monthly_rule", data.id, answer.at)
        return answer

    @get("/rules/{rule_id:uuid}", summary="A rule")
    async def rule(self, rule_id: Id, actor: NamedDependency[Actor]) -> shapes.Rule:
        return await rulebook.rule(rule_id, actor)

    @get("/rules/{rule_id:uuid}/preview", summary="The next month of a rule beforehand: its days and its cells")
    async def preview(self, rule_id: Id, actor: NamedDependency[Actor]) -> shapes.Preview:
        return await rulebook.preview(rule_id, actor)

    @post("/rules/{rule_id:uuid}/decision", summary="批准 or 不予批准, by a second person of the office")
    async def approve(self, rule_id: Id, data: JSONBody[DecisionIn], actor: NamedDependency[Actor]) -> shapes.Rule:
        await ruling.decide(rule_id, actor, answer=data.answer, opinion=data.opinion)
        return await rulebook.rule(rule_id, actor)

    @post("/rules/{rule_id:uuid}/ending", summary="终止规则: its last day; months that have begun go on")
    async def end(self, rule_id: Id, data: JSONBody[RuleEndIn], actor: NamedDependency[Actor]) -> shapes.Rule:
        await ruling.end(rule_id, actor, on=data.on, reason=data.reason)
        return await rulebook.rule(rule_id, actor)


async def _cell(id: UUID, actor: Actor) -> shapes.CellDetail:
    found = await queries.seen_cell(id, actor)
    return await listing.cell(actor, found["month"], id)


def _instant(as_of: datetime | None) -> datetime:
    """Now, or the instant that was asked for. Raises BadRequest for one that is still to come, or has no zone."""
    now = clock.now()
    if as_of is None:
        return now
    if as_of.tzinfo is None or not datetime(2000, 1, 1, tzinfo=now.tzinfo) <= as_of <= now:
        raise BadRequest("时间要带时区，且不能晚于现在。", "bad_time", field="as_of")
    return as_of
