"""What a photo looks like, in a few 64-bit numbers that change little when it is edited. Imports nothing of ours.

The gate's child loads this file by its path. Alike means: few bits differ (reuse.py searches).
"""

from collections.abc import Sequence
from math import cos, pi
from operator import mul

from PIL import Image

SIDE = 16  # of the small grey pictures that are looked at
WAVES = 9  # frequencies in each direction
FLAT = 6.0  # standard deviation of the brightness, of 255: less has nothing to be known by
SMALL = 64

# The lowest frequencies but the constant one, from the coarsest on: 64 signs make a look.
ORDER = sorted(((u, v) for u in range(WAVES) for v in range(WAVES) if u + v), key=lambda at: (at[0] + at[1], at))[:64]
BASIS = [[cos(pi * (2 * at + 1) * wave / (2 * SIDE)) for at in range(SIDE)] for wave in range(WAVES)]
# Left, upper, right, lower edge of what is looked at, in parts of the whole.
REGIONS = (
    (0.0, 0.0, 1.0, 1.0),
    (0.05, 0.05, 0.95, 0.95),
    (0.0, 0.0, 1.0, 0.85),
)


def looks(image: Image.Image) -> list[int]:
    """The looks of an upright, decoded picture, as signed 64-bit numbers; none for what is all but flat."""
    small = image.resize((SMALL, SMALL), Image.Resampling.BOX, reducing_gap=1.0).convert("L")
    found: list[int] = []
    for left, upper, right, lower in REGIONS:
        box = (left * SMALL, upper * SMALL, right * SMALL, lower * SMALL)
        seen = small.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box).tobytes()
        if _spread(seen) >= FLAT:
            found.append(_signed(_signs(seen)))
    return found


def _signs(grey: bytes) -> int:
    rows = [grey[at : at + SIDE] for at in range(0, SIDE * SIDE, SIDE)]
    across = [[sum(map(mul, row, wave)) for row in rows] for wave in BASIS]
    look = 0
    for u, v in ORDER:
        look = look << 1 | (sum(map(mul, across[u], BASIS[v])) > 0)
    return look


def _spread(grey: Sequence[int]) -> float:
    mean = sum(grey) / len(grey)
    return (sum((value - mean) ** 2 for value in grey) / len(grey)) ** 0.5


def _signed(look: int) -> int:
    return look - (1 << 64) if look >> 63 else look
