"""HTTP of the procedures beside the main path: what is asked, what is answered, one sub-resource each."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from backend.errors import Incomplete
from backend.evidence.shapes import FileIn, declarations
from backend.roles import Actor
from backend.shapes import NO_NUL, OptionalNote, PositionIn
from tasks.rectifications import (
    answering,
    confirming,
    extensions,
    hanging,
    looking_back,
    measures,
    objections,
    publicity,
    site_checks,
)
from tasks.rectifications.if_match import expect
from tasks.rectifications.shapes import Detail
from tasks.rectifications.words import CheckResult, Ground, HangReason, LookBackResult

Id = FromPath[UUID]
Files = Annotated[list[FileIn], Meta(max_length=30)]
NameAsked = Annotated[str, QueryParameter(max_length=50, pattern=NO_NUL)]
SomeUnits = Annotated[list[UUID], Meta(max_length=20)]


class MeasureIn(msgspec.Struct, forbid_unknown_fields=True):
    """`due_on`: the day the unit sets itself, if it sets one; the item's own date does not move with it."""

    id: UUID
    text: OptionalNote = ""
    due_on: date | None = None
    responsible_person: Annotated[str, Meta(max_length=50)] = ""
    unit: UUID | None = None


class MeasureEndIn(msgspec.Struct, forbid_unknown_fields=True):
    note: OptionalNote = ""


class ConfirmationIn(msgspec.Struct, forbid_unknown_fields=True):
    """`upheld` confirms; otherwise the hand-in is withdrawn, with the reason in `note`."""

    upheld: bool
    note: OptionalNote = ""


class ObjectionIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    ground: Ground | None = None
    note: OptionalNote = ""
    duplicate_of: UUID | None = None
    unit: UUID | None = None
    evidence: Files = []


class RulingIn(msgspec.Struct, forbid_unknown_fields=True):
    """`upheld` with `to_unit` redirects (职责异议); without, the item is void. `due_on` only when redirecting."""

    upheld: bool
    note: OptionalNote = ""
    to_unit: UUID | None = None
    due_on: date | None = None


class ExtensionIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    due_on: date | None = None
    note: OptionalNote = ""
    done_so_far: OptionalNote = ""
    unit: UUID | None = None


class ExtensionDecisionIn(msgspec.Struct, forbid_unknown_fields=True):
    """`due_on`: another date than the one that was asked for."""

    upheld: bool
    opinion: OptionalNote = ""
    due_on: date | None = None


class SiteCheckIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    checkers: Annotated[list[UUID], Meta(max_length=10)] = []
    note: OptionalNote = ""


class ConclusionIn(msgspec.Struct, forbid_unknown_fields=True):
    """`present`: which of the checkers were there. `units`: those it goes back to when it failed; none means all."""

    result: CheckResult
    note: OptionalNote = ""
    present: Annotated[list[UUID], Meta(max_length=10)] = []
    position: PositionIn | None = None
    outside_reason: OptionalNote = ""
    false_rectification: bool = False
    units: SomeUnits = []
    evidence: Files = []


class PublicityIn(msgspec.Struct, forbid_unknown_fields=True):
    """`text` must not hold personal data; `days` are calendar days, the first one counted."""

    id: UUID
    text: OptionalNote = ""
    starts_on: date | None = None
    days: Annotated[int, Meta(ge=1, le=60)] = publicity.DAYS


class PublicObjectionIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    note: OptionalNote = ""


class PublicRulingIn(msgspec.Struct, forbid_unknown_fields=True):
    upheld: bool
    note: OptionalNote = ""
    units: SomeUnits = []


class HangingIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    reason_code: HangReason | None = None
    note: OptionalNote = ""
    paper: Annotated[str, Meta(max_length=200)] = ""
    review_on: date | None = None


class ResumptionIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    note: OptionalNote = ""
    due_on: date | None = None


class LookBackIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    result: LookBackResult | None = None
    note: OptionalNote = ""
    evidence: Files = []


class ReopeningIn(msgspec.Struct, forbid_unknown_fields=True):
    """`units`: those it goes back to; none means all."""

    id: UUID
    note: OptionalNote = ""
    due_on: date | None = None
    units: SomeUnits = []
    evidence: Files = []


async def decide_extension(item: UUID, actor: Actor, data: ExtensionDecisionIn, extension: UUID) -> None:
    """What the form says, done: for one item, or for each of many (tasks/batches)."""
    if data.upheld:
        await extensions.grant(item, extension, actor, opinion=data.opinion, due_on=data.due_on)
    elif data.due_on:
        raise Incomplete("不予延期时不改期限。", "not_upheld", field="due_on")
    else:
        await extensions.decline(item, extension, actor, opinion=data.opinion)


async def finish_measure(item: UUID, actor: Actor, data: MeasureEndIn, measure: UUID) -> None:
    await measures.finish(item, measure, actor, note=data.note)


async def drop_measure(item: UUID, actor: Actor, data: MeasureEndIn, measure: UUID) -> None:
    await measures.drop(item, measure, actor, note=data.note)


class ProcedureController(Controller):
    path = "/api/rectifications/{item_id:uuid}"
    tags = ["rectifications"]
    before_request = expect

    @post("/hand-ins/{hand_in_id:uuid}/confirmation", summary="负责人确认, or 负责人撤回: the principal's own word")
    async def confirm_hand_in(
        self, item_id: Id, hand_in_id: Id, data: JSONBody[ConfirmationIn], actor: NamedDependency[Actor]
    ) -> Detail:
        if data.upheld:
            await confirming.confirm(item_id, hand_in_id, actor, note=data.note)
        else:
            await confirming.withdraw(item_id, hand_in_id, actor, note=data.note)
        return await answering.stored(item_id, actor, "confirmation", hand_in_id)

    @post("/measures", summary="拟定整改措施: what the unit will do")
    async def plan_measure(self, item_id: Id, data: JSONBody[MeasureIn], actor: NamedDependency[Actor]) -> Detail:
        await measures.plan(
            item_id,
            actor,
            id=data.id,
            text=data.text,
            due_on=data.due_on,
            responsible_person=data.responsible_person,
            unit=data.unit,
        )
        return await answering.stored(item_id, actor, "measure", data.id)

    @post("/measures/{measure_id:uuid}/completion", summary="完成措施, with what was done")
    async def finish_measure(
        self, item_id: Id, measure_id: Id, data: JSONBody[MeasureEndIn], actor: NamedDependency[Actor]
    ) -> Detail:
        await finish_measure(item_id, actor, data, measure_id)
        return await answering.stored(item_id, actor, "measure_end", measure_id)

    @post("/measures/{measure_id:uuid}/dropping", summary="取消措施, with the reason")
    async def drop_measure(
        self, item_id: Id, measure_id: Id, data: JSONBody[MeasureEndIn], actor: NamedDependency[Actor]
    ) -> Detail:
        await drop_measure(item_id, actor, data, measure_id)
        return await answering.stored(item_id, actor, "measure_end", measure_id)

    @post("/objections", summary="提出异议: the unit's principal contests the item")
    async def object_to(self, item_id: Id, data: JSONBody[ObjectionIn], actor: NamedDependency[Actor]) -> Detail:
        await objections.object_to(
            item_id,
            actor,
            id=data.id,
            ground=data.ground,
            note=data.note,
            duplicate_of=data.duplicate_of,
            unit=data.unit,
            manifest=declarations(data.evidence),
        )
        return await answering.stored(item_id, actor, "objection", data.id, data.evidence)

    @post("/objections/{objection_id:uuid}/decision", summary="异议裁定: declined, redirected or upheld")
    async def rule(
        self, item_id: Id, objection_id: Id, data: JSONBody[RulingIn], actor: NamedDependency[Actor]
    ) -> Detail:
        if not data.upheld and (data.to_unit or data.due_on):
            raise Incomplete("异议不成立时不改派，也不改期限。", "not_upheld", field="to_unit")
        if not data.upheld:
            await objections.decline(item_id, objection_id, actor, note=data.note)
        elif data.to_unit:
            await objections.redirect(
                item_id, objection_id, actor, to_unit=data.to_unit, note=data.note, due_on=data.due_on
            )
        else:
            await objections.uphold(item_id, objection_id, actor, note=data.note)
        return await answering.stored(item_id, actor, "objection_ruling", objection_id)

    @post("/extensions", summary="申请延期, before the due day")
    async def ask_extension(self, item_id: Id, data: JSONBody[ExtensionIn], actor: NamedDependency[Actor]) -> Detail:
        await extensions.ask(
            item_id,
            actor,
            id=data.id,
            note=data.note,
            done_so_far=data.done_so_far,
            due_on=data.due_on,
            unit=data.unit,
        )
        return await answering.stored(item_id, actor, "extension", data.id)

    @post("/extensions/{extension_id:uuid}/decision", summary="延期审批: the second one by the office leader")
    async def decide_extension(
        self, item_id: Id, extension_id: Id, data: JSONBody[ExtensionDecisionIn], actor: NamedDependency[Actor]
    ) -> Detail:
        await decide_extension(item_id, actor, data, extension_id)
        return await answering.stored(item_id, actor, "extension_decision", extension_id)

    @get("/checkers", summary="Who may be sent to check it, of the office's area; `q`: a part of a name")
    async def checkers(self, item_id: Id, actor: NamedDependency[Actor], q: NameAsked = "") -> site_checks.Candidates:
        return await site_checks.fit(item_id, actor, named=q)

    @post("/site-checks", summary="指派现场核查: at least two checkers")
    async def assign_check(self, item_id: Id, data: JSONBody[SiteCheckIn], actor: NamedDependency[Actor]) -> Detail:
        await site_checks.assign(item_id, actor, id=data.id, checkers=frozenset(data.checkers), note=data.note)
        return await answering.stored(item_id, actor, "site_check", data.id)

    @post("/site-checks/{check_id:uuid}/conclusion", summary="现场核查结论, by a checker")
    async def conclude_check(
        self, item_id: Id, check_id: Id, data: JSONBody[ConclusionIn], actor: NamedDependency[Actor]
    ) -> Detail:
        said = site_checks.Conclusion(
            result=data.result,
            note=data.note,
            present=frozenset(data.present),
            place=data.position and data.position.place(),
            outside_reason=data.outside_reason,
            false_rectification=data.false_rectification,
            units=frozenset(data.units),
        )
        await site_checks.conclude(item_id, check_id, actor, said, manifest=declarations(data.evidence))
        return await answering.stored(item_id, actor, "site_check_conclusion", check_id, data.evidence)

    @post("/publicity", summary="公示: without personal data")
    async def publish(self, item_id: Id, data: JSONBody[PublicityIn], actor: NamedDependency[Actor]) -> Detail:
        await publicity.publish(item_id, actor, id=data.id, text=data.text, starts_on=data.starts_on, days=data.days)
        return await answering.stored(item_id, actor, "publicity", data.id)

    @post("/publicity/{publicity_id:uuid}/objections", summary="登记公示异议")
    async def take_public_objection(
        self, item_id: Id, publicity_id: Id, data: JSONBody[PublicObjectionIn], actor: NamedDependency[Actor]
    ) -> Detail:
        await publicity.take_objection(item_id, publicity_id, actor, id=data.id, note=data.note)
        return await answering.stored(item_id, actor, "public_objection", data.id)

    @post("/public-objections/{objection_id:uuid}/decision", summary="公示异议处理")
    async def rule_public_objection(
        self, item_id: Id, objection_id: Id, data: JSONBody[PublicRulingIn], actor: NamedDependency[Actor]
    ) -> Detail:
        if data.upheld:
            units = frozenset(data.units)
            await publicity.uphold_objection(item_id, objection_id, actor, note=data.note, units=units)
        else:
            await publicity.decline_objection(item_id, objection_id, actor, note=data.note)
        return await answering.stored(item_id, actor, "public_objection_ruling", objection_id)

    @post("/hanging", summary="挂账: cannot be done for now, looked at again on a day")
    async def hang(self, item_id: Id, data: JSONBody[HangingIn], actor: NamedDependency[Actor]) -> Detail:
        await hanging.hang(
            item_id,
            actor,
            id=data.id,
            reason_code=data.reason_code,
            note=data.note,
            paper=data.paper,
            review_on=data.review_on,
        )
        return await answering.stored(item_id, actor, "hanging", data.id)

    @post("/resumption", summary="解除挂账, towards a new date")
    async def resume(self, item_id: Id, data: JSONBody[ResumptionIn], actor: NamedDependency[Actor]) -> Detail:
        await hanging.resume(item_id, actor, id=data.id, note=data.note, due_on=data.due_on)
        return await answering.stored(item_id, actor, "resumption", data.id)

    @post("/look-backs", summary="回头看: whether a closed item still holds")
    async def look_back(self, item_id: Id, data: JSONBody[LookBackIn], actor: NamedDependency[Actor]) -> Detail:
        await looking_back.look_back(
            item_id, actor, id=data.id, result=data.result, note=data.note, manifest=declarations(data.evidence)
        )
        return await answering.stored(item_id, actor, "look_back", data.id, data.evidence)

    @post("/reopening", summary="重开: the same item under the same number, with a new date")
    async def reopen(self, item_id: Id, data: JSONBody[ReopeningIn], actor: NamedDependency[Actor]) -> Detail:
        await looking_back.reopen(
            item_id,
            actor,
            id=data.id,
            note=data.note,
            due_on=data.due_on,
            units=frozenset(data.units),
            manifest=declarations(data.evidence),
        )
        return await answering.stored(item_id, actor, "reopening", data.id, data.evidence)
