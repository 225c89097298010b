"""Bytes on their way in: hashed and written to a local file as they come, and only then kept by the store."""

import fcntl
import hashlib
import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import UUID

from backend import clock
from backend.errors import NoRoom, TooLarge
from backend.evidence import storage
from backend.evidence.rules import MOST_BYTES
from backend.evidence.storage import FULL_SENTENCE, PART, Clearing, Store, room

Folder = Literal["incoming", "partials"]
BUFFER = 256 * 2**10
# Without a byte for so long, what lies on its way is removed where room is needed: a PUT is dead after a minute, a
# resumable upload may be gone on with, and begins anew where it was removed.
IDLE: dict[Folder, timedelta] = {"incoming": timedelta(hours=1), "partials": timedelta(days=1)}


class Incoming:
    """One upload on its way in: hashed and written as it comes, nothing promised before `keep` returns.

    End every one with `keep` or `discard`; what a crash leaves is taken by `Intake.sweep`.
    """

    def __init__(self, store: Store, path: Path, largest: int) -> None:
        self.path = path
        self.size = 0
        self._store = store
        self._largest = largest
        self._hash = hashlib.sha256()
        self._buffer = bytearray()
        self._keeping = False
        with room():
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, chunk: bytes) -> None:
        """Takes the next bytes, into the page cache only. Raises TooLarge or NoRoom: then it is over."""
        self.size += len(chunk)
        if self.size > self._largest:
            self.discard()
            raise TooLarge(f"文件超过 {self._largest // 2**20} MB，请缩小后再上传。", "evidence.too_large")
        if not self._buffer and len(chunk) >= BUFFER:
            self._put(chunk)  # as the server gives them: not copied once more
            return
        self._buffer += chunk
        if len(self._buffer) >= BUFFER:
            self._flush()

    def finish(self) -> tuple[str, int]:
        """SHA-256 as 64 lowercase hex digits, and the size in bytes. Afterwards `path` holds every byte."""
        self._flush()
        return self._hash.hexdigest(), self.size

    async def keep(self, digest: str, clear: Clearing | None = None) -> bool:
        """Has the store make the bytes durable under their hash; whether damaged ones gave way to them. The row that
        promises them is committed before.

        When it returns, a power cut loses nothing of it. Raises NoRoom, StoreAway, Damaged where nothing is given to
        `clear` away what lies damaged under the hash, or ValueError when `digest` is not what came in or the upload is
        over. Either way `discard` has been done.
        """
        if self._keeping:
            raise ValueError("keep() is under way")
        self._keeping = True
        try:
            if self._fd < 0 or self._buffer or digest != self._hash.hexdigest():
                raise ValueError("keep() takes, once, the digest that finish() returned")
            return await storage.keep(self._store, storage.original(digest), self.path, clear)
        finally:
            self._keeping = False
            self._close()

    def discard(self) -> None:
        """Forgets the upload; nothing happens to what was kept. Safe to repeat.

        While `keep` runs this does nothing: `keep` cleans up itself.
        """
        if not self._keeping:
            self._close()

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self.path.unlink(missing_ok=True)

    def _flush(self) -> None:
        full, self._buffer = self._buffer, bytearray()
        self._put(full)

    def _put(self, full: bytes | bytearray) -> None:
        self._hash.update(full)
        try:
            with room(), memoryview(full) as rest:
                written = 0
                while written < len(rest):
                    written += os.write(self._fd, rest[written:])
        except BaseException:  # the hash is now ahead of the file: no use going on
            self.discard()
            raise


class Intake:
    """The local folders where bytes wait that are not kept yet, whichever store keeps them afterwards.

    `floor` bytes stay free. Without one: a twentieth of the disk, at most 1 GiB: enough for PostgreSQL's WAL
    (max_wal_size 1 GB) where both share a disk, and not a tenth of a large one lying idle.
    """

    def __init__(self, root: Path, store: Store, *, floor: int | None = None) -> None:
        self.store = store
        self._root = root
        self._floor = floor

    def incoming(self, evidence_id: UUID, *, expects: int = 0, largest: int = MOST_BYTES) -> Incoming:
        """Opens an upload expected to bring `expects` bytes. Raises NoRoom when that goes below the floor."""
        self.need(min(expects, largest))
        folder = self.folder("incoming")
        return Incoming(self.store, folder / f"{UUID(str(evidence_id))}.{secrets.token_hex(8)}{PART}", largest)

    def folder(self, name: Folder) -> Path:
        """Where such bytes wait."""
        folder = self._root / name
        if not folder.is_dir():
            with room():
                self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.mkdir(exist_ok=True)
        return folder

    def need(self, size: int) -> None:
        """Raises NoRoom when so many more bytes would go below the floor, also when what lies idle is gone.

        What is whole is never idle: it waits for its declaration.
        """
        if not self._lacks(size):
            return
        for path, limit in self._idle():
            _remove_idle(path, limit)
            if not self._lacks(size):
                return
        raise NoRoom(FULL_SENTENCE)

    def sweep(self, older_than: timedelta) -> int:
        """Deletes uploads nobody wrote to for so long, and says how many."""
        limit = (clock.now() - older_than).timestamp()
        swept = 0
        for path in self.folder("incoming").glob("*" + PART):
            with suppress(FileNotFoundError):  # its request has just ended
                if path.stat().st_mtime < limit:
                    path.unlink()
                    swept += 1
        return swept

    def _lacks(self, size: int) -> bool:
        disk = os.statvfs(self.folder("incoming"))
        floor = self._floor if self._floor is not None else min(disk.f_blocks * disk.f_frsize // 20, 2**30)
        return disk.f_bavail * disk.f_frsize - size < floor

    def _idle(self) -> list[tuple[Path, float]]:
        """What nobody has written to for long, the longest idle first, and since when that would be."""
        found: list[tuple[float, Path, float]] = []
        for folder, so_long in IDLE.items():
            limit = (clock.now() - so_long).timestamp()
            for path in self.folder(folder).glob("*" + PART):
                with suppress(FileNotFoundError):
                    if (at := path.stat().st_mtime) < limit:
                        found.append((at, path, limit))
        return [(path, limit) for _, path, limit in sorted(found)]


def _remove_idle(path: Path, limit: float) -> None:
    """Unless somebody writes to it by now, which who writes to a resumable upload does under this lock."""
    with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine = os.fstat(file.fileno())
        if mine.st_mtime < limit and os.path.samestat(mine, path.stat()):
            path.unlink()
