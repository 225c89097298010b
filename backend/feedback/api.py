"""HTTP of feedback (投诉建议)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from backend import receipts
from backend.evidence.shapes import FileIn, declarations
from backend.feedback import commands, queries
from backend.feedback.queries import FeedbackPage, FeedbackShape
from backend.feedback.rules import Kind, Standing
from backend.roles import Actor
from backend.shapes import NOT_BLANK, OptionalNote

Id = FromPath[UUID]


class FeedbackIn(msgspec.Struct, forbid_unknown_fields=True):
    """`page`: the screen it is about; `evidence`: pictures of it, which follow by PUT /api/evidence/{id}.

    Nothing personal is asked: who gives it is who is signed in.
    """

    id: UUID
    kind: Kind
    text: Annotated[str, Meta(max_length=2000, pattern=NOT_BLANK)]
    page: Annotated[str, Meta(max_length=200)] = ""
    app_version: Annotated[str, Meta(max_length=50)] = ""
    evidence: Annotated[list[FileIn], Meta(max_length=6)] = []


class FeedbackAnswerIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
    text: Annotated[str, Meta(max_length=2000)] = ""


class FeedbackClosingIn(msgspec.Struct, forbid_unknown_fields=True):
    """`note`: why nothing comes of it; only an answered one is closed without."""

    note: OptionalNote = ""


class FeedbackController(Controller):
    path = "/api/feedback"
    tags = ["feedback"]

    @post("/", summary="投诉建议: say what is wrong with this program, or what would be better")
    async def give(self, data: JSONBody[FeedbackIn], actor: NamedDependency[Actor]) -> FeedbackShape:
        said = {"kind": data.kind, "text": data.text, "page": data.page, "app_version": data.app_version}
        await commands.give(actor, declarations(data.evidence), id=data.id, **said)
        answer = await queries.one(data.id, actor)
        return _receipted(answer, "feedback", data.id, answer.at, data.evidence)

    @get("/", summary="Feedback, newest first: one's own, or with `own=false` what one may answer")
    async def list(
        self,
        actor: NamedDependency[Actor],
        own: FromQuery[bool] = True,
        standing: FromQuery[Standing | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> FeedbackPage:
        return await queries.listed(actor, own=own, stands=standing, cursor=cursor, most=limit)

    @get("/{feedback_id:uuid}", summary="One feedback with its answers")
    async def show(self, feedback_id: Id, actor: NamedDependency[Actor]) -> FeedbackShape:
        return await queries.one(feedback_id, actor)

    @post("/{feedback_id:uuid}/answers", summary="答复")
    async def answer(
        self, feedback_id: Id, data: JSONBody[FeedbackAnswerIn], actor: NamedDependency[Actor]
    ) -> FeedbackShape:
        await commands.answer(feedback_id, actor, id=data.id, text=data.text)
        shape = await queries.one(feedback_id, actor)
        written = next(answer for answer in shape.answers if answer.id == data.id)
        return _receipted(shape, "feedback_answer", data.id, written.at)

    @post("/{feedback_id:uuid}/closing", summary="办结")
    async def close(
        self, feedback_id: Id, data: JSONBody[FeedbackClosingIn], actor: NamedDependency[Actor]
    ) -> FeedbackShape:
        await commands.close(feedback_id, actor, note=data.note)
        return await queries.one(feedback_id, actor)


def _receipted(
    shape: FeedbackShape, kind: str, id: UUID, stored_at: datetime, files: Iterable[FileIn] = ()
) -> FeedbackShape:
    shape.receipt = receipts.of_record(kind, id, stored_at, files)
    return shape
