"""What a manifest looks like in a request."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.errors import BadRequest
from backend.evidence.rules import MOST_BYTES, Declaration, MediaType, Source
from backend.shapes import PositionIn, Sha256, check_claimed


class FileIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One file that will follow with `PUT /api/evidence/{id}`, in any order, now or days later."""

    id: UUID
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=MOST_BYTES)]
    media_type: MediaType
    captured_at: Annotated[datetime, Meta(tz=True)] | None = None
    source: Source = Source.unknown
    position: PositionIn | None = None

    def __post_init__(self) -> None:
        check_claimed(self.captured_at, "captured_at")
        if self.size > (most := self.media_type.most_bytes):
            raise BadRequest(f"这种文件不能超过 {most // 2**20} MB。", "evidence.too_large", field="size", most=most)

    def declaration(self) -> Declaration:
        place = self.position and self.position.place()
        return Declaration(self.id, self.sha256, self.size, self.media_type, self.captured_at, self.source, place)


def declarations(files: list[FileIn]) -> list[Declaration]:
    return [file.declaration() for file in files]
