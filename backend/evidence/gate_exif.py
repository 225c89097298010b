"""Takes the few tags out of EXIF that we look at, inside the child; reading.py judges them. Imports nothing of ours."""

from math import isfinite
from typing import Any

from PIL import ExifTags, Image

LONGEST = 200

Tags = dict[str, Any]

MAIN = {
    "orientation": ExifTags.Base.Orientation,
    "make": ExifTags.Base.Make,
    "model": ExifTags.Base.Model,
    "software": ExifTags.Base.Software,
    "changed": ExifTags.Base.DateTime,
}
TAKEN = {
    "taken": ExifTags.Base.DateTimeOriginal,
    "taken_offset": ExifTags.Base.OffsetTimeOriginal,
    "changed_offset": ExifTags.Base.OffsetTime,
    "width": ExifTags.Base.ExifImageWidth,
    "height": ExifTags.Base.ExifImageHeight,
}
PLACE = {
    "lat": ExifTags.GPS.GPSLatitude,
    "lat_ref": ExifTags.GPS.GPSLatitudeRef,
    "lng": ExifTags.GPS.GPSLongitude,
    "lng_ref": ExifTags.GPS.GPSLongitudeRef,
}


def tags(image: Image.Image) -> Tags:
    """The tags that are there, as Pillow gives them; none that cannot be read."""
    found: Tags = {}
    try:
        exif = image.getexif()
        for wanted, where in ((MAIN, None), (TAKEN, ExifTags.IFD.Exif), (PLACE, ExifTags.IFD.GPSInfo)):
            folder = exif if where is None else exif.get_ifd(where)
            found |= {name: folder[tag] for name, tag in wanted.items() if tag in folder}
    except Exception:  # metadata is a claim: what came before the damage is kept
        pass
    return found


def orientation(tags: Tags) -> int:
    """How the picture is to be turned; 1, as it is, for nonsense."""
    given = tags.get("orientation", 1)
    return given if isinstance(given, int) else 1


def said(tags: Tags) -> dict[str, str | float]:
    """The tags but orientation as short texts and finite numbers; a position only with all of its parts."""
    plain = {name: _text(tags[name]) for name in ("make", "model", "software", "taken", "changed") if name in tags}
    plain |= {name: _text(tags[name]) for name in ("taken_offset", "changed_offset") if name in tags}
    numbers = {name: _number(tags[name]) for name in ("width", "height") if name in tags}
    for name, sides in (("lat", "NS"), ("lng", "EW")):
        numbers[name] = _degrees(tags.get(name), _text(tags.get(f"{name}_ref")).strip("\0 "), sides)
    known = {name: number for name, number in numbers.items() if number is not None}
    return plain | known


def _text(value: object) -> str:
    """Pillow reads every byte as a letter of Latin-1; phones write UTF-8. What is neither is left out."""
    if isinstance(value, str):
        value = value[:LONGEST].encode("latin-1", "ignore")
    return value[:LONGEST].decode("utf-8", "ignore") if isinstance(value, bytes) else ""


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if isfinite(number) else None  # 0/0 of a rational is nan


def _degrees(value: Any, side: str, sides: str) -> float | None:
    """Degrees, minutes, seconds with the letter of a side; None when one of them is missing or no number."""
    parts = [_number(part) for part in value] if isinstance(value, tuple) and len(value) == 3 else [None]
    if None in parts or len(side) != 1 or side not in sides:
        return None
    degrees = sum(part / 60**power for power, part in enumerate(parts) if part is not None)
    return degrees if side == sides[0] else -degrees
