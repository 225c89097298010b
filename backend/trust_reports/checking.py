"""The checks in their order, and what comes of them for one file."""

from collections.abc import Callable, Mapping

from backend.trust_reports import picture_checks, place_checks, time_checks
from backend.trust_reports.facts import Facts
from backend.trust_reports.rules import Check, Result

CHECKS: Mapping[Check, Callable[[Facts], Result | None]] = {
    Check.target_distance: place_checks.target_distance,
    Check.arrival_distance: place_checks.arrival_distance,
    Check.accuracy: place_checks.accuracy,
    Check.repeated_place: place_checks.repeated_place,
    Check.speed: place_checks.speed,
    Check.clock: time_checks.clock,
    Check.clock_jump: time_checks.clock_jump,
    Check.bracket: time_checks.bracket,
    Check.counter: time_checks.counter,
    Check.exif_time: time_checks.exif_time,
    Check.exif_place: picture_checks.exif_place,
    Check.source: picture_checks.source,
    Check.edited: picture_checks.edited,
    Check.seen_before: picture_checks.seen_before,
    Check.search_cut: picture_checks.search_cut,
    Check.after_finding: time_checks.after_finding,
    Check.before_as_after: picture_checks.before_as_after,
}


def results(facts: Facts) -> list[Result]:
    """What can be said of this file. A check that has nothing to compare says nothing."""
    told = (check(facts) for check in CHECKS.values())
    return [result for result in told if result is not None]
