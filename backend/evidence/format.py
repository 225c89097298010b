"""What a file is, judged by its first bytes and its segments. Decodes nothing: gate.py has that done."""

import mmap
import os
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.errors import Incomplete

MOST_PIXELS = 50_000_000
MOST_SCANS = 40  # libjpeg's own progressive script has ten; thousands are a way to burn an hour of CPU
MOST_STEPS = 2_000  # segments or chunks looked at in one file

NOT_AN_IMAGE = "evidence.not_an_image"
TOO_MANY_PIXELS = "evidence.too_many_pixels"
TOO_MANY_SCANS = "evidence.too_many_scans"
SEVERAL_FRAMES = "evidence.several_frames"
BROKEN_IMAGE = "evidence.broken_image"
UNDECODABLE = "evidence.undecodable"

SENTENCES = {
    NOT_AN_IMAGE: "这不是可接收的照片：只收 JPEG、PNG、WebP。HEIC 等其他格式请在手机上转换为 JPEG 后再上传。",
    TOO_MANY_PIXELS: "照片超过 5000 万像素，请调低拍摄分辨率或缩小后再上传。",
    TOO_MANY_SCANS: "照片的编码方式异常，请用手机相机重新拍摄，或另存为普通 JPEG 后再上传。",
    SEVERAL_FRAMES: "这是动图，只收单张照片，请截取其中一张后再上传。",
    BROKEN_IMAGE: "照片文件不完整或已损坏，请重新拍摄或重新选择后再上传。",
    UNDECODABLE: "照片无法打开，请重新拍摄，或在手机上另存为 JPEG 后再上传。",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """What the header claims. Width and height are as stored, before any turning by EXIF.

    `several_frames` can only be true of a JPEG that carries a second picture behind the first (MPO).
    """

    media_type: str
    width: int
    height: int
    several_frames: bool = False


def inspect(path: Path) -> Picture:
    """The kind and size of the picture in `path`; its name does not matter.

    Raises Incomplete with one of the codes above. Work is bounded: at most MOST_STEPS segments and one pass
    over the bytes of a progressive JPEG. The file must not be cut shorter by others meanwhile.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        read = _reader(file.read(16))
        file.seek(0)
        try:
            picture = read(file, size)
        except (struct.error, EOFError):  # the file ended inside a header
            raise refusal(BROKEN_IMAGE) from None
    if picture.width < 1 or picture.height < 1:
        raise refusal(BROKEN_IMAGE)
    if picture.width * picture.height > MOST_PIXELS:
        raise refusal(TOO_MANY_PIXELS)
    return picture


def carries(path: Path, media_type: str) -> bool:
    """Whether a recording, film or paper begins like this kind. What it holds inside is not looked at.

    Of MP4, QuickTime and WebM the beginning does not say whether there is sound alone or a picture, too.
    """
    with path.open("rb") as file:
        start = file.read(64)
    return _STARTS[media_type](start)


def refusal(code: str) -> Incomplete:
    """The exception for a code, with its sentence."""
    return Incomplete(SENTENCES[code], code)


def _reader(start: bytes) -> Callable[[BinaryIO, int], Picture]:
    if start.startswith(b"\xff\xd8\xff"):
        return _jpeg
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _webp
    raise refusal(NOT_AN_IMAGE)


# Recordings, films, papers: containers that only players and readers open

# ISO/IEC 14496-12, 4.3: major brands that phones write. HEIC, AVIF and 3GP have others.
_MP4 = frozenset(
    (b"isom", b"mp41", b"mp42", b"avc1", b"dash", b"M4A ", b"M4B ", b"M4V ", *(b"iso%d" % n for n in range(2, 10)))
)


def _mp4(start: bytes) -> bool:
    return start[4:8] == b"ftyp" and start[8:12] in _MP4


def _webm(start: bytes) -> bool:
    return start.startswith(b"\x1a\x45\xdf\xa3") and b"\x42\x82\x84webm" in start  # EBML, its DocType


def _mp3(start: bytes) -> bool:
    return start.startswith(b"ID3") or (_frame(start) & 0xFFE6) == 0xFFE2  # ISO/IEC 11172-3: sync, layer III


def _aac(start: bytes) -> bool:
    return (_frame(start) & 0xFFF6) == 0xFFF0  # ISO/IEC 13818-7, ADTS: sync, layer 0


def _frame(start: bytes) -> int:
    return int.from_bytes(start[:2], "big")


_STARTS: dict[str, Callable[[bytes], bool]] = {
    "audio/mp4": _mp4,
    "video/mp4": _mp4,
    "video/quicktime": lambda start: start[4:12] == b"ftypqt  ",
    "audio/webm": _webm,
    "video/webm": _webm,
    "audio/ogg": lambda start: start.startswith(b"OggS\0") and start[28:36] in (b"OpusHead", b"\x01vorbis\0"),
    "audio/mpeg": _mp3,
    "audio/aac": _aac,
    "audio/wav": lambda start: start.startswith(b"RIFF") and start[8:12] == b"WAVE",
    "application/pdf": lambda start: start.startswith(b"%PDF-"),
}


# JPEG (ITU-T T.81, annex B)

_FRAME = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
_SEQUENTIAL = frozenset((0xC0, 0xC1, 0xC9))
_SCAN, _END, _APP2 = 0xDA, 0xD9, 0xE2
_BARE = frozenset((0x01, *range(0xD0, 0xDA)))  # markers without a length
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # the next one in coded data: not stuffing, restart or fill


def _jpeg(file: BinaryIO, size: int) -> Picture:
    width = height = -1
    several = one_scan_allowed = False
    components = 0
    file.seek(2)
    for _ in range(MOST_STEPS):
        marker = _next_marker(file)
        if marker in _BARE:
            raise refusal(BROKEN_IMAGE)
        (length,) = struct.unpack(">H", file.read(2))
        start = file.tell()
        if length < 2 or start + length - 2 > size:
            raise refusal(BROKEN_IMAGE)
        if marker in _FRAME:
            if width >= 0:  # decoders disagree on which of two headers counts
                raise refusal(BROKEN_IMAGE)
            height, width, components = struct.unpack(">xHHB", file.read(6))
            one_scan_allowed = marker in _SEQUENTIAL
        elif marker == _APP2 and length >= 6:
            several = several or file.read(4) == b"MPF\0"
        elif marker == _SCAN:
            # A sequential picture whose first scan holds every component has no second one: libjpeg reads no
            # further (has_multiple_scans). That is every camera's photo, so the pass over all bytes is rare.
            if not (one_scan_allowed and file.read(1) == bytes([components])):
                _count_scans(file, start + length - 2)
            return Picture("image/jpeg", width, height, several)
        file.seek(start + length - 2)
    raise refusal(BROKEN_IMAGE)


def _next_marker(file: BinaryIO) -> int:
    if file.read(1) != b"\xff":
        raise refusal(BROKEN_IMAGE)
    for _ in range(MOST_STEPS):
        (code,) = struct.unpack("B", file.read(1))
        if code != 0xFF:  # any number of 0xFF may pad a marker
            return code
    raise refusal(BROKEN_IMAGE)


def _count_scans(file: BinaryIO, position: int) -> None:
    """Follows the markers after the first scan header up to the end of the picture.

    Not a plain count of FF DA: films and second pictures behind the end (motion photos, MPO) hold that pair
    by chance, and a false end inside a comment must not stop the count.
    """
    scans = 1
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        for _ in range(MOST_STEPS):
            found = _MARKER.search(view, position)
            if found is None or view[found.end() - 1] == _END:
                return
            position = found.end()
            marker = view[position - 1]
            if marker in _BARE:
                continue
            (length,) = struct.unpack(">H", view[position : position + 2])
            if length < 2 or position + length > len(view):
                raise refusal(BROKEN_IMAGE)
            position += length
            scans += marker == _SCAN
            if scans > MOST_SCANS:
                raise refusal(TOO_MANY_SCANS)
    raise refusal(TOO_MANY_SCANS)


# PNG (W3C PNG, third edition, 5.3 and 11.2)


def _png(file: BinaryIO, size: int) -> Picture:
    file.seek(8)
    length, kind, width, height = struct.unpack(">I4sII", file.read(16))
    if length != 13 or kind != b"IHDR":
        raise refusal(BROKEN_IMAGE)
    position = 8 + 12 + length
    for _ in range(MOST_STEPS):
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        position += 12 + length
        if kind == b"acTL":
            raise refusal(SEVERAL_FRAMES)
        if position > size or kind in (b"IHDR", b"IEND"):
            raise refusal(BROKEN_IMAGE)
        if kind == b"IDAT":
            return Picture("image/png", width, height)
    raise refusal(BROKEN_IMAGE)


# WebP (RFC 9649)

_ANIMATION = 0x02


def _webp(file: BinaryIO, size: int) -> Picture:
    file.seek(4)
    (length,) = struct.unpack("<I", file.read(4))
    end = length + 8
    if end > size:
        raise refusal(BROKEN_IMAGE)
    position, canvas = 12, None
    for _ in range(MOST_STEPS):
        if position + 8 > end:
            break
        file.seek(position)
        kind, length = struct.unpack("<4sI", file.read(8))
        if position + 8 + length > end:
            raise refusal(BROKEN_IMAGE)
        if kind in (b"ANIM", b"ANMF"):
            raise refusal(SEVERAL_FRAMES)
        if kind == b"VP8X" and position == 12:
            canvas = _canvas(file.read(10))
        elif kind in (b"VP8 ", b"VP8L"):
            drawn = _drawn(kind, file.read(10))
            if canvas not in (None, drawn):
                raise refusal(BROKEN_IMAGE)
            return Picture("image/webp", *drawn)
        position += 8 + length + length % 2
    raise refusal(BROKEN_IMAGE)


def _canvas(header: bytes) -> tuple[int, int]:
    flags, wide, high = struct.unpack("<B3x3s3s", header)
    if flags & _ANIMATION:
        raise refusal(SEVERAL_FRAMES)
    return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1


def _drawn(kind: bytes, header: bytes) -> tuple[int, int]:
    if kind == b"VP8L":
        signature, bits = struct.unpack_from("<BI", header)
        if signature == 0x2F:
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        start, width, height = struct.unpack("<3x3sHH", header)
        if start == b"\x9d\x01\x2a":
            return width & 0x3FFF, height & 0x3FFF
    raise refusal(BROKEN_IMAGE)
