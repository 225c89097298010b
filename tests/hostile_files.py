"""Makes the files that attack a photo gate, small and in code. No tests here."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageCms

PAYLOAD = b"<script>alert('payload')</script>"
GPS = b"GPS-canary"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">XMP-canary</x:xmpmeta>'
RED, BLUE = (200, 30, 30), (30, 30, 200)

NOT_PICTURES = {
    "empty": b"",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    "psd": b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\0\x10\0\0\0\x10\0\x08\0\3" + bytes(64),
    "pdf": b"%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
    "avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(64),
    "fits": b"SIMPLE  =                    T" + bytes(64),
    "zip": b"PK\x03\x04" + bytes(64),
    "text": "这不是照片".encode(),
}


def encoded(image: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    """The image as a file's bytes."""
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def picture(width: int = 64, height: int = 48) -> Image.Image:
    """Red on the left, blue on the right: turning it shows."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def photo(width: int = 4000, height: int = 3000, **options: Any) -> bytes:
    """A JPEG with the detail of a real photo."""
    small = Image.blend(
        Image.effect_mandelbrot((800, 600), (-2, -1.5, 1, 1.5), 60), Image.effect_noise((800, 600), 60), 0.3
    )
    return encoded(Image.merge("RGB", [small] * 3).resize((width, height)), quality=85, **options)


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """The JPEG with segments put right behind its first two bytes."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def zeros(count: int) -> bytes:
    """A zlib stream of `count` zero bytes, without compressing them all."""
    press = zlib.compressobj(9)
    head = press.compress(b"") + press.flush(zlib.Z_FULL_FLUSH)
    block = press.compress(bytes(2**20)) + press.flush(zlib.Z_FULL_FLUSH)
    last = press.compress(bytes(count % 2**20)) + press.flush(zlib.Z_FINISH)
    return head + block * (count // 2**20) + last[:-4] + struct.pack(">I", (count % 65521) << 16 | 1)


def flat_png(width: int, height: int, colour: int = 6) -> bytes:
    """A whole PNG of one colour, in kilobytes whatever its size. Colour 6 is RGBA, 0 grey."""
    row = 1 + width * {0: 1, 2: 3, 6: 4}[colour]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zeros(row * height)) + chunk(b"IEND", b"")


def png_text_bomb(size: int = 60 * 2**20) -> bytes:
    """A PNG whose compressed comment unfolds to `size` bytes."""
    plain = flat_png(8, 8)
    return plain[:33] + chunk(b"zTXt", b"Comment\0\0" + zeros(size)) + plain[33:]


def flat_webp(width: int, height: int) -> bytes:
    """A whole lossless WebP in 38 bytes: each of its five codes has one symbol, so a pixel takes no bit."""
    bits, at = 0, 0
    for value, count in ((width - 1, 14), (height - 1, 14), (1, 1), (0, 3), (0, 3), *((0b0001, 4),) * 5):
        bits |= value << at
        at += count
    body = b"\x2f" + bits.to_bytes((at + 7) // 8 + 1, "little")
    body += bytes(len(body) % 2)
    data = b"WEBPVP8L" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(data)) + data


def scan_bomb(scans: int, side: int = 2048) -> bytes:
    """A progressive JPEG of a few bytes a scan, each of which touches every block."""
    plain = encoded(Image.new("L", (side, side), 128), progressive=True, quality=90)
    start = plain.rindex(b"\xff\xda")
    tables = plain.rindex(b"\xff\xc4", 0, start)
    more = scans - plain.count(b"\xff\xda") - 1
    return plain[:-2] + plain[tables:-2] + plain[start:-2] * more + b"\xff\xd9"


def animated(format: str) -> bytes:
    """Two frames as APNG, WebP or GIF."""
    return encoded(picture(), format, save_all=True, append_images=[Image.new("RGB", (64, 48), BLUE)])


def two_in_one() -> bytes:
    """An MPO, as phones write it: the picture, and a second one behind it."""
    return encoded(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48), "white")])


def exif(orientation: int = 1) -> Image.Exif:
    """EXIF with a position, a NUL in a string and markup."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Make\0canary"
    tags[0x010E] = "<img src=x onerror=alert('canary')>"
    tags[0x8825] = {1: "N", 2: (26.0, 34.0, 12.0), 3: "E", 4: (106.0, 42.0, 1.0), 29: GPS.decode()}
    return tags


def talkative() -> bytes:
    """A JPEG with everything metadata can hold, a payload in a comment and one behind the end."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    body = encoded(picture(), exif=exif(), xmp=XMP, comment=PAYLOAD, icc_profile=profile)
    return with_segments(body, segment(0xED, b"Photoshop 3.0\0IPTC-canary")) + PAYLOAD
