"""Draws the bar below a display copy, inside the gate's child. What it says is put together in captions.py.

Imports nothing of ours.
"""

import io
import struct
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

SIZES = (48, 42, 36, 31, 26, 22, 19, 16, 14)  # pixels of an em; loaded before anything is shut in
EMS, MOST_EMS = 38, 64  # in a line of the bar; more only where it would grow too high
NARROWEST = 560  # of a bar: a smaller photo stands in the middle above it
SHARE = 0.4  # of the photo's height that the bar may have, while letters can be made smaller
LEADING = 1.4
PAPER, INK, LABEL, RULE = (247, 247, 245), (24, 27, 32), (96, 102, 112), (178, 40, 40)
COMMON = "".join(map(chr, range(0x20, 0x7F))) + "手机时间服务器收到定位北纬南东经西米编号单发现未报相册照片±°〔〕（）…"
NEVER_FIRST = frozenset("，。、；：？！）》」』】〕·%℃°′″…,.;:?!)]}")


class Caption(NamedTuple):
    """A headline, and facts of a label and a value each."""

    headline: str
    facts: Sequence[tuple[str, str]]


class Piece(NamedTuple):
    """A run of one colour, and where on its line it begins."""

    left: float
    text: str
    colour: tuple[int, int, int]


class Line(NamedTuple):
    size: int
    pieces: list[Piece]


class Layout(NamedTuple):
    """All lines of a bar, in letters of this size."""

    size: int
    lines: list[Line]

    @property
    def rule(self) -> int:
        return max(2, self.size // 10)

    @property
    def height(self) -> int:
        return self.rule + round(self.size + sum(line.size * LEADING for line in self.lines))


class Letters:
    """Which letters a font has, as ranges in their order."""

    def __init__(self, ranges: Sequence[tuple[int, int]]) -> None:
        self._first = [first for first, _ in ranges]
        self._last = [last for _, last in ranges]

    def __contains__(self, letter: str) -> bool:
        at = bisect_right(self._first, ord(letter)) - 1
        return at >= 0 and ord(letter) <= self._last[at]


class Fallback(NamedTuple):
    """A further font: which letters it has, and its bytes."""

    has: Letters
    content: bytes


class Glyph(NamedTuple):
    """A drawn letter, and where its upper left corner lies from the pen on the base line."""

    mask: Image.Image
    left: int
    top: int


class Fonts:
    """The first font in every size, the others for what it lacks. Loaded once, shared by all children."""

    def __init__(self, paths: Sequence[Path]) -> None:
        first, *others = paths
        self._has = coverage(first.read_bytes())
        # By path: FreeType maps the file and keeps no descriptor, so children share its pages and no position in it.
        self._faces = {size: ImageFont.truetype(first, size, layout_engine=ImageFont.Layout.BASIC) for size in SIZES}
        self._fallbacks: list[Fallback] = []
        for path in others:
            with suppress(OSError, struct.error):  # an office's folder of fonts holds other things too
                content = path.read_bytes()
                ImageFont.truetype(io.BytesIO(content), SIZES[-1])
                self._fallbacks.append(Fallback(coverage(content), content))
        self._width = cache(self._measured)
        self._rare = cache(self._loaded)
        self.glyph = cache(self._drawn)
        for size in SIZES:  # what nearly every caption says is drawn before the first
            for letter in COMMON:
                self._width(letter, size)
                self.glyph(letter, size)

    def readable(self, text: str) -> str:
        """The text with its number for a letter that no font has, as on papers: none vanishes and none is a box."""
        return "".join(letter if self._font_of(letter) is not None else f"〔U+{ord(letter):04X}〕" for letter in text)

    def width(self, text: str, size: int) -> float:
        return sum(self._width(letter, size) for letter in text)

    def _font_of(self, letter: str) -> int | None:
        if letter in self._has:
            return 0
        return next((at for at, other in enumerate(self._fallbacks, 1) if letter in other.has), None)

    def _drawn(self, letter: str, size: int) -> Glyph:
        face = self._rare(self._font_of(letter) or 0, size)
        left, top, right, bottom = (round(edge) for edge in face.getbbox(letter, anchor="ls"))
        mask = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        ImageDraw.Draw(mask).text((-left, -top), letter, 255, face, anchor="ls")
        return Glyph(mask, left, top)

    def _measured(self, letter: str, size: int) -> float:
        if "\u4e00" <= letter <= "\u9fff":
            return size  # an ideograph is an em wide
        return self._rare(self._font_of(letter) or 0, size).getlength(letter)

    def _loaded(self, number: int, size: int) -> ImageFont.FreeTypeFont:
        if number == 0:
            return self._faces[size]
        content = io.BytesIO(self._fallbacks[number - 1].content)
        return ImageFont.truetype(content, size, layout_engine=ImageFont.Layout.BASIC)


def with_bar(photo: Image.Image, caption: Caption, fonts: Fonts) -> Image.Image:
    """The photo, whole, and the bar below it. No wider than the photo, unless that is too narrow to read."""
    width = max(photo.width, NARROWEST)
    caption = Caption(
        fonts.readable(caption.headline), [(fonts.readable(a), fonts.readable(b)) for a, b in caption.facts]
    )
    layout = _fitting(width, photo.height, caption, fonts)
    sheet = Image.new("RGB", (width, photo.height + layout.height), None)
    draw = ImageDraw.Draw(sheet)
    if photo.width < width:
        draw.rectangle((0, 0, width, photo.height), PAPER)
    sheet.paste(photo, ((width - photo.width) // 2, 0))
    draw.rectangle((0, photo.height, width, sheet.height), PAPER)
    draw.rectangle((0, photo.height, width, photo.height + layout.rule - 1), RULE)
    top = photo.height + layout.rule + layout.size * 0.5
    for line in layout.lines:
        pen = round(top + line.size * LEADING * 0.74)
        for piece in line.pieces:
            left = piece.left
            for letter in piece.text:
                glyph = fonts.glyph(letter, line.size)
                sheet.paste(piece.colour, (round(left) + glyph.left, pen + glyph.top), glyph.mask)
                left += fonts.width(letter, line.size)
        top += line.size * LEADING
    return sheet


def _fitting(width: int, above: int, caption: Caption, fonts: Fonts) -> Layout:
    """The largest letters, of those that suit the width, with which the bar is not too high beside the photo."""
    *larger, smallest = [size for size in SIZES if width / MOST_EMS <= size <= width / EMS] or [SIZES[-1]]
    for size in larger:
        layout = Layout(size, _laid_out(width, size, caption, fonts))
        if layout.height <= above * SHARE:
            return layout
    return Layout(smallest, _laid_out(width, smallest, caption, fonts))


def _laid_out(width: int, size: int, caption: Caption, fonts: Fonts) -> list[Line]:
    """Headline, then fact after fact, a new line where one does not fit."""
    margin = size * 0.8
    right = width - margin
    larger = SIZES[max(0, SIZES.index(size) - 1)]
    headline = _wrapped(caption.headline, larger, right - margin, fonts)
    lines = [Line(larger, [Piece(margin, text, INK)]) for text in headline]
    pieces: list[Piece] = []
    at = margin
    for label, value in caption.facts:
        indent = fonts.width(label, size) + size * 0.5
        whole = indent + fonts.width(value, size)
        if pieces and at + whole > right:
            lines.append(Line(size, pieces))
            pieces, at = [], margin
        pieces.append(Piece(at, label, LABEL))
        first, *others = _wrapped(value, size, right - margin - indent, fonts)
        pieces.append(Piece(at + indent, first, INK))
        at += whole + size * 1.5
        for text in others:
            lines.append(Line(size, pieces))
            pieces = [Piece(margin + indent, text, INK)]
            at = right
    return [*lines, Line(size, pieces)] if pieces else lines


def _wrapped(text: str, size: int, room: float, fonts: Fonts) -> list[str]:
    """The text in lines of at most this width: broken between Chinese letters, within a word only if it must be."""
    lines, line = [], ""
    for word in _words(text):
        for part in [word] if fonts.width(word, size) <= room else word:
            if line and fonts.width(line + part, size) > room:
                lines.append(line.rstrip())
                line = ""
            line += part if line else part.lstrip()
    return [*lines, line.rstrip()]


def _words(text: str) -> list[str]:
    """What is not torn apart: a run of narrow letters, a wide one with the mark that must not begin a line."""
    words: list[str] = []
    for letter in text:
        narrow = letter < "\u2e80" and letter != " "
        joins = words and (letter in NEVER_FIRST or (narrow and words[-1][-1] < "\u2e80" and words[-1][-1] != " "))
        if joins:
            words[-1] += letter
        else:
            words.append(letter)
    return words


def coverage(content: bytes) -> Letters:
    """The letters a font has, by its table of all planes (OpenType, cmap format 12); none when it has no such table.

    Raises struct.error for what is no font.
    """
    (start,) = struct.unpack_from(">L", content, 12) if content[:4] == b"ttcf" else (0,)
    (tables,) = struct.unpack_from(">H", content, start + 4)
    listed = [struct.unpack_from(">4s4xL", content, start + 12 + 16 * number) for number in range(tables)]
    cmap = dict(listed).get(b"cmap", len(content))
    (encodings,) = struct.unpack_from(">H", content, cmap + 2)
    for number in range(encodings):
        place = cmap + struct.unpack_from(">L", content, cmap + 8 + 8 * number)[0]
        if struct.unpack_from(">H", content, place) == (12,):
            (groups,) = struct.unpack_from(">L", content, place + 12)
            ranges = (struct.unpack_from(">LL", content, place + 16 + 12 * group) for group in range(groups))
            return Letters(list(ranges))
    return Letters([])
