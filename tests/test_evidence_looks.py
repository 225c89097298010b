"""What a photo looks like: near itself after an edit, far from others, nothing for a flat picture."""

from PIL import Image, ImageEnhance

from backend.evidence.looks import looks


def scene(seed: int) -> Image.Image:
    """Always the same blotches for the same number."""
    state, values = seed * 2_654_435_761 % 2**32, bytearray()
    for _ in range(9 * 7):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        values.append(state >> 24)
    return Image.frombytes("L", (9, 7), bytes(values)).resize((800, 600), Image.Resampling.BICUBIC).convert("RGB")


def distance(one: Image.Image, other: Image.Image) -> int:
    return min((a ^ b).bit_count() for a in looks(one) for b in looks(other))


def test_looks_are_signed_numbers_of_64_bits() -> None:
    found = looks(scene(1))
    assert found
    assert all(-(2**63) <= look < 2**63 for look in found)


def test_a_smaller_or_brighter_copy_looks_alike_and_another_scene_does_not() -> None:
    photo = scene(1)
    assert distance(photo, photo.resize((320, 240))) <= 3
    assert distance(photo, ImageEnhance.Brightness(photo).enhance(1.2)) <= 7
    assert distance(photo, scene(2)) > 12


def test_a_flat_picture_has_no_looks() -> None:
    for colour in ("black", "white", "skyblue"):
        assert looks(Image.new("RGB", (800, 600), colour)) == []
    assert looks(Image.new("RGB", (1, 1), "red")) == []
