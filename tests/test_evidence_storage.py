"""How evidence gets onto the disk and stays there: storage.py and incoming.py of backend/evidence."""

import asyncio
import errno
import fcntl
import hashlib
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from backend import clock
from backend.errors import NoRoom, TooLarge
from backend.evidence import storage
from backend.evidence.incoming import Incoming, Intake
from backend.evidence.storage import LocalDisk

ROOT = Path(__file__).resolve().parent.parent
CONTENT = os.urandom(700_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HOSTILE_KEYS = [
    "", "../../etc/passwd", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 63 + "\n", "a" * 64 + "\n",
    "a" * 62 + "/.", "../" * 21 + "a", "a\0" * 32, "ａ" * 64, "٠" * 64,
]  # fmt: skip


NAME = storage.original(DIGEST)


@pytest.fixture
def disk(tmp_path: Path) -> LocalDisk:
    return LocalDisk(tmp_path / "evidence")


def intake(disk: LocalDisk, floor: int | None = None) -> Intake:
    return Intake(disk.root, disk, floor=floor)


def arrived(disk: LocalDisk, content: bytes = CONTENT) -> Incoming:
    incoming = intake(disk).incoming(uuid4())
    for start in range(0, len(content), 65_536):
        incoming.write(content[start : start + 65_536])
    assert incoming.finish() == (hashlib.sha256(content).hexdigest(), len(content))
    return incoming


def files(disk: LocalDisk) -> list[str]:
    return sorted(str(path.relative_to(disk.root)) for path in disk.root.rglob("*") if path.is_file())


async def test_what_is_kept_reads_back_under_its_hash_and_cannot_be_written(disk):
    incoming = arrived(disk)
    assert incoming.path.read_bytes() == CONTENT
    assert stat.S_IMODE(incoming.path.stat().st_mode) == 0o600
    await incoming.keep(DIGEST)
    assert files(disk) == [f"originals/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"]
    assert stat.S_IMODE(disk.path(NAME).stat().st_mode) == 0o400
    async with disk.local(NAME) as original:
        assert original.read_bytes() == CONTENT


async def test_the_disk_is_told_file_then_name_then_folder(disk, monkeypatch):
    done: list[tuple[str, Path]] = []
    fsync, link, unlink = os.fsync, os.link, Path.unlink

    def watched_fsync(fd: int) -> None:
        done.append(("fsync", Path(os.readlink(f"/proc/self/fd/{fd}"))))
        fsync(fd)

    def watched_link(source: Path, target: Path) -> None:
        done.append(("link", target))
        link(source, target)

    def watched_unlink(path: Path, missing_ok: bool = False) -> None:
        done.append(("unlink", path))
        unlink(path, missing_ok)

    monkeypatch.setattr(storage.os, "fsync", watched_fsync)
    monkeypatch.setattr(storage.os, "link", watched_link)
    monkeypatch.setattr(Path, "unlink", watched_unlink)
    incoming, target = arrived(disk), disk.path(NAME)
    await incoming.keep(DIGEST)
    assert done == [
        ("fsync", incoming.path),
        *(("fsync", target.parents[up]) for up in (4, 3, 2, 1)),  # each knows the folder made in it
        ("link", target),
        ("fsync", target.parent),
        ("unlink", incoming.path),
    ]


async def test_the_same_bytes_again_change_nothing_and_are_synced_again(disk, monkeypatch):
    await arrived(disk).keep(DIGEST)
    before = disk.path(NAME).stat()
    synced: list[str] = []
    fsync = os.fsync
    monkeypatch.setattr(storage.os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), fsync(fd)))
    await arrived(disk).keep(DIGEST)
    after = disk.path(NAME).stat()
    assert (before.st_ino, before.st_mtime_ns, 1) == (after.st_ino, after.st_mtime_ns, after.st_nlink)
    assert synced[-2:] == [str(disk.path(NAME)), str(disk.path(NAME).parent)]


async def test_twenty_at_once_keep_one_original(tmp_path):
    disks = [LocalDisk(tmp_path / "evidence") for _ in range(20)]  # as twenty processes would
    uploads = [arrived(disk) for disk in disks]
    with ThreadPoolExecutor(20) as pool:  # and really at the same time
        list(pool.map(lambda incoming: asyncio.run(incoming.keep(DIGEST)), uploads))
    assert files(disks[0]) == [f"originals/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"]
    assert disks[0].path(NAME).read_bytes() == CONTENT


async def test_a_damaged_original_is_never_passed_off_as_kept(disk):
    await arrived(disk).keep(DIGEST)
    disk.path(NAME).chmod(0o600)  # an original is read-only, also for its owner
    os.truncate(disk.path(NAME), 10)
    with pytest.raises(OSError, match="damaged"):
        await arrived(disk).keep(DIGEST)
    assert len(files(disk)) == 1


async def test_another_digest_than_the_bytes_have_is_refused(disk):
    incoming = arrived(disk)
    with pytest.raises(ValueError):
        await incoming.keep("0" * 64)
    with pytest.raises(ValueError):
        await arrived(disk, CONTENT[:-1]).keep(DIGEST)
    assert files(disk) == []


async def test_bytes_not_yet_written_cannot_be_kept(disk):
    incoming = intake(disk).incoming(uuid4())
    incoming.write(b"abc")
    with pytest.raises(ValueError):
        await incoming.keep(hashlib.sha256(b"abc").hexdigest())


async def test_discard_leaves_nothing_and_spares_what_was_kept(disk):
    arrived(disk).discard()
    assert files(disk) == []
    kept = arrived(disk)
    await kept.keep(DIGEST)
    kept.discard()
    kept.discard()
    assert len(files(disk)) == 1
    with pytest.raises(ValueError):
        await kept.keep(DIGEST)


async def test_a_request_cut_off_during_the_fsync_leaves_all_or_nothing(disk, monkeypatch):
    inside, go_on, fsync = Event(), Event(), os.fsync

    def slow_fsync(fd: int) -> None:
        inside.set()
        assert go_on.wait(5)
        fsync(fd)

    monkeypatch.setattr(storage.os, "fsync", slow_fsync)
    for cut_off in (False, True):
        inside.clear(), go_on.clear()
        incoming = arrived(disk)
        keeping = asyncio.create_task(incoming.keep(DIGEST))
        assert await asyncio.to_thread(inside.wait, 5)
        incoming.discard()
        if cut_off:
            keeping.cancel()
        go_on.set()
        await asyncio.wait([keeping])
        assert keeping.cancelled() is cut_off
        assert disk.path(NAME).read_bytes() == CONTENT and len(files(disk)) == 1


def test_more_bytes_than_allowed_end_the_upload(disk):
    incoming = intake(disk).incoming(uuid4(), largest=1000)
    incoming.write(bytes(1000))
    with pytest.raises(TooLarge) as refused:
        incoming.write(b"!")
    assert refused.value.code == "evidence.too_large" and files(disk) == []


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_only_a_hash_becomes_a_name(disk, key):
    with pytest.raises(ValueError):
        storage.original(key)
    with pytest.raises(ValueError):
        storage.derived("display", key)
    with pytest.raises(ValueError):
        disk.path(key)
    with pytest.raises(ValueError):
        intake(disk).incoming(key)
    assert files(disk) == []


def test_each_kind_has_its_own_place(disk, tmp_path):
    id = uuid4()
    names = {NAME, storage.derived("display", id), storage.derived("thumbnail", id)}
    assert len({disk.path(name) for name in names}) == 3
    assert all(disk.path(name).is_relative_to(tmp_path / "evidence") for name in names)
    assert {storage.key_of(name) for name in names} == {DIGEST, id}


def test_what_a_crash_left_is_swept_and_younger_uploads_are_not(disk):
    old, young = arrived(disk), arrived(disk)
    yesterday = clock.now().timestamp() - 90_000
    os.utime(old.path, (yesterday, yesterday))
    assert intake(disk).sweep(timedelta(days=1)) == 1
    assert not old.path.exists() and young.path.exists()


async def test_a_crash_between_name_and_cleaning_up_loses_nothing(disk, monkeypatch):
    incoming = arrived(disk)
    with monkeypatch.context() as crash:
        crash.setattr(Incoming, "_close", lambda self: None)
        await incoming.keep(DIGEST)
    assert len(files(disk)) == 2
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert intake(disk).sweep(timedelta(days=1)) == 1
    assert disk.path(NAME).read_bytes() == CONTENT
    incoming.discard()


def test_below_the_floor_nothing_is_taken_in(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(NoRoom) as full:
        intake(LocalDisk(tmp_path), free * 2).incoming(uuid4())
    assert full.value.status == 507 and "稍后再传" in full.value.message
    with pytest.raises(NoRoom):
        intake(LocalDisk(tmp_path), free - 2**20).incoming(uuid4(), expects=12 * 2**20)
    assert not list(tmp_path.rglob("*.part"))


def aged(path: Path, days: float, content: bytes = b"x") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    at = (clock.now() - timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def test_below_the_floor_what_lies_idle_goes_first_the_longest_idle_before_the_rest(tmp_path, monkeypatch):
    place = intake(LocalDisk(tmp_path), 0)
    partials, incoming = tmp_path / "partials", tmp_path / "incoming"
    oldest, older = aged(partials / f"{uuid4()}.part", 9), aged(partials / f"{uuid4()}.part", 2)
    killed = aged(incoming / f"{uuid4()}.part", 5)
    whole, today = aged(partials / f"{uuid4()}.whole", 6), aged(partials / f"{uuid4()}.part", 0.5)
    everything = {oldest, older, killed, whole, today}

    def lying() -> set[Path]:
        return set(tmp_path.rglob("*.*"))

    def room_for(files: int) -> None:
        monkeypatch.setattr(Intake, "_lacks", lambda self, size: len(lying()) > files)
        place.need(1)

    for files, left in ((5, everything), (4, everything - {oldest}), (3, {older, whole, today}), (2, {whole, today})):
        room_for(files)
        assert lying() == left
    with pytest.raises(NoRoom):
        room_for(1)
    assert lying() == {whole, today}


def test_what_is_being_written_to_is_never_idle(tmp_path, monkeypatch):
    place = intake(LocalDisk(tmp_path), 0)
    monkeypatch.setattr(Intake, "_lacks", lambda self, size: True)
    path = aged(tmp_path / "partials" / f"{uuid4()}.part", 9)
    with path.open("rb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        with pytest.raises(NoRoom):
            place.need(1)
    assert path.exists()
    with pytest.raises(NoRoom):
        place.need(1)
    assert not path.exists()


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_a_full_disk_at_any_step_is_507_and_leaves_nothing(disk, monkeypatch, call, code):
    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(storage.os, call, full)
    with pytest.raises(NoRoom):
        await arrived(disk).keep(DIGEST)
    assert files(disk) == []


def test_a_redrawn_copy_is_on_the_disk_before_and_its_name_after_it_takes_its_place(tmp_path, monkeypatch):
    done: list[tuple[str, Path]] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        storage.os, "fsync", lambda fd: (done.append(("fsync", Path(os.readlink(f"/proc/self/fd/{fd}")))), fsync(fd))
    )
    monkeypatch.setattr(storage.os, "replace", lambda old, new: (done.append(("replace", new)), replace(old, new)))
    path = tmp_path / "ab" / "cd" / "copy.jpg"
    with storage.replacing(path) as draft:
        os.write(draft.fd, b"copy")
    folders = [("fsync", path.parents[up]) for up in (2, 1)]  # each knows the folder made in it
    assert done == [*folders, ("fsync", draft.path), ("replace", path), ("fsync", path.parent)]


def test_a_draft_replaces_only_when_it_ends_well(tmp_path):
    path = tmp_path / "new" / "copy.jpg"
    with storage.replacing(path) as draft:
        os.write(draft.fd, b"first")
        assert not path.exists()
    with pytest.raises(RuntimeError), storage.replacing(path) as draft:
        os.write(draft.fd, b"second")
        raise RuntimeError
    assert path.read_bytes() == b"first" and list(path.parent.iterdir()) == [path]
