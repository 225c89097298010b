"""What a manifest looks like in a request."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.errors import BadRequest
from backend.evidence.rules import MOST_BYTES, Capture, Declaration, MediaType, Source
from backend.shapes import PositionIn, Sha256, check_claimed
from backend.time_tokens import MOST_LENGTH

Count = Annotated[int, Meta(ge=0, le=2**53)]  # what JavaScript counts exactly


class CaptureIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the phone noted at the shutter. `token`: the last one of `GET /api/time`, whatever it is worth.

    `token_received_at` is the phone's clock when it came, `since_token_ms` its monotonic clock from then to the shutter
    (null when the page was loaded anew in between). `counter` goes up with each capture of this phone.
    """

    token: Annotated[str, Meta(max_length=MOST_LENGTH)] | None = None
    token_received_at: Annotated[datetime, Meta(tz=True)] | None = None
    since_token_ms: Count | None = None
    counter: Count | None = None

    def __post_init__(self) -> None:
        check_claimed(self.token_received_at, "token_received_at")

    def capture(self) -> Capture:
        return Capture(self.token, self.token_received_at, self.since_token_ms, self.counter)


class FileIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One file that will follow with `PUT /api/evidence/{id}`, in any order, now or days later."""

    id: UUID
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=MOST_BYTES)]
    media_type: MediaType
    captured_at: Annotated[datetime, Meta(tz=True)] | None = None
    source: Source = Source.unknown
    position: PositionIn | None = None
    capture: CaptureIn | None = None

    def __post_init__(self) -> None:
        check_claimed(self.captured_at, "captured_at")
        if self.size > (most := self.media_type.most_bytes):
            raise BadRequest(f"这种文件不能超过 {most // 2**20} MB。", "evidence.too_large", field="size", most=most)

    def declaration(self) -> Declaration:
        return Declaration(
            self.id,
            self.sha256,
            self.size,
            self.media_type,
            self.captured_at,
            self.source,
            self.position and self.position.place(),
            self.capture.capture() if self.capture else Capture(),
        )


def declarations(files: list[FileIn]) -> list[Declaration]:
    return [file.declaration() for file in files]
