"""Reads what a report is made of, for many files at once: a fixed number of statements, however many files."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend.db import raw
from backend.evidence.rules import ARRIVED, Source, State, TokenState, Trace
from backend.geo import Position
from backend.roles import SYSTEM, Actor
from backend.trust_reports import uses
from backend.trust_reports.facts import Capture, Facts, Reading, Setting, Use

# What these files hang on, as far as the actor sees it; SYSTEM sees everything. Offered by the concepts on whose
# records files hang, and passed in by the doors. A file may hang on several records.
Settings = Callable[[Sequence[UUID], Actor], Awaitable[Mapping[UUID, Setting]]]

# Ours: so far back and on are the captures of a person that one photo is compared with, and so many at most.
WINDOW_BEFORE, WINDOW_AFTER, MOST_OTHERS = timedelta(days=30), timedelta(days=1), 2_000
# Of those: neighbours in time on either side, beside all with the same coordinates.
NEIGHBOURS_BEFORE, NEIGHBOURS_AFTER = 15, 5


@dataclass(frozen=True, slots=True)
class Sent:
    """A file with its own facts: what can be known without looking at anything else."""

    facts: Facts
    units_of_sender: frozenset[UUID]

    @property
    def kept_from(self) -> frozenset[UUID]:
        return self.facts.setting.kept_from if self.facts.setting else frozenset()


async def sent(files: Sequence[UUID], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Sent]:
    """These files, each with its claims, what it says itself, and what it hangs on in the actor's sight."""
    rows = await raw(_SENT, list(files))
    hangs: dict[UUID, Setting] = {}
    for offered in settings:
        for id, setting in (await offered(files, actor)).items():
            hangs[id] = _joined(hangs[id], setting) if id in hangs else setting
    return {
        row["id"]: Sent(Facts(_capture(row), _reading(row), hangs.get(row["id"])), frozenset(row["units"]))
        for row in rows
    }


async def compared(files: Iterable[Sent], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Facts]:
    """The same facts, with the sender's other captures and the uses of the same photo that this actor may know of."""
    own = {it.facts.capture.id: it.facts for it in files}
    taken = await _captures(own.values())
    found = await uses.of(list(own))
    known: dict[UUID, Setting | None] = {id: facts.setting for id, facts in own.items()}
    asked, wider = set(own), 1
    wanted = {use.id for same in found.values() for use in same} - asked
    # What must not be noticed must not take the place of what may be: neighbours are asked for until enough are known.
    while wanted := wanted | (_near(own, taken, asked - known.keys()) - asked):
        wanted |= _near(own, taken, asked - known.keys(), wider)
        known |= await known_to(wanted - asked, actor, settings)
        asked, wanted, wider = asked | wanted, set[UUID](), wider * 4
    return {
        id: replace(
            facts,
            others=tuple(_beside(facts.capture, [it for it in taken[facts.capture.by] if it.id in known])),
            uses=tuple(replace(use, setting=known[use.id]) for use in found.get(id, ()) if _told(use, facts, known)),
        )
        for id, facts in own.items()
    }


async def known_to(files: Iterable[UUID], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Setting | None]:
    """Of these files those the actor may know of: with what they hang on where it is in sight, and None elsewhere.

    What hangs on nothing, or only on something secret out of sight, is left out: it must not be noticed at all.
    """
    wanted = sorted(files)
    known: dict[UUID, Setting | None] = {}
    for offered in settings if wanted else ():
        known |= await offered(wanted, actor)
    hidden = [id for id in wanted if id not in known]
    for offered in settings if hidden else ():
        known |= {id: None for id, setting in (await offered(hidden, SYSTEM)).items() if not setting.secret}
    return known


_CLAIMS = (
    "id, declared_by, source, captured_at, lat, lng, accuracy_m, declared_at, received_at, state, token_state, "
    "token_at, token_received_at, since_token_ms, counter"
)
_SENT = f"""
    SELECT {_CLAIMS}, reading.*, reading.evidence AS read,
        ARRAY(SELECT unit FROM person WHERE person.id = declared_by
            UNION SELECT unit FROM role_grant WHERE person = declared_by AND revoked_at IS NULL) AS units
    FROM evidence LEFT JOIN evidence_reading AS reading ON reading.evidence = evidence.id
    WHERE evidence.id = ANY($1::uuid[])
"""
_CAPTURES = f"""
    SELECT other.* FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS mine (person, since, until),
    LATERAL (
        SELECT {_CLAIMS} FROM evidence WHERE declared_by = mine.person AND captured_at BETWEEN mine.since AND mine.until
        ORDER BY captured_at DESC LIMIT $4
    ) AS other
"""


async def _captures(files: Iterable[Facts]) -> dict[UUID, list[Capture]]:
    """What each sender of these files took around the same time, by phone time."""
    taken: dict[UUID, list[Capture]] = {}
    spans: dict[UUID, tuple[datetime, datetime]] = {}
    for capture in (facts.capture for facts in files):
        taken[capture.by] = []
        if at := capture.captured_at:
            since, until = spans.get(capture.by, (at, at))
            spans[capture.by] = min(since, at), max(until, at)
    around = [(person, since - WINDOW_BEFORE, until + WINDOW_AFTER) for person, (since, until) in spans.items()]
    rows = await raw(_CAPTURES, *(list(column) for column in zip(*around, strict=True)), MOST_OTHERS) if around else []
    for row in reversed(rows):
        taken[row["declared_by"]].append(_capture(row))
    return taken


def _near(
    own: Mapping[UUID, Facts], taken: Mapping[UUID, Sequence[Capture]], hidden: set[UUID], wider: int = 1
) -> set[UUID]:
    """The neighbours of all these files, were the hidden ones not there."""
    open_to = {person: [it for it in captures if it.id not in hidden] for person, captures in taken.items()}
    return {it.id for facts in own.values() for it in _beside(facts.capture, open_to[facts.capture.by], wider)}


def _beside(one: Capture, taken: Sequence[Capture], wider: int = 1) -> list[Capture]:
    at = one.captured_at
    others = [it for it in taken if it.id != one.id]
    if at is None:
        return []
    before = [it for it in others if it.captured_at and it.captured_at <= at][-NEIGHBOURS_BEFORE * wider :]
    after = [it for it in others if it.captured_at and it.captured_at > at][: NEIGHBOURS_AFTER * wider]
    near = {it.id for it in (*before, *after)}
    same = {it.id for it in others if one.position and it.position and it.position.point == one.position.point}
    return [it for it in others if it.id in near | same]


def _told(use: Use, facts: Facts, known: Mapping[UUID, Setting | None]) -> bool:
    """Files of one record are one lot. Out of sight only what came before is spoken of, and without saying when."""
    if use.id not in known:
        return False
    setting = known[use.id]
    if setting is None:
        return use.earlier
    return facts.setting is None or setting.record != facts.setting.record


def _joined(lower: Setting, upper: Setting) -> Setting:
    return replace(lower, secret=lower.secret and upper.secret, kept_from=lower.kept_from | upper.kept_from)


def _capture(row: Any) -> Capture:
    return Capture(
        id=row["id"],
        by=row["declared_by"],
        source=Source(row["source"]),
        captured_at=row["captured_at"],
        position=Position(row["lat"], row["lng"], row["accuracy_m"]) if row["lat"] is not None else None,
        not_after=min(row["declared_at"], row["received_at"] or row["declared_at"]),
        arrived=State(row["state"]) in ARRIVED,
        token_state=TokenState(row["token_state"]) if row["token_state"] else None,
        not_before=row["token_at"] if row["token_state"] == TokenState.good else None,
        token_received_at=row["token_received_at"],
        since_token=timedelta(milliseconds=row["since_token_ms"]) if row["since_token_ms"] is not None else None,
        counter=row["counter"],
    )


def _reading(row: Any) -> Reading | None:
    if row["read"] is None:
        return None
    return Reading(
        exif_at=row["exif_at"],
        zone_known=bool(row["exif_zone_known"]),
        place=(row["exif_lat"], row["exif_lng"]) if row["exif_lat"] is not None else None,
        camera=row["camera"],
        software=row["software"],
        traces=frozenset(map(Trace, row["traces"])),
    )
