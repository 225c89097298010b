"""HTTP of the inbox."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, QueryParameter

from backend.roles import Actor
from notifications.inbox import commands, queries
from notifications.inbox.queries import NoticePage

Language = Annotated[str, HeaderParameter(name="Accept-Language", max_length=200)]


class ReadUpTo(msgspec.Struct, forbid_unknown_fields=True):
    up_to: UUID


class NoticeController(Controller):
    path = "/api/notices"
    tags = ["notices"]

    @get("/", summary="My inbox, newest first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        unread: FromQuery[bool] = False,
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
        language: Language = "zh-CN",
    ) -> NoticePage:
        return await queries.of_person(
            actor, unread_only=unread, cursor=cursor, most=limit, english=language.lower().startswith("en")
        )

    @put("/{notice_id:uuid}/reading", summary="I have read this one", status_code=204)
    async def read(self, notice_id: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        await commands.mark_read(notice_id, actor)

    @post("/readings", summary="I have read everything up to this one", status_code=204)
    async def read_all(self, data: JSONBody[ReadUpTo], actor: NamedDependency[Actor]) -> None:
        await commands.mark_all_read(actor, data.up_to)
