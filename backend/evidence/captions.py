"""What stands in the bar below a display copy, and who says so: phone, server, or what the photo hangs on. Pure."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from backend.clock import SHANGHAI
from backend.evidence.rules import Caption, Source

LONGEST = 120  # letters of a headline or a value
UNSAID = "未报"
UNSEEN = ("Cc", "Cf", "Cs")


@dataclass(frozen=True, slots=True)
class Bar:
    """A headline, and facts of a label and a value each, in their order."""

    headline: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What an evidence row says of its photo: the phone's claims, and when its bytes came."""

    captured_at: datetime | None
    source: Source
    lat: float | None
    lng: float | None
    accuracy_m: float | None
    received_at: datetime | None


def bar(caption: Caption, told: Told) -> Bar:
    """The phone's claims are named as such, 手机, so that nobody takes them for what we know; no fact is empty."""
    facts = (
        ("手机时间", _claimed_time(told)),
        ("服务器收到", _time(told.received_at) if told.received_at else ""),
        ("手机定位", _place(told)),
        ("编号", caption.number),
        ("单位", caption.unit),
    )
    return Bar(_clean(caption.place), tuple((label, _clean(value)) for label, value in facts if _clean(value)))


def _claimed_time(told: Told) -> str:
    said = _time(told.captured_at) if told.captured_at else UNSAID
    return f"{said}（相册照片）" if told.source is Source.gallery else said


def _time(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _place(told: Told) -> str:
    if told.lat is None or told.lng is None:
        return UNSAID
    north, east = "北纬" if told.lat >= 0 else "南纬", "东经" if told.lng >= 0 else "西经"
    where = f"{north} {abs(told.lat):.5f}° {east} {abs(told.lng):.5f}°"
    return where if told.accuracy_m is None else f"{where} ±{max(1, round(told.accuracy_m))} 米"


def _clean(text: str) -> str:
    """On one line, composed, without letters that are never seen, and bounded.

    Letters of private use and of a Unicode newer than ours stay: rare names are written with them, and the bar shows
    the number of what no font has.
    """
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    seen = "".join(letter for letter in spaced if unicodedata.category(letter) not in UNSEEN)
    return seen if len(seen) <= LONGEST else seen[: LONGEST - 1] + "…"
