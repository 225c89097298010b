"""HTTP of evidence: send a declared file, look at its copies, play it. How far it is: trust_reports."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, head, put
from litestar.datastructures import Headers
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath
from litestar.response import Stream

from backend.errors import NotFound, WrongState
from backend.evidence import giving, queries, receiving, showing, storage
from backend.evidence.queries import EvidenceShape, Reader
from backend.evidence.receiving import Allowance
from backend.evidence.rules import MOST_BYTES, MediaType, State
from backend.evidence.showing import Disposition
from backend.evidence.storage import Kind
from backend.evidence.tables import Evidence
from backend.roles import Actor

HEARD_WITHIN = 10.0  # seconds
KEPT = "private, max-age=3600"

Id = FromPath[UUID]
Asked = Request[Any, Any, Any]
Readers = NamedDependency[Sequence[Reader]]


@dataclass  # again, so that __post_init__ is called
class SendsBytes(Operation):
    """Tells the OpenAPI document that the body is the file itself."""

    def __post_init__(self) -> None:
        picture = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody(content={"application/octet-stream": picture}, required=True)


@asynccontextmanager
async def heard(request: Request[Any, Any, Any]) -> AsyncIterator[None]:
    """Reads on the way out what the sender still sends, so that it hears the answer, above all a refusal.

    A server that closes on unread bytes resets the connection, and its answer is lost with it. Not read for ever.
    """
    try:
        yield
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARD_WITHIN):
                while request.is_connected:
                    message = await request.receive()
                    if message["type"] != "http.request" or not message.get("more_body"):
                        break


class EvidenceController(Controller):
    path = "/api/evidence"
    tags = ["evidence"]

    @put(
        "/{evidence_id:uuid}",
        summary="Send the bytes of a declared file (idempotent)",
        request_max_body_size=MOST_BYTES + 1,
        operation_class=SendsBytes,
        status_code=200,
    )
    async def send(
        self,
        evidence_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        allowance: NamedDependency[Allowance],
    ) -> EvidenceShape:
        async with heard(request):
            await allowance(evidence_id, actor)
            taken = await receiving.receive(evidence_id, actor, request.content_length, request.stream())
        return queries.receipted(taken)

    @get("/{evidence_id:uuid}/display", summary="The display copy of a photo: at most 1600 px, with its caption")
    async def display(self, evidence_id: Id, actor: NamedDependency[Actor], readers: Readers) -> Stream:
        return await _copy("display", await queries.find(evidence_id, actor, readers))

    @get("/{evidence_id:uuid}/thumbnail", summary="The small copy of a photo: at most 320 px")
    async def thumbnail(self, evidence_id: Id, actor: NamedDependency[Actor], readers: Readers) -> Stream:
        return await _copy("thumbnail", await queries.find(evidence_id, actor, readers))

    @get(
        "/{evidence_id:uuid}/playback",
        summary="A voice note or a film to be played, whole or in parts; a PDF to be saved",
    )
    async def play(self, evidence_id: Id, request: Asked, actor: NamedDependency[Actor], readers: Readers) -> Stream:
        row = await queries.find(evidence_id, actor, readers)
        return await sent(row, request.headers, _played(row), cache=KEPT)

    @head("/{evidence_id:uuid}/playback", summary="What playing it would answer, without its bytes")
    async def weigh(self, evidence_id: Id, actor: NamedDependency[Actor], readers: Readers) -> Response[None]:
        row = await queries.find(evidence_id, actor, readers)
        return weighed(row, _played(row), cache=KEPT)


async def sent(row: Evidence, asked: Headers, how: Disposition, *, cache: str = "no-store") -> Stream:
    """The bytes as they came in, or the part that a Range header asks for; of our own type, under our own name.

    Raises NotSatisfiable, Unreadable, StoreAway.
    """
    headers = _described(row, how, cache)
    fits = asked.get("if-range", headers["etag"]) == headers["etag"]
    part = showing.span(asked.get("range") if fits else None, row.size)
    if part:
        headers["content-length"] = str(part[1] - part[0])
        headers["content-range"] = f"bytes {part[0]}-{part[1] - 1}/{row.size}"
    outgoing = await giving.outgoing(storage.original(row.sha256), part, size=row.size)
    return Stream(outgoing.pieces, status_code=206 if part else 200, media_type=row.media_type, headers=headers)


def weighed(row: Evidence, how: Disposition, *, cache: str = "no-store") -> Response[None]:
    """What sent() would say of the whole, without its bytes."""
    return Response(None, headers=_described(row, how, cache) | {"content-type": row.media_type})


def _described(row: Evidence, how: Disposition, cache: str) -> dict[str, str]:
    return showing.SAFE | {
        "accept-ranges": "bytes",
        "cache-control": cache,
        "content-disposition": f'{how.value}; filename="{showing.file_name(row.id, MediaType(row.media_type))}"',
        "content-length": str(row.size),
        "etag": f'"{row.sha256}"',
    }


async def _copy(kind: Kind, row: Evidence) -> Stream:
    if not MediaType(row.media_type).photo:
        raise NotFound("录音、录像和 PDF 没有展示件。", "evidence.no_display")
    _check_ready(row)
    outgoing = await giving.outgoing(storage.derived(kind, row.id))
    headers = showing.SAFE | {
        "cache-control": KEPT,
        "content-disposition": f'inline; filename="{row.id}.jpg"',
        "content-length": str(outgoing.size),
    }
    return Stream(outgoing.pieces, media_type="image/jpeg", headers=headers)


def _played(row: Evidence) -> Disposition:
    """Raises NotFound for a photo: it is shown as its copies, and its original is taken on record."""
    how = showing.played(MediaType(row.media_type))
    if how is None:
        raise NotFound("照片请看展示件。", "evidence.no_playback")
    _check_ready(row)
    return how


def _check_ready(row: Evidence) -> None:
    if row.state != State.ready:
        raise WrongState("展示件还没有做好，请稍后再看。", "evidence.not_ready", state=row.state)
