"""Evidence: what a phone declares about a file, the states of a file, the limits. No bytes here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from backend.geo import Place

MOST_BYTES = 12 * 1024 * 1024  # one photo; trust.md F13
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
    jpeg = "image/jpeg"
    png = "image/png"
    webp = "image/webp"


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
