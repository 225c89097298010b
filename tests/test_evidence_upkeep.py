"""Looking after a store: verified, copied to the other one, swept; and no sweep takes what somebody is just keeping."""

import asyncio
import contextvars
import hashlib
import os
import random
import sys
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import Busy
from backend.evidence import cli, commands, jobs, storage, stores, sweeping, verifying
from backend.evidence.rules import MediaType
from backend.evidence.storage import Store, StoreAway
from backend.evidence.verifying import Looked, Outcome
from backend.settings import ROOT, BadSettings
from tests import make, stores_make, uploads_make
from tests.recordings import recording
from tests.stores_make import InBucket, OnDisk, Side, stored
from tests.test_evidence_api import declared

DAY = timedelta(days=1)


def named(content: bytes) -> str:
    return storage.original(hashlib.sha256(content).hexdigest())


ORPHAN = os.urandom(500)
ORPHANS_NAME = named(ORPHAN)


@pytest.fixture
async def it(client, noon, side):
    return await make.cast()


@pytest.fixture
async def files(client, it) -> list[UUID]:
    """Two photos with their copies, a voice note, and a photo declared but not here."""
    photos = [await stored(client, it, make.photo(number)) for number in (80, 81)]
    for photo in photos:
        await jobs.prepare(photo)
    await declared(it, make.photo(82))
    return [*photos, await stored(client, it, recording(MediaType.m4a), MediaType.m4a)]


async def original_of(file: UUID) -> str:
    return storage.original((await raw("SELECT sha256 FROM evidence WHERE id = $1", file))[0]["sha256"])


async def outcomes(objects) -> Counter[Outcome]:
    return Counter([looked.outcome async for looked in objects])


async def bad(objects) -> dict[str, Outcome]:
    found: list[Looked] = [looked async for looked in objects]
    return {looked.it.name: looked.outcome for looked in found if looked.outcome in verifying.BAD}


def flip(side: Side, name: str) -> None:
    content = bytearray(side.take(name))
    content[len(content) // 2] ^= 1
    side.put(name, bytes(content))


@pytest.fixture
def duban(capsys, monkeypatch):
    """`./duban evidence …` within this process: its exit code and what it says."""

    async def run(*arguments: str, **settings: str) -> tuple[int, str]:
        with monkeypatch.context() as set_so:
            for name, value in settings.items():
                set_so.setenv(name, value)
            stores.forget()
            code = await cli.run(cli.parser().parse_args(arguments))
        stores.forget()
        return code, capsys.readouterr().out

    return run


# ── verify ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_verify_finds_a_flipped_byte_and_a_missing_object(files, side):
    store = stores.store()
    assert await outcomes(verifying.verify(store)) == {Outcome.good: 7} and await verifying.count() == 7
    flipped, gone, copy = await original_of(files[0]), await original_of(files[1]), storage.derived("display", files[0])
    flip(side, flipped)
    side.remove(gone)
    side.remove(copy)
    found = {flipped: Outcome.damaged, gone: Outcome.missing, copy: Outcome.missing}
    assert await bad(verifying.verify(store)) == found
    del found[flipped]  # of the right size, and nobody read it
    assert await bad(verifying.verify(store, quick=True)) == found
    side.put(flipped, b"short")
    assert (await bad(verifying.verify(store, quick=True)))[flipped] is Outcome.damaged


async def test_the_command_says_what_is_wrong_and_ends_with_1(files, side, duban):
    code, said = await duban("verify")
    assert code == 0 and "共 7 个文件" in said and "完好 7 个" in said, said
    name = await original_of(files[2])
    flip(side, name)
    code, said = await duban("verify")
    assert code == 1 and f"损坏  {name}  佐证材料 {files[2]}" in said and "损坏 1 个" in said, said
    assert stores_make.SECRET not in said


async def test_many_rows_of_one_photo_are_one_object(client, it, side, files):
    content = make.photo(80)
    again = await stored(client, it, content)
    assert await outcomes(verifying.verify(stores.store())) == {Outcome.good: 7}
    await jobs.prepare(again)
    assert await outcomes(verifying.verify(stores.store())) == {Outcome.good: 9} and await verifying.count() == 9


# ── what the store has lost ──────────────────────────────────────────────────────────────────────────────────────


async def restored() -> list[UUID]:
    return [row["subject"] for row in await raw("SELECT subject FROM event WHERE verb = 'evidence.restored'")]


async def test_what_the_store_has_lost_is_stored_again_when_the_same_bytes_come_again(client, it, side):
    content, sender = make.photo(86), await make.signed_in(it.inspector)
    file = await stored(client, it, content)
    path = f"/api/evidence/{file}"
    before = (await client.put(path, content=content, headers=sender)).json()
    assert await restored() == [] and before["receipt"]
    side.remove(named(content))
    assert await outcomes(verifying.verify(side.store)) == {Outcome.missing: 1}
    other = await client.put(path, content=content[::-1], headers=sender)
    assert other.status_code == 409 and side.names() == set()
    for _ in range(2):
        again = await client.put(path, content=content, headers=sender)
        assert (again.status_code, again.json()) == (200, before)
    assert await outcomes(verifying.verify(side.store)) == {Outcome.good: 1} and await restored() == [file]


async def test_what_the_store_has_lost_may_come_again_in_pieces(client, it, side):
    content, phone = make.photo(86), await uploads_make.phone(client, it.inspector)
    file = await stored(client, it, content)
    over = await phone.begin(file, len(content))
    assert await phone.offset(over) == len(content)
    side.remove(named(content))
    assert (await phone.ask(over)).status_code == 404  # a client that goes on with it begins anew
    path = await phone.begin(file, len(content))
    assert await phone.offset(path) == 0
    for at in (0, 300):
        answer = await phone.send(path, at, content[at : at + 300] if at == 0 else content[at:])
        assert answer.status_code == 204, answer.text
    assert side.take(named(content)) == content and await restored() == [file]
    assert await phone.offset(path) == len(content) == await phone.offset(over)


async def test_a_photo_whose_bytes_lie_damaged_in_the_store_arrives_all_the_same(client, it, side):
    content = make.photo(86)
    await stored(client, it, content)
    flip(side, named(content))
    await stored(client, it, content)
    assert side.take(named(content)) == content
    # In pieces too, and what a restore has cut short comes again under its own id.
    side.put(named(content), content[:100])
    file, phone = await declared(it, content), await uploads_make.phone(client, it.inspector)
    assert (await phone.send(await phone.begin(file, len(content)), 0, content)).status_code == 204
    assert side.take(named(content)) == content and await restored() == []
    side.put(named(content), content[:100])
    answer = await client.put(f"/api/evidence/{file}", content=content, headers=phone.headers)
    assert answer.status_code == 200 and await restored() == [file]
    assert await outcomes(verifying.verify(side.store)) == {Outcome.good: 1}


async def test_it_arrives_though_somebody_puts_the_damaged_bytes_back_in_this_moment(client, it, side, monkeypatch):
    """A sweep that begins looks for what lies aside and a row refers to."""
    content, set_aside, cleared = make.photo(86), side.store.set_aside, list[str]()
    await stored(client, it, content)
    flip(side, named(content))

    async def with_a_sweep_behind(name: str) -> None:
        await set_aside(name)
        if not cleared:
            await side.store.put_back(name)
        cleared.append(name)

    monkeypatch.setattr(stores.store(), "set_aside", with_a_sweep_behind)
    await stored(client, it, content)
    assert side.take(named(content)) == content and cleared == [named(content)] * 2


async def test_bytes_that_will_not_stay_away_are_cleared_a_few_times_and_then_a_broken_disk(client, it, side, tmp_path):
    content, cleared = make.photo(86), list[str]()
    await stored(client, it, content)
    flip(side, named(content))
    (whole := tmp_path / "whole").write_bytes(content)

    async def in_vain(name: str) -> None:
        cleared.append(name)

    with pytest.raises(storage.Damaged):
        await storage.keep(side.store, named(content), whole, in_vain)
    assert len(cleared) == storage.MOST_CLEARED


async def test_a_photo_given_up_because_it_was_lost_is_tried_again_when_it_comes_again(client, it, side):
    content = make.photo(86)
    file, same = [await stored(client, it, content) for _ in range(2)]
    side.remove(named(content))
    await raw("UPDATE evidence SET tries = 5")
    for one in (file, same):
        await jobs.prepare(one)
    assert [row["refusal"] for row in await raw("SELECT refusal FROM evidence")] == ["evidence.gave_up"] * 2
    sent = await client.put(f"/api/evidence/{file}", content=content, headers=await make.signed_in(it.inspector))
    assert sent.json()["state"] == "received"
    for one in (file, same):
        await jobs.prepare(one)
    assert [row["state"] for row in await raw("SELECT state FROM evidence")] == ["ready"] * 2


async def test_a_photo_refused_because_its_bytes_lay_damaged_is_tried_again_when_they_are_whole(client, it, side):
    """One cut short comes again under its own id, one damaged at its full length with another of the same photo."""
    short, zeros = make.photo(86), make.photo(87)
    files = [await stored(client, it, content) for content in (short, zeros)]
    side.put(named(short), short[:100])
    side.put(named(zeros), bytes(len(zeros)))
    for file in files:
        await jobs.prepare(file)
    assert [row["state"] for row in await raw("SELECT state FROM evidence")] == ["refused"] * 2
    sent = await client.put(f"/api/evidence/{files[0]}", content=short, headers=await make.signed_in(it.inspector))
    assert sent.status_code == 200
    await stored(client, it, zeros)
    for file in files:
        await jobs.prepare(file)
    assert [row["state"] for row in await raw("SELECT state FROM evidence WHERE id = ANY($1)", files)] == ["ready"] * 2


async def test_a_photo_given_up_because_it_was_lost_is_tried_again_when_it_comes_under_another_id(client, it, side):
    content = make.photo(86)
    file = await stored(client, it, content)
    side.remove(named(content))
    await raw("UPDATE evidence SET tries = 5")
    await jobs.prepare(file)
    assert [row["refusal"] for row in await raw("SELECT refusal FROM evidence")] == ["evidence.gave_up"]
    await jobs.prepare(await stored(client, it, content))
    await jobs.prepare(file)
    assert [row["state"] for row in await raw("SELECT state FROM evidence")] == ["ready"] * 2


async def test_a_photo_that_comes_again_at_its_last_try_is_tried_anew(client, it, side):
    content = make.photo(86)
    file = await stored(client, it, content)
    side.remove(named(content))
    await raw("UPDATE evidence SET tries = 5")
    await client.put(f"/api/evidence/{file}", content=content, headers=await make.signed_in(it.inspector))
    await jobs.prepare(file)
    assert [row["state"] for row in await raw("SELECT state FROM evidence")] == ["ready"]


@pytest.mark.parametrize("side", ["local"], indirect=True)
async def test_what_is_stored_is_not_taken_for_lost_while_the_store_is_away(client, it, side, monkeypatch):
    content = make.photo(86)
    file = await stored(client, it, content)

    async def away(_: str) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(side.store, "find", away)
    again = await client.put(f"/api/evidence/{file}", content=content, headers=await make.signed_in(it.inspector))
    assert again.status_code == 200 and await restored() == []


# ── copy ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def other(side, s3_server, tmp_path, monkeypatch) -> Side:
    """The store that this process does not use."""
    if isinstance(side, InBucket):
        return OnDisk(stores.disk())
    bucket = stores_make.bucket(s3_server)
    for name, value in stores_make.environment(bucket).items():
        monkeypatch.setenv(name, value)
    return InBucket(stores.s3(), bucket)


async def test_everything_goes_to_the_other_store_and_is_read_there_again(files, side, other):
    assert await outcomes(verifying.copy(side.store, other.store)) == {Outcome.copied: 7}
    assert other.names() == side.names() and all(other.take(name) == side.take(name) for name in side.names())
    assert await outcomes(verifying.verify(other.store)) == {Outcome.good: 7}
    assert await outcomes(verifying.copy(side.store, other.store)) == {Outcome.good: 7}
    assert not list((stores.disk().root / "incoming").iterdir())


async def test_a_copy_cut_off_goes_on_where_it_was_and_repairs_what_is_damaged(files, side, other, monkeypatch):
    keep, kept = other.store.keep, list[str]()

    async def breaks_off(name: str, file: Path) -> None:
        if kept:
            raise StoreAway("away")
        kept.append(name)
        await keep(name, file)

    monkeypatch.setattr(other.store, "keep", breaks_off)
    monkeypatch.setattr(verifying, "AT_ONCE", 1)
    with pytest.raises(StoreAway):
        await outcomes(verifying.copy(side.store, other.store))
    monkeypatch.undo()
    assert other.names() == set(kept)
    flip(other, kept[0])
    assert await outcomes(verifying.copy(side.store, other.store)) == {Outcome.repaired: 1, Outcome.copied: 6}
    assert other.take(kept[0]) == side.take(kept[0]) and f"swept/{kept[0]}" in other.names()
    stale = storage.derived("thumbnail", files[0])
    other.put(stale, b"with yesterday's caption")
    assert await outcomes(verifying.copy(side.store, other.store, quick=True)) == {Outcome.copied: 1, Outcome.good: 6}
    assert other.take(stale) == side.take(stale)


async def test_what_the_source_lost_or_damaged_is_never_passed_on(files, side, other):
    flipped, gone, copy = await original_of(files[0]), await original_of(files[1]), storage.derived("display", files[1])
    flip(side, flipped)
    side.remove(gone)
    side.remove(copy)
    found = {flipped: Outcome.damaged, gone: Outcome.missing, copy: Outcome.missing}
    assert await bad(verifying.copy(side.store, other.store)) == found
    assert other.names() == side.names() - {flipped}


@pytest.mark.parametrize("side", ["local"], indirect=True)
async def test_a_move_there_and_back_by_the_commands(files, side, other, duban):
    before = {name: side.take(name) for name in side.names()}
    code, said = await duban("copy", "--to", "s3")
    assert code == 0 and "从本机磁盘复制到S3 存储" in said and "已复制 7 个" in said, said
    code, said = await duban("verify", DUBAN_STORE="s3")
    assert code == 0 and "完好 7 个" in said, said
    for name in side.names():
        side.remove(name)
    code, said = await duban("copy", "--to", "local", DUBAN_STORE="s3")
    assert code == 0 and "已复制 7 个" in said, said
    assert {name: side.take(name) for name in side.names()} == before
    code, said = await duban("copy", "--to", "s3", DUBAN_S3_ENDPOINT="http://127.0.0.1:1")
    assert code == 1 and "文件存储不可用：连不上" in said, said
    with pytest.raises(BadSettings, match="DUBAN_S3_SECRET_KEY"):
        await duban("copy", "--to", "s3", DUBAN_S3_SECRET_KEY="")


# ── sweep ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def swept(store: Store, older_than: timedelta = DAY) -> list[bool]:
    found = await sweeping.survey(store, older_than)
    await sweeping.finish_sweep(store)
    return [await sweeping.take_out(store, it.name) for it in found.orphans]


async def test_only_what_no_row_refers_to_is_swept_and_only_when_it_is_old(files, side):
    known, lost = side.names(), storage.derived("display", uuid7())
    side.put(ORPHANS_NAME, ORPHAN)
    side.put(lost, b"a copy of nothing")
    side.put("originals/notes.txt", b"somebody's")
    waiting = named(make.photo(82))  # declared; its bytes came, its row did not get there yet
    side.put(waiting, make.photo(82))
    with clock.frozen(await after_all(side, timedelta(hours=23))):
        young = await sweeping.survey(side.store, DAY)
        assert (young.seen, young.orphans, young.strange) == (11, [], ["originals/notes.txt"])
    with clock.frozen(await after_all(side, DAY)):
        found = await sweeping.survey(side.store, DAY)
        assert {it.name for it in found.orphans} == {ORPHANS_NAME, lost} and not found.suspicious
        assert await swept(side.store) == [True, True]
    assert side.names() == {*known, waiting, "originals/notes.txt"}


async def after_all(side: Side, so_long: timedelta) -> datetime:
    """So long after the newest object came: the stores have the true time, the tests do not."""
    return max([it.since async for it in side.store.listed("originals")]) + so_long + timedelta(seconds=5)


@pytest.mark.parametrize("moment", ["before it is set aside", "while it is aside", "just before it is forgotten"])
async def test_the_same_photo_sent_again_while_it_is_swept_stays(client, it, side, monkeypatch, moment):
    content = make.photo(84)
    name, file = named(content), list[UUID]()
    side.put(name, content)
    step = {"before it is set aside": "set_aside", "while it is aside": "set_aside"}.get(moment, "forget")
    real = getattr(side.store, step)

    async def with_an_upload_between(which: str) -> None:
        if moment == "while it is aside":
            await real(which)
        file.append(await stored(client, it, content))
        if moment != "while it is aside":
            await real(which)

    monkeypatch.setattr(stores.store(), step, with_an_upload_between)
    with clock.frozen(await after_all(side, DAY)):
        done = await swept(side.store)
    assert len(file) == 1 and len(done) == 1
    assert side.names() == {name} and side.take(name) == content
    assert await outcomes(verifying.verify(side.store)) == {Outcome.good: 1}


async def test_a_sweep_between_keeping_and_committing_takes_nothing(client, it, side, monkeypatch):
    content = make.photo(85)
    receive, took = commands.receive, list[bool]()

    async def swept_before_the_commit(*said):
        took.append(await sweeping.take_out(side.store, named(content)))
        return await receive(*said)

    monkeypatch.setattr(commands, "receive", swept_before_the_commit)
    await stored(client, it, content)
    assert took == [False] and await outcomes(verifying.verify(side.store)) == {Outcome.good: 1}


async def test_a_sweep_that_was_killed_is_finished_by_the_next(files, side):
    needed = await original_of(files[0])
    side.put(ORPHANS_NAME, ORPHAN)
    for name in (needed, ORPHANS_NAME):
        await side.store.set_aside(name)
    assert await sweeping.finish_sweep(side.store) == 2
    assert needed in side.names() and not any(name.startswith("swept/") for name in side.names())
    assert ORPHANS_NAME not in side.names() and await outcomes(verifying.verify(side.store)) == {Outcome.good: 7}


async def test_what_a_killed_sweep_left_aside_and_a_row_refers_to_comes_back_by_itself(files, side, duban):
    needed = await original_of(files[0])
    everything = side.names() | {f"swept/{ORPHANS_NAME}"}
    side.put(ORPHANS_NAME, ORPHAN)
    await side.store.set_aside(ORPHANS_NAME)
    await side.store.set_aside(needed)
    async with sweeping.alone():
        running = asyncio.create_task(jobs.put_back_aside(), context=contextvars.Context())
        assert await running == 0  # what is aside may be the other's
    assert await jobs.put_back_aside() == 1 and side.names() == everything
    # So it does with the next sweep, though that only lists, or thinks that it looks at the wrong database.
    for arguments in (["sweep"], ["sweep", "--delete", "--days", "-30000"]):
        await side.store.set_aside(needed)
        for number in range(12):
            side.put(named(bytes([number])), b"x")
        said = (await duban(*arguments))[1]
        assert "已放回 1 个" in said and side.names() >= everything, said
    assert await outcomes(verifying.verify(side.store)) == {Outcome.good: 7}


async def test_sweeps_and_uploads_of_the_same_photos_all_at_once_lose_nothing(client, it, side):
    """Two sweeps that think everything old, over and over, against phones that send what lies there as orphans."""
    contents = [make.photo(200 + number, size=(8, 8)) for number in range(20)]
    for content in contents:
        side.put(named(content), content)
    waiting, done = random.Random(7).sample(contents, 20), list[UUID]()

    async def phone(own: list[bytes]) -> None:
        for content in own:
            done.append(await stored(client, it, content))

    async def sweeper() -> int:
        taken = 0
        while len(done) < len(contents):
            with suppress(Busy):  # the other one is at it
                async with sweeping.alone():
                    taken += sum(await swept(side.store, timedelta(days=-30_000)))
            await asyncio.sleep(0)
        return taken

    *_, first, second = await asyncio.gather(*(phone(waiting[at::4]) for at in range(4)), sweeper(), sweeper())
    assert first + second > 0 and len(done) == 20
    assert await outcomes(verifying.verify(side.store)) == {Outcome.good: 20}
    assert not any(name.startswith("swept/") for name in side.names())


async def test_a_long_sweep_keeps_no_photo_waiting_whose_bytes_lie_damaged(client, it, side, duban, monkeypatch):
    content, survey, halfway = make.photo(86), sweeping.survey, asyncio.Event()
    await stored(client, it, content)
    flip(side, named(content))
    side.put(ORPHANS_NAME, ORPHAN)

    async def sent_meanwhile() -> None:
        await halfway.wait()
        await stored(client, it, content)

    sending = asyncio.ensure_future(sent_meanwhile())

    async def for_hours(*said: Any) -> sweeping.Survey:
        found = await survey(*said)
        halfway.set()
        await sending
        return found

    monkeypatch.setattr(sweeping, "survey", for_hours)
    with clock.frozen(await after_all(side, DAY)):
        code, said = await duban("sweep", "--delete")
    assert (code, side.take(named(content))) == (0, content) and "已删除 1 个" in said, said


async def test_the_sweep_command_only_lists_and_deletes_when_told(files, side, duban):
    before = side.names()
    orphans = [named(bytes([number])) for number in range(12)]
    side.put(orphans[0], b"x")
    with clock.frozen(await after_all(side, DAY)):
        code, said = await duban("sweep")
        assert code == 0 and f"无主  {orphans[0]}" in said and "没有删除任何文件" in said and orphans[0] in side.names()
    for name in orphans:
        side.put(name, b"x")
    with clock.frozen(await after_all(side, 3 * DAY)):
        assert "无主 0 个" in (await duban("sweep", "--days", "4"))[1]
        code, said = await duban("sweep", "--delete")
        assert code == 1 and "没有删除" in said and side.names() == {*before, *orphans}  # the wrong database, perhaps
        code, said = await duban("sweep", "--delete", "--most")
    assert code == 0 and "已删除 12 个" in said and side.names() == before, said


async def test_two_sweeps_do_not_run_at_once(side, fresh):
    async with sweeping.alone():

        async def second() -> None:
            async with sweeping.alone():
                pass

        with pytest.raises(Busy):
            await asyncio.create_task(second(), context=contextvars.Context())


@pytest.mark.parametrize("side", ["local"], indirect=True)
async def test_the_command_runs_by_itself(fresh, side):
    command = (sys.executable, "-m", "backend", "evidence", "verify")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0 and "共 0 个文件" in said.decode(), said.decode()
