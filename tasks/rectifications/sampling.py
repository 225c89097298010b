"""The sample of items that are checked on site although nothing else demands it: drawn so that it can be replayed."""

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

VERSION = "sample-1"


@dataclass(frozen=True, slots=True)
class Draw:
    """The lot of an item in a day's sample, and whether it is in. Anybody with the seed gets the same."""

    lot: str
    drawn: bool


def draw(seed: str, item: UUID, percent: int) -> Draw:
    """HMAC-SHA256 of the item under the day's secret; drawn when its first 8 bytes fall below the rate.

    The unit cannot foresee it, because the seed is secret until the day is over; the office cannot choose, because
    the seed is there before the first draw of the day (domain.md b.3, T12).
    """
    lot = hmac.new(bytes.fromhex(seed), f"{VERSION}:{item}".encode(), hashlib.sha256).hexdigest()
    return Draw(lot, int(lot[:16], 16) * 100 < percent << 64)
