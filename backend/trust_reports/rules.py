"""The trust report: its levels, its checks, every threshold with its source, and who reads how much of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from backend.roles import FIELD, READS_AREA, Actor, Role


class Level(StrEnum):
    """How a claim stands to what else is known. Not a score: nothing is added up, no two people are compared."""

    fits = "fits"
    unclear = "unclear"
    contradicts = "contradicts"


WORSE = (Level.fits, Level.unclear, Level.contradicts)


class Check(StrEnum):
    """What is looked at, in the order of the page."""

    target_distance = "target_distance"
    arrival_distance = "arrival_distance"
    accuracy = "accuracy"
    repeated_place = "repeated_place"
    speed = "speed"
    clock = "clock"
    clock_jump = "clock_jump"
    bracket = "bracket"
    counter = "counter"
    exif_time = "exif_time"
    exif_place = "exif_place"
    source = "source"
    edited = "edited"
    seen_before = "seen_before"
    search_cut = "search_cut"
    after_finding = "after_finding"
    before_as_after = "before_as_after"


class Unit(StrEnum):
    """Of a check's raw value."""

    metres = "m"
    seconds = "s"
    kilometres_per_hour = "km/h"
    times = "times"


# ── thresholds, all of them ──────────────────────────────────────────────────────────────────────────────────────
# Arrival radius and the worst accuracy are those of backend/geo.py (domain.md c.2, i.3).

# domain.md i.3, trust.md 3.4: more than five minutes is flagged. Two minutes: what honest phones drift apart.
CLOCK_FITS, CLOCK_CONTRADICTS = timedelta(minutes=2), timedelta(minutes=5)
# Ours: a morning without signal is normal, a day and a night is weak evidence (trust.md 3.4).
BRACKET_FITS = timedelta(hours=24)
# trust.md 3.4. Below so many metres positions jitter; beyond so many a train or an aeroplane is possible.
FASTEST_KMH, JITTER_M, BY_TRAIN_M, AEROPLANE_KMH = 150.0, 500.0, 100_000.0, 1_000.0
# trust.md 3.4: "accuracy 0/1 m", "exactly constant". Ours: how often before it is said.
FINEST_M, CONSTANT_AFTER = 1.0, 10
# trust.md 3.4: "identical to 7 decimals over many captures". One fix serves several photos: occasions lie apart.
OCCASIONS_APART, OCCASIONS_UNCLEAR, OCCASIONS_CONTRADICT = timedelta(minutes=30), 2, 5
# How many times the radius is still only unclear. Ours: a village is not round.
BEYOND_UNCLEAR = 2.0
# Ours: EXIF is written when the shutter closes; a zone may be missing in any of 14 directions (trust.md 0.5).
EXIF_FITS, EXIF_UNCLEAR, ZONES = timedelta(minutes=5), timedelta(hours=24), timedelta(hours=14)
EXIF_PLACE_FITS_M, EXIF_PLACE_UNCLEAR_M = 500.0, 5_000.0


@dataclass(frozen=True, slots=True)
class Result:
    """One check: `said` picks its sentence (wording.py), `figures` fill it; `value` is the raw number."""

    check: Check
    level: Level
    said: str
    value: float | None = None
    unit: Unit | None = None
    figures: Mapping[str, object] = field(default_factory=dict)


def worst(levels: Iterable[Level]) -> Level:
    """Nothing looked at fits."""
    return max(levels, key=WORSE.index, default=Level.fits)


# ── what a sender is told ──────────────────────────────────────────────────────────────────────────────────────


class Hint(StrEnum):
    """What a sender may do better next time. Nothing here tells what is compared with what."""

    no_position = "no_position"
    coarse = "coarse"
    clock = "clock"


def hints(results: Iterable[Result]) -> list[Hint]:
    """Read off the checks that everybody could make of their own phone; in the order of the page, each once."""
    told = (_HINT_OF.get(result.said) for result in results)
    return list(dict.fromkeys(hint for hint in told if hint))


_HINT_OF = {
    "target_distance.no_position": Hint.no_position,
    "accuracy.coarse": Hint.coarse,
    "clock.ahead": Hint.clock,
    "clock.offset_fast": Hint.clock,
    "clock.offset_slow": Hint.clock,
}


# ── who reads how much ───────────────────────────────────────────────────────────────────────────────────────────


class Sight(StrEnum):
    """How much of a report a person gets who sees the file."""

    whole = "whole"
    hints = "hints"
    none = "none"


ANSWER_FOR = READS_AREA | {Role.team_lead, Role.lead_unit_reviewer, Role.system}
INSPECT = FIELD - ANSWER_FOR


@dataclass(frozen=True, slots=True)
class Seat:
    """From where a person looks at a file: whether it is in their sight by a role that answers for it, or inspects.

    `of_sender` are the units of who sent it, `kept_from` those whose work is looked at.
    """

    answers: bool
    inspects: bool
    of_sender: frozenset[UUID]
    kept_from: frozenset[UUID]


def sight(actor: Actor, by: UUID, seat: Seat) -> Sight:
    """The whole for who judges the work of others; hints how to take a better photo for the sender's own side.

    Who sent a photo, and the units whose work is looked at, must not learn from it what would have to be forged, nor
    where else their photos are known. Inspectors judge hand-ins, and not their own team's photos.
    """
    own = belongs_to(actor)
    hints = Sight.hints if own & seat.of_sender else Sight.none
    if actor.person == by:
        return Sight.hints
    if own & seat.kept_from:
        return hints
    if seat.answers or (seat.inspects and not own & seat.of_sender):
        return Sight.whole
    return hints


def may_explain(actor: Actor, by: UUID, seat: Seat) -> str | None:
    """Nobody explains what they or their unit sent: the same two keys as for clearing (design.md 2.5)."""
    if actor.person == by or belongs_to(actor) & seat.of_sender:
        return "拍摄人和所在单位的人员不能为自己的照片作说明。"
    return None if sight(actor, by, seat) == Sight.whole else "由审核人员作说明。"


def belongs_to(actor: Actor) -> frozenset[UUID]:
    """By role or by home."""
    return actor.units() | (frozenset({actor.home}) if actor.home else frozenset())
