"""Marking notices as read."""

from uuid import UUID

from backend import clock
from backend.db import raw, transaction
from backend.errors import NotFound
from backend.roles import Actor


async def mark_read(notice: UUID, actor: Actor) -> None:
    """The first reading counts. Raises NotFound for another person's notice."""
    async with transaction():
        rows = await raw(
            "UPDATE notice SET read_at = coalesce(read_at, $1) WHERE id = $2 AND person = $3 RETURNING id",
            clock.now(),
            notice,
            actor.person,
        )
        if not rows:
            raise NotFound()


async def mark_all_read(actor: Actor, up_to: UUID) -> None:
    """Everything up to and including one notice: what arrives while the list is on screen stays unread."""
    async with transaction():
        await raw(
            "UPDATE notice SET read_at = $1 WHERE person = $2 AND read_at IS NULL AND id <= $3",
            clock.now(),
            actor.person,
            up_to,
        )
