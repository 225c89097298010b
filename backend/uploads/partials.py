"""The bytes of uploads under way, one file each; its size is the offset. Knows no rows (docs/decisions/0020).

`ID.part` is written to. When all its bytes are there it becomes `ID.whole`, and nobody writes to that file ever again.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Self
from uuid import UUID

from backend.errors import Locked, WrongState
from backend.evidence import storage
from backend.evidence.incoming import Intake

PART, WHOLE = ".part", ".whole"
LOCK_TRIES, LOCK_PAUSE = 60, 0.05  # a lock is held for one write: only a process that stands still keeps it longer


class Partial:
    """The file of one upload."""

    def __init__(self, intake: Intake, upload: UUID) -> None:
        folder = intake.folder("partials")
        self.part, self.path = folder / f"{upload}{PART}", folder / f"{upload}{WHOLE}"
        self.upload = upload
        self._store = intake.store

    def make(self) -> None:
        """An empty file, where there is none. Nothing else makes one: an upload that is over cannot come back."""
        if self.path.exists():
            return
        with storage.room(), suppress(FileExistsError):
            os.close(os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))

    def offset(self) -> int:
        """How many bytes are there. Raises FileNotFoundError."""
        with suppress(FileNotFoundError):
            return self.part.stat().st_size
        return self.path.stat().st_size  # in this order: the first may become the second in between

    def hold(self) -> None:
        """Somebody goes on with it: it is not idle, and not what is removed where room is needed (Intake.need)."""
        with suppress(FileNotFoundError):
            os.utime(self.part)

    def remove(self) -> None:
        for path in (self.part, self.path):
            path.unlink(missing_ok=True)

    async def seal(self, length: int) -> None:
        """Makes the whole file durable and closes it to writers for good. Safe to repeat.

        Raises FileNotFoundError, WrongState when bytes are missing, or NoRoom where the disk says so only now.
        """
        with storage.room():
            with suppress(FileNotFoundError), Writer(self, length) as writer:
                await asyncio.to_thread(storage.sync, self.part)
                await writer.close_for_good()
            self.path.stat()
            await asyncio.to_thread(storage.sync, self.path.parent)

    def digest(self) -> tuple[str, int]:
        """SHA-256 and size of the sealed file. Blocking."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()

    async def keep(self, digest: str, clear: storage.Clearing | None = None) -> bool:
        """Has the store make the sealed file durable under its hash; whether damaged bytes gave way to it."""
        return await storage.keep(self._store, storage.original(digest), self.path, clear)


class Writer:
    """One request's hold on a partial: writes at `at` and nowhere else, and only while that is the end of the file.

    Raises FileNotFoundError for a file that is sealed or gone.
    """

    def __init__(self, partial: Partial, at: int) -> None:
        self.at = at
        self._partial = partial
        self._fd = os.open(partial.part, os.O_WRONLY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    async def append(self, chunk: bytes) -> None:
        """Into the page cache. What was written stays, whatever is raised: WrongState when somebody else wrote
        meanwhile, FileNotFoundError when the file is sealed or gone, Locked, NoRoom.
        """
        async with self._alone():
            with storage.room(), memoryview(chunk) as rest:
                written = 0
                while written < len(rest):
                    count = os.pwrite(self._fd, rest[written:], self.at)
                    written, self.at = written + count, self.at + count

    async def take_back(self, to: int) -> None:
        """Drops what this request wrote behind `to`, unless somebody else has written behind it."""
        async with self._alone():
            os.ftruncate(self._fd, to)
            self.at = to

    async def close_for_good(self) -> None:
        async with self._alone():
            self._partial.part.rename(self._partial.path)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Nobody else writes, in whatever process, and this is still the file and its end. Do not wait inside."""
        for _ in range(LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            await asyncio.sleep(LOCK_PAUSE)
        else:
            raise Locked("这个文件正由另一个请求写入，请稍后再试。", "upload.locked", retry_after=1)
        try:
            self._check()
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _check(self) -> None:
        mine = os.fstat(self._fd)
        if self._partial.part.stat().st_ino != mine.st_ino:
            raise FileNotFoundError(errno.ENOENT, "another file has this name", str(self._partial.part))
        if mine.st_size != self.at:
            raise elsewhere(mine.st_size)


def sealed(intake: Intake) -> list[UUID]:
    """Uploads that are whole, the oldest first."""
    return [upload for _, upload, kind in sorted(_lying(intake)) if kind == WHOLE]


def untouched(intake: Intake, since: datetime) -> set[UUID]:
    """Uploads whose file nobody has written to since then."""
    return {upload for at, upload, _ in _lying(intake) if at < since.timestamp()}


def _lying(intake: Intake) -> Iterator[tuple[float, UUID, str]]:
    """When each was last written to, whose it is, its kind. Of other files in the folder nothing is known."""
    for path in intake.folder("partials").iterdir():
        with suppress(ValueError, FileNotFoundError):  # another's name; or just finished
            if path.suffix in (PART, WHOLE):
                yield path.stat().st_mtime, UUID(path.stem), path.suffix


def elsewhere(offset: int) -> WrongState:
    return WrongState(
        "上传的位置不对，请从服务器记录的位置继续。", "upload.wrong_offset", field="Upload-Offset", offset=offset
    )
