"""HTTP of the inbox."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter
from msgspec import Meta

from backend.roles import Actor
from backend.shapes import NO_NUL
from notifications.inbox import commands, queries
from notifications.inbox.queries import Fold, GroupPage, NoticePage, Unread, Wanted
from notifications.inbox.rules import Subject

Language = Annotated[str, HeaderParameter(name="Accept-Language", max_length=200)]
Verb = Annotated[str | None, QueryParameter(max_length=64, pattern=NO_NUL)]
Id = FromPath[UUID]


class ReadUpTo(msgspec.Struct, forbid_unknown_fields=True):
    """Everything, or of one thing, of one verb, of one kind of thing. Under an `id` it can be undone."""

    up_to: UUID
    id: UUID | None = None
    subject: UUID | None = None
    verb: Annotated[str, Meta(max_length=64)] | None = None
    about: Subject | None = None


class NoticeController(Controller):
    path = "/api/notices"
    tags = ["notices"]

    @get("/", summary="My inbox, newest first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        unread: FromQuery[bool] = False,
        about: FromQuery[Subject | None] = None,
        verb: Verb = None,
        subject: FromQuery[UUID | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        language: Language = "zh-CN",
    ) -> NoticePage:
        wanted = Wanted(cursor=cursor, most=limit, unread_only=unread, about=about, verb=verb, subject=subject)
        return await queries.of_person(actor, wanted, english=_english(language))

    @get("/groups", summary="My inbox folded: a line for each thing, or for each kind of notice")
    async def groups(
        self,
        actor: NamedDependency[Actor],
        by: FromQuery[Fold] = Fold.thing,
        unread: FromQuery[bool] = False,
        about: FromQuery[Subject | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        language: Language = "zh-CN",
    ) -> GroupPage:
        wanted = Wanted(cursor=cursor, most=limit, unread_only=unread, about=about)
        return await queries.groups(actor, wanted, by, english=_english(language))

    @get("/unread", summary="How many are unread, and of which kinds of things")
    async def count(self, actor: NamedDependency[Actor]) -> Unread:
        return await queries.unread(actor)

    @put("/{notice_id:uuid}/reading", summary="I have read this one", status_code=204)
    async def read(self, notice_id: Id, actor: NamedDependency[Actor]) -> None:
        await commands.mark_read(notice_id, actor)

    @delete("/{notice_id:uuid}/reading", summary="Not read after all")
    async def unread_again(self, notice_id: Id, actor: NamedDependency[Actor]) -> None:
        await commands.mark_unread(notice_id, actor)

    @post("/readings", summary="I have read everything up to this one, or of one group", status_code=204)
    async def read_many(self, data: JSONBody[ReadUpTo], actor: NamedDependency[Actor]) -> None:
        await commands.mark_many_read(
            actor, reading=data.id, up_to=data.up_to, subject=data.subject, verb=data.verb, about=data.about
        )

    @delete("/readings/{reading_id:uuid}", summary="What this reading marked is not read after all")
    async def undo(self, reading_id: Id, actor: NamedDependency[Actor]) -> None:
        await commands.undo_reading(reading_id, actor)


def _english(language: str) -> bool:
    return language.lower().startswith("en")
