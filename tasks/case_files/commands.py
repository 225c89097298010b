"""Taking a case file changes nothing but history: who took which bytes, and when."""

from uuid import UUID

from backend import events
from backend.db import transaction
from backend.roles import Actor
from tasks.rectifications import queries as rectifications


async def take(rectification: UUID, actor: Actor, *, kind: str, size: int, sha256: str) -> None:
    """Record that this person gets these bytes. Raises NotFound outside the actor's sight."""
    async with transaction():
        await rectifications.seen(rectification, actor)
        await events.record(
            "rectification.case_file_taken", rectification, actor=actor, kind=kind, size=size, sha256=sha256
        )
