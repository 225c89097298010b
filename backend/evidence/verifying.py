"""Every object that a row refers to: verified, and copied to the other store. Prints nothing."""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from backend.db import raw
from backend.errors import Problem
from backend.evidence import storage
from backend.evidence.rules import State
from backend.evidence.storage import Missing, Store

PAGE = 500  # rows asked for at a time
AT_ONCE = 8  # objects on their way side by side: an S3 store answers in milliseconds, but not in none


class Outcome(StrEnum):
    """What became of one object."""

    good = "good"
    copied = "copied"
    repaired = "repaired"  # the target's was damaged, the source's is whole
    missing = "missing"
    damaged = "damaged"


BAD = frozenset({Outcome.missing, Outcome.damaged})


@dataclass(frozen=True, slots=True)
class Expected:
    """An object that a row says is there. A redrawn copy has no hash and no size of its own on record."""

    name: str
    evidence: UUID
    digest: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """One object looked at, how many bytes of it, and whatever was wrong with it."""

    it: Expected
    outcome: Outcome
    size: int = 0


async def count() -> int:
    """How many objects the rows refer to."""
    rows = await raw(
        "SELECT (SELECT count(DISTINCT sha256) FROM evidence WHERE received_at IS NOT NULL) + "
        "2 * (SELECT count(*) FROM evidence WHERE state = $1 AND starts_with(media_type, 'image/')) AS n",
        State.ready.value,
    )
    return rows[0]["n"]


async def expected() -> AsyncIterator[Expected]:
    """Every object that the rows refer to: originals by their hash, then the copies of photos that are ready."""
    after = ""
    while rows := await raw(
        "SELECT sha256, min(size) AS size, (array_agg(id ORDER BY id))[1] AS id FROM evidence "
        "WHERE received_at IS NOT NULL AND sha256 > $1 GROUP BY sha256 ORDER BY sha256 LIMIT $2",
        after,
        PAGE,
    ):
        for row in rows:
            yield Expected(storage.original(row["sha256"]), row["id"], row["sha256"], row["size"])
        after = rows[-1]["sha256"]
    last = UUID(int=0)
    while rows := await raw(
        "SELECT id FROM evidence WHERE state = $1 AND starts_with(media_type, 'image/') AND id > $2 "
        "ORDER BY id LIMIT $3",
        State.ready.value,
        last,
        PAGE,
    ):
        for row in rows:
            yield Expected(storage.derived("display", row["id"]), row["id"])
            yield Expected(storage.derived("thumbnail", row["id"]), row["id"])
        last = rows[-1]["id"]


async def verify(store: Store, *, quick: bool = False) -> AsyncIterator[Looked]:
    """Looks at every object that a row refers to: its bytes have the hash of the row; with `quick`, only its size.

    A copy need only be there. Raises StoreAway.
    """

    async def look(it: Expected) -> Looked:
        return await _looked_at(store, it, quick=quick)

    async for looked in _side_by_side(expected(), look):
        yield looked


async def copy(source: Store, target: Store, *, quick: bool = False) -> AsyncIterator[Looked]:
    """Brings every object that a row refers to into the target, and reads it there again. May be cut off and repeated.

    What the target has is read and compared, with `quick` its size alone; where it is damaged it is replaced. What
    the source has lost or damaged is never copied. Raises StoreAway, NoRoom.
    """

    async def bring(it: Expected) -> Looked:
        there = await _looked_at(target, it, quick=quick)
        if there.outcome is Outcome.good and (it.digest or await _same(source, target, it.name, quick=quick)):
            return there
        return await _brought(source, target, it, there.outcome)

    async for looked in _side_by_side(expected(), bring):
        yield looked


async def _looked_at(store: Store, it: Expected, *, quick: bool) -> Looked:
    found = await store.find(it.name)
    if found is None:
        return Looked(it, Outcome.missing)
    if found.size == 0 or it.size not in (None, found.size):
        return Looked(it, Outcome.damaged, found.size)
    if it.digest and not quick and await _digest(store, it.name) != it.digest:
        return Looked(it, Outcome.damaged, found.size)
    return Looked(it, Outcome.good, found.size)


async def _same(source: Store, target: Store, name: str, *, quick: bool) -> bool:
    """Whether a copy is the same in both; a redrawn one may have changed its caption."""
    here, there = await source.find(name), await target.find(name)
    if here is None or there is None or here.size != there.size:
        return here is None
    return quick or await _digest(source, name) == await _digest(target, name)


async def _brought(source: Store, target: Store, it: Expected, there: Outcome) -> Looked:
    with suppress(Missing):
        async with source.local(it.name) as file:
            digest, size = await asyncio.to_thread(_digest_of, file)
            if size == 0 or it.digest not in (None, digest):
                return Looked(it, Outcome.damaged, size)
            if it.digest:
                await storage.keep(target, it.name, file, target.set_aside)
            else:
                async with target.writing(it.name) as draft:
                    await asyncio.to_thread(shutil.copyfile, file, draft)
        if await _digest(target, it.name) != digest:
            return Looked(it, Outcome.damaged, size)
        return Looked(it, Outcome.repaired if there is Outcome.damaged else Outcome.copied, size)
    return Looked(it, Outcome.missing)


async def _digest(store: Store, name: str) -> str | None:
    """SHA-256 of the bytes as they are read; None when they cannot be."""
    found = hashlib.sha256()
    try:
        async for piece in (await store.read(name)).pieces:
            found.update(piece)
    except OSError:  # a disk that does not give its bytes back
        return None
    return found.hexdigest()


def _digest_of(file: Path) -> tuple[str, int]:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest(), opened.tell()


async def _side_by_side(
    wanted: AsyncIterator[Expected], work: Callable[[Expected], Awaitable[Looked]]
) -> AsyncIterator[Looked]:
    """Some at a time, in their order. The first refusal ends it. No transaction is open here (docs/decisions/0004)."""

    async def done(it: Expected) -> Looked | Problem:
        try:
            return await work(it)
        except Problem as refusal:
            return refusal

    while group := [it async for it in _next(wanted)]:
        async with asyncio.TaskGroup() as together:
            running = [together.create_task(done(it)) for it in group]
        for task in running:
            looked = task.result()
            if isinstance(looked, Problem):
                raise looked
            yield looked


async def _next(wanted: AsyncIterator[Expected]) -> AsyncIterator[Expected]:
    for _ in range(AT_ONCE):
        try:
            yield await anext(wanted)
        except StopAsyncIteration:
            return
