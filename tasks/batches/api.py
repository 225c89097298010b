"""HTTP of moves for many items: ask or rehearse, progress, stop."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from backend.roles import Actor
from tasks.batches import commands, jobs, queries
from tasks.batches.rules import MOST, BatchState, RowState
from tasks.batches.shapes import BatchDetail, BatchIn, BatchPage

Id = FromPath[UUID]
MOST_BYTES = 1024 * 1024  # 500 rows with two thousand bytes of their own each
OTHER_ANSWERS = {
    200: ResponseSpec(BatchDetail, description="A dry run: what would happen, all rows. Nothing was written."),
    202: ResponseSpec(BatchDetail, description="A long one: `Location` says where its progress is."),
}


class BatchController(Controller):
    path = "/api/rectifications"
    tags = ["rectifications"]

    @post(
        "/batch",
        summary="One move for up to 500 items, one result per row",
        request_max_body_size=MOST_BYTES,
        responses=OTHER_ANSWERS,
    )
    async def ask(self, data: JSONBody[BatchIn], actor: NamedDependency[Actor]) -> Response[BatchDetail]:
        if data.dry_run:
            rows = await commands.rehearse(data, actor)
            return Response(queries.tried(data.id, data.move, rows), status_code=200)
        await commands.ask(data, actor)
        told = await jobs.answer(data.id, actor)
        over = told.state in (BatchState.done, BatchState.stopped)
        return Response(
            told, status_code=201 if over else 202, headers={"Location": f"/api/rectifications/batches/{data.id}"}
        )

    @get("/batches", summary="My batches, newest first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> BatchPage:
        return await queries.page(actor, cursor, limit)

    @get("/batches/{batch_id:uuid}", summary="One of my batches: how far it is, and a page of its rows")
    async def show(
        self,
        batch_id: Id,
        actor: NamedDependency[Actor],
        only: Annotated[RowState | None, QueryParameter(name="state")] = None,
        cursor: Annotated[int | None, QueryParameter(ge=0, le=MOST)] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> BatchDetail:
        return await queries.detail(batch_id, actor, state=only, cursor=cursor, most=limit)

    @post("/batches/{batch_id:uuid}/stop", summary="What has not begun shall not begin")
    async def stop(self, batch_id: Id, actor: NamedDependency[Actor]) -> BatchDetail:
        await commands.stop(batch_id, actor)
        return await queries.detail(batch_id, actor)
