"""What the same person took around the same time: many rows, of which a photo needs the nearest few."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend.db import raw
from backend.evidence.rules import ARRIVED, MediaType, Source, State, TokenState, bracket
from backend.geo import LatLng, Position
from backend.trust_reports.facts import Capture

# Ours: so far back and on are the captures of a person that one photo is compared with, and so many at most.
WINDOW_BEFORE, WINDOW_AFTER, MOST = timedelta(days=30), timedelta(days=1), 2_000
# Of those: neighbours in time on either side, beside all with the same coordinates.
BEFORE, AFTER = 15, 5

CLAIMS = (
    "id, declared_by, media_type, source, captured_at, lat, lng, accuracy_m, declared_at, received_at, state, "
    "token_state, token_at, token_received_at, since_token_ms, counter"
)
_AROUND = f"""
    SELECT other.* FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS mine (person, since, until),
    LATERAL (
        SELECT {CLAIMS} FROM evidence WHERE declared_by = mine.person AND captured_at BETWEEN mine.since AND mine.until
        ORDER BY captured_at DESC LIMIT $4
    ) AS other
"""


@dataclass(slots=True)
class _Taken:
    """A person's captures by phone time, as rows: most are never looked at."""

    rows: list[Any] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    places: dict[LatLng, list[Any]] = field(default_factory=dict)

    def add(self, row: Any) -> None:
        self.rows.append(row)
        self.times.append(row["captured_at"])
        if row["lat"] is not None:
            self.places.setdefault((row["lat"], row["lng"]), []).append(row)


@dataclass(frozen=True, slots=True)
class Around:
    """By person what was taken around the photos in question."""

    taken: dict[UUID, _Taken]

    def ids(self, captures: Iterable[Capture], hidden: set[UUID], wider: int = 1) -> set[UUID]:
        """All that these captures are compared with, were the hidden ones not there."""
        return {row["id"] for capture in captures for row in self.beside(capture, hidden, wider)}

    def beside(self, one: Capture, hidden: set[UUID], wider: int = 1) -> list[Any]:
        """The neighbours of this capture by phone time, and those with the same coordinates."""
        taken = self.taken.get(one.by)
        if taken is None or one.captured_at is None:
            return []
        hidden = hidden | {one.id}
        here = bisect_right(taken.times, one.captured_at)
        before = _open(reversed(range(here)), taken.rows, hidden, BEFORE * wider)
        after = _open(range(here, len(taken.rows)), taken.rows, hidden, AFTER * wider)
        same = taken.places.get(one.position.point, []) if one.position else []
        found = {row["id"]: row for row in (*before, *after, *(row for row in same if row["id"] not in hidden))}
        return sorted(found.values(), key=lambda row: row["captured_at"])


async def captures_around(captures: Sequence[Capture]) -> Around:
    """One statement for all of them."""
    taken: dict[UUID, _Taken] = {}
    spans: dict[UUID, tuple[datetime, datetime]] = {}
    for capture in captures:
        if at := capture.captured_at:
            since, until = spans.get(capture.by, (at, at))
            spans[capture.by] = min(since, at), max(until, at)
            taken[capture.by] = _Taken()
    people = [(person, since - WINDOW_BEFORE, until + WINDOW_AFTER) for person, (since, until) in spans.items()]
    rows = await raw(_AROUND, *(list(column) for column in zip(*people, strict=True)), MOST) if people else []
    for row in reversed(rows):
        taken[row["declared_by"]].add(row)
    return Around(taken)


def capture_of(row: Any) -> Capture:
    """A row with the columns CLAIMS."""
    made = bracket(row["token_state"], row["token_at"], row["declared_at"], row["received_at"])
    return Capture(
        id=row["id"],
        by=row["declared_by"],
        source=Source(row["source"]),
        captured_at=row["captured_at"],
        position=Position(row["lat"], row["lng"], row["accuracy_m"]) if row["lat"] is not None else None,
        not_after=made.not_after,
        arrived=State(row["state"]) in ARRIVED,
        photo=MediaType(row["media_type"]).photo,
        token_state=TokenState(row["token_state"]) if row["token_state"] else None,
        not_before=made.not_before,
        token_received_at=row["token_received_at"],
        since_token=timedelta(milliseconds=row["since_token_ms"]) if row["since_token_ms"] is not None else None,
        counter=row["counter"],
    )


def _open(order: Iterable[int], rows: Sequence[Any], hidden: set[UUID], most: int) -> list[Any]:
    found: list[Any] = []
    for place in order:
        if rows[place]["id"] not in hidden:
            found.append(rows[place])
            if len(found) == most:
                break
    return found
