"""Ending session rows, for commands in their transaction. A row is stamped, never saved as a whole."""

from uuid import UUID

from backend import clock
from backend.db import raw
from backend.people import passwords, rules


async def behind(token: str) -> tuple[UUID, UUID] | None:
    """Whose token it is, and its family."""
    rows = await raw("SELECT person, family FROM session WHERE token_hash = $1", passwords.digest(token))
    return (rows[0]["person"], rows[0]["family"]) if rows else None


async def hold(*people: UUID) -> None:
    """Locks their person rows, in one order for everybody. Comes before making or ending their sessions."""
    await raw("SELECT id FROM person WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE", people)


async def end_family(family: UUID, *, but: UUID | None = None) -> bool:
    """False when none of them opened anything any more."""
    now = clock.now()
    ended = await raw(
        "UPDATE session SET revoked_at = $2 WHERE family = $1 AND revoked_at IS NULL AND id IS DISTINCT FROM $3 "
        "RETURNING browser, seen_at, ends_at",
        family,
        now,
        but,
    )
    return any(rules.lives(row["browser"], row["seen_at"], row["ends_at"], now) for row in ended)


async def end_all(person: UUID, *, but_family: UUID | None = None) -> None:
    await raw(
        "UPDATE session SET revoked_at = $2 WHERE person = $1 AND revoked_at IS NULL AND family IS DISTINCT FROM $3",
        person,
        clock.now(),
        but_family,
    )
