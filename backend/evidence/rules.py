"""Evidence: what a phone declares about a file, the states of a file, the limits. No bytes here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from backend.geo import Place

MOST_FILES = 30  # one finding or hand-in; trust.md F13
MOST_TRIES = 5  # of the job that makes display copies


class State(StrEnum):
    declared = "declared"
    received = "received"
    ready = "ready"
    refused = "refused"


ARRIVED = frozenset({State.received, State.ready})


class Source(StrEnum):
    """Where the phone says the file comes from. A claim."""

    camera = "camera"
    gallery = "gallery"
    unknown = "unknown"


class TokenState(StrEnum):
    """What became of the server-time token that a capture record carries; none carried: no state."""

    good = "good"
    unsigned = "unsigned"  # not by a key of ours, or no token at all
    foreign = "foreign"  # given to somebody else
    expired = "expired"  # older than a token may be
    ahead = "ahead"  # later than the declaration: the server's clock was set back


class MediaType(StrEnum):
    """What may be declared: what phones record, and papers. Only photos are ever decoded."""

    jpeg = "image/jpeg"
    png = "image/png"
    webp = "image/webp"
    m4a = "audio/mp4"
    aac = "audio/aac"
    mp3 = "audio/mpeg"
    ogg = "audio/ogg"
    weba = "audio/webm"
    wav = "audio/wav"
    mp4 = "video/mp4"
    mov = "video/quicktime"
    webm = "video/webm"
    pdf = "application/pdf"

    @property
    def photo(self) -> bool:
        return self.startswith("image/")

    @property
    def most_bytes(self) -> int:
        return _MOST_MB[self.split("/")[0]] * 2**20


_MOST_MB = {"image": 12, "audio": 20, "video": 100, "application": 30}  # one file; trust.md F13
MOST_BYTES = max(_MOST_MB.values()) * 2**20  # of the largest kind


class Trace(StrEnum):
    """What in a file speaks of work done on it after the shutter. None of them proves any; their absence neither."""

    editor = "editor"  # `software` names a program for changing pictures
    resized = "resized"  # EXIF notes another size in pixels than the file has
    saved_later = "saved_later"  # EXIF notes a change after the moment of taking


@dataclass(frozen=True, slots=True)
class Declaration:
    """One line of a manifest: what will arrive under this id. Everything but the hash and size is a claim."""

    id: UUID
    sha256: str
    size: int
    media_type: MediaType
    captured_at: datetime | None
    source: Source
    place: Place | None


def photos(manifest: Sequence[Declaration]) -> int:
    """How many of them show something: where a photo is asked for, a recording or a paper is none."""
    return sum(line.media_type.photo for line in manifest)
