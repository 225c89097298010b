"""HTTP of resumable uploads: tus 1.0.0, as tuspy, tus-js-client and others speak it."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, head, patch, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, Parameter, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath
from litestar.types import Message, Scope

from backend.errors import BadRequest, WrongType
from backend.evidence.api import heard
from backend.evidence.rules import MOST_BYTES
from backend.roles import Actor
from backend.uploads import queries, receiving, rules
from backend.uploads.queries import UploadRow

PATH = "/api/uploads"
SPOKEN = [
    (b"tus-resumable", rules.VERSION.encode()),
    (b"tus-version", rules.VERSION.encode()),
    (b"tus-extension", rules.EXTENSIONS.encode()),
    (b"tus-checksum-algorithm", ",".join(rules.ALGORITHMS).encode()),
    (b"tus-max-size", str(MOST_BYTES).encode()),
]

HEADERS = {
    "Tus-Resumable": "Always 1.0.0",
    "Upload-Length": "Size of the whole file in bytes",
    "Upload-Metadata": "Pairs of a name and a value in Base64, with commas between; evidence_id is needed",
    "Upload-Offset": "Where this piece begins: what HEAD tells",
    "Upload-Checksum": "sha1 or sha256, a space, and the digest of this body in Base64",
    "X-HTTP-Method-Override": "PATCH or DELETE",
}
BYTES = {rules.BODY: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))}


def spoken(needed: Sequence[str], *, offered: Sequence[str] = (), body: bool = False) -> type[Operation]:
    """What the OpenAPI document says of a call whose matter is in its headers."""

    @dataclass  # again, so that __post_init__ is called
    class Spoken(Operation):
        def __post_init__(self) -> None:
            text = Schema(type=OpenAPIType.STRING)
            self.parameters = [*(self.parameters or []), *(
                Parameter(name, "header", text, HEADERS[name], required=name not in offered)
                for name in ("Tus-Resumable", *needed, *offered)
            )]  # fmt: skip
            if body:
                self.request_body = RequestBody(content=BYTES, required="Upload-Offset" in needed)

    return Spoken


Id = FromPath[UUID]
Asked = Request[Any, Any, Any]


async def speaks_tus(message: Message, scope: Scope) -> None:
    """Every answer under /api/uploads says what we speak: refusals as tus wants it, and OPTIONS needs nothing else."""
    if message["type"] == "http.response.start" and scope["path"].startswith(PATH):
        message["headers"] = [*message["headers"], *SPOKEN]


class UploadController(Controller):
    path = PATH
    tags = ["uploads"]

    @post(
        "/",
        summary="Begin to send a declared file, or one that will be (tus creation, with or without its first bytes)",
        request_max_body_size=MOST_BYTES + 1,
        operation_class=spoken(["Upload-Length", "Upload-Metadata"], offered=["Upload-Checksum"], body=True),
    )
    async def create(self, request: Asked, actor: NamedDependency[Actor]) -> Response[None]:
        async with heard(request):
            said = _spoken(request)
            length = rules.length(said.get("upload-length"), said.get("upload-defer-length"), MOST_BYTES)
            metadata = said.get("upload-metadata")
            brings, evidence = _brings_bytes(request), rules.evidence_of(metadata)
            upload = await receiving.start(actor, evidence, length, metadata or "", hears_offset=brings)
            there = await receiving.offset(upload, actor)
            if brings and there == 0:
                upload, there = await _append(upload, actor, 0, request)
        return _answer(201, upload, there, {"Location": f"{PATH}/{upload.id}"})

    @head("/{upload_id:uuid}", summary="How many bytes have arrived (tus)", operation_class=spoken([]))
    async def look(self, upload_id: Id, request: Asked, actor: NamedDependency[Actor]) -> Response[None]:
        _spoken(request)
        upload = await queries.own(upload_id, actor)
        more = {"Upload-Length": str(upload.length), "Upload-Metadata": upload.metadata}
        return _answer(200, upload, await receiving.offset(upload, actor), more)

    @patch(
        "/{upload_id:uuid}",
        summary="Send more from Upload-Offset on (tus); with the last byte the file is checked and stored",
        request_max_body_size=MOST_BYTES + 1,
        operation_class=spoken(["Upload-Offset"], offered=["Upload-Checksum"], body=True),
        status_code=204,
    )
    async def go_on(self, upload_id: Id, request: Asked, actor: NamedDependency[Actor]) -> Response[None]:
        async with heard(request):
            said = _spoken(request)
            upload = await queries.own(upload_id, actor)
            if not _brings_bytes(request):
                raise WrongType(f"请求的内容类型不对，应为 {rules.BODY}。", field="Content-Type")
            upload, there = await _append(upload, actor, rules.offset(said.get("upload-offset")), request)
        return _answer(204, upload, there)

    @delete(
        "/{upload_id:uuid}",
        summary="Give an upload up (tus termination); what is stored stays",
        operation_class=spoken([]),
    )
    async def give_up(self, upload_id: Id, request: Asked, actor: NamedDependency[Actor]) -> None:
        _spoken(request)
        await receiving.end(await queries.own(upload_id, actor))

    @post(
        "/{upload_id:uuid}",
        summary="PATCH or DELETE for networks that let neither through: X-HTTP-Method-Override (tus)",
        request_max_body_size=MOST_BYTES + 1,
        operation_class=spoken(["X-HTTP-Method-Override"], offered=["Upload-Offset", "Upload-Checksum"], body=True),
        status_code=204,
    )
    async def instead(self, upload_id: Id, request: Asked, actor: NamedDependency[Actor]) -> Response[None]:
        match request.headers.get("x-http-method-override", "").upper():
            case "PATCH":
                return await self.go_on.fn(self, upload_id, request, actor)
            case "DELETE":
                await self.give_up.fn(self, upload_id, request, actor)
                return Response(None, status_code=204)
            case _:
                raise BadRequest("不支持的操作。", "upload.bad_override", field="X-HTTP-Method-Override")


def _spoken(request: Asked) -> Any:
    """The headers of a request in our version of the protocol; raises WrongVersion."""
    rules.check_version(request.headers.get("tus-resumable"))
    return request.headers


def _brings_bytes(request: Asked) -> bool:
    return request.content_type[0].lower() == rules.BODY


async def _append(upload: UploadRow, actor: Actor, at: int, request: Asked) -> tuple[UploadRow, int]:
    checksum = rules.checksum(request.headers.get("upload-checksum"))
    chunks, announced = request.stream(), request.content_length
    return await receiving.append(upload, actor, at, chunks, announced=announced, checksum=checksum)


def _answer(status: int, upload: UploadRow, there: int, more: dict[str, str] | None = None) -> Response[None]:
    told = {"Upload-Offset": str(there), "Upload-Expires": format_datetime(upload.expires_at, usegmt=True)}
    return Response(None, status_code=status, headers={**told, **(more or {})})
