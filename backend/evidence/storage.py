"""Where the bytes of evidence lie: their names, what every store promises, and the local disk. Knows no rows."""

import asyncio
import errno
import filecmp
import os
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, Protocol
from uuid import UUID

from backend.errors import Busy, NoRoom

PART = ".part"
PIECE = 256 * 2**10  # what is read at a time
# A sweep that begins in this moment may put back what was cleared away. What comes back more often is a broken disk.
MOST_CLEARED = 3

Kind = Literal["original", "display", "thumbnail"]
FOLDERS: dict[Kind, str] = {"original": "originals", "display": "display", "thumbnail": "thumbnails"}
ASIDE = "swept"  # what the sweep has taken out and not yet deleted
FULL_SENTENCE = "服务器存储空间不足，照片暂未收下；照片仍在手机里，请稍后再传，并告知管理员。"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(
    r"originals/(?P<a>[0-9a-f]{2})/(?P<b>[0-9a-f]{2})/(?P<digest>(?P=a)(?P=b)[0-9a-f]{60})"
    r"|(?P<folder>display|thumbnails)/[0-9a-f]{2}/[0-9a-f]{2}/(?P<id>[0-9a-f]{32})\.jpg"
)
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


class Missing(FileNotFoundError):
    """Bytes that were asked for are not in the store. Where a row says that they are, this is an incident."""


class Damaged(OSError):
    """Under a name lie other bytes than it stands for. They are never written over."""

    def __init__(self, name: str) -> None:
        super().__init__(errno.EIO, "damaged: the original has other bytes", name)


class StoreAway(Busy):
    """The store does not answer, or will not. `reason` is for the operator: never for the phone, never a secret."""

    def __init__(self, reason: str) -> None:
        said = "文件存储暂时不可用，请稍后再试；还没有传完的照片仍在手机里。"
        super().__init__(said, "evidence.store_away", retry_after=30)
        self.reason = reason


def original(digest: str) -> str:
    """The name of the original with this SHA-256. Raises ValueError for anything but 64 lowercase hex digits."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("an original is named by 64 lowercase hexadecimal digits")
    return f"originals/{digest[:2]}/{digest[2:4]}/{digest}"


def derived(kind: Kind, evidence: UUID) -> str:
    """The name of a redrawn copy. By its row and not by a hash: two rows of one photo are captioned differently."""
    key = UUID(str(evidence)).hex
    return f"{FOLDERS[kind]}/{key[-2:]}/{key[-4:-2]}/{key}.jpg"  # the first digits of our ids are a date


def key_of(name: str) -> str | UUID | None:
    """The hash or the row that a name was made of; None for a name that is not ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    if found["digest"]:
        return found["digest"]
    key = UUID(found["id"])
    return key if name == derived("display" if found["folder"] == "display" else "thumbnail", key) else None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a store: its name, size in bytes, and since when it has been there."""

    name: str
    size: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Bytes on their way out: the size of the whole object, and the pieces of what was asked for."""

    size: int
    pieces: AsyncIterator[bytes]


# Takes the damaged bytes under this name out of the way.
Clearing = Callable[[str], Awaitable[None]]


class Store(Protocol):
    """What both stores promise. Names are those of original() and derived(), never a client's words.

    Every method may raise StoreAway (503) and, when it writes, NoRoom (507): nothing was promised then.
    """

    async def keep(self, name: str, file: Path) -> None:
        """Makes the bytes of a local file durable under this name, once and for all: what is there already stays.

        When it returns, a power cut loses nothing of it. `file` may be gone afterwards. Raises Damaged when what is
        there has other bytes.
        """
        ...

    def writing(self, name: str) -> AbstractAsyncContextManager[Path]:
        """A local path to be filled with a redrawn copy; durable under its name when the block ends well.

        What is there already is replaced. Where nothing was written, nothing changes.
        """
        ...

    def local(self, name: str) -> AbstractAsyncContextManager[Path]:
        """The bytes as a local file, to be read inside the block and only there. Raises Missing."""
        ...

    async def read(self, name: str, span: tuple[int, int] | None = None) -> Outgoing:
        """The bytes, or those from span[0] up to, not including, span[1]. Raises Missing."""
        ...

    async def find(self, name: str) -> Stored | None:
        """What the store knows of this name; None when there is nothing."""
        ...

    def listed(self, folder: str) -> AsyncIterator[Stored]:
        """Everything below a folder, in no order."""
        ...

    async def set_aside(self, name: str) -> None:
        """Takes an object out of the way, to below ASIDE, where nobody finds it by its name. Safe to repeat.

        Not from two sides at once: in S3 it is a copy and a deletion.
        """
        ...

    async def put_back(self, name: str) -> None:
        """Undoes set_aside(). What has come under this name meanwhile stays as it is."""
        ...

    async def forget(self, name: str) -> None:
        """Deletes what was set aside under this name. Safe to repeat."""
        ...

    async def trouble(self) -> str | None:
        """What is wrong with the store, in words for the operator; None when it is well."""
        ...


async def keep(store: Store, name: str, file: Path, clear: Clearing | None) -> bool:
    """store.keep(), where damaged bytes give way to a file that is known to be whole, if they can be cleared away.

    Whether any did. Raises Damaged where they do not stay away.
    """
    cleared = 0
    while True:
        try:
            await store.keep(name, file)
            return cleared > 0
        except Damaged:
            if clear is None or cleared == MOST_CLEARED:
                raise
            await clear(name)
            cleared += 1


class LocalDisk:
    """Evidence on a local file system: `originals/`, `display/`, `thumbnails/` under one root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._durable: set[Path] = set()  # folders this process has seen on the disk; at most 65,792

    def path(self, name: str) -> Path:
        """Where this object lies, or would. Raises ValueError for a name that is not ours."""
        if key_of(name) is None:
            raise ValueError("not a name of this store")
        return self.root / name

    async def keep(self, name: str, file: Path) -> None:
        """`file` lies on the file system of the root."""
        await asyncio.to_thread(self._keep, self.path(name), file)

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Path]:
        target, draft = self.path(name), drafted(self.root / "incoming")
        try:
            yield draft
            if await asyncio.to_thread(draft.exists):
                await asyncio.to_thread(self._replace, target, draft)
        finally:
            draft.unlink(missing_ok=True)

    @asynccontextmanager
    async def local(self, name: str) -> AsyncIterator[Path]:
        path = self.path(name)
        if not await asyncio.to_thread(path.is_file):
            raise Missing(name)
        yield path

    async def read(self, name: str, span: tuple[int, int] | None = None) -> Outgoing:
        file, size = await asyncio.to_thread(_opened, self.path(name))
        first, end = span or (0, size)
        return Outgoing(size, _pieces(file, first, end))

    async def find(self, name: str) -> Stored | None:
        return await asyncio.to_thread(self._find, self.path(name))

    async def listed(self, folder: str) -> AsyncIterator[Stored]:
        walk = os.walk(self.root / folder)
        while (step := await asyncio.to_thread(next, walk, None)) is not None:
            for name in step[2]:
                if found := self._find(Path(step[0], name)):
                    yield found

    async def set_aside(self, name: str) -> None:
        await asyncio.to_thread(self._set_aside, name)

    async def put_back(self, name: str) -> None:
        await asyncio.to_thread(self._put_back, name)

    async def forget(self, name: str) -> None:
        await asyncio.to_thread(self._aside(name).unlink, True)

    async def trouble(self) -> str | None:
        return await asyncio.to_thread(self._trouble)

    def _keep(self, target: Path, file: Path) -> None:
        with room():
            os.chmod(file, 0o400)
            sync(file)
            self._make_durable(target.parent)
            while True:
                try:
                    os.link(file, target)
                    break
                except FileExistsError:
                    with suppress(FileNotFoundError):  # the sweep set it aside in this moment: ours takes its place
                        _check_same(target, file)
                        sync(target)  # whoever put it there (a restore, say) may not have done so
                        break
            sync(target.parent)

    def _replace(self, target: Path, draft: Path) -> None:
        with room():
            sync(draft)
            self._make_durable(target.parent)
            os.replace(draft, target)
            sync(target.parent)

    def _find(self, path: Path) -> Stored | None:
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stored(str(path.relative_to(self.root)), found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def _set_aside(self, name: str) -> None:
        path, aside = self.path(name), self._aside(name)
        self._make_durable(aside.parent)
        with suppress(FileNotFoundError):
            path.replace(aside)

    def _put_back(self, name: str) -> None:
        aside, target = self._aside(name), self.path(name)
        self._make_durable(target.parent)
        with suppress(FileExistsError, FileNotFoundError):
            os.link(aside, target)
        sync(target.parent)
        aside.unlink(missing_ok=True)

    def _aside(self, name: str) -> Path:
        return self.root / ASIDE / self.path(name).relative_to(self.root)

    def _trouble(self) -> str | None:
        there = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        return None if os.access(there, os.W_OK | os.X_OK) else f"{self.root} 不可写"

    def _make_durable(self, folder: Path) -> None:
        """Makes the folder and its parents, and their names durable, before anything relies on them."""
        if folder in self._durable:
            return
        if folder != self.root:
            self._make_durable(folder.parent)
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
        else:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def drafted(desk: Path) -> Path:
    """A new path in a folder of files on their way; what a crash leaves there is taken by `Intake.sweep`."""
    with room():
        desk.mkdir(mode=0o700, parents=True, exist_ok=True)
    return desk / f"{secrets.token_hex(16)}{PART}"


def sync(path: Path) -> None:
    """Makes the bytes of a file, or the names in a folder, durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _check_same(target: Path, file: Path) -> None:
    """What lies there may be nobody's and never have been verified: no receipt is given on its name alone."""
    if not filecmp.cmp(target, file, shallow=False):
        raise Damaged(str(target))


def _opened(path: Path) -> tuple[BinaryIO, int]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise Missing(path.name) from None
    return file, os.fstat(file.fileno()).st_size


async def _pieces(file: BinaryIO, first: int, end: int) -> AsyncIterator[bytes]:
    with file:
        file.seek(first)
        left = end - first
        while left > 0 and (piece := await asyncio.to_thread(file.read, min(PIECE, left))):
            left -= len(piece)
            yield piece
