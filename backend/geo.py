"""Where things are: datums of Chinese maps, distances, and what counts as a usable position. No geocoder."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from backend.errors import BadRequest

if TYPE_CHECKING:
    from geopy.distance import geodesic

# Arrival radius by kind of target, in metres. Defaults of a setting, not law.
VILLAGE_RADIUS_M = 500.0
SITE_RADIUS_M = 200.0

# A device's own error radius, in metres: above the first it is shown as coarse, above the second refused.
COARSE_M = 100.0
WORST_ACCURACY_M = 1000.0

# The box inside which Chinese maps are shifted; it covers neighbours too, as the maps themselves do.
_SOUTH, _NORTH, _WEST, _EAST = 0.8293, 55.8271, 72.004, 137.8347
# Semi-major axis (metres) and squared eccentricity of the Krasovsky ellipsoid, on which GCJ-02 is defined.
_AXIS, _ECCENTRICITY = 6378245.0, 0.00669342162296594323
_BAIDU_PI = math.pi * 3000 / 180

LatLng = tuple[float, float]


class Datum(StrEnum):
    """Which coordinates a sender speaks.

    CGCS2000 (天地图) has no member of its own and is sent as `wgs84`: the two differ by decimetres at most,
    far below any device's accuracy.
    """

    wgs84 = "wgs84"
    gcj02 = "gcj02"
    bd09 = "bd09"


@dataclass(frozen=True, slots=True)
class Place:
    """A position as a phone reported it, in its own datum: the claim as it is stored, unchecked.

    Height, heading and speed are what the device says beside it; many say nothing.
    """

    lat: float
    lng: float
    accuracy_m: float
    datum: Datum
    altitude_m: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a device says it is: WGS-84 degrees, and the radius in metres within which it believes to be."""

    lat: float
    lng: float
    accuracy_m: float

    @property
    def point(self) -> LatLng:
        return self.lat, self.lng

    @property
    def coarse(self) -> bool:
        """Worse than 100 m: accepted, and shown with a warning."""
        return self.accuracy_m > COARSE_M


def position(lat: float | None, lng: float | None, accuracy_m: float | None, datum: Datum = Datum.wgs84) -> Position:
    """A device's claim, checked and brought to WGS-84.

    Raises BadRequest with a code and a field: `position_missing`, `position_malformed`, `accuracy_missing`,
    `accuracy_malformed`, `accuracy_too_poor` (worse than 1000 m).
    """
    at = checked_point(lat, lng)
    accuracy = checked_accuracy(accuracy_m)
    return Position(*to_wgs84(*at, datum), accuracy)


def checked_point(lat: float | None, lng: float | None) -> LatLng:
    """Finite degrees on the globe, in whatever datum they came. Raises BadRequest, see `position`."""
    return _degrees(lat, 90.0, "lat", "纬度"), _degrees(lng, 180.0, "lng", "经度")


def checked_accuracy(accuracy_m: float | None) -> float:
    """Metres in (0, 1000]. Raises BadRequest, see `position`."""
    if accuracy_m is None:
        raise BadRequest("缺少定位精度，请在手机上允许精确定位后重试。", "accuracy_missing", field="accuracy_m")
    if not _is_number(accuracy_m) or accuracy_m <= 0:
        raise BadRequest("定位精度应为大于零的米数。", "accuracy_malformed", field="accuracy_m")
    if accuracy_m > WORST_ACCURACY_M:
        raise BadRequest(
            "定位误差超过1000米，不能作为到达记录，请到开阔处重新定位。",
            "accuracy_too_poor",
            field="accuracy_m",
        )
    return float(accuracy_m)


def distance_m(a: LatLng, b: LatLng) -> float:
    """Metres along the WGS-84 ellipsoid between two WGS-84 points (lat, lng)."""
    return _ellipsoid().measure(a, b) * 1000


@cache  # making it takes longer than measuring with it
def _ellipsoid() -> "geodesic":
    """WGS-84. Loaded when it is first needed: for this one formula geopy loads every geocoder it knows."""
    from geopy.distance import geodesic

    return geodesic()


def within(distance_m: float, radius_m: float, accuracy_m: float) -> bool:
    """Whether a position counts as being there: no farther than the radius, or than the device can tell."""
    return distance_m <= max(radius_m, accuracy_m)


def to_wgs84(lat: float, lng: float, datum: Datum) -> LatLng:
    """The same place in WGS-84 degrees, to a centimetre. Outside the box of China's maps nothing moves."""
    if datum is Datum.wgs84:
        return lat, lng
    gcj = _undo(_baidu_shift, lat, lng) if datum is Datum.bd09 else (lat, lng)
    wgs = _undo(_gcj_shift, *gcj)
    return wgs if _in_box(*wgs) else (lat, lng)


def from_wgs84(lat: float, lng: float, datum: Datum) -> LatLng:
    """The same place in the degrees that maps of this datum speak. Outside the box nothing moves."""
    if datum is Datum.wgs84 or not _in_box(lat, lng):
        return lat, lng
    gcj = _moved(_gcj_shift, lat, lng)
    return _moved(_baidu_shift, *gcj) if datum is Datum.bd09 else gcj


def reported(place: Place | None) -> dict[str, Any]:
    """The columns of what the phone said, by which a second request is known to be the same."""
    return {
        "reported_lat": place and place.lat,
        "reported_lng": place and place.lng,
        "accuracy_m": place and place.accuracy_m,
        "datum": place and place.datum.value,
        "altitude_m": place and place.altitude_m,
        "heading_deg": place and place.heading_deg,
        "speed_mps": place and place.speed_mps,
    }


def columns(place: Place | None) -> dict[str, Any]:
    """What is stored of a place: as reported, and where that is in WGS-84."""
    lat, lng = to_wgs84(place.lat, place.lng, place.datum) if place else (None, None)
    return {**reported(place), "lat": lat, "lng": lng}


def _degrees(value: float | None, limit: float, field: str, label: str) -> float:
    if value is None:
        raise BadRequest(f"缺少{label}。", "position_missing", field=field)
    if not _is_number(value) or abs(value) > limit:
        raise BadRequest(f"{label}应为正负{limit:.0f}度以内的数。", "position_malformed", field=field)
    return float(value)


def _is_number(value: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _in_box(lat: float, lng: float) -> bool:
    return _SOUTH <= lat <= _NORTH and _WEST <= lng <= _EAST


def _moved(shift: Callable[[float, float], LatLng], lat: float, lng: float) -> LatLng:
    north, east = shift(lat, lng)
    return lat + north, lng + east


def _undo(shift: Callable[[float, float], LatLng], lat: float, lng: float) -> LatLng:
    # Fixed point: each round shrinks the error some fifty times; three leave less than a centimetre.
    # The caller judges the box afterwards, on the WGS-84 side, as the forward way does: so the rim returns.
    before = lat, lng
    for _ in range(3):
        north, east = shift(*before)
        before = lat - north, lng - east
    return before


def _gcj_shift(lat: float, lng: float) -> LatLng:
    """Degrees north and east from WGS-84 to GCJ-02 at a WGS-84 place (the publicly known polynomial)."""
    x, y = lng - 105.0, lat - 35.0
    common = 20 * math.sin(6 * x * math.pi) + 20 * math.sin(2 * x * math.pi)
    root = math.sqrt(abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (common + _sines(y, 20, 40) + 160 * math.sin(y / 12 * math.pi) + 320 * math.sin(y / 30 * math.pi)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (common + _sines(x, 20, 40) + 150 * math.sin(x / 12 * math.pi) + 300 * math.sin(x / 30 * math.pi)) * 2 / 3
    latitude = math.radians(lat)
    flat = 1 - _ECCENTRICITY * math.sin(latitude) ** 2
    meridian = _AXIS * (1 - _ECCENTRICITY) / (flat * math.sqrt(flat))
    parallel = _AXIS / math.sqrt(flat) * math.cos(latitude)
    return math.degrees(north / meridian), math.degrees(east / parallel)


def _sines(v: float, whole: float, third: float) -> float:
    return whole * math.sin(v * math.pi) + third * math.sin(v / 3 * math.pi)


def _baidu_shift(lat: float, lng: float) -> LatLng:
    """Degrees north and east from GCJ-02 to BD-09 at a GCJ-02 place."""
    far = math.hypot(lng, lat) + 0.00002 * math.sin(lat * _BAIDU_PI)
    angle = math.atan2(lat, lng) + 0.000003 * math.cos(lng * _BAIDU_PI)
    return far * math.sin(angle) + 0.006 - lat, far * math.cos(angle) + 0.0065 - lng
