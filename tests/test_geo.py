"""Datums, distances and the check of positions, against published and independently measured figures."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.errors import BadRequest
from backend.geo import Datum, LatLng, Position, distance_m, from_wgs84, position, to_wgs84, within

# Place, GCJ-02 shift, BD-09 shift, error of a one-step inverse, in metres, measured beforehand elsewhere.
PLACES = [
    pytest.param((22.595, 113.0785), 634.5, 1281.5, 0.71, id="江门蓬江"),
    pytest.param((30.688, 118.4198), 566.1, 1213.2, 0.95, id="泾县"),
    pytest.param((35.9638, 105.7290), 365.4, 1154.9, 0.57, id="西吉"),
    pytest.param((41.8830, 123.9450), 532.4, 1377.8, 1.71, id="抚顺顺城"),
]

inside = st.tuples(st.floats(0.9, 55.8), st.floats(72.1, 137.8))
globe = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
shifted = st.sampled_from([Datum.gcj02, Datum.bd09])


def one_step_inverse(point: LatLng) -> LatLng:
    """What many converters do instead of an inverse: go back by the shift of the wrong place."""
    moved = from_wgs84(*point, Datum.gcj02)
    return 2 * point[0] - moved[0], 2 * point[1] - moved[1]


@pytest.mark.parametrize(("place", "gcj", "bd", "one_step"), PLACES)
def test_shift_is_what_was_measured_at_four_places(place: LatLng, gcj: float, bd: float, one_step: float) -> None:
    on_gcj = from_wgs84(*place, Datum.gcj02)
    assert distance_m(place, on_gcj) == pytest.approx(gcj, abs=0.5)
    assert distance_m(place, from_wgs84(*place, Datum.bd09)) == pytest.approx(bd, abs=0.5)
    assert distance_m(place, one_step_inverse(on_gcj)) == pytest.approx(one_step, abs=0.01)
    assert distance_m(place, to_wgs84(*on_gcj, Datum.gcj02)) < 0.001


def test_aliyun_check_values_agree() -> None:
    # The document's WGS-84 value is itself a one-step inverse: ours lies beside it, and nearer to the truth.
    gcj, wgs, bd = (30.279164, 120.026268), (30.281543, 120.021519), (30.285238, 120.032768)
    assert one_step_inverse(gcj) == pytest.approx(wgs, abs=1e-6)
    ours = to_wgs84(*gcj, Datum.gcj02)
    assert distance_m(ours, wgs) < 2
    assert distance_m(from_wgs84(*ours, Datum.gcj02), gcj) < 0.001
    assert from_wgs84(*ours, Datum.bd09) == pytest.approx(bd, abs=1e-6)
    assert distance_m(to_wgs84(*bd, Datum.bd09), ours) < 0.2


@settings(max_examples=200, deadline=None)
@given(inside, shifted)
def test_there_and_back_is_within_two_centimetres_all_over_the_box(place: LatLng, datum: Datum) -> None:
    moved = from_wgs84(*place, datum)
    assert moved != place
    assert distance_m(place, to_wgs84(*moved, datum)) < 0.02


@pytest.mark.parametrize(
    "place", [(51.5, -0.12), (35.0, 139.0), (-33.9, 151.2), (0.5, 100.0), (56.0, 100.0), (35.0, 72.0)]
)
@pytest.mark.parametrize("datum", Datum)
def test_nothing_moves_outside_the_box(place: LatLng, datum: Datum) -> None:
    assert from_wgs84(*place, datum) == place
    assert to_wgs84(*place, datum) == place


def test_rim_of_the_box_returns_from_both_sides() -> None:
    for lng in (137.8346, 137.8347):
        moved = from_wgs84(40.0, lng - 1e-6, Datum.gcj02)
        assert distance_m(to_wgs84(*moved, Datum.gcj02), (40.0, lng - 1e-6)) < 0.02
    assert from_wgs84(40.0, 137.8348, Datum.gcj02) == (40.0, 137.8348)


def test_wgs84_and_so_cgcs2000_stay_as_they_are() -> None:
    assert to_wgs84(41.883, 123.945, Datum.wgs84) == (41.883, 123.945)
    assert from_wgs84(41.883, 123.945, Datum.wgs84) == (41.883, 123.945)


@settings(max_examples=100, deadline=None)
@given(globe, globe)
def test_distance_is_the_same_both_ways(a: LatLng, b: LatLng) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=1e-6)
    assert distance_m(a, a) == 0


def test_distance_is_on_the_ellipsoid() -> None:
    # A degree of latitude and of longitude at the equator on WGS-84: a sphere cannot have both.
    assert distance_m((0, 110), (1, 110)) == pytest.approx(110574.389, abs=0.01)
    assert distance_m((0, 110), (0, 111)) == pytest.approx(111319.491, abs=0.01)


@pytest.mark.parametrize(
    ("distance", "radius", "accuracy", "there"),
    [
        (500, 500, 10, True),
        (500.1, 500, 10, False),
        (650, 500, 700, True),
        (200, 200, 5, True),
        (201, 200, 5, False),
        (math.nan, 500, 10, False),
    ],
)
def test_being_there_follows_the_larger_of_radius_and_accuracy(
    distance: float, radius: float, accuracy: float, there: bool
) -> None:
    assert within(distance, radius, accuracy) is there


def test_position_is_brought_to_wgs84_and_keeps_its_accuracy() -> None:
    place = (41.8830, 123.9450)
    got = position(*from_wgs84(*place, Datum.bd09), 30, Datum.bd09)
    assert distance_m(got.point, place) < 0.01
    assert got.accuracy_m == 30
    assert position(41.883, 123.945, 30) == Position(41.883, 123.945, 30)


@pytest.mark.parametrize(("accuracy", "coarse"), [(0.1, False), (100, False), (100.1, True), (1000, True)])
def test_coarse_positions_are_taken_with_a_warning(accuracy: float, coarse: bool) -> None:
    assert position(41.883, 123.945, accuracy).coarse is coarse


@pytest.mark.parametrize(
    ("lat", "lng", "accuracy", "code", "field"),
    [
        (None, 123.9, 30, "position_missing", "lat"),
        (41.8, None, 30, "position_missing", "lng"),
        (math.nan, 123.9, 30, "position_malformed", "lat"),
        (math.inf, 123.9, 30, "position_malformed", "lat"),
        (90.01, 123.9, 30, "position_malformed", "lat"),
        (True, 123.9, 30, "position_malformed", "lat"),
        (41.8, -math.inf, 30, "position_malformed", "lng"),
        (41.8, math.nan, 30, "position_malformed", "lng"),
        (41.8, 180.5, 30, "position_malformed", "lng"),
        (41.8, 123.9, None, "accuracy_missing", "accuracy_m"),
        (41.8, 123.9, 0, "accuracy_malformed", "accuracy_m"),
        (41.8, 123.9, -5, "accuracy_malformed", "accuracy_m"),
        (41.8, 123.9, math.nan, "accuracy_malformed", "accuracy_m"),
        (41.8, 123.9, math.inf, "accuracy_malformed", "accuracy_m"),
        (41.8, 123.9, 1000.5, "accuracy_too_poor", "accuracy_m"),
    ],
)
def test_unusable_position_is_refused_by_name(
    lat: float | None, lng: float | None, accuracy: float | None, code: str, field: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        position(lat, lng, accuracy)
    assert (refusal.value.code, refusal.value.field) == (code, field)
