"""Where a page ended, as opaque text that fits one sort and one filter. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.errors import BadRequest
from backend.shapes import NO_NUL
from tasks.rectifications import shapes
from tasks.rectifications.drivers import ORDERS, After
from tasks.rectifications.filters import Filter, Sort

# What a key may be: anybody can seal a line of his own, and the database must take it.
_PLACES = {
    "timestamptz": tuple[Annotated[datetime, Meta(tz=True)], UUID],
    "integer": tuple[Annotated[int, Meta(ge=0, le=2**31 - 1)], UUID],
    "text": tuple[Annotated[str, Meta(max_length=100, pattern=NO_NUL)], UUID],
}


def made(last: shapes.Row, sort: Sort, wanted: Filter) -> str:
    """The cursor behind this line."""
    return at(After(ORDERS[sort].of(last), last.id), sort, wanted)


def at(place: After, sort: Sort, wanted: Filter) -> str:
    line = msgspec.json.encode(place)
    return urlsafe_b64encode(_seal(line, sort, wanted) + line).decode().rstrip("=")


def opened(cursor: str | None, sort: Sort, wanted: Filter) -> After | None:
    """Raises BadRequest for one that is made up, damaged, or of another sort or filter."""
    if cursor is None:
        return None
    try:
        whole = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        seal, line = whole[:8], whole[8:]
        if seal != _seal(line, sort, wanted):
            raise ValueError("another list's")
        key, id = msgspec.json.decode(line, type=_PLACES[ORDERS[sort].cast])
        return After(key.astimezone(UTC) if isinstance(key, datetime) else key, id)
    except (ValueError, OverflowError) as wrong:
        raise BadRequest("翻页标记无效，请从第一页重新打开。", "bad_cursor", field="cursor") from wrong


def _seal(place: bytes, sort: Sort, wanted: Filter) -> bytes:
    """No secret: it tells a mistake, it keeps nobody from asking for a place in a list that is open to him."""
    return sha256(msgspec.json.encode([sort, wanted]) + place).digest()[:8]
