"""HTTP of evidence: send the bytes of a declared file, look at its display copies. How far it is: trust_reports."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath
from litestar.response import Stream

from backend.errors import NotFound, WrongState
from backend.evidence import queries, receiving, storage, stores
from backend.evidence.queries import EvidenceShape, Reader
from backend.evidence.rules import MOST_BYTES, MediaType, State
from backend.roles import Actor

HEARD_WITHIN = 10.0  # seconds

# Derived copies are ours, but a browser must still never run what it is given (trust.md F6).
PICTURE_HEADERS = {
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, max-age=3600",
}


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
        self, evidence_id: FromPath[UUID], request: Request[Any, Any, Any], actor: NamedDependency[Actor]
    ) -> EvidenceShape:
        async with heard(request):
            taken = await receiving.receive(evidence_id, actor, request.content_length, request.stream())
        return queries.receipted(taken)

    @get(
        "/{evidence_id:uuid}/{copy:str}",
        summary="A display copy: `display` (1600 px) or `thumbnail` (320 px)",
    )
    async def look(
        self,
        evidence_id: FromPath[UUID],
        copy: FromPath[str],
        actor: NamedDependency[Actor],
        readers: NamedDependency[Sequence[Reader]],
    ) -> Stream:
        row = await queries.find(evidence_id, actor, readers)
        if copy not in ("display", "thumbnail"):  # the original is never served
            raise NotFound()
        if not MediaType(row.media_type).photo:
            raise NotFound("录音、录像和 PDF 没有展示件。", "evidence.no_display")
        if row.state != State.ready:
            raise WrongState("展示件还没有做好，请稍后再看。", "evidence.not_ready", state=row.state)
        name = storage.derived("display" if copy == "display" else "thumbnail", evidence_id)
        reading = await stores.store().read(name)
        headers = {
            "content-length": str(reading.size),
            "content-disposition": f'inline; filename="{evidence_id}.jpg"',
        }
        return Stream(reading.pieces, media_type="image/jpeg", headers=PICTURE_HEADERS | headers)
