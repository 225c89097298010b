"""Evidence: what a phone declares about a file, the states of a file, the limits. No bytes here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from backend.geo import Place
from backend.time_tokens import TimeToken

MOST_FILES = 30  # one finding or hand-in; trust.md F13
STALLED_AFTER = 60.0  # seconds without a byte: the sender is let go
MOST_TRIES = 5  # of the job that makes display copies
REMIND_AFTER = timedelta(hours=24)  # who declared a file that did not come is told, once
TOKEN_LASTS = timedelta(days=30)  # a bracket wider than that says nothing; a phone gets a new one at every sync


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
class Capture:
    """What a phone notes at the shutter beside place and time.

    `token`: the last server-time token it has; `token_received_at`: its own clock when that came; `since_token_ms`: its
    monotonic clock from then to the shutter, None when the page was loaded anew in between; `counter`: which capture of
    this phone it is.
    """

    token: str | None = None
    token_received_at: datetime | None = None
    since_token_ms: int | None = None
    counter: int | None = None


@dataclass(frozen=True, slots=True)
class Caption:
    """What the thing a photo hangs on lets stand below its display copy. Never a word about a household or a person."""

    place: str
    number: str
    unit: str


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
    capture: Capture = Capture()


@dataclass(frozen=True, slots=True)
class Bracket:
    """Between what times of the server the capture record was made; `not_before` is None without a good token.

    The record, not the shutter: who declares an old photo anew has its hash after the token as well.
    """

    not_before: datetime | None
    not_after: datetime

    @property
    def width_s(self) -> float | None:
        return (self.not_after - self.not_before).total_seconds() if self.not_before else None


def token_state(token: TimeToken | None, person: UUID | None, now: datetime) -> TokenState:
    """What a token is worth to this person now; None is one that no key of ours signed. Never a refusal."""
    if token is None:
        return TokenState.unsigned
    if token.person != person:
        return TokenState.foreign
    if token.at > now:
        return TokenState.ahead
    return TokenState.good if now - token.at <= TOKEN_LASTS else TokenState.expired


def bracket(
    state: TokenState | None, token_at: datetime | None, declared_at: datetime, received_at: datetime | None
) -> Bracket:
    """From the token, if it is good, to the declaration, which named the hash; or to the bytes, if they came first."""
    return Bracket(
        token_at if state == TokenState.good else None,
        min(declared_at, received_at) if received_at else declared_at,
    )


def photos(manifest: Sequence[Declaration]) -> int:
    """How many of them show something: where a photo is asked for, a recording or a paper is none."""
    return sum(line.media_type.photo for line in manifest)
