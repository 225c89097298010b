"""What a trust report asks about: one capture, what it hangs on, other captures, earlier uses. Values, nothing read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from backend.evidence.rules import Source, TokenState, Trace
from backend.geo import LatLng, Position


@dataclass(frozen=True, slots=True)
class Capture:
    """What a phone claimed of one file, and the server's own times. `arrived`: its bytes are here.

    `token_received_at` is the phone's clock when it got the last token, whose time is `not_before` if it is good;
    `since_token` what the phone's unchangeable clock counted from then to the shutter.
    """

    id: UUID
    by: UUID
    source: Source
    captured_at: datetime | None
    position: Position | None
    not_after: datetime
    arrived: bool = True
    photo: bool = True
    token_state: TokenState | None = None
    not_before: datetime | None = None
    token_received_at: datetime | None = None
    since_token: timedelta | None = None
    counter: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the file itself claims (backend/evidence/tables.py, EvidenceReading)."""

    exif_at: datetime | None = None
    zone_known: bool = False
    place: LatLng | None = None
    camera: str | None = None
    software: str | None = None
    traces: frozenset[Trace] = frozenset()


class RecordKind(StrEnum):
    """What a file was sent with."""

    finding = "finding"
    entry = "entry"
    hand_in = "hand_in"
    objection = "objection"
    site_check = "site_check"
    look_back = "look_back"
    reopening = "reopening"
    monthly_check = "monthly_check"


# What comes after a fact was seen and shows how it is by then.
AFTER = frozenset({RecordKind.hand_in, RecordKind.site_check, RecordKind.look_back, RecordKind.reopening})


@dataclass(frozen=True, slots=True)
class Setting:
    """What a file hangs on, told by the concept that owns it.

    The file came with `record`; `matter` is the finding or item that belongs to, `occasion` the visit it was made on.
    While `secret`, people who do not see it must not learn that it exists. `place` and `link` are for those who do.
    `target` and its radius: where the file should have been taken; `found_at`: when the fact was seen, for files that
    come afterwards; `before`: the photos of that fact. People of `kept_from` are those whose work is looked at.
    """

    kind: RecordKind
    record: UUID
    matter: UUID
    secret: bool
    place: str
    link: str
    occasion: UUID | None = None
    target: LatLng | None = None
    radius_m: float = 0.0
    arrivals: tuple[tuple[Position, datetime], ...] = ()
    found_at: datetime | None = None
    before: frozenset[UUID] = frozenset()
    kept_from: frozenset[UUID] = frozenset()


class Likeness(StrEnum):
    """How alike two photos are."""

    exact = "exact"  # the same bytes
    near = "near"  # the same picture, edited at most


@dataclass(frozen=True, slots=True)
class Use:
    """The same photo elsewhere, as far as the reader may know: `setting` is None where it is out of their sight."""

    id: UUID
    likeness: Likeness
    earlier: bool
    at: datetime
    by_name: str
    bits: int = 0  # by which the two looks differ, of 64
    setting: Setting | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything about one file that a report is made of.

    `others` are captures of the same person, this one not among them, that the reader sees, by phone time.
    `beyond`: the search for like photos was cut, because more than so many look like this one.
    """

    capture: Capture
    reading: Reading | None = None
    setting: Setting | None = None
    others: tuple[Capture, ...] = ()
    uses: tuple[Use, ...] = ()
    beyond: int | None = None
