"""What decoding tells of a photo, and how little of it is believed: gate_exif.py in the child, reading.py outside."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from backend.evidence import gate, gate_exif
from backend.evidence.looks import looks
from backend.evidence.reading import Reading, judged
from backend.evidence.rules import Trace
from tests import hostile_files as hostile

Base, GPS, IFD = ExifTags.Base, ExifTags.GPS, ExifTags.IFD
TAKEN = "2026:11:24 09:12:33"


def exif(main: dict[int, Any], taken: dict[int, Any] | None = None, place: dict[int, Any] | None = None) -> Image.Exif:
    tags = Image.Exif()
    tags.update(main)
    if taken:
        tags.get_ifd(IFD.Exif).update(taken)
    if place:
        tags.get_ifd(IFD.GPSInfo).update(place)
    return tags


SPOT = {
    GPS.GPSLatitudeRef: "N",
    GPS.GPSLatitude: (26.0, 34.0, 12.0),
    GPS.GPSLongitudeRef: "E",
    GPS.GPSLongitude: (104.0, 57.0, 1.5),
}
PHONE = exif(
    {Base.Make: "HUAWEI", Base.Model: "HUAWEI P60", Base.Software: "P60 4.0.0.138", Base.DateTime: TAKEN},
    {
        Base.DateTimeOriginal: TAKEN,
        Base.OffsetTimeOriginal: "+08:00",
        Base.ExifImageWidth: 64,
        Base.ExifImageHeight: 48,
    },
    SPOT,
)


@pytest.fixture
def read(tmp_path: Path):
    """What the gate tells of a photo."""

    async def through_the_gate(content: bytes) -> Reading:
        (tmp_path / "o").write_bytes(content)
        made = await gate.prepare(tmp_path / "o", tmp_path / "d.jpg", tmp_path / "t.jpg")
        assert isinstance(made, gate.Prepared), made
        return made.reading

    return through_the_gate


def of(exif: object = None, looks: object = None, size: tuple[int, int] = (64, 48)) -> Reading:
    return judged(exif, looks, size)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_a_phones_photo_tells_when_where_and_with_what(read, format):
    told = await read(hostile.encoded(hostile.picture(), format, exif=PHONE))
    assert (told.at, told.zone_known) == (datetime(2026, 11, 24, 1, 12, 33, tzinfo=UTC), True)
    assert told.lat == pytest.approx(26.57) and told.lng == pytest.approx(104.950417, abs=1e-6)
    assert (told.camera, told.software, told.traces) == ("HUAWEI P60", "P60 4.0.0.138", ())


async def test_a_photo_without_exif_tells_nothing_but_its_looks(read, tmp_path):
    told = await read(hostile.photo(800, 600))
    assert told == Reading(looks=told.looks) and told.looks
    with Image.open(tmp_path / "t.jpg") as thumbnail:
        near = looks(thumbnail)
    assert all((one ^ other).bit_count() < 16 for one, other in zip(told.looks, near, strict=True))


async def test_a_time_without_a_zone_is_read_as_shanghais_and_marked(read):
    told = await read(hostile.encoded(hostile.picture(), exif=exif({}, {Base.DateTimeOriginal: TAKEN})))
    assert (told.at, told.zone_known) == (datetime(2026, 11, 24, 1, 12, 33, tzinfo=UTC), False)


async def test_what_was_done_to_a_photo_later_leaves_traces(read):
    edited = exif(
        {Base.Software: "Adobe Photoshop 25.0 (Windows)", Base.DateTime: "2026:11:25 20:00:00"},
        {Base.DateTimeOriginal: TAKEN, Base.ExifImageWidth: 4000, Base.ExifImageHeight: 3000},
    )
    told = await read(hostile.encoded(hostile.picture(), exif=edited))
    assert told.traces == (Trace.editor, Trace.resized, Trace.saved_later)


async def test_a_turned_photo_is_not_called_resized(read):
    turned = exif({Base.Orientation: 6}, {Base.ExifImageWidth: 64, Base.ExifImageHeight: 48})
    assert (await read(hostile.encoded(hostile.picture(), exif=turned))).traces == ()


async def test_hostile_exif_harms_nothing_and_says_nothing_it_should_not(read):
    nasty = exif(
        {
            Base.Make: "Make\0hidden\x07",
            Base.Model: "模型\u202e\x1b[31m".encode() + b"x" * 5000,
            Base.Software: "<b>'; DROP\r\nTABLE",
        },
        {Base.DateTimeOriginal: "2099:99:99 99:99:99", Base.ExifImageWidth: 0},
        {**SPOT, GPS.GPSLatitude: (IFDRational(0, 0), 34.0, 12.0)},
    )
    told = await read(hostile.encoded(hostile.picture(), exif=nasty))
    assert told.at is None and told.lat is None and told.lng is None and told.traces == ()
    assert told.camera is not None and told.camera.startswith("Make 模型[31mxxx") and len(told.camera) <= 100
    assert told.software == "<b>'; DROP TABLE"


@pytest.mark.parametrize(
    "broken",
    [
        b"MM\0*\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff" + bytes(200),
        b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08",
    ],
)
async def test_damaged_exif_leaves_the_photo_as_it_is(read, broken):
    content = hostile.with_segments(hostile.encoded(hostile.picture()), hostile.segment(0xE1, b"Exif\0\0" + broken))
    told = await read(content)
    assert (told.at, told.lat, told.camera) == (None, None, None)


@pytest.mark.parametrize(
    ("written", "offset", "at", "known"),
    [
        (TAKEN, "+08:00", datetime(2026, 11, 24, 1, 12, 33, tzinfo=UTC), True),
        (TAKEN, "-03:30", datetime(2026, 11, 24, 12, 42, 33, tzinfo=UTC), True),
        (TAKEN, "Z", datetime(2026, 11, 24, 9, 12, 33, tzinfo=UTC), True),
        (TAKEN, "+99:99", datetime(2026, 11, 24, 1, 12, 33, tzinfo=UTC), False),
        (TAKEN, "+٠٨:٠٠", datetime(2026, 11, 24, 1, 12, 33, tzinfo=UTC), False),
        (TAKEN + "\0", None, datetime(2026, 11, 24, 1, 12, 33, tzinfo=UTC), False),
        ("0000:00:00 00:00:00", None, None, None),
        ("2099:99:99 99:99:99", None, None, None),
        ("    :  :     :  :  ", None, None, None),
        ("9999:12:31 23:59:59", "-12:00", None, None),
        ("0001:01:01 00:00:00", "+14:00", None, None),
        ("2026-11-24", None, None, None),
        ({"no": "text"}, None, None, None),
        (TAKEN, 8, None, None),
    ],
)
def test_dates_are_kept_when_they_are_dates(written, offset, at, known):
    told = of({"taken": written, "taken_offset": offset})
    assert (told.at, told.zone_known) == (at, known)


@pytest.mark.parametrize(
    ("lat", "lng"),
    [
        (91.0, 1.0),
        (1.0, 181.0),
        (float("nan"), 1.0),
        (float("inf"), 1.0),
        (0.0, 0.0),
        (1.0, None),
        ("1", 1.0),
        (True, 1.0),
    ],
)
def test_half_a_position_or_an_impossible_one_is_none(lat, lng):
    told = of({"lat": lat, "lng": lng})
    assert (told.lat, told.lng) == (None, None)


def test_south_and_west_are_negative():
    said = gate_exif.said({"lat": (1.0, 30.0, 0.0), "lat_ref": "S", "lng": (2.0, 0.0, 36.0), "lng_ref": "W\0"})
    assert (said["lat"], said["lng"]) == (-1.5, -2.01)
    assert "lat" not in gate_exif.said({"lat": (1.0, 30.0, 0.0), "lat_ref": "E"})


@pytest.mark.parametrize(
    "given",
    [None, "x", [1] * 17, [2**63], [-(2**63) - 1], [1.5], [True], [None], {"a": 1}],
)
def test_looks_are_signed_64_bit_numbers_or_none(given):
    assert of(looks=given).looks is None


def test_good_looks_are_kept():
    assert of(looks=[2**63 - 1, -(2**63), 0]).looks == (2**63 - 1, -(2**63), 0)
    assert of(looks=[]).looks == ()


@pytest.mark.parametrize("exif", [None, [], "x", 5, {"make": 5, "model": None, "width": "x", "software": ["a"]}])
def test_nonsense_of_any_kind_is_an_empty_reading(exif):
    assert of(exif) == Reading()


@pytest.mark.parametrize(
    ("software", "editor"),
    [
        ("Adobe Photoshop CC", True),
        ("美图秀秀", True),
        ("今日水印相机", True),
        ("Snapseed 2.0", True),
        ("HUAWEI P60 4.0.0", False),
        ("MIUI 14.0.3", False),
        ("17.1.1", False),
        ("paintbrush", True),
        ("Spain OS", False),
    ],
)
def test_a_program_for_changing_pictures_is_known_by_its_name(software, editor):
    assert (Trace.editor in of({"software": software}).traces) == editor
