"""What a file is told to be by its bytes: backend/evidence/format.py."""

import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.errors import Incomplete
from backend.evidence import format
from backend.evidence.format import Picture
from tests import hostile_files as hostile

ROOMY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JPEG = hostile.encoded(hostile.picture())
PROGRESSIVE = hostile.encoded(hostile.picture(), progressive=True)
PNG = hostile.encoded(hostile.picture(), "PNG")
LOSSY = hostile.encoded(hostile.picture(), "WEBP")
LOSSLESS = hostile.encoded(hostile.picture(), "WEBP", lossless=True)
EXTENDED = hostile.encoded(hostile.picture(), "WEBP", exif=hostile.exif())
SAMPLES = (JPEG, PROGRESSIVE, PNG, LOSSY, LOSSLESS, EXTENDED, hostile.two_in_one(), hostile.animated("PNG"))


@pytest.fixture
def inspect(tmp_path: Path):
    def inspect(content: bytes, name: str = "photo.jpg") -> Picture | str:
        path = tmp_path / name
        path.write_bytes(content)
        try:
            return format.inspect(path)
        except Incomplete as refused:
            assert refused.status == 422 and refused.message == format.SENTENCES[refused.code]
            return refused.code

    return inspect


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (JPEG, "image/jpeg"),
        (PROGRESSIVE, "image/jpeg"),
        (PNG, "image/png"),
        (LOSSY, "image/webp"),
        (LOSSLESS, "image/webp"),
        (EXTENDED, "image/webp"),
    ],
)
def test_three_formats_are_known_by_their_bytes(inspect, content, media_type):
    assert inspect(content, "report.pdf") == Picture(media_type, 64, 48)


@pytest.mark.parametrize("kind", hostile.NOT_PICTURES)
def test_other_files_named_jpg_are_no_pictures(inspect, kind):
    assert inspect(hostile.NOT_PICTURES[kind]) == format.NOT_AN_IMAGE


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "BMP", "ICO", "PPM"])
def test_other_image_formats_named_jpg_are_no_pictures(inspect, kind):
    assert inspect(hostile.encoded(hostile.picture(), kind)) == format.NOT_AN_IMAGE


def test_the_sentence_tells_what_to_do_with_heic():
    assert "请在手机上转换为 JPEG" in format.SENTENCES[format.NOT_AN_IMAGE]


def test_pixel_floods_are_refused_and_fifty_million_is_the_last_allowed(inspect):
    for flood in (hostile.flat_png(20_000, 20_000, 0), hostile.flat_webp(16_383, 16_383)):
        assert inspect(flood) == format.TOO_MANY_PIXELS
    wide = JPEG.replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 50_000, 50_000))
    assert inspect(wide) == format.TOO_MANY_PIXELS
    assert inspect(hostile.flat_png(10_000, 5_000)) == Picture("image/png", 10_000, 5_000)
    assert inspect(hostile.flat_png(10_000, 5_001)) == format.TOO_MANY_PIXELS


def test_forty_scans_pass_and_forty_one_do_not(inspect):
    assert inspect(hostile.scan_bomb(40, 64)) == Picture("image/jpeg", 64, 64)
    assert inspect(hostile.scan_bomb(41, 64)) == format.TOO_MANY_SCANS
    assert inspect(hostile.scan_bomb(20_000, 64)) == format.TOO_MANY_SCANS


def test_a_false_end_in_a_comment_between_scans_does_not_stop_the_count(inspect):
    bomb = hostile.scan_bomb(100, 64)
    second = bomb.index(b"\xff\xda", bomb.index(b"\xff\xda") + 2)
    place = bomb.rindex(b"\xff\xc4", 0, second)
    assert inspect(bomb[:place] + hostile.segment(0xFE, b"\xff\xd9") + bomb[place:]) == format.TOO_MANY_SCANS


def test_scans_of_a_thumbnail_and_of_a_film_behind_the_end_do_not_count(inspect):
    thumbnail = hostile.segment(0xE1, b"Exif\0\0" + b"\xff\xda\0\x02" * 100)
    film = b"\xff\xda\0\x02" * 100
    for photo in (JPEG, PROGRESSIVE):
        assert inspect(hostile.with_segments(photo, thumbnail) + film) == Picture("image/jpeg", 64, 48)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_several_frames_are_refused(inspect, kind):
    assert inspect(hostile.animated(kind)) == format.SEVERAL_FRAMES


def test_a_webp_that_only_says_it_moves_is_refused_too(inspect):
    assert inspect(EXTENDED[:20] + bytes([EXTENDED[20] | 2]) + EXTENDED[21:]) == format.SEVERAL_FRAMES


def test_an_mpo_is_a_jpeg_that_says_it_has_more(inspect):
    assert inspect(hostile.two_in_one()) == Picture("image/jpeg", 64, 48, several_frames=True)


@pytest.mark.parametrize("sample", SAMPLES[:6])
def test_a_header_cut_anywhere_is_broken(inspect, sample):
    edge = sample.index(b"\xff\xda") + 2 if sample[:2] == b"\xff\xd8" else len(sample) - 30
    for length in range(16, edge, 7):
        assert inspect(sample[:length]) == format.BROKEN_IMAGE


def test_two_answers_about_the_size_are_broken(inspect):
    frame = JPEG[JPEG.index(b"\xff\xc0") :][:19]
    assert inspect(hostile.with_segments(JPEG, frame)) == format.BROKEN_IMAGE
    assert inspect(PNG[:33] + PNG[8:]) == format.BROKEN_IMAGE
    canvas = EXTENDED[:24] + b"\x01" + EXTENDED[25:]
    assert inspect(canvas) == format.BROKEN_IMAGE


def test_no_width_or_no_height_is_broken(inspect):
    assert inspect(JPEG.replace(struct.pack(">HH", 48, 64), bytes(4))) == format.BROKEN_IMAGE
    assert inspect(PNG[:16] + bytes(8) + PNG[24:]) == format.BROKEN_IMAGE


def test_endless_segments_and_chunks_are_given_up(inspect):
    assert inspect(hostile.with_segments(JPEG, hostile.segment(0xFE, b"") * 100_000)) == format.BROKEN_IMAGE
    assert inspect(PNG[:33] + hostile.chunk(b"tEXt", b"") * 100_000 + PNG[33:]) == format.BROKEN_IMAGE
    assert inspect(JPEG[:2] + b"\xff" * 100_000 + JPEG[3:]) == format.BROKEN_IMAGE


@ROOMY
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x80\0\0\0WEBP"]),
)
def test_any_bytes_are_a_picture_or_a_refusal(inspect, content, start):
    assert isinstance(inspect(start + content), Picture | str)


@ROOMY
@given(st.sampled_from(SAMPLES), st.randoms(use_true_random=False))
def test_any_damage_is_a_picture_or_a_refusal(inspect, sample, luck: random.Random):
    content = bytearray(sample)
    for _ in range(luck.randint(1, 8)):
        place = luck.randrange(min(len(content), 700))
        content[place : place + luck.choice((0, 1, 1, 1, 4))] = luck.choice((b"", b"\0", b"\xff", luck.randbytes(2)))
    assert isinstance(inspect(bytes(content)), Picture | str)


def test_a_camera_photo_is_known_without_reading_it(inspect, tmp_path):
    path = tmp_path / "sparse.jpg"
    path.write_bytes(JPEG[: JPEG.index(b"\xff\xda") + 12])
    os.truncate(path, 2**40)  # a terabyte of nothing: reading it would take minutes
    assert format.inspect(path) == Picture("image/jpeg", 64, 48)


def test_cmyk_and_grey_count_their_own_components(inspect):
    for mode in ("L", "CMYK"):
        assert inspect(hostile.encoded(Image.new(mode, (64, 48)))) == Picture("image/jpeg", 64, 48)
