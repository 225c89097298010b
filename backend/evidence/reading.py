"""What the decoding child told of a photo, believed no further than needed: lengths, ranges, letters. Pure.

A hostile file may be speaking through the child, and even an honest file only claims.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite
from typing import Any

from backend.clock import SHANGHAI
from backend.evidence.rules import Trace

LONGEST = 100
MOST_LOOKS = 16
WRITTEN_AFTER = timedelta(minutes=2)  # a camera may need some seconds to save; later is another occasion
# Programs and services for changing pictures, as they name themselves. Cameras of phones name a firmware here.
EDITORS = re.compile(
    r"photoshop|lightroom|camera raw|\bgimp|snapseed|picsart|pixelmator|affinity|\bpaint|\bcanva|\bvsco|facetune|meitu|"
    "beautycam|xingtu|faceu|b612|polarr|photoscape|photo ?editor|picasa|acdsee|darktable|rawtherapee|krita|"
    "imagemagick|corel|fotor|美图|醒图|美颜|修图|改图|水印",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """Claims of a file. A time without a zone is read as Shanghai's, and `zone_known` is false."""

    at: datetime | None = None
    zone_known: bool | None = None
    lat: float | None = None
    lng: float | None = None
    camera: str | None = None
    software: str | None = None
    traces: tuple[Trace, ...] = ()
    looks: tuple[int, ...] | None = None


def judged(exif: object, looks: object, size: tuple[int, int]) -> Reading:
    """The reading of a photo of this size, upright, out of whatever the child answered. Never raises."""
    said = exif if isinstance(exif, dict) else {}
    at, zone_known = _moment(said.get("taken"), said.get("taken_offset"))
    lat, lng = _position(said.get("lat"), said.get("lng"))
    make, model, software = (_plain(said.get(name)) for name in ("make", "model", "software"))
    return Reading(
        at,
        zone_known if at else None,
        lat,
        lng,
        _camera(make, model),
        software or None,
        _traces(said, at, software, size),
        _looks(looks),
    )


def _plain(value: object) -> str:
    """Up to the first NUL, without control, format and private letters, spaces single, bounded."""
    if not isinstance(value, str):
        return ""
    kept = (" " if letter.isspace() else letter for letter in value.partition("\0")[0])
    shown = "".join(letter for letter in kept if letter == " " or unicodedata.category(letter)[0] != "C")
    return " ".join(shown.split())[:LONGEST].strip()


def _camera(make: str, model: str) -> str | None:
    """Make and model in one; a model that begins with its make does not say it twice."""
    name = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    return name.strip()[:LONGEST] or None


def _moment(written: object, offset: object) -> tuple[datetime | None, bool]:
    """2026:11:24 09:12:33 with +08:00, or without. None for what is no date or cannot be kept."""
    if not isinstance(written, str) or not isinstance(offset, str | None):
        return None, False
    zone = _zone(offset.strip("\0 ") if offset else "")
    try:
        naive = datetime.strptime(written.strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 -- the zone comes next
        at = naive.replace(tzinfo=zone or SHANGHAI).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, False
    return (at, zone is not None) if 1 < at.year < 9999 else (None, False)


def _zone(offset: str) -> timezone | None:
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", offset, re.ASCII)
    if offset in ("Z", "+00:00", "-00:00"):
        return UTC
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        return None
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(ahead if found[1] == "+" else -ahead)


def _position(lat: object, lng: object) -> tuple[float | None, float | None]:
    """Both or none. 0, 0 is what cameras write that have no fix."""
    if not isinstance(lat, float) or not isinstance(lng, float) or not (isfinite(lat) and isfinite(lng)):
        return None, None
    if abs(lat) > 90 or abs(lng) > 180 or (lat == 0 and lng == 0):
        return None, None
    return lat, lng


def _traces(said: dict[Any, Any], at: datetime | None, software: str, size: tuple[int, int]) -> tuple[Trace, ...]:
    found: list[Trace] = []
    if EDITORS.search(software):
        found.append(Trace.editor)
    width, height = said.get("width"), said.get("height")
    if isinstance(width, float) and isinstance(height, float) and width >= 1 and height >= 1:
        if sorted((width, height)) != sorted(map(float, size)):  # some turn the pixels and leave the note
            found.append(Trace.resized)
    changed, _ = _moment(said.get("changed"), said.get("changed_offset") or said.get("taken_offset"))
    if at and changed and changed - at > WRITTEN_AFTER:
        found.append(Trace.saved_later)
    return tuple(found)


def _looks(given: object) -> tuple[int, ...] | None:
    if not isinstance(given, list) or len(given) > MOST_LOOKS:
        return None
    whole = [
        look for look in given if isinstance(look, int) and not isinstance(look, bool) and -(2**63) <= look < 2**63
    ]
    return tuple(whole) if len(whole) == len(given) else None
