"""When a photo says it was taken, against the server's clock, the phone's unchangeable one, and the fact it shows."""

from datetime import timedelta

from backend.evidence.rules import TokenState
from backend.trust_reports.facts import AFTER, Capture, Facts
from backend.trust_reports.rules import (
    BRACKET_FITS,
    CLOCK_CONTRADICTS,
    CLOCK_FITS,
    EXIF_FITS,
    EXIF_UNCLEAR,
    ZONES,
    Check,
    Level,
    Result,
    Unit,
)


def clock(facts: Facts) -> Result:
    """The phone's clock minus the server's, when the phone fetched the last token.

    Without a token only a time ahead of its arrival can be noticed; a time behind is what a dead spot looks like.
    """
    capture = facts.capture
    if capture.not_before and capture.token_received_at:
        return _offset(capture.token_received_at - capture.not_before, "clock.offset")
    if capture.captured_at and capture.captured_at - capture.not_after > CLOCK_FITS:
        return _offset(capture.captured_at - capture.not_after, "clock.ahead")
    said = "clock.bad_token" if capture.token_state else "clock.no_token"
    return Result(Check.clock, Level.unclear, said)


def clock_jump(facts: Facts) -> Result | None:
    """Whether the phone's clock was set between the token and the shutter: a counter beside it ran on."""
    capture = facts.capture
    if not (capture.not_before and capture.token_received_at and capture.since_token and capture.captured_at):
        return None
    jumped = capture.captured_at - capture.token_received_at - capture.since_token
    level = _of_clock(jumped)
    said = "clock_jump.none" if level == Level.fits else "clock_jump.set"
    seconds = jumped.total_seconds()
    return Result(Check.clock_jump, level, said, round(seconds, 1), Unit.seconds, {"jump_s": seconds})


def bracket(facts: Facts) -> Result:
    """Between the last token and the moment the server was told its hash the photo came into being: for certain."""
    capture = facts.capture
    if capture.token_state == TokenState.ahead:
        return Result(Check.bracket, Level.unclear, "bracket.server_set_back")
    if capture.not_before is None:
        return Result(Check.bracket, Level.unclear, "bracket.open", figures={"until_at": capture.not_after})
    width = (capture.not_after - capture.not_before).total_seconds()
    figures = {"since_at": capture.not_before, "until_at": capture.not_after, "width_s": width}
    outside = _outside(capture)
    if outside > CLOCK_CONTRADICTS:
        figures |= {"captured_at": capture.captured_at, "outside_s": outside.total_seconds()}
        return Result(Check.bracket, Level.contradicts, "bracket.outside", width, Unit.seconds, figures)
    wide = timedelta(seconds=width) > BRACKET_FITS
    level, said = (Level.unclear, "bracket.wide") if wide else (Level.fits, "bracket.narrow")
    return Result(Check.bracket, level, said, width, Unit.seconds, figures)


def counter(facts: Facts) -> Result | None:
    """A phone counts its captures: the count does not go back while its time goes on. A new phone begins anew.

    The counts themselves are not told: how many are between two photos tells how many were taken out of sight.
    """
    capture = facts.capture
    if capture.counter is None or capture.captured_at is None:
        return None
    before = [it for it in facts.others if it.counter is not None and it.captured_at]
    before = [it for it in before if it.captured_at and it.captured_at < capture.captured_at]
    if not before:
        return None
    last = before[-1].counter or 0
    back = last - capture.counter
    if back < 0:
        return Result(Check.counter, Level.fits, "counter.on")
    return Result(Check.counter, Level.unclear, "counter.back", float(back), Unit.times, {"count": back})


def exif_time(facts: Facts) -> Result | None:
    """The time in the file against the time of the capture. A file from a web page has none, and that is as it is."""
    reading, capture = facts.reading, facts.capture
    if reading is None:
        return None
    if reading.exif_at is None:
        return Result(Check.exif_time, Level.fits, "exif.absent")
    if capture.captured_at is None:
        figures = {"exif_at": reading.exif_at}
        return Result(Check.exif_time, Level.unclear, "exif_time.alone", figures=figures)
    apart = abs(reading.exif_at - capture.captured_at)
    figures = {"exif_at": reading.exif_at, "apart_s": apart.total_seconds()}
    level, said = Level.contradicts, "exif_time.other"
    if apart <= EXIF_FITS:
        level, said = Level.fits, "exif_time.same"
    elif not reading.zone_known and _whole_zones(apart):
        level, said = Level.unclear, "exif_time.zone"
    elif apart <= EXIF_UNCLEAR:
        level = Level.unclear
    return Result(Check.exif_time, level, said, apart.total_seconds(), Unit.seconds, figures)


def after_finding(facts: Facts) -> Result | None:
    """A photo that shows how it is afterwards is not older than the fact: by the phone's claim and by the file's."""
    setting = facts.setting
    if setting is None or setting.kind not in AFTER or setting.found_at is None:
        return None
    claims = [facts.capture.captured_at, facts.reading.exif_at if facts.reading else None]
    known = [at for at in claims if at]
    if not known:
        return Result(Check.after_finding, Level.unclear, "after_finding.unknown")
    earliest = min(known)
    figures = {"taken_at": earliest, "found_at": setting.found_at}
    older = setting.found_at - earliest
    level = _of_clock(max(older, timedelta(0)))
    said = "after_finding.after" if level == Level.fits else "after_finding.older"
    return Result(Check.after_finding, level, said, round(-older.total_seconds(), 1), Unit.seconds, figures)


def _offset(offset: timedelta, said: str) -> Result:
    seconds = offset.total_seconds()
    level = _of_clock(offset)
    word = "fast" if seconds >= 0 else "slow"
    said = f"{said}_{word}" if said == "clock.offset" else said
    said = "clock.right" if level == Level.fits else said
    return Result(Check.clock, level, said, round(seconds, 1), Unit.seconds, {"offset_s": seconds})


def _of_clock(difference: timedelta) -> Level:
    if abs(difference) <= CLOCK_FITS:
        return Level.fits
    return Level.unclear if abs(difference) <= CLOCK_CONTRADICTS else Level.contradicts


def _outside(capture: Capture) -> timedelta:
    """How far the claimed moment lies outside the bracket."""
    at, since = capture.captured_at, capture.not_before
    if at is None or since is None:
        return timedelta(0)
    return max(since - at, at - capture.not_after, timedelta(0))


def _whole_zones(apart: timedelta) -> bool:
    """A multiple of half an hour, as far as time zones go."""
    half = timedelta(minutes=30)
    rest = apart % half
    return apart <= ZONES and min(rest, half - rest) <= EXIF_FITS
