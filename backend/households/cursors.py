"""Where a page of households ended: by village, number of the ledger and id, as every list of them is ordered."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend.errors import BadRequest

ORDER = "household.region, household.household_number, household.id"


class Placed(Protocol):
    id: UUID
    region: str
    household_number: str


def next_of(page: Sequence[Placed], most: int) -> str | None:
    """The cursor of the next page; None when this one was not full."""
    if len(page) < most:
        return None
    last = page[-1]
    return urlsafe_b64encode(msgspec.json.encode((last.region, last.household_number, last.id))).decode()


def after(cursor: str | None) -> QueryString:
    """The condition for what follows. Raises BadRequest for a cursor that is none of ours."""
    if cursor is None:
        return QueryString("true")
    try:
        region, number, id = msgspec.json.decode(urlsafe_b64decode(cursor.encode()), type=tuple[str, str, UUID])
        if "\0" in region + number:
            raise ValueError("NUL")
    except ValueError as wrong:
        raise BadRequest("翻页标记无效，请从第一页重新打开。", "bad_cursor", field="cursor") from wrong
    return QueryString(f"({ORDER}) > ({{}}, {{}}, {{}})", region, number, id)
