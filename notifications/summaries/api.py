"""HTTP of the month's summary: JSON, a workbook, a paper, and whether the kept bytes come out again."""

import re
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery, QueryParameter

from backend.errors import NotFound
from backend.roles import Actor
from notifications.summaries import printing, queries, verifying, workbook
from notifications.summaries.queries import SummaryList, Told
from notifications.summaries.verifying import Verified
from notifications.summaries.words import Kind

Of = Literal["preview", "frozen"]
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class VerifiedList(msgspec.Struct):
    """Empty for who reads only own columns."""

    items: list[Verified]
    next: None = None


class SummaryController(Controller):
    path = "/api/summaries"
    tags = ["summaries"]

    @get("/", summary="What was kept of every month I see, newest first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> SummaryList:
        return await queries.listed(actor, cursor=cursor, most=limit)

    @get("/kept/{summary_id:uuid}", summary="One that was kept: a look ahead, frozen numbers or a supplement by itself")
    async def one(self, summary_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Told:
        return await queries.one(summary_id, actor)

    @get(
        "/{name:str}",
        summary="A month's summary (YYYY-MM), as a workbook with .xlsx, as a paper with .pdf",
        responses={200: ResponseSpec(data_container=Told, description="The summary, as far as I see it")},
    )
    async def show(
        self,
        name: FromPath[str],
        actor: NamedDependency[Actor],
        of: FromQuery[Of | None] = None,
        rule: FromQuery[UUID | None] = None,
    ) -> Response[Any]:
        month, kind = _asked(name)
        told = await queries.told(await queries.sight(month, actor, rule), actor, Kind(of) if of else None)
        if kind == "xlsx":
            return _file(workbook.made(told), told, "xlsx", XLSX)
        if kind == "pdf":
            with await printing.pdf(told) as paper:
                return _file(paper.read(), told, "pdf", "application/pdf")
        return Response(msgspec.json.encode(told), media_type="application/json")

    @get("/{month:str}/verification", summary="Whether what was kept comes out again from the facts of today")
    async def verify(
        self, month: FromPath[str], actor: NamedDependency[Actor], rule: FromQuery[UUID | None] = None
    ) -> VerifiedList:
        sight = await queries.sight(_asked(month)[0], actor, rule)
        return VerifiedList(await verifying.of(sight) if sight.whole else [])


def _asked(name: str) -> tuple[str, str]:
    """Month and kind. Raises NotFound for anything else."""
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2})(?:\.(xlsx|pdf))?", name)
    if not found:
        raise NotFound()
    return found[1], found[2] or "json"


def _file(content: bytes, told: Told, kind: str, media_type: str) -> Response[Any]:
    plain, name = f"summary-{told.summary.month}.{kind}", f"{printing.titled(told.summary)}.{kind}"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=media_type, headers={"content-disposition": disposition})
