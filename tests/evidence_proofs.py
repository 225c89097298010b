"""What must be true of evidence whatever happened on its way: asked of the rows and of the disk. No tests here."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from uuid import UUID

from backend import settings
from backend.db import raw, transaction
from backend.evidence import commands, storage, stores
from backend.evidence.rules import Declaration
from backend.evidence.storage import LocalDisk
from backend.roles import Actor

SENT_PIECES = ("incoming", "partials")


async def declare(line: Declaration, who: Actor) -> None:
    async with transaction():
        await commands.declare([line], who)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def stored_once(photos: Mapping[UUID, bytes], folder: Path | None = None) -> None:
    """Each has one row that says so, one event, and its bytes, all of them, under their hash (in this folder)."""
    disk = LocalDisk(folder) if folder else stores.disk()
    rows = await raw(
        "SELECT evidence.id, sha256, state, received_at, count(event.id) AS told FROM evidence "
        "LEFT JOIN event ON event.subject = evidence.id AND event.verb = 'evidence.stored' "
        "WHERE evidence.id = ANY($1::uuid[]) GROUP BY evidence.id",
        list(photos),
    )
    assert {row["id"] for row in rows} == set(photos)
    for row in rows:
        content = photos[row["id"]]
        assert (row["state"] in ("received", "ready"), row["told"]) == (True, 1), dict(row)
        assert row["received_at"] is not None and row["sha256"] == digest(content)
        on_disk = disk.path(storage.original(row["sha256"])).read_bytes()
        assert digest(on_disk) == row["sha256"], row["id"]


async def not_stored(ids: Iterable[UUID]) -> None:
    """Nothing says that they have come."""
    rows = await raw(
        "SELECT evidence.id, state, event.id AS told FROM evidence LEFT JOIN event ON event.subject = evidence.id "
        "WHERE evidence.id = ANY($1::uuid[])",
        list(ids),
    )
    assert {(row["state"], row["told"]) for row in rows} <= {("declared", None)}


def half_sent() -> set[str]:
    """The names of files that wait for more bytes, other tests' too."""
    return {path.name for path in pieces()}


def pieces() -> list[Path]:
    return [path for folder in SENT_PIECES for path in (settings.load().evidence / folder).glob("*")]
