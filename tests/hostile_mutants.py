"""Photos damaged in the ways bytes can be, and small bombs: number N is always the same file. No tests here."""

import random
import struct
import zlib
from collections.abc import Callable
from functools import cache

from PIL import Image

from tests import hostile_files as hostile

EXTREMES = [bytes(4), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x01\x00\x00", b"\xff\xd8\xff\xda"]
MARKERS = [bytes((0xFF, code)) for code in (0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xE1, 0xE2, 0xFE)]
PNG, WEBP, JPEG = "image/png", "image/webp", "image/jpeg"
ZIP_TAIL = b"PK\x03\x04payload-canary" + b"PK\x05\x06" + bytes(18)

Mutate = Callable[[random.Random, bytearray], None]


@cache
def bases() -> list[tuple[str, bytes]]:
    """Whole pictures of every kind that the door lets in, with their types."""
    noise = Image.effect_noise((200, 150), 90)
    colours = Image.merge("RGB", [noise, noise.rotate(90, expand=True).resize((200, 150)), noise])
    clear = colours.convert("RGBA")
    clear.putalpha(noise)
    grey16 = Image.new("I;16", (60, 40), 40_000)
    jpegs = [
        hostile.encoded(colours, quality=80),
        hostile.encoded(colours, quality=80, progressive=True, exif=hostile.exif(6)),
        hostile.encoded(colours.convert("CMYK"), quality=60),
        hostile.encoded(noise, quality=70, restart_marker_blocks=4),
        hostile.talkative(),
        hostile.two_in_one(),
    ]
    pngs = [
        hostile.encoded(picture, "PNG")
        for picture in (colours, clear, colours.convert("P"), noise.convert("1"), grey16, noise.convert("LA"))
    ]
    webps = [
        hostile.encoded(colours, "WEBP", quality=60, exif=hostile.exif()),
        hostile.encoded(clear, "WEBP", lossless=True),
        hostile.encoded(clear, "WEBP", quality=50, icc_profile=b"none"),
        hostile.animated("WEBP"),
    ]
    return [(kind, one) for kind, them in ((JPEG, jpegs), (PNG, pngs), (WEBP, webps)) for one in them]


def mutant(number: int) -> tuple[str, bytes]:
    """A picture after one accident, or two or three, and the type it began with."""
    dice = random.Random(number)
    kind, whole = dice.choice(bases())
    content = bytearray(whole)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        dice.choice(ACCIDENTS)(dice, content)
    if kind == PNG and dice.random() < 0.7:
        content = mended(content)
    return kind, bytes(content)


def mended(png: bytearray) -> bytearray:
    """With the check sums of its chunks put right, so that the damage gets past them."""
    at = 8
    while at + 12 <= len(png):
        end = at + 8 + int.from_bytes(png[at : at + 4])
        if end + 4 > len(png):
            break
        png[end : end + 4] = struct.pack(">I", zlib.crc32(png[at + 4 : end]))
        at = end + 4
    return png


def _place(dice: random.Random, content: bytearray) -> int:
    """Anywhere, and every second time near the front, where the headers are."""
    return dice.randrange(max(1, len(content) if dice.random() < 0.5 else min(len(content), 700)))


def _flip(dice: random.Random, content: bytearray) -> None:
    for _ in range(dice.choice((1, 2, 8))):
        if content:
            content[_place(dice, content)] ^= 1 << dice.randrange(8)


def _overwrite(dice: random.Random, content: bytearray) -> None:
    at, length = _place(dice, content), dice.randint(1, 32)
    content[at : at + length] = dice.choice((bytes(length), b"\xff" * length, dice.randbytes(length)))


def _extreme(dice: random.Random, content: bytearray) -> None:
    at, value = _place(dice, content), dice.choice(EXTREMES)[: dice.choice((1, 2, 4))]
    content[at : at + len(value)] = value


def _cut(dice: random.Random, content: bytearray) -> None:
    del content[_place(dice, content) :]


def _drop(dice: random.Random, content: bytearray) -> None:
    at = _place(dice, content)
    del content[at : at + dice.randint(1, 200)]


def _repeat(dice: random.Random, content: bytearray) -> None:
    at = _place(dice, content)
    content[at:at] = content[at : at + dice.randint(1, 400)] * dice.choice((1, 2, 50))


def _splice(dice: random.Random, content: bytearray) -> None:
    other = dice.choice(bases())[1]
    content[_place(dice, content) :] = other[dice.randrange(len(other)) :]


def _marker(dice: random.Random, content: bytearray) -> None:
    at = _place(dice, content)
    content[at:at] = dice.choice(MARKERS) + dice.randbytes(dice.choice((0, 2, 40)))


ACCIDENTS: list[Mutate] = [_flip, _flip, _overwrite, _extreme, _extreme, _cut, _drop, _repeat, _splice, _marker]


def zlib_chunk(kind: bytes, head: bytes, size: int) -> bytes:
    """A PNG whose chunk unfolds to so many bytes."""
    plain = hostile.flat_png(8, 8)
    return plain[:33] + hostile.chunk(kind, head + hostile.zeros(size)) + plain[33:]


def many_chunks(count: int) -> bytes:
    plain = hostile.flat_png(8, 8)
    return plain[:33] + hostile.chunk(b"tEXt", b"a\0b") * count + plain[33:]


def many_frames(format: str, count: int) -> bytes:
    frames = [Image.new("L", (16, 16), number % 256) for number in range(count)]
    return hostile.encoded(frames[0], format, save_all=True, append_images=frames[1:])


def endless_exif() -> bytes:
    """A directory of tags whose next directory, and whose sub-directories, are itself."""
    pointers = b"".join(struct.pack(">HHII", tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005))
    directory = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 3) + pointers + struct.pack(">I", 8)
    return hostile.with_segments(hostile.encoded(hostile.picture()), hostile.segment(0xE1, directory))


def boastful_jpeg() -> bytes:
    """A small JPEG whose header says 65,500 x 65,500."""
    plain = bytearray(hostile.encoded(hostile.picture()))
    at = plain.index(b"\xff\xc0")
    plain[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(plain)


# The type it goes by, and how it is made.
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "pixels, png": (PNG, lambda: hostile.flat_png(30_000, 30_000, 0)),
    "pixels just allowed, png": (PNG, lambda: hostile.flat_png(7_000, 7_000)),
    "pixels, webp of 38 bytes": (WEBP, lambda: hostile.flat_webp(16_383, 16_383)),
    "pixels just allowed, webp": (WEBP, lambda: hostile.flat_webp(7_000, 7_000)),
    "pixels, jpeg": (JPEG, boastful_jpeg),
    "scans": (JPEG, lambda: hostile.scan_bomb(3_000)),
    "scans just allowed": (JPEG, lambda: hostile.scan_bomb(39, 7_000)),
    "text, zTXt": (PNG, hostile.png_text_bomb),
    "text, iTXt": (PNG, lambda: zlib_chunk(b"iTXt", b"a\0\1\0\0\0", 60 * 2**20)),
    "profile": (PNG, lambda: zlib_chunk(b"iCCP", b"a\0\0", 60 * 2**20)),
    "chunks": (PNG, lambda: many_chunks(100_000)),
    "frames, png": (PNG, lambda: many_frames("PNG", 500)),
    "frames, webp": (WEBP, lambda: many_frames("WEBP", 500)),
    "exif in a ring": (JPEG, endless_exif),
}

# Whole pictures that are something else as well.
POLYGLOTS: dict[str, bytes] = {
    "jpeg and html": hostile.with_segments(
        hostile.encoded(hostile.picture()), hostile.segment(0xFE, b"<html>payload-canary" + hostile.PAYLOAD)
    ),
    "jpeg and zip": hostile.encoded(hostile.picture()) + ZIP_TAIL,
    # 0x2f2a, the length of its first segment, begins a comment of a script
    "jpeg and script": hostile.with_segments(
        hostile.encoded(hostile.picture()),
        hostile.segment(0xE0, b"\0*/=payload-canary()/*".ljust(0x2F2A - 2, b"\0")),
    ),
    "png and pdf": hostile.encoded(hostile.picture(), "PNG") + b"%PDF-1.7 payload-canary",
    "png and html": hostile.flat_png(8, 8)[:33]
    + hostile.chunk(b"tEXt", b"Comment\0<html>payload-canary")
    + hostile.flat_png(8, 8)[33:],
    "webp and zip": hostile.encoded(hostile.picture(), "WEBP") + ZIP_TAIL,
}
