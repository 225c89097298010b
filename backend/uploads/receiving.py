"""The way of an upload: pieces from the wire into the partial, and the whole into evidence. No HTTP."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from backend.columns import uuid7
from backend.errors import ChecksumMismatch, Conflict, Incomplete, NotFound, TooLarge, WrongState
from backend.evidence import queries as evidence
from backend.evidence.receiving import flowing, lost, take_in
from backend.evidence.stores import intake
from backend.roles import Actor
from backend.uploads import commands, queries
from backend.uploads.partials import Partial, Writer, elsewhere
from backend.uploads.queries import UploadRow
from backend.uploads.rules import Checksum

log = logging.getLogger("duban.uploads")


async def start(
    actor: Actor, evidence_id: UUID, length: int, metadata: str, *, hears_offset: bool = False
) -> UploadRow:
    """An upload to write to, or one that is whole already. Raises what commands.open_upload does, and NoRoom.

    With `hears_offset` it may be one that has some bytes: a client that sends the first ones with the creation is told
    in the answer where to go on, any other begins at zero.
    """
    for earlier in await queries.open_for(evidence_id, actor, length):
        known = Partial(intake(), earlier.id)
        if known.path.exists() or (hears_offset and earlier.begun_at and known.part.exists()):
            return earlier
    upload = await _opened(actor, evidence_id, length, metadata)
    if await _lost(upload, actor):
        await commands.forget(upload.id)
        return await _opened(actor, evidence_id, length, metadata, again=True)
    return upload


async def _opened(actor: Actor, evidence_id: UUID, length: int, metadata: str, *, again: bool = False) -> UploadRow:
    intake().need(length)
    new = Partial(intake(), uuid7())
    new.make()
    used: UUID | None = None
    try:
        upload, replaced = await commands.open_upload(new.upload, actor, evidence_id, length, metadata, lost=again)
        used = upload.id if upload.finished_at is None else None
    finally:
        if used != new.upload:
            new.remove()
    for other in replaced:
        Partial(intake(), other).remove()
    if used not in (None, new.upload):
        Partial(intake(), upload.id).make()  # where somebody has cleared the folder
    return upload


async def offset(upload: UploadRow, actor: Actor) -> int:
    """How many bytes are here, which is all of them once they are stored, or wait for their declaration.

    An upload that was cut off between its last byte and its end is ended now. Raises NotFound when it is over, or when
    the store has lost what it brought: the phone begins anew.
    """
    if upload.finished_at is not None:
        if await _lost(upload, actor):
            raise NotFound()
        return upload.length
    try:
        there = Partial(intake(), upload.id).offset()
    except FileNotFoundError:
        await _check_finished(upload, actor)
        return upload.length
    if there == upload.length:
        await finish(upload, actor)
    return there


async def append(
    upload: UploadRow, actor: Actor, at: int, chunks: AsyncIterator[bytes], *,
    announced: int | None = None, checksum: Checksum | None = None,
) -> tuple[UploadRow, int]:  # fmt: skip
    """Writes what comes at this offset; returns the new one. With the last byte the file is taken in as evidence.

    What came before a connection broke stays. Raises WrongState for another offset than the true one, TooLarge for
    more than the length, ChecksumMismatch, Locked, Stalled, NoRoom, NotFound, and for the whole what `finish` does.
    """
    there = await offset(upload, actor)
    if at != there:
        raise elsewhere(there)
    _check_end(upload, at + (announced or 0))
    if there == upload.length:
        return upload, there
    Partial(intake(), upload.id).hold()
    intake().need(upload.length - at)
    upload = await commands.touch(upload)
    try:
        with Writer(Partial(intake(), upload.id), at) as writer:
            await _write(writer, upload, chunks, checksum)
    except FileNotFoundError:  # somebody else wrote the last byte meanwhile, or ended it
        raise elsewhere(await offset(upload, actor)) from None
    if writer.at == upload.length:
        await finish(upload, actor)
    return upload, writer.at


async def finish(upload: UploadRow, actor: Actor) -> None:
    """Seals the whole file and, if the sender has declared it, makes it evidence; otherwise it waits.

    Safe to repeat, also side by side. Raises Incomplete, TooLarge or Conflict as `take_in` does: then the upload is
    over and forgotten, so that the phone can begin anew.
    """
    partial = Partial(intake(), upload.id)
    try:
        await partial.seal(upload.length)
        declared = await evidence.declared_by(actor, upload.evidence)
        await take_in(declared, actor, partial, *await asyncio.to_thread(partial.digest))
    except NotFound:
        return
    except FileNotFoundError:
        await _check_finished(upload, actor)
    except (Incomplete, TooLarge, Conflict) as refusal:
        log.warning("upload %s for evidence %s refused: %s", upload.id, upload.evidence, refusal.code)
        await end(upload)
        raise
    await commands.finish(upload.id)
    partial.remove()
    for other in await commands.forget_others(upload):  # a bad network leaves many, and a person may have a hundred
        Partial(intake(), other).remove()


async def end(upload: UploadRow) -> None:
    """Forgets the upload and its bytes. What is stored as evidence stays."""
    await commands.forget(upload.id)
    Partial(intake(), upload.id).remove()


async def _lost(upload: UploadRow, actor: Actor) -> bool:
    return upload.finished_at is not None and await lost(await evidence.declared_by(actor, upload.evidence))


async def _check_finished(upload: UploadRow, actor: Actor) -> None:
    """Where its file is gone: raises NotFound unless somebody else finished it in this moment."""
    if (await queries.own(upload.id, actor)).finished_at is None:
        raise NotFound()


async def _write(writer: Writer, upload: UploadRow, chunks: AsyncIterator[bytes], checksum: Checksum | None) -> None:
    began, running = writer.at, hashlib.new(checksum.algorithm) if checksum else None
    async for chunk in flowing(chunks):
        _check_end(upload, writer.at + len(chunk))
        await writer.append(chunk)
        if running:
            running.update(chunk)
    if checksum and running and running.digest() != checksum.digest:
        with suppress(FileNotFoundError, WrongState):
            await writer.take_back(began)
        raise ChecksumMismatch(
            "这一段内容在传输中损坏，请重新传这一段。", "upload.checksum_mismatch", field="Upload-Checksum"
        )


def _check_end(upload: UploadRow, end: int) -> None:
    if end > upload.length:
        raise TooLarge("内容超过说明的文件大小。", "upload.too_long", field="Upload-Length", length=upload.length)
