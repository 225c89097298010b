"""What the file itself says: its source, its own place, traces of editing, and where the same photo was seen before."""

from backend import geo
from backend.evidence.rules import Source, Trace
from backend.trust_reports.facts import AFTER, Facts, Likeness, Setting, Use
from backend.trust_reports.rules import (
    EXIF_PLACE_FITS_M,
    EXIF_PLACE_UNCLEAR_M,
    Check,
    Level,
    Result,
    Unit,
    worst,
)


def source(facts: Facts) -> Result:
    """From the camera of the page, or from the gallery, where anything may lie."""
    said = facts.capture.source
    level = Level.fits if said == Source.camera else Level.unclear
    return Result(Check.source, level, f"source.{said}")


def exif_place(facts: Facts) -> Result | None:
    """The place in the file against the position of the capture; where there is none, against the target."""
    reading, capture, setting = facts.reading, facts.capture, facts.setting
    if reading is None:
        return None
    if reading.place is None:
        return Result(Check.exif_place, Level.fits, "exif.absent")
    point, slack = (capture.position.point, capture.position.accuracy_m) if capture.position else (None, 0.0)
    if point is None and setting and setting.target:
        point, slack = setting.target, setting.radius_m
    if point is None:
        return Result(Check.exif_place, Level.unclear, "exif_place.alone")
    distance = geo.distance_m(point, reading.place)
    beyond = distance - min(slack, geo.WORST_ACCURACY_M)
    level = Level.contradicts if beyond > EXIF_PLACE_UNCLEAR_M else Level.unclear
    level = Level.fits if beyond <= EXIF_PLACE_FITS_M else level
    said = "exif_place.position" if capture.position else "exif_place.target"
    figures = {"distance_m": distance}
    return Result(Check.exif_place, level, said, round(distance, 1), Unit.metres, figures)


def edited(facts: Facts) -> Result | None:
    """Traces of work on the file after the shutter. None is a proof, and many honest photos bear one."""
    reading = facts.reading
    if reading is None:
        return None
    for trace in Trace:
        if trace in reading.traces:
            figures = {"software": reading.software or ""}
            return Result(Check.edited, Level.unclear, f"edited.{trace}", figures=figures)
    return Result(Check.edited, Level.fits, "edited.no_trace")


def seen_before(facts: Facts) -> Result | None:
    """The same photo with another record. The later use is what is spoken of: a photo is not to blame for its copies.

    Of one matter, or of one visit, a photo may show two things; elsewhere it cannot. What is out of sight counts once,
    however often it was: the reader learns that it was, and nothing more.
    """
    if not facts.capture.arrived:
        return None
    earlier = [use for use in facts.uses if use.earlier and not _is_before(use, facts.setting)]
    if not earlier:
        later = any(not use.earlier for use in facts.uses)
        return Result(
            Check.seen_before, Level.fits, "seen_before.later" if later else "seen_before.never", 0, Unit.times
        )
    level = worst(_of_use(use, facts.setting) for use in earlier)
    likeness = Likeness.exact if any(use.likeness == Likeness.exact for use in earlier) else Likeness.near
    own = all(use.setting and _together(use.setting, facts.setting) for use in earlier)
    said = f"seen_before.{likeness}_together" if own else f"seen_before.{likeness}"
    seen = sum(use.setting is not None for use in earlier)
    count = seen + (seen < len(earlier))
    return Result(Check.seen_before, level, said, float(count), Unit.times, {"count": count})


def search_cut(facts: Facts) -> Result | None:
    """Said only where the search for like photos was cut: what was not compared may have been seen before as well."""
    if facts.beyond is None:
        return None
    count = facts.beyond
    return Result(Check.search_cut, Level.unclear, "search.cut", float(count), Unit.times, {"count": count})


def before_as_after(facts: Facts) -> Result | None:
    """Whether a photo of how it is afterwards is one of those of how it was."""
    setting = facts.setting
    if setting is None or setting.kind not in AFTER or not setting.before or not facts.capture.arrived:
        return None
    same = [use for use in facts.uses if use.id in setting.before]
    if not same:
        return Result(Check.before_as_after, Level.fits, "before_as_after.another", 0, Unit.times)
    exact = any(use.likeness == Likeness.exact for use in same)
    level, said = (Level.contradicts, "exact") if exact else (Level.unclear, "near")
    return Result(Check.before_as_after, level, f"before_as_after.{said}", float(len(same)), Unit.times)


def _of_use(use: Use, setting: Setting | None) -> Level:
    if use.likeness == Likeness.near or (use.setting and _together(use.setting, setting)):
        return Level.unclear
    return Level.contradicts


def _together(one: Setting, other: Setting | None) -> bool:
    """Of the same matter or the same visit."""
    if other is None:
        return False
    return one.matter == other.matter or (one.occasion is not None and one.occasion == other.occasion)


def _is_before(use: Use, setting: Setting | None) -> bool:
    """Told by a check of its own."""
    return setting is not None and setting.kind in AFTER and use.id in setting.before
