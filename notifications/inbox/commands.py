"""Marking notices as read, and as not read after all. They are one's own: nobody else is told."""

from uuid import UUID

from backend import clock
from backend.db import raw, transaction
from backend.errors import NotFound
from backend.roles import Actor
from notifications.inbox.rules import HEARS, Subject


async def mark_read(notice: UUID, actor: Actor) -> None:
    """The first reading counts. Raises NotFound for another person's notice."""
    async with transaction():
        rows = await raw(
            "UPDATE notice SET read_at = coalesce(read_at, $1), reading = NULL WHERE id = $2 AND person = $3 "
            "RETURNING id",
            clock.now(),
            notice,
            actor.person,
        )
        if not rows:
            raise NotFound()


async def mark_unread(notice: UUID, actor: Actor) -> None:
    """As if it had not been read; what was in a digest does not come again. Raises NotFound."""
    async with transaction():
        rows = await raw(
            "UPDATE notice SET read_at = NULL, reading = NULL WHERE id = $1 AND person = $2 RETURNING id",
            notice,
            actor.person,
        )
        if not rows:
            raise NotFound()


async def mark_many_read(
    actor: Actor, *, reading: UUID | None, up_to: UUID, subject: UUID | None, verb: str | None, about: Subject | None
) -> None:
    """Everything unread up to and including one notice: what arrives while the list is on screen stays unread.

    Of one thing, one verb, one kind of thing where they are named. Under `reading` it can be undone.
    """
    verbs = [one for one, hearing in HEARS.items() if about in (None, hearing.about) and verb in (None, one)]
    async with transaction():
        await raw(
            "UPDATE notice SET read_at = $1, reading = $2 WHERE person = $3 AND read_at IS NULL AND id <= $4 "
            "AND ($5::uuid IS NULL OR subject = $5) AND verb = ANY($6::text[])",
            clock.now(),
            reading,
            actor.person,
            up_to,
            subject,
            verbs,
        )


async def undo_reading(reading: UUID, actor: Actor) -> None:
    """What that request read is unread again, unless it was read by itself since. Raises NotFound."""
    async with transaction():
        rows = await raw(
            "UPDATE notice SET read_at = NULL WHERE reading = $1 AND person = $2 RETURNING id", reading, actor.person
        )
        if not rows:
            raise NotFound()
