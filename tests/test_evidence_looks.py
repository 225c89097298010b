"""What a photo looks like: much the same after an edit, unlike other photos, and nothing where there is nothing to see.

The photos and the edits are those of bench/reuse.py, which measures the same on thousands.
"""

import random
from collections.abc import Iterator
from functools import cache

import pytest
from PIL import Image, ImageOps

from backend.evidence.looks import COUNT, NEAR, NOTHING, PARTS, TILES_NEAR, looks
from bench._reuse_edits import EDITS, edited
from bench._reuse_photos import KINDS, SIZE, photo

EACH = 2  # photos of each kind


@cache
def taken() -> list[tuple[Image.Image, list[int]]]:
    """Photos of each kind, and their looks."""
    photos = (photo(kind, number).resize((320, 240)) for kind in KINDS for number in range(EACH))
    return [(image, looks(image)) for image in photos]


def near(one: list[int], other: list[int]) -> bool:
    """As reuse.py says it in SQL."""
    both = list(zip(one, other, strict=True))
    met = any((a ^ b) >> 16 * band & 0xFFFF == 0 for a, b in both[: len(PARTS)] if a and b for band in range(4))
    apart = [((a ^ b) % 2**64).bit_count() if a and b else None for a, b in both]
    parts = [bits for bits in apart[: len(PARTS)] if bits is not None]
    tiles = [bits for bits in apart[len(PARTS) :] if bits is not None]
    return met and min(parts, default=64) <= NEAR and sum(tiles) <= TILES_NEAR * len(tiles)


def grainy(image: Image.Image) -> Image.Image:
    """As a sensor gives it."""
    made = random.Random(5)
    noise = Image.frombytes("L", SIZE, bytes(made.choices(range(118, 139), k=SIZE[0] * SIZE[1])))
    return Image.blend(image.convert("RGB").resize(SIZE), noise.convert("RGB"), 0.3)


def flat() -> Iterator[tuple[str, Image.Image]]:
    for colour in ("black", "white", "skyblue", "#f4f1e8"):
        yield colour, Image.new("RGB", SIZE, colour)
        yield f"{colour} with grain", grainy(Image.new("RGB", SIZE, colour))
    yield "a clear sky", grainy(Image.linear_gradient("L").point([150 + level // 3 for level in range(256)]))
    yield "one pixel", Image.new("RGB", (1, 1), "red")
    yield "a line", Image.linear_gradient("L").resize((1, 900))


def test_an_edited_photo_is_near_the_original_nineteen_times_in_twenty() -> None:
    found = {
        name: [near(mine, looks(edited(name, image, at))) for at, (image, mine) in enumerate(taken())] for name in EDITS
    }
    every = [is_found for of_one in found.values() for is_found in of_one]
    assert sum(every) / len(every) >= 0.95
    assert {name for name, of_one in found.items() if sum(of_one) / len(of_one) < 0.8} == set()


def test_photos_of_different_things_are_not_near() -> None:
    every = [mine for _, mine in taken()]
    pairs = [(a, b) for at, a in enumerate(every) for b in every[:at]]
    assert len(pairs) == 20 * 19 / 2
    assert [pair for pair in pairs if near(*pair)] == []


def test_a_look_is_a_signed_number_of_64_bits_for_each_part() -> None:
    for _, mine in taken():
        assert len(mine) == COUNT
        assert all(-(2**63) <= look < 2**63 for look in mine)


@pytest.mark.parametrize(("name", "image"), list(flat()))
def test_next_to_nothing_to_see_has_no_look(name: str, image: Image.Image) -> None:
    assert looks(image) == [NOTHING] * COUNT, name


def test_a_wall_of_one_colour_is_not_near_another() -> None:
    walls = [grainy(Image.new("RGB", SIZE, colour)) for colour in ("#b0a890", "#a8a090")]
    assert not near(looks(walls[0]), looks(walls[1]))


def test_a_border_of_a_screenshot_is_not_looked_at() -> None:
    image, mine = taken()[0]
    framed = ImageOps.expand(image, (0, 130, 0, 170), "black")
    assert near(mine, looks(framed))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_any_mode_can_be_looked_at(mode: str) -> None:
    assert len(looks(taken()[0][0].convert(mode))) == COUNT
