"""HTTP of checklists: the office writes them and gives them to visits; the team answers."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from backend import receipts
from backend.body import StrictRequest
from backend.roles import Actor
from backend.shapes import Line, Note, OptionalNote, RegionCode, Word, check_claimed
from inspections.checklists import commands, queries
from inspections.checklists.commands import Reply
from inspections.checklists.queries import AskedShape, GivenShape, VersionPage, VersionShape, VisitChecklistShape
from inspections.checklists.rules import Conformity, Content, Question, Status

TopicCode = Annotated[str, Meta(pattern=r"^[0-9]{2}([0-9]{2})?$")]
Short = Annotated[str, Meta(max_length=500)]


class QuestionIn(msgspec.Struct, forbid_unknown_fields=True):
    """`topic`: of the finding that a failure leads to; the checklist's own where none is named."""

    code: Word
    text: Annotated[str, Meta(max_length=500, pattern=r"\S")]
    hint: Short = ""
    topic: TopicCode | None = None
    photo_when_fails: bool = True
    may_not_apply: bool = True


class VersionIn(msgspec.Struct, forbid_unknown_fields=True):
    """A whole version. `paper`, `clause`: what obliges one to look. `required`: no submission before it is answered."""

    region: RegionCode
    code: Word
    title: Line
    topic: TopicCode
    paper: Line
    clause: Line
    valid_from: date
    questions: Annotated[list[QuestionIn], Meta(min_length=1, max_length=100)]
    valid_to: date | None = None
    required: bool = False

    def content(self) -> Content:
        questions = tuple(
            Question(one.code, one.text, one.hint, one.topic or self.topic, one.photo_when_fails, one.may_not_apply)
            for one in self.questions
        )
        days = self.valid_from, self.valid_to
        return Content(self.title, self.topic, self.paper, self.clause, *days, self.required, questions)


class WithdrawalIn(msgspec.Struct, forbid_unknown_fields=True):
    reason: Note


class ChoiceIn(msgspec.Struct, forbid_unknown_fields=True):
    """The checklists of a visit: those named, and all in force of these topics (大类 or 小类)."""

    checklists: Annotated[list[UUID], Meta(max_length=20)]
    topics: Annotated[list[TopicCode], Meta(max_length=40)] = []


class ChecklistAnswerIn(msgspec.Struct, forbid_unknown_fields=True):
    """One tap. `finding`: what a failure led to, filed before or after; `note`: why there is none, or anything else.

    `seen`: the last answer to this question that the phone knew of; a correction counts whatever its clock says.
    """

    question: Word
    answer: Conformity
    phone_at: Annotated[datetime, Meta(tz=True)]
    note: OptionalNote = ""
    finding: UUID | None = None
    seen: UUID | None = None

    def __post_init__(self) -> None:
        check_claimed(self.phone_at, "phone_at")

    def reply(self) -> Reply:
        return Reply(self.question, self.answer, self.note, self.finding, self.seen, self.phone_at)


class VisitChecklistList(msgspec.Struct):
    items: list[VisitChecklistShape]
    next: None = None


class ChecklistAnswerList(msgspec.Struct):
    items: list[GivenShape]
    next: None = None


class ChecklistController(Controller):
    path = "/api/checklists"
    tags = ["checklists"]

    @get("/", summary="Versions of checklists in sight of the office, newest first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        status: FromQuery[Status | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> VersionPage:
        return await queries.listed(actor, status=status, cursor=cursor, most=limit)

    @get("/versions/{version_id:uuid}", summary="One version with its questions")
    async def show(self, version_id: FromPath[UUID], actor: NamedDependency[Actor]) -> VersionShape:
        return await queries.show(version_id, actor)

    @put("/versions/{version_id:uuid}", summary="Write a draft of a checklist (编制检查表)", status_code=201)
    async def draft(
        self, version_id: FromPath[UUID], data: JSONBody[VersionIn], actor: NamedDependency[Actor]
    ) -> VersionShape:
        await commands.draft(version_id, actor, data.content(), region=data.region, code=data.code)
        return await queries.show(version_id, actor)

    @post("/versions/{version_id:uuid}/adoption", summary="启用: visits get this version from now on")
    async def adopt(
        self, version_id: FromPath[UUID], request: StrictRequest, actor: NamedDependency[Actor]
    ) -> VersionShape:
        await request.attested()
        await commands.adopt(version_id, actor)
        return await queries.show(version_id, actor)

    @post("/versions/{version_id:uuid}/withdrawal", summary="停用; visits that have it go on with it")
    async def withdraw(
        self, version_id: FromPath[UUID], data: JSONBody[WithdrawalIn], actor: NamedDependency[Actor]
    ) -> VersionShape:
        await commands.withdraw(version_id, actor, reason=data.reason)
        return await queries.show(version_id, actor)


class VisitChecklistController(Controller):
    path = "/api/visits/{visit_id:uuid}/checklists"
    tags = ["checklists"]

    @get("/", summary="The checklists of a visit, with the answers that stand")
    async def list(self, visit_id: FromPath[UUID], actor: NamedDependency[Actor]) -> VisitChecklistList:
        return VisitChecklistList(await queries.of_visit(visit_id, actor))

    @put("/", summary="Say which checklists a visit answers")
    async def choose(
        self, visit_id: FromPath[UUID], data: JSONBody[ChoiceIn], actor: NamedDependency[Actor]
    ) -> VisitChecklistList:
        await commands.choose(visit_id, actor, named=frozenset(data.checklists), topics=frozenset(data.topics))
        return VisitChecklistList(await queries.of_visit(visit_id, actor))

    @get("/{version_id:uuid}/answers", summary="Every answer that was given, in the order they came in")
    async def history(
        self, visit_id: FromPath[UUID], version_id: FromPath[UUID], actor: NamedDependency[Actor]
    ) -> ChecklistAnswerList:
        return ChecklistAnswerList(await queries.history(visit_id, version_id, actor))

    @put("/{version_id:uuid}/answers/{answer_id:uuid}", summary="Answer a question (检查表作答)", status_code=201)
    async def answer(
        self,
        visit_id: FromPath[UUID],
        version_id: FromPath[UUID],
        answer_id: FromPath[UUID],
        data: JSONBody[ChecklistAnswerIn],
        actor: NamedDependency[Actor],
    ) -> AskedShape:
        await commands.answer(visit_id, version_id, actor, data.reply(), id=answer_id)
        asked = await queries.show_asked(visit_id, version_id, data.question)
        asked.receipt = receipts.of_record("checklist_answer", answer_id, await queries.received_at(answer_id))
        return asked
