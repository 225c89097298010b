"""Reading uploads: one's own, and those that are whole and wait for their declaration."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw
from backend.errors import NotFound
from backend.roles import Actor


class UploadRow(msgspec.Struct, frozen=True):
    """What is known of an upload beside its bytes."""

    id: UUID
    evidence: UUID
    person: UUID
    length: int
    metadata: str
    begun_at: datetime | None
    expires_at: datetime
    finished_at: datetime | None


async def own(upload: UUID, actor: Actor) -> UploadRow:
    """Raises NotFound for anybody else's, and for one that has expired."""
    rows = await raw(
        "SELECT * FROM upload WHERE id = $1 AND person = $2 AND expires_at > $3", upload, actor.person, clock.now()
    )
    if not rows:
        raise NotFound()
    return shape(rows[0])


async def open_for(evidence: UUID, actor: Actor, length: int) -> list[UploadRow]:
    """What this person has begun for a file and not ended, the latest first."""
    rows = await raw(
        "SELECT * FROM upload WHERE evidence = $1 AND person = $2 AND length = $3 AND finished_at IS NULL "
        "AND expires_at > $4 ORDER BY created_at DESC",
        evidence,
        actor.person,
        length,
        clock.now(),
    )
    return [shape(row) for row in rows]


async def declared(uploads: Iterable[UUID]) -> list[UploadRow]:
    """Those of them whose sender has declared the file by now."""
    rows = await raw(
        "SELECT upload.* FROM upload JOIN evidence ON evidence.id = upload.evidence "
        "AND evidence.declared_by = upload.person WHERE upload.id = ANY($1::uuid[]) ORDER BY upload.created_at",
        list(uploads),
    )
    return [shape(row) for row in rows]


async def known(uploads: Iterable[UUID]) -> set[UUID]:
    """Those of them that still need their file: of one that is finished, the row alone tells."""
    rows = await raw("SELECT id FROM upload WHERE id = ANY($1::uuid[]) AND finished_at IS NULL", list(uploads))
    return {row["id"] for row in rows}


def shape(row: Any) -> UploadRow:
    return msgspec.convert(dict(row), UploadRow)
