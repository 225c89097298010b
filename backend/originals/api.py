"""HTTP of originals: say why, then take it, as an attachment; and who took which, for those who watch over it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, head, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.response import Stream

from backend.evidence.api import sent, weighed
from backend.evidence.queries import Reader
from backend.evidence.showing import Disposition
from backend.originals import commands, queries
from backend.originals.queries import Accesses
from backend.roles import Actor
from backend.shapes import OptionalNote

Id = FromPath[UUID]
Limit = Annotated[int, QueryParameter(ge=1, le=100)]
Readers = NamedDependency[Sequence[Reader]]


class AccessIn(msgspec.Struct, forbid_unknown_fields=True):
    """Why the original is needed, at least five characters, without anybody's number."""

    id: UUID
    reason: OptionalNote = ""


class Access(msgspec.Struct):
    """The original is open to who asked, at `path`, until then."""

    id: UUID
    evidence: UUID
    path: str
    until: datetime


class OriginalController(Controller):
    path = "/api/evidence"
    tags = ["evidence"]

    @post("/{evidence_id:uuid}/original-access", summary="调阅原件: open an original, for a reason that is recorded")
    async def ask(
        self, evidence_id: Id, data: JSONBody[AccessIn], actor: NamedDependency[Actor], readers: Readers
    ) -> Access:
        until = await commands.ask(evidence_id, actor, readers, id=data.id, reason=data.reason)
        return Access(data.id, evidence_id, f"/api/evidence/{evidence_id}/original", until)

    @get(
        "/{evidence_id:uuid}/original",
        summary="The bytes as they were sent, to be saved; within ten minutes of a reason",
    )
    async def take(
        self, evidence_id: Id, request: Request[Any, Any, Any], actor: NamedDependency[Actor], readers: Readers
    ) -> Stream:
        return await sent(await queries.let(evidence_id, actor, readers), request.headers, Disposition.attachment)

    @head("/{evidence_id:uuid}/original", summary="What taking the original would answer, without its bytes")
    async def weigh(self, evidence_id: Id, actor: NamedDependency[Actor], readers: Readers) -> Response[None]:
        return weighed(await queries.let(evidence_id, actor, readers), Disposition.attachment)

    @get("/{evidence_id:uuid}/original-accesses", summary="Who took this original, and why")
    async def accesses(
        self,
        evidence_id: Id,
        actor: NamedDependency[Actor],
        readers: Readers,
        cursor: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Accesses:
        return await queries.of_evidence(evidence_id, actor, readers, cursor=cursor, most=limit)

    @get("/original-accesses", summary="Who in your area took originals; for auditors and office leaders")
    async def all_accesses(
        self,
        actor: NamedDependency[Actor],
        by: FromQuery[UUID | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Accesses:
        return await queries.listed(actor, by=by, cursor=cursor, most=limit)
