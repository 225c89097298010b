"""Where the bytes of evidence lie: originals under their hash, redrawn copies beside them. Knows no rows."""

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Literal, NamedTuple
from uuid import UUID

from backend import clock
from backend.errors import NoRoom, TooLarge
from backend.evidence.rules import MOST_BYTES

BUFFER = 256 * 2**10
PART = ".part"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


Derived = Literal["display", "thumbnail"]
FOLDERS: dict[Derived, str] = {"display": "display", "thumbnail": "thumbnails"}
FULL_SENTENCE = "服务器存储空间不足，照片暂未收下；照片仍在手机里，请稍后再传，并告知管理员。"


class Incoming:
    """One upload on its way in: hashed and written as it comes, nothing promised before `keep` returns.

    End every one with `keep` or `discard`; what a crash leaves is taken by `LocalDisk.sweep_incoming`.
    """

    def __init__(self, disk: "LocalDisk", path: Path, largest: int) -> None:
        self.path = path
        self.size = 0
        self._disk = disk
        self._largest = largest
        self._hash = hashlib.sha256()
        self._buffer = bytearray()
        self._closing = Lock()
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

    def keep(self, digest: str) -> None:
        """Makes the bytes durable under their hash. Blocking: run it through asyncio.to_thread.

        When it returns, a power cut loses nothing of it. Raises NoRoom, or ValueError when `digest` is not
        what came in or the upload is over. Either way `discard` has been done.
        """
        with self._closing:
            try:
                if self._fd < 0 or self._buffer or digest != self._hash.hexdigest():
                    raise ValueError("keep() takes, once, the digest that finish() returned")
                with room():
                    os.fchmod(self._fd, 0o400)
                    os.fsync(self._fd)
                    self._disk.place(self.path, digest)
            finally:
                self._close()

    def discard(self) -> None:
        """Forgets the upload; nothing happens to what was kept. Safe to repeat.

        While `keep` runs in its thread this does nothing: a request cut off in that moment must not close the
        descriptor under the fsync. `keep` cleans up itself.
        """
        if self._closing.acquire(blocking=False):
            try:
                self._close()
            finally:
                self._closing.release()

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


class LocalDisk:
    """Evidence on a local file system: `incoming/`, `originals/`, `display/`, `thumbnails/` under one root.

    `floor` bytes stay free. Without one: a twentieth of the disk, at most 1 GiB: enough for PostgreSQL's WAL
    (max_wal_size 1 GB) where both share a disk, and not a tenth of a large one lying idle.
    """

    def __init__(self, root: Path, *, floor: int | None = None) -> None:
        self._root = root
        self._floor = floor
        self._durable: set[Path] = set()  # folders this process has seen on the disk; at most 65,792

    def incoming(self, evidence_id: UUID, *, expects: int = 0, largest: int = MOST_BYTES) -> Incoming:
        """Opens an upload expected to bring `expects` bytes. Raises NoRoom when that goes below the floor."""
        folder = self.folder("incoming")
        self.need(min(expects, largest))
        return Incoming(self, folder / f"{UUID(str(evidence_id))}.{secrets.token_hex(8)}{PART}", largest)

    def folder(self, name: Literal["incoming", "partials"]) -> Path:
        """Where bytes wait that are not kept yet."""
        folder = self._root / name
        if not folder.is_dir():
            with room():
                self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.mkdir(exist_ok=True)
        return folder

    def need(self, size: int) -> None:
        """Raises NoRoom when so many more bytes would go below the floor."""
        disk = os.statvfs(self._root)
        floor = self._floor if self._floor is not None else min(disk.f_blocks * disk.f_frsize // 20, 2**30)
        if disk.f_bavail * disk.f_frsize - size < floor:
            raise NoRoom(FULL_SENTENCE)

    def original_path(self, digest: str) -> Path:
        """Where the original with this hash lies, or would. Raises ValueError for anything but a hash."""
        return self._root / "originals" / _branch(digest) / digest

    def derived_path(self, digest: str, kind: Derived) -> Path:
        """Where the redrawn copy lies, or would. Raises ValueError for anything but a hash."""
        return self._root / FOLDERS[kind] / _branch(digest) / f"{digest}.jpg"

    def open_original(self, digest: str) -> BinaryIO:
        """The original for reading. Raises FileNotFoundError when it is gone, which is an incident."""
        return self.original_path(digest).open("rb")

    def sweep_incoming(self, older_than: timedelta) -> int:
        """Deletes uploads nobody wrote to for so long, and says how many."""
        limit = (clock.now() - older_than).timestamp()
        swept = 0
        for path in (self._root / "incoming").glob("*" + PART):
            with suppress(FileNotFoundError):  # its request has just ended
                if path.stat().st_mtime < limit:
                    path.unlink()
                    swept += 1
        return swept

    def place(self, synced: Path, digest: str) -> None:
        """Links an fsynced file, which nobody writes to any more, under its hash and makes the link durable."""
        target = self.original_path(digest)
        self._make_durable(target.parent)
        try:
            os.link(synced, target)
        except FileExistsError:
            if target.stat().st_size != synced.stat().st_size:
                raise OSError(errno.EIO, "damaged: the original has another size", str(target)) from None
            sync(target)  # whoever put it there (a restore, say) may not have done so
        sync(target.parent)

    def _make_durable(self, folder: Path) -> None:
        """Makes the folder and its parents, and their names durable, before anything relies on them."""
        if folder in self._durable:
            return
        if folder != self._root:
            self._make_durable(folder.parent)
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
        with suppress(PermissionError):  # only the root's parent may belong to somebody else
            sync(folder.parent)
        self._durable.add(folder)


@contextmanager
def room() -> Iterator[None]:
    """Turns "the disk is full" or "over quota" into NoRoom (507), a refusal the phone tries again later."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoRoom(FULL_SENTENCE) from error
        raise


class Draft(NamedTuple):
    """A file being written that will take another's place."""

    fd: int
    path: Path


@contextmanager
def replacing(path: Path) -> Iterator[Draft]:
    """A draft that takes the place of `path` when the block ends well, and is removed otherwise.

    Durable when the block is over: after a power cut `path` is the whole new file, never an empty one. Raises NoRoom.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART}")
    with room():
        new = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in reversed(new):
            sync(folder.parent)
        fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield Draft(fd, draft)
        with room():
            os.fsync(fd)
            os.replace(draft, path)
            sync(path.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def sync(path: Path) -> None:
    """Makes the bytes of a file, or the names in a folder, durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _branch(digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a storage key is 64 lowercase hexadecimal digits")
    return Path(digest[:2], digest[2:4])
