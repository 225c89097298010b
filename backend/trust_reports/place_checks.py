"""Where a photo says it was taken, against the target, the arrival, and the same person's other photos."""

from datetime import datetime, timedelta

from backend import geo
from backend.geo import LatLng, Position
from backend.trust_reports.facts import Capture, Facts
from backend.trust_reports.rules import (
    AEROPLANE_KMH,
    BEYOND_UNCLEAR,
    BY_TRAIN_M,
    CONSTANT_AFTER,
    FASTEST_KMH,
    FINEST_M,
    JITTER_M,
    OCCASIONS_APART,
    OCCASIONS_CONTRADICT,
    OCCASIONS_UNCLEAR,
    Check,
    Level,
    Result,
    Unit,
)


def target_distance(facts: Facts) -> Result | None:
    """To the place the visit or the finding is about."""
    setting, at = facts.setting, facts.capture.position
    if setting is None or setting.target is None:
        return None
    return _distance(Check.target_distance, at, setting.target, setting.radius_m, 0.0)


def arrival_distance(facts: Facts) -> Result | None:
    """To the arrival record nearest in time; of the team, so two people may stand at two ends of a village."""
    setting, capture = facts.setting, facts.capture
    if setting is None or not setting.arrivals:
        return None
    when = capture.captured_at or capture.not_after
    arrived, _ = min(setting.arrivals, key=lambda arrival: abs(arrival[1] - when))
    return _distance(
        Check.arrival_distance, capture.position, arrived.point, setting.radius_m, _usable(arrived.accuracy_m)
    )


def accuracy(facts: Facts) -> Result | None:
    """The device's own error radius: too large says little, too small or never changing is not what devices say."""
    at = facts.capture.position
    if at is None:
        return None
    alike = [it for it in facts.others if it.position and it.position.accuracy_m == at.accuracy_m]
    placed = [it for it in facts.others if it.position]
    elsewhere = any(it.position and it.position.point != at.point for it in alike)
    said, level = "accuracy.fine", Level.fits
    if at.accuracy_m > geo.COARSE_M:
        said, level = "accuracy.coarse", Level.unclear
    elif at.accuracy_m <= FINEST_M:
        said, level = "accuracy.too_fine", Level.unclear
    elif len(alike) == len(placed) >= CONSTANT_AFTER and elsewhere:
        said, level = "accuracy.constant", Level.unclear
    figures = {"accuracy_m": at.accuracy_m, "times": len(alike) + 1}
    return Result(Check.accuracy, level, said, at.accuracy_m, Unit.metres, figures)


def repeated_place(facts: Facts) -> Result | None:
    """The same coordinates to seven decimals on other occasions. No two fixes of a satellite receiver are the same."""
    at = facts.capture.position
    if at is None:
        return None
    moments = [_when(it) for it in facts.others if it.position and _seven(it.position.point) == _seven(at.point)]
    count = _occasions([*moments, _when(facts.capture)]) - 1
    level = Level.fits
    if count >= OCCASIONS_UNCLEAR:
        level = Level.contradicts if count >= OCCASIONS_CONTRADICT else Level.unclear
    said = "repeated_place.often" if level != Level.fits else "repeated_place.not"
    return Result(Check.repeated_place, level, said, float(count), Unit.times, {"count": count})


def speed(facts: Facts) -> Result | None:
    """From the photo before and to the photo after, by the phone's clock: the faster of the two."""
    capture = facts.capture
    if capture.position is None or capture.captured_at is None:
        return None
    before = [it for it in facts.others if it.position and it.captured_at and it.captured_at <= capture.captured_at]
    after = [it for it in facts.others if it.position and it.captured_at and it.captured_at > capture.captured_at]
    beside = [*before[-1:], *after[:1]]
    if not beside:
        return None
    results = [_between(capture, other) for other in beside]
    return max(results, key=lambda result: (result.level != Level.fits, result.value or 0.0))


def _between(one: Capture, other: Capture) -> Result:
    assert one.position and other.position and one.captured_at and other.captured_at
    apart = geo.distance_m(one.position.point, other.position.point)
    sure = max(0.0, apart - _usable(one.position.accuracy_m) - _usable(other.position.accuracy_m))
    took = max(abs(one.captured_at - other.captured_at), timedelta(seconds=1))
    kmh = round(sure / took.total_seconds() * 3.6, 1) if sure > JITTER_M else 0.0
    level = Level.fits
    if kmh > FASTEST_KMH:
        level = Level.unclear if apart >= BY_TRAIN_M and kmh <= AEROPLANE_KMH else Level.contradicts
    said = {Level.fits: "speed.fits", Level.unclear: "speed.by_train", Level.contradicts: "speed.too_fast"}[level]
    figures = {"speed_kmh": kmh, "apart_m": apart, "took_s": took.total_seconds()}
    return Result(Check.speed, level, said, kmh, Unit.kilometres_per_hour, figures)


def _distance(check: Check, at: Position | None, point: LatLng, radius_m: float, slack_m: float) -> Result:
    """`slack_m`: what the other point itself may be off."""
    if at is None:
        return Result(check, Level.unclear, f"{check}.no_position")
    distance = geo.distance_m(at.point, point)
    figures = {"distance_m": distance, "radius_m": radius_m, "accuracy_m": at.accuracy_m}
    if at.accuracy_m > geo.WORST_ACCURACY_M:
        return Result(check, Level.unclear, f"{check}.too_coarse", round(distance, 1), Unit.metres, figures)
    beyond = distance - at.accuracy_m - slack_m
    level = Level.fits
    if beyond > radius_m:
        level = Level.unclear if beyond <= BEYOND_UNCLEAR * radius_m else Level.contradicts
    said = f"{check}.within" if level == Level.fits else f"{check}.beyond"
    return Result(check, level, said, round(distance, 1), Unit.metres, figures)


def _usable(accuracy_m: float) -> float:
    """A phone that says it may be anywhere does not thereby move slowly."""
    return min(accuracy_m, geo.WORST_ACCURACY_M)


def _seven(point: LatLng) -> LatLng:
    return round(point[0], 7), round(point[1], 7)


def _when(capture: Capture) -> datetime:
    return capture.captured_at or capture.not_after


def _occasions(moments: list[datetime]) -> int:
    """How many groups of moments lie apart from each other."""
    ordered = sorted(moments)
    return 1 + sum(later - earlier >= OCCASIONS_APART for earlier, later in zip(ordered, ordered[1:], strict=False))
