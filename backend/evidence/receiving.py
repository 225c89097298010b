"""The way of a file from the wire to the store: size, hash, kind, kept, and only then the row."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from uuid import UUID

from backend.errors import Incomplete, Stalled, TooLarge
from backend.evidence import commands, format, queries, storage, stores, sweeping
from backend.evidence.incoming import Incoming
from backend.evidence.queries import EvidenceShape
from backend.evidence.rules import STALLED_AFTER, State
from backend.evidence.storage import Clearing, StoreAway
from backend.once import different
from backend.roles import Actor

log = logging.getLogger("duban.evidence")

# Whether the sender may bring this file in now; raises TooMany. Who counts stands above us: the app passes it in.
Allowance = Callable[[UUID, Actor], Awaitable[None]]


class Arrived(Protocol):
    """Bytes that are all there. `keep` has the store make them durable under their hash, and says whether damaged ones
    gave way to them.
    """

    @property
    def path(self) -> Path: ...

    async def keep(self, digest: str, clear: Clearing | None = None) -> bool: ...


async def receive(evidence: UUID, actor: Actor, announced: int | None, chunks: AsyncIterator[bytes]) -> EvidenceShape:
    """Take in the bytes of a declared file, held in memory by no more than a chunk.

    Returns it after the bytes are durable in the store and the row is committed. Sending the same bytes again changes
    nothing. Raises NotFound (not declared by this actor), TooLarge or Incomplete (more or fewer bytes than declared,
    another hash, not a picture, a picture that cannot be opened safely), Conflict (other bytes under a stored id),
    NoRoom, StoreAway, Stalled. After any of these nothing is left behind and the phone may send again.
    """
    row = await queries.declared_by(actor, evidence)
    if announced is not None:
        check_size(row, announced)
    incoming = stores.intake().incoming(evidence, expects=row.size, largest=row.media_type.most_bytes)
    try:
        await _write(incoming, row, chunks)
        return await take_in(row, actor, incoming, *incoming.finish())
    finally:
        incoming.discard()


async def take_in(row: EvidenceShape, actor: Actor, file: Arrived, digest: str, size: int) -> EvidenceShape:
    """The one way in for bytes that are all there, sent at once or in pieces: what they are, durable, then the row.

    `digest` and `size` are what the bytes in `file` came to, and nobody can write to it any more. The same file again
    changes nothing, except where the store has lost it: then it is stored again. Raises Incomplete, TooLarge, Conflict,
    NoRoom, StoreAway as `receive` does. The file is the caller's to remove.
    """
    stored = row.state != State.declared
    if digest != row.sha256:
        raise different() if stored else _wrong_hash()
    check_size(row, size)
    if not stored:
        width, height = _checked(row, file.path)
        if await file.keep(digest, _clear):
            await commands.try_again(digest)
        if arrived := await commands.receive(row, actor, width, height):
            return arrived
    elif await lost(row):
        await file.keep(digest, _clear)
        await commands.restore(row, actor)
    return await queries.declared_by(actor, row.id)


async def lost(row: EvidenceShape) -> bool:
    """Whether the store has lost what was stored, or a part of it; not while it is away. The bytes are not read."""
    if row.state == State.declared:
        return False
    with suppress(StoreAway):
        found = await stores.store().find(storage.original(row.sha256))
        return found is None or found.size != row.size
    return False


async def _clear(name: str) -> None:
    """What is damaged goes aside: the bytes that are to take its place were hashed as they came."""
    log.error("%s was damaged and is replaced", name)
    async with sweeping.alone(patient=True):
        await stores.store().set_aside(name)


async def flowing(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same, given up when nothing comes for long. Raises Stalled."""
    while True:
        try:
            async with asyncio.timeout(STALLED_AFTER):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise Stalled("很久没有收到数据，连接已结束；请再传。", "evidence.stalled") from None
        if chunk is None:
            return
        if chunk:
            yield chunk


async def _write(incoming: Incoming, row: EvidenceShape, chunks: AsyncIterator[bytes]) -> None:
    size = 0
    async for chunk in flowing(chunks):
        size += len(chunk)
        if size > row.size:
            raise TooLarge("文件比登记的大。", "evidence.size_mismatch", field="size", declared=row.size)
        incoming.write(chunk)


def check_size(row: EvidenceShape, size: int) -> None:
    """Raises TooLarge or Incomplete for more or fewer bytes than were declared."""
    if size > row.size:
        raise TooLarge("文件比登记的大。", "evidence.size_mismatch", field="size", declared=row.size)
    if size < row.size:
        raise Incomplete(
            "文件没有传完，或与登记的大小不符。",
            "evidence.size_mismatch",
            field="size",
            declared=row.size,
            sent=size,
        )


def _checked(row: EvidenceShape, path: Path) -> tuple[int | None, int | None]:
    """Width and height of a photo. Raises Incomplete for bytes of another kind than declared."""
    picture = format.inspect(path) if row.media_type.photo else None
    if row.media_type == picture.media_type if picture else format.carries(path, row.media_type):
        return (picture.width, picture.height) if picture else (None, None)
    raise Incomplete(
        "文件的实际格式与登记的不符。",
        "evidence.other_media_type",
        field="media_type",
        declared=row.media_type,
        found=picture and picture.media_type,
    )


def _wrong_hash() -> Incomplete:
    return Incomplete("文件内容与登记的校验值不符，请重新上传。", "evidence.hash_mismatch", field="sha256")
