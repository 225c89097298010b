"""Orphans: bytes in the store that no row refers to, found and taken out. Prints nothing."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from backend import clock
from backend.db import raw, transaction
from backend.errors import Busy
from backend.evidence import storage
from backend.evidence.storage import ASIDE, FOLDERS, Store, Stored

PAGE = 500  # names asked about at a time
LOCK = 0x6475_6261_6E73_7765  # one of our own


@asynccontextmanager
async def alone(*, patient: bool = False) -> AsyncIterator[None]:
    """Nobody else moves anything in the store meanwhile: two could take out what the other has just put back. Held for
    one file at a time, so that who is `patient` waits a moment for it; anybody else gets Busy.

    The lock lives as long as this transaction, in which every question below is asked: a sweep that has lost its lock
    gets no answer and deletes nothing.
    """
    async with transaction():
        if patient:
            await raw("SELECT pg_advisory_xact_lock($1)", LOCK)
        elif not (await raw("SELECT pg_try_advisory_xact_lock($1) AS mine", LOCK))[0]["mine"]:
            raise Busy("另一个清理正在进行，请等它做完。", "sweep_running")
        yield


@dataclass(slots=True)
class Survey:
    """What lies in a store and who needs it: `orphans` nobody, `strange` are names that are not ours."""

    seen: int
    orphans: list[Stored]
    strange: list[str]

    @property
    def suspicious(self) -> bool:
        """More than a tenth is nobody's: rather the wrong database than the wrong files."""
        return len(self.orphans) > max(10, self.seen // 10)


async def survey(store: Store, older_than: timedelta) -> Survey:
    """Looks at everything in the store and changes nothing. What is younger is nobody's orphan yet."""
    found = Survey(0, [], [])
    limit = clock.now() - older_than
    for folder in FOLDERS.values():
        page: list[Stored] = []
        async for it in store.listed(folder):
            found.seen += 1
            page.append(it)
            if len(page) == PAGE:
                await _sort(found, page)
                page = []
        await _sort(found, page)
    found.orphans = [it for it in found.orphans if it.since < limit]
    return found


async def take_out(store: Store, name: str) -> bool:
    """Deletes an orphan, inside alone(); False when by now a row refers to it, and then it is there.

    First set aside, then asked again, then deleted. Whoever keeps these bytes has a row committed before: either the
    second question finds that row, or the bytes are kept after they were set aside, and anew (docs/decisions/0026).
    """
    if await _needed([name]):
        return False
    await store.set_aside(name)
    return await _settle(store, name)


async def put_back_needed(store: Store) -> int:
    """Of what a sweep that was cut off has left aside, what a row refers to is put back, inside alone(); how many."""
    names = await _aside(store)
    needed = [name for at in range(0, len(names), PAGE) for name in await _needed(names[at : at + PAGE])]
    for name in needed:
        await store.put_back(name)
    return len(needed)


async def finish_sweep(store: Store) -> int:
    """What a sweep that was cut off has left aside is put back or deleted, inside alone(); how many."""
    names = await _aside(store)
    for name in names:
        await _settle(store, name)
    return len(names)


async def _aside(store: Store) -> list[str]:
    names = [it.name.removeprefix(f"{ASIDE}/") async for it in store.listed(ASIDE)]
    return [name for name in names if storage.key_of(name) is not None]


async def _settle(store: Store, name: str) -> bool:
    if await _needed([name]):
        await store.put_back(name)
        return False
    await store.forget(name)
    return True


async def _sort(found: Survey, page: Sequence[Stored]) -> None:
    known = [it for it in page if storage.key_of(it.name) is not None]
    needed = await _needed([it.name for it in known])
    found.orphans += [it for it in known if it.name not in needed]
    found.strange += [it.name for it in page if storage.key_of(it.name) is None]


async def _needed(names: Sequence[str]) -> set[str]:
    """Those that any row refers to, in whatever state: one that is declared may be kept in this very moment."""
    keys = {name: storage.key_of(name) for name in names}
    hashes = await raw(
        "SELECT DISTINCT sha256 FROM evidence WHERE sha256 = ANY($1::text[])",
        [key for key in keys.values() if isinstance(key, str)],
    )
    ids = await raw(
        "SELECT id FROM evidence WHERE id = ANY($1::uuid[])", [key for key in keys.values() if isinstance(key, UUID)]
    )
    known = {row["sha256"] for row in hashes} | {row["id"] for row in ids}
    return {name for name, key in keys.items() if key in known}
