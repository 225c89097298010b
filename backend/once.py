"""The same id twice: the same content is the same request, other content is a conflict (design.md 2.1)."""

from typing import Any, TypeVar
from uuid import UUID

from piccolo.table import Table

from backend.db import raw
from backend.errors import Conflict

Row = TypeVar("Row", bound=Table)


async def earlier(table: type[Row], id: UUID, **content: Any) -> Row | None:
    """The row a first try of this request wrote, or None when this is the first try.

    Raises Conflict when the id was used for other content; whose id it was is not told.
    """
    row = await table.objects().get(table.id == id)  # pyright: ignore[reportAttributeAccessIssue]
    if row is None:
        return None
    if any(getattr(row, name) != value for name, value in content.items()):
        raise different()
    return row


async def one_at_a_time(id: UUID) -> None:
    """Requests with this id wait for each other until the commit: for a thing that has no parent row to lock."""
    await raw("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))", str(id))


def different() -> Conflict:
    return Conflict("这个编号已用于别的内容；如果是新的内容，请换一个新的编号。", field="id")
