"""HTTP of rectifications: list, one item, its timeline, and one sub-resource per verb of the main path."""

from collections.abc import Sequence
from datetime import date, time
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from backend.evidence.shapes import declarations
from backend.roles import Actor
from backend.trust_reports.api import Language, english
from backend.trust_reports.loading import Settings
from tasks.rectifications import (
    answering,
    commands,
    concerning,
    counts,
    drafting,
    effects,
    evidence_settings,
    listing,
    queries,
    timeline,
    voiding,
)
from tasks.rectifications.counts import Counts
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.drafting import Draft
from tasks.rectifications.effects import Effects
from tasks.rectifications.evidence_settings import RecordFiles
from tasks.rectifications.filters import Filter, Sort
from tasks.rectifications.if_match import expect
from tasks.rectifications.item import Units
from tasks.rectifications.query_string import filter_asked
from tasks.rectifications.shapes import (
    AcknowledgementIn,
    ConcernIn,
    DeclineIn,
    Detail,
    DraftIn,
    FirstPassIn,
    HandInIn,
    IssueIn,
    OpinionIn,
    Page,
    ReportIn,
    ReturnIn,
    Timeline,
    VoidingIn,
)
from tasks.rectifications.words import UnitRole

Id = FromPath[UUID]


def units_of(data: IssueIn | DraftIn) -> Units:
    return {
        UnitRole.responsible: frozenset(data.responsible_units),
        UnitRole.lead: frozenset(data.lead_units),
        UnitRole.cooperating: frozenset(data.cooperating_units),
    }


def due(said: IssueIn) -> Wanted:
    """What the form says about the date."""
    at = time.fromisoformat(said.due_time) if said.due_time else None
    return Wanted(on=said.due_on, text=said.due_text, event_on=said.due_event_on, time_of_day=at)


async def issue(item: UUID, actor: Actor, data: IssueIn) -> None:
    """What the form says, done: for one item, or for each of many (tasks/batches)."""
    await commands.issue(
        item,
        actor,
        units=units_of(data),
        without=frozenset(data.without_units),
        due=due(data),
        asks=data.asks,
        public=data.public,
        listed=data.listed,
    )


class FileList(msgspec.Struct):
    items: list[RecordFiles]
    next: None = None


class RectificationController(Controller):
    path = "/api/rectifications"
    tags = ["rectifications"]
    before_request = expect
    dependencies = {"wanted": Provide(filter_asked)}

    @get("/", summary="Rectifications in sight, in the order of `sort`: by default the most urgent first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        wanted: NamedDependency[Filter],
        sort: FromQuery[Sort] = Sort.urgency,
        cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> Page:
        return await listing.page(actor, wanted, sort=sort, cursor=cursor, most=limit)

    @get("/counts", summary="How many items in sight stand on each tab, of those the same filters leave")
    async def count(self, actor: NamedDependency[Actor], wanted: NamedDependency[Filter]) -> Counts:
        return await counts.of(actor, wanted)

    @post("/", summary="登记整改事项: from a paper, a ledger, a check or by hand; issued later")
    async def draft(self, data: JSONBody[DraftIn], actor: NamedDependency[Actor]) -> Detail:
        said = Draft(
            source=data.source,
            topic=data.topic,
            facts=data.facts,
            region=data.region,
            units=units_of(data),
            severity=data.severity,
            closing_class=data.closing_class,
            asks=data.asks,
            found_where=data.found_where,
            no_evidence_reason=data.no_evidence_reason,
        )
        await drafting.draft(actor, said, id=data.id, manifest=declarations(data.evidence))
        return await answering.stored(data.id, actor, "draft", data.id, data.evidence)

    @get("/{item_id:uuid}", summary="One rectification whole, with what you may do now")
    async def show(self, item_id: Id, actor: NamedDependency[Actor]) -> Detail:
        return await queries.detail(item_id, actor)

    @get("/{item_id:uuid}/timeline", summary="What happened, oldest first")
    async def tell(
        self,
        item_id: Id,
        actor: NamedDependency[Actor],
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 100,
    ) -> Timeline:
        return await timeline.page(item_id, actor, cursor, limit)

    @get("/{item_id:uuid}/evidence", summary="Its files by what they came with, and what their trust reports say")
    async def files(
        self,
        item_id: Id,
        actor: NamedDependency[Actor],
        settings: NamedDependency[Sequence[Settings]],
        language: Language = "zh-CN",
    ) -> FileList:
        return FileList(await evidence_settings.records(item_id, actor, settings, english=english(language)))

    @post("/{item_id:uuid}/issue", summary="交办: name units and date, and hand it over")
    async def issue(self, item_id: Id, data: JSONBody[IssueIn], actor: NamedDependency[Actor]) -> Detail:
        await issue(item_id, actor, data)
        return await queries.detail(item_id, actor)

    @post("/{item_id:uuid}/dropping", summary="撤销草稿: a draft that should not be issued")
    async def drop(self, item_id: Id, data: JSONBody[DeclineIn], actor: NamedDependency[Actor]) -> Detail:
        await commands.drop(item_id, actor, note=data.note)
        return await queries.detail(item_id, actor)

    @post("/{item_id:uuid}/acknowledgement", summary="签收")
    async def acknowledge(
        self, item_id: Id, data: JSONBody[AcknowledgementIn], actor: NamedDependency[Actor]
    ) -> Detail:
        await commands.acknowledge(
            item_id, actor, id=data.id, responsible_person=data.responsible_person, phone=data.phone, unit=data.unit
        )
        return await answering.stored(item_id, actor, "acknowledgement", data.id)

    @post("/{item_id:uuid}/reports", summary="报进展")
    async def report(self, item_id: Id, data: JSONBody[ReportIn], actor: NamedDependency[Actor]) -> Detail:
        await commands.report(
            item_id,
            actor,
            id=data.id,
            note=data.note,
            percent=data.percent,
            lower_reason=data.lower_reason,
            unit=data.unit,
        )
        return await answering.stored(item_id, actor, "report", data.id)

    @post("/{item_id:uuid}/hand-ins", summary="申请销号")
    async def hand_in(self, item_id: Id, data: JSONBody[HandInIn], actor: NamedDependency[Actor]) -> Detail:
        await commands.hand_in(
            item_id,
            actor,
            id=data.id,
            note=data.note,
            finished_on=data.finished_on,
            similar_sweep=data.similar_sweep,
            confirmed_by=data.confirmed_by,
            manifest=declarations(data.evidence),
            unit=data.unit,
        )
        return await answering.stored(item_id, actor, "hand_in", data.id, data.evidence)

    @post("/{item_id:uuid}/first-pass", summary="初审通过")
    async def pass_first(self, item_id: Id, data: JSONBody[FirstPassIn], actor: NamedDependency[Actor]) -> Detail:
        await commands.pass_first(item_id, actor, id=data.id, opinion=data.opinion, unit=data.unit)
        return await answering.stored(item_id, actor, "review", data.id)

    @post("/{item_id:uuid}/returns", summary="退回")
    async def send_back(self, item_id: Id, data: JSONBody[ReturnIn], actor: NamedDependency[Actor]) -> Detail:
        await commands.send_back(
            item_id, actor, id=data.id, reason_code=data.reason_code, note=data.note, unit=data.unit
        )
        return await answering.stored(item_id, actor, "review", data.id)

    @post("/{item_id:uuid}/closure", summary="复核销号: the second key")
    async def close_out(self, item_id: Id, data: JSONBody[OpinionIn], actor: NamedDependency[Actor]) -> Detail:
        await commands.close_out(item_id, actor, id=data.id, opinion=data.opinion)
        return await answering.stored(item_id, actor, "review", data.id)

    @put("/{item_id:uuid}/household", summary="Say which household it is about, and who in it")
    async def concern(self, item_id: Id, data: JSONBody[ConcernIn], actor: NamedDependency[Actor]) -> Detail:
        await concerning.concern(item_id, actor, data.household, data.person)
        return await queries.detail(item_id, actor)

    @post("/{item_id:uuid}/voiding", summary="申请作废: an office leader asks")
    async def ask_void(self, item_id: Id, data: JSONBody[VoidingIn], actor: NamedDependency[Actor]) -> Detail:
        await voiding.ask_void(item_id, actor, id=data.id, note=data.note, duplicate_of=data.duplicate_of)
        return await answering.stored(item_id, actor, "voiding", data.id)

    @post("/{item_id:uuid}/voiding/confirmation", summary="作废: a second person confirms")
    async def void(self, item_id: Id, actor: NamedDependency[Actor]) -> Detail:
        await voiding.void(item_id, actor)
        return await queries.detail(item_id, actor)

    @post("/{item_id:uuid}/voiding/refusal", summary="不予作废: the item goes on")
    async def decline_void(self, item_id: Id, data: JSONBody[DeclineIn], actor: NamedDependency[Actor]) -> Detail:
        await voiding.decline_void(item_id, actor, note=data.note)
        return await queries.detail(item_id, actor)


class EffectController(Controller):
    path = "/api/calendar/effects"
    tags = ["calendar"]

    @get("/", summary="How many open dates of each kind would move, were this day settled like this")
    async def show(self, actor: NamedDependency[Actor], day: FromQuery[date], working: FromQuery[bool]) -> Effects:
        return await effects.of_day(actor, day, working=working)
