"""HTTP of case files: one PDF, one zip, for whoever sees the item."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter
from litestar.response import Stream

from backend.roles import Actor
from tasks.case_files import bundle, commands, pages, queries
from tasks.case_files.queries import Case

Id = FromPath[UUID]
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match", max_length=500)]
# May be kept by the one who took it, and must be asked about each time: the item may have moved on.
CACHE = "private, no-cache"


class CaseFileController(Controller):
    path = "/api/rectifications"
    tags = ["rectifications"]

    @get("/{item_id:uuid}/case-file.pdf", summary="一案一档: the whole case as one PDF", media_type="application/pdf")
    async def pdf(self, item_id: Id, actor: NamedDependency[Actor], if_none_match: IfNoneMatch = None) -> Response[Any]:
        case = await queries.case(item_id, actor)
        if _known(case, "pdf", if_none_match):
            return _unchanged(case, "pdf")
        async with queries.copies(case) as copies:
            paper = await pages.pdf(case, copies)
        return await _sent(case, actor, "pdf", "application/pdf", paper)

    @get(
        "/{item_id:uuid}/case-file.zip",
        summary="一案一档: PDF, records, photos and their hashes as one zip",
        media_type="application/zip",
    )
    async def zip(self, item_id: Id, actor: NamedDependency[Actor], if_none_match: IfNoneMatch = None) -> Response[Any]:
        case = await queries.case(item_id, actor)
        if _known(case, "zip", if_none_match):
            return _unchanged(case, "zip")
        async with queries.copies(case) as copies:
            whole = await bundle.zipped(case, copies, await pages.pdf(case, copies))
        return await _sent(case, actor, "zip", "application/zip", whole)


def _etag(case: Case, kind: str) -> str:
    return f'"{case.etag()}-{kind}"'


def _known(case: Case, kind: str, given: str | None) -> bool:
    """RFC 9110, 13.1.2: the weak comparison."""
    tags = {tag.strip().removeprefix("W/") for tag in (given or "").split(",")}
    return bool(tags & {"*", _etag(case, kind)})


def _unchanged(case: Case, kind: str) -> Response[Any]:
    return Response(b"", status_code=304, headers={"etag": _etag(case, kind), "cache-control": CACHE})


async def _sent(case: Case, actor: Actor, kind: str, media_type: str, file: BinaryIO) -> Response[Any]:
    sha256, size = await asyncio.to_thread(bundle.digest, file)
    await commands.take(case.item.id, actor, kind=kind, size=size, sha256=sha256)
    headers = {
        "etag": _etag(case, kind),
        "cache-control": CACHE,
        "content-length": str(size),
        "content-disposition": disposition(
            f"case-file-{case.item.number or case.item.id}.{kind}", f"整改事项卷宗_{case.number}.{kind}"
        ),
    }
    return Stream(_pieces(file), headers=headers, media_type=media_type)


def disposition(plain: str, name: str) -> str:
    """To be saved under the Chinese name, by programs that know no better under the plain one (RFC 6266, 8187)."""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    with file:
        while piece := await asyncio.to_thread(file.read, bundle.PIECE):
            yield piece
