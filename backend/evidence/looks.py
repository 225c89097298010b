"""What a photo looks like, in 64-bit numbers that change little when it is edited. Imports nothing of ours.

The gate's child loads this file by its path. Alike means that few bits differ. The looks of PARTS are what reuse.py
searches by, those of the tiles what it checks a find with.
"""

from collections.abc import Iterator, Sequence
from math import cos, pi, sqrt
from operator import mul

from PIL import Image

# Left, upper, right, lower edge of each part that is searched by: the whole, and four that lack a strip on two sides. A
# caption or a watermark spoils some of them.
PARTS = (
    (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.8, 0.8), (0.2, 0.0, 1.0, 0.8), (0.0, 0.2, 0.8, 1.0), (0.2, 0.2, 1.0, 1.0),
)  # fmt: skip
TILES = 3  # a side; each is half as wide and high as the whole, so that they overlap
COUNT = len(PARTS) + TILES * TILES

NEAR = 10  # of 64 bits, of one part, of which one band of 16 is the same: up to three bits that cannot be otherwise
TILES_NEAR = 11  # of 40 bits, on the average of the tiles that show something in both

NOTHING = 0  # stands for the look of what shows next to nothing: a bare wall, a clear sky, a black frame
FEWEST = 16  # of the greys that must be more than noise
NOISE = 10.0  # of a grey's weight: four times what rounding leaves
COLOURED = 5.0  # of a tint's weight: below it there is no colour, only what JPEG leaves of grey
GREYS, TINTS = 40, 12  # bits for brightness, and for each of the two colours: 64 together

FINE = 128  # side of the square that borders and parts are cut from
SIDE = 16  # side of the square that a look is taken of
BLACK, WHITE, EVEN, EDGE = 20, 235, 8, 16  # levels: a border is black or white, even, and ends sharply
WIDEST = FINE * 15 // 32  # border


def looks(image: Image.Image) -> list[int]:
    """COUNT signed 64-bit numbers, NOTHING among them, of a decoded picture that stands upright.

    It takes some three milliseconds for a picture of 320 px and four for one of 1600 px; the result is much the same.
    """
    if image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    fine = image.resize((FINE, FINE), Image.Resampling.BOX, reducing_gap=1.0).convert("YCbCr")
    left, upper, right, lower = _inside(fine.getchannel("Y"))
    wide, tall = right - left, lower - upper
    found: list[int] = []
    for a, b, c, d in PARTS:
        part = left + a * wide, upper + b * tall, left + c * wide, upper + d * tall
        found.append(_look(fine.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=part)))
    whole = fine.getchannel("Y").resize(
        (2 * SIDE, 2 * SIDE), Image.Resampling.BILINEAR, box=(left, upper, right, lower)
    )
    return found + _tiles(whole.tobytes())


def _waves(count: int) -> list[tuple[int, int]]:
    """The lowest frequencies across and down, from the coarsest on, without the constant one."""
    every = ((u, v) for u in range(count) for v in range(count) if u + v)
    return sorted(every, key=lambda at: (at[0] + at[1], at))[:count]


GREY, TINT = _waves(GREYS), _waves(TINTS)
# Cosines that fade out towards the edges: those are what a crop changes most.
_FADE = [sqrt(0.5 - 0.5 * cos(2 * pi * (at + 1) / (SIDE + 1))) for at in range(SIDE)]
BASIS = [
    [cos(pi * (2 * at + 1) * wave / (2 * SIDE)) * _FADE[at] for at in range(SIDE)]
    for wave in range(1 + max(map(max, GREY)))
]
SUMS = [sum(wave) for wave in BASIS]
_SLOW = BASIS[: 1 + max(map(max, TINT))]  # all that the few frequencies of a tint are made of
# The bits take turns in the four bands of the index: a band of the coarsest alone would be the same in many photos.
TURNS = [at * 4 + band for band in range(4) for at in range(16)]


def _look(part: Image.Image) -> int:
    grey, *tints = (band.tobytes() for band in part.split())
    greys = list(_weights(_across(grey, SIDE, 0), grey, GREY))
    if not _telling(greys):
        return NOTHING
    bits = [weight > 0 for weight in greys]
    for tint in tints:
        bits += [weight > COLOURED for weight in _weights(_across(tint, SIDE, 0, _SLOW), tint, TINT)]
    return _packed([bits[turn] for turn in TURNS])


def _tiles(grey: bytes) -> list[int]:
    """The looks, of brightness alone, of the squares of a square twice as wide."""
    found: list[int] = []
    wide, step = 2 * SIDE, SIDE // (TILES - 1)
    for left in range(0, SIDE + 1, step):
        across = _across(grey, wide, left)
        for top in range(0, SIDE + 1, step):
            values = b"".join(grey[row * wide + left : row * wide + left + SIDE] for row in range(top, top + SIDE))
            greys = list(_weights([wave[top : top + SIDE] for wave in across], values, GREY))
            found.append(_packed([weight > 0 for weight in greys]) if _telling(greys) else NOTHING)
    return found


def _telling(greys: Sequence[float]) -> bool:
    return sum(abs(weight) > NOISE for weight in greys) >= FEWEST


def _packed(bits: Sequence[bool]) -> int:
    look = 0
    for bit in bits:
        look = look << 1 | bit
    return look - (1 << 64) if look >> 63 else look or 1


def _across(values: bytes, wide: int, left: int, waves: list[list[float]] = BASIS) -> list[list[float]]:
    """For each wave, how strong it is in each row of SIDE values from `left` on."""
    rows = [values[at + left : at + left + SIDE] for at in range(0, len(values), wide)]
    return [[sum(map(mul, row, wave)) for row in rows] for wave in waves]


def _weights(across: list[list[float]], values: bytes, waves: Sequence[tuple[int, int]]) -> Iterator[float]:
    """How strong each wave is in a square of values, whatever their mean."""
    mean = sum(values) / len(values)
    for down, along in waves:
        yield sum(map(mul, across[along], BASIS[down])) - mean * SUMS[along] * SUMS[down]


def _inside(grey: Image.Image) -> tuple[float, float, float, float]:
    """What is left of a screenshot without its black or white borders."""
    turn = Image.Transpose
    left, right = (_border(grey.transpose(way).tobytes()) for way in (turn.TRANSPOSE, turn.TRANSVERSE))
    upper, lower = _border(grey.tobytes()), _border(grey.transpose(turn.FLIP_TOP_BOTTOM).tobytes())
    return left, upper, FINE - right, FINE - lower


def _border(grey: bytes) -> int:
    """How many of the first rows are a border."""
    level = grey[0]
    if BLACK < level < WHITE:
        return 0
    for row in range(WIDEST):
        values = grey[row * FINE : (row + 1) * FINE]
        if max(values) - min(values) > EVEN or abs(values[0] - level) > EVEN:
            break
    else:
        return 0
    inside = grey[(row + 1) * FINE : (row + 2) * FINE]
    return row if sum(abs(value - level) for value in inside) > EDGE * FINE else 0
