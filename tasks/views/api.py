"""HTTP of saved views."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from backend.roles import Actor
from backend.shapes import NOT_BLANK
from tasks.rectifications.filters import Filter, Sort
from tasks.views import commands, queries
from tasks.views.queries import ViewList, ViewShape

Id = FromPath[UUID]


class ViewIn(msgspec.Struct, forbid_unknown_fields=True):
    """`filter` holds what a list's query string may say, without sort and cursor. The `first` opens with the board."""

    name: Annotated[str, Meta(max_length=50, pattern=NOT_BLANK)]
    filter: Filter
    sort: Sort = Sort.urgency
    place: Annotated[int, Meta(ge=0, le=1000)] = 0
    first: bool = False
    shared: bool = False


class ViewController(Controller):
    path = "/api/views"
    tags = ["views"]

    @get("/", summary="Saved views: one's own in their order, then those that colleagues share")
    async def list(self, actor: NamedDependency[Actor]) -> ViewList:
        return await queries.listed(actor)

    @put("/{view_id:uuid}", summary="Keep a view, or change it; the id is the client's")
    async def keep(self, view_id: Id, data: JSONBody[ViewIn], actor: NamedDependency[Actor]) -> ViewShape:
        await commands.keep(
            view_id,
            actor,
            name=data.name,
            wanted=data.filter,
            sort=data.sort,
            place=data.place,
            first=data.first,
            shared=data.shared,
        )
        return await queries.one(view_id, actor)

    @delete("/{view_id:uuid}", summary="Throw a view away")
    async def discard(self, view_id: Id, actor: NamedDependency[Actor]) -> None:
        await commands.discard(view_id, actor)
