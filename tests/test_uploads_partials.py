"""The file of an upload: who may write to it, when, and that nobody does any more once it is sealed."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.columns import uuid7
from backend.errors import Locked, NoRoom, WrongState
from backend.evidence import storage
from backend.evidence.incoming import Intake
from backend.evidence.storage import LocalDisk
from backend.uploads import partials
from backend.uploads.partials import Partial, Writer

CONTENT = os.urandom(200_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def place(tmp_path: Path) -> Intake:
    return Intake(tmp_path, LocalDisk(tmp_path), floor=0)


@pytest.fixture
def partial(place: Intake) -> Partial:
    partial = Partial(place, uuid7())
    partial.make()
    return partial


async def written(partial: Partial, content: bytes = CONTENT) -> None:
    with Writer(partial, 0) as writer:
        await writer.append(content)


@pytest.fixture
def holder(partial: Partial) -> Iterator[subprocess.Popen[bytes]]:
    """Another process, which stands still in the middle of a write."""
    script = (
        "import fcntl, os, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); os.read(0, 1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(partial.part)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


async def test_the_size_of_the_file_is_the_offset(partial):
    with Writer(partial, 0) as writer:
        for size in (1, 65_536, 3):
            at = partial.offset()
            await writer.append(CONTENT[at : at + size])
            assert partial.offset() == writer.at == at + size
    assert partial.part.read_bytes() == CONTENT[: 1 + 65_536 + 3]


async def test_of_two_writers_the_slower_is_refused_and_writes_nothing(partial):
    with Writer(partial, 0) as old, Writer(partial, 0) as new:
        await old.append(CONTENT[:100])
        with pytest.raises(WrongState) as refusal:
            await new.append(b"x" * 50)
        assert refusal.value.details == {"offset": 100}
        with Writer(partial, 100) as newest:
            await newest.append(CONTENT[100:300])
            with pytest.raises(WrongState):
                await old.append(b"x" * 50)
            await newest.append(CONTENT[300:400])
    assert partial.part.read_bytes() == CONTENT[:400]


async def test_a_sealed_file_is_out_of_reach_of_those_who_had_it_open(partial):
    with Writer(partial, 0) as old, Writer(partial, len(CONTENT)) as late:
        await written(partial)
        await partial.seal(len(CONTENT))
        old.at = len(CONTENT)
        for writer in (old, late):
            with pytest.raises(FileNotFoundError):
                await writer.append(b"x")
            with pytest.raises(FileNotFoundError):
                await writer.take_back(0)
        with pytest.raises(FileNotFoundError):
            Writer(partial, 0)
        partial.make()  # and a new beginning does not hide it
    assert partial.digest() == (DIGEST, len(CONTENT)) and not partial.part.exists()
    await partial.keep(DIGEST)
    assert partial.offset() == len(CONTENT)


async def test_another_file_of_the_same_name_is_not_written_to(partial):
    with Writer(partial, 0) as old:
        partial.remove()
        partial.make()
        with pytest.raises(FileNotFoundError):
            await old.append(b"x")
    assert partial.offset() == 0


async def test_sealing_waits_for_every_byte_and_may_be_repeated(partial):
    await written(partial, CONTENT[:-1])
    with pytest.raises(WrongState):
        await partial.seal(len(CONTENT))
    with Writer(partial, len(CONTENT) - 1) as writer:
        await writer.append(CONTENT[-1:])
    for _ in range(3):
        await partial.seal(len(CONTENT))
    partial.remove()
    with pytest.raises(FileNotFoundError):
        await partial.seal(len(CONTENT))


async def test_the_disk_is_told_of_the_bytes_before_the_name_and_of_the_name_before_the_answer(partial, monkeypatch):
    done: list[tuple[str, str]] = []
    fsync, rename = os.fsync, Path.rename

    def watched_fsync(fd: int) -> None:
        done.append(("fsync", Path(os.readlink(f"/proc/self/fd/{fd}")).name))
        fsync(fd)

    def watched_rename(path: Path, target: Path) -> Path:
        done.append(("rename", target.name))
        return rename(path, target)

    await written(partial)
    monkeypatch.setattr(storage.os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    await partial.seal(len(CONTENT))
    assert done == [("fsync", partial.part.name), ("rename", partial.path.name), ("fsync", "partials")]


async def test_a_taken_back_piece_is_gone_unless_somebody_wrote_behind_it(partial):
    with Writer(partial, 0) as writer:
        await writer.append(CONTENT[:100])
        await writer.take_back(40)
        assert (partial.offset(), writer.at) == (40, 40)
        await writer.append(CONTENT[40:80])
        with Writer(partial, 80) as other:
            await other.append(CONTENT[80:90])
        with pytest.raises(WrongState):
            await writer.take_back(40)
    assert partial.part.read_bytes() == CONTENT[:90]


async def test_a_process_that_stands_still_in_a_write_holds_up_others_for_some_seconds_only(
    partial, holder, monkeypatch
):
    monkeypatch.setattr(partials, "LOCK_TRIES", 3)
    with Writer(partial, 0) as writer:
        with pytest.raises(Locked) as refusal:
            await writer.append(b"x")
        assert (refusal.value.status, refusal.value.code, partial.offset()) == (423, "upload.locked", 0)
        assert partials.LOCK_PAUSE * 60 <= 3.0
        holder.kill()
        holder.wait()
        await writer.append(CONTENT[:5])  # the kernel frees what a dead process held
    assert partial.offset() == 5


async def test_no_lock_outlives_its_write(partial):
    with Writer(partial, 0) as writer, partial.part.open() as other:
        await writer.append(CONTENT[:10])
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # although the writer goes on
        fcntl.flock(other, fcntl.LOCK_UN)
        with pytest.raises(WrongState):
            writer.at = 5
            await writer.append(b"x")
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def test_a_full_disk_keeps_what_was_written_and_says_how_much(partial, monkeypatch):
    pwrite = os.pwrite

    def filling(fd: int, data: memoryview, at: int) -> int:
        if at >= 70:
            raise OSError(28, os.strerror(28))
        return pwrite(fd, data[:70], at)

    with Writer(partial, 0) as writer:
        monkeypatch.setattr(partials.os, "pwrite", filling)
        with pytest.raises(NoRoom):
            await writer.append(CONTENT[:100])
        monkeypatch.undo()
        assert partial.offset() == writer.at == 70
        await writer.append(CONTENT[70:100])
    assert partial.part.read_bytes() == CONTENT[:100]


async def test_whole_files_are_found_the_oldest_first_and_nothing_else_is(place):
    made = [Partial(place, uuid7()) for _ in range(3)]
    for age, partial in enumerate(made):
        partial.make()
        await written(partial, CONTENT[:10])
        await partial.seal(10)
        os.utime(partial.path, (1000 - age, 1000 - age))
    Partial(place, uuid7()).make()
    for name in ("notes.txt", "notes.whole", ".part"):
        (place.folder("partials") / name).write_text("not ours")
    assert partials.sealed(place) == [partial.upload for partial in reversed(made)]
