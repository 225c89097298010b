"""Writing the rows of uploads. No bytes here."""

from uuid import UUID

from backend import clock
from backend.db import one_statement, raw, transaction
from backend.errors import NotFound, TooMany
from backend.evidence import queries as evidence
from backend.evidence.receiving import check_size
from backend.evidence.rules import State
from backend.once import different
from backend.roles import Actor
from backend.uploads import quota
from backend.uploads.queries import UploadRow, shape
from backend.uploads.rules import LOST_AFTER, MOST_OPEN, OF_NO_USE_AFTER, OPEN_FOR

AT_ONCE = 500  # expired uploads that one statement forgets


async def open_upload(
    id: UUID, actor: Actor, evidence_id: UUID, length: int, metadata: str, *, lost: bool = False
) -> tuple[UploadRow, list[UUID]]:
    """A new upload; or the one that this person opened before for the same file, while no byte has come.

    Of a file that is stored, one that is finished already, so that a phone that lost the answer is told so; not where
    the store has `lost` it. Besides, the uploads it takes the place of: those of the same file that nobody has gone on
    with for an hour.
    Raises NotFound for a file that somebody else declared, TooLarge or Incomplete for another length than declared,
    Conflict for another length than stored, TooMany for more open ones than a person may have, and beyond a quota.
    """
    async with transaction():
        await raw("SELECT id FROM person WHERE id = $1 FOR NO KEY UPDATE", actor.person)
        stored = await _is_stored(evidence_id, actor, length) and not lost
        if not stored and (earlier := await _unbegun(actor, evidence_id, length)):
            return earlier, []
        replaced = await _lost(actor, evidence_id)
        if not stored:
            await _check_open(actor)
            await quota.allow(actor, length)
        now = clock.now()
        rows = await raw(
            "INSERT INTO upload (id, evidence, person, length, metadata, created_at, expires_at, finished_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
            id,
            evidence_id,
            actor.person,
            length,
            metadata,
            now,
            now + OPEN_FOR,
            now if stored else None,
        )
        return shape(rows[0]), replaced


async def touch(upload: UploadRow) -> UploadRow:
    """Bytes are coming. Raises NotFound when it was deleted meanwhile."""
    now = clock.now()
    async with one_statement():
        rows = await raw(
            "UPDATE upload SET begun_at = coalesce(begun_at, $2), expires_at = $3 WHERE id = $1 RETURNING *",
            upload.id,
            now,
            now + OPEN_FOR,
        )
    if not rows:
        raise NotFound()
    return shape(rows[0])


async def finish(upload: UUID) -> None:
    """Its bytes are stored as evidence. The row stays until it expires: whoever asks again is told."""
    async with one_statement():
        await raw("UPDATE upload SET finished_at = $2 WHERE id = $1 AND finished_at IS NULL", upload, clock.now())


async def forget_others(upload: UploadRow) -> list[UUID]:
    """What this person has begun besides for a file that is stored now."""
    async with one_statement():
        rows = await raw(
            "DELETE FROM upload WHERE evidence = $1 AND person = $2 AND finished_at IS NULL RETURNING id",
            upload.evidence,
            upload.person,
        )
    return [row["id"] for row in rows]


async def forget(upload: UUID) -> None:
    async with one_statement():
        await raw("DELETE FROM upload WHERE id = $1", upload)


async def forget_expired() -> list[UUID]:
    """Those nobody has gone on with for so long; and for an hour, where the file came in another way meanwhile.

    Not one that somebody goes on with in this moment: that has its row locked, or has changed it.
    """
    now = clock.now()
    # Materialized, as in notifications/deliveries/attempting.py: a subquery may be asked anew for each upload there is.
    async with one_statement():
        rows = await raw(
            "WITH over AS MATERIALIZED (SELECT id FROM upload WHERE expires_at <= $2 AND (expires_at <= $1 OR "
            "finished_at IS NULL AND EXISTS (SELECT FROM evidence WHERE evidence.id = upload.evidence "
            "AND declared_by = person AND state <> $3)) LIMIT $4 FOR UPDATE SKIP LOCKED) "
            "DELETE FROM upload USING over WHERE upload.id = over.id RETURNING upload.id",
            now,
            now + OPEN_FOR - OF_NO_USE_AFTER,
            State.declared.value,
            AT_ONCE,
        )
    return [row["id"] for row in rows]


async def _is_stored(evidence_id: UUID, actor: Actor, length: int) -> bool:
    """Whether the file is stored; False also while nobody has declared it."""
    if not await raw("SELECT 1 FROM evidence WHERE id = $1", evidence_id):
        return False
    row = await evidence.declared_by(actor, evidence_id)
    if row.state == State.declared:
        check_size(row, length)
        return False
    if row.size != length:
        raise different()
    return True


async def _unbegun(actor: Actor, evidence_id: UUID, length: int) -> UploadRow | None:
    rows = await raw(
        "SELECT * FROM upload WHERE evidence = $1 AND person = $2 AND length = $3 AND begun_at IS NULL "
        "AND finished_at IS NULL AND expires_at > $4 LIMIT 1",
        evidence_id,
        actor.person,
        length,
        clock.now(),
    )
    return shape(rows[0]) if rows else None


async def _lost(actor: Actor, evidence_id: UUID) -> list[UUID]:
    """Forgets what this person began for the file and left. Not what is written to: this may be a request's double."""
    rows = await raw(
        "DELETE FROM upload WHERE evidence = $1 AND person = $2 AND finished_at IS NULL AND expires_at < $3 "
        "RETURNING id",
        evidence_id,
        actor.person,
        clock.now() + OPEN_FOR - LOST_AFTER,
    )
    return [row["id"] for row in rows]


async def _check_open(actor: Actor) -> None:
    rows = await raw("SELECT count(*) AS n FROM upload WHERE person = $1 AND finished_at IS NULL", actor.person)
    if rows[0]["n"] >= MOST_OPEN:
        raise TooMany(f"最多同时上传 {MOST_OPEN} 个文件，请等已开始的传完。", "upload.too_many_open", retry_after=60)
