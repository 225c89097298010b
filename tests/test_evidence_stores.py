"""What every store promises, asked of both; and what becomes of a request when an S3 store does not do its part."""

import asyncio
import hashlib
import itertools
import logging
import os
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from backend import doctor
from backend.errors import NoRoom
from backend.evidence import storage
from backend.evidence.s3 import S3
from backend.evidence.storage import Missing, StoreAway
from backend.settings import Bucket, load
from tests.stores_make import SECRET, InBucket, OnDisk, Side, answering, bucket, refusal

CONTENT = os.urandom(700_000)
NAME = storage.original(hashlib.sha256(CONTENT).hexdigest())
COPY = storage.derived("display", uuid4())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """CONTENT on its way in, on the file system of the store."""
    path = tmp_path / "evidence" / "incoming" / "file"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


async def whole(side: Side, name: str, span: tuple[int, int] | None = None) -> bytes:
    return b"".join([piece async for piece in (await side.store.read(name, span)).pieces])


def left_over(file: Path) -> list[str]:
    return [path.name for path in file.parent.iterdir() if path != file]


async def test_what_is_kept_is_read_back_whole_and_in_parts(side, file):
    await side.store.keep(NAME, file)
    assert side.names() == {NAME} and side.take(NAME) == CONTENT
    reading = await side.store.read(NAME, (10, 20))
    assert reading.size == len(CONTENT) and [bytes(piece) async for piece in reading.pieces] == [CONTENT[10:20]]
    assert await whole(side, NAME) == CONTENT
    assert await whole(side, NAME, (len(CONTENT) - 1, len(CONTENT))) == CONTENT[-1:]
    found = await side.store.find(NAME)
    assert found is not None and (found.name, found.size) == (NAME, len(CONTENT))
    async with side.store.local(NAME) as path:
        assert path.read_bytes() == CONTENT
    assert left_over(file) == []


async def test_an_original_is_never_written_over(side, file):
    for other in (CONTENT[::-1], CONTENT[:-1], CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])):
        side.put(NAME, other)
        with pytest.raises(OSError, match="damaged"):  # and no receipt says that the photo is stored
            await side.store.keep(NAME, file)
        assert side.take(NAME) == other


async def test_an_original_set_aside_while_it_is_kept_again_is_there_afterwards(side, file, monkeypatch):
    """The store says that the name is taken; before it is looked at, the sweep has taken the object away."""
    await side.store.keep(NAME, file)
    file.unlink(), file.write_bytes(CONTENT)
    asked: list[str] = []
    if isinstance(side, OnDisk):
        check = storage._check_same

        def gone(target: Path, kept: Path) -> None:
            if not asked:
                side.store._set_aside(NAME)  # type: ignore[attr-defined]
            asked.append(str(target))
            check(target, kept)

        monkeypatch.setattr(storage, "_check_same", gone)
    else:
        find = side.store.find

        async def gone_too(name: str) -> storage.Stored | None:
            if not asked:
                await side.store.set_aside(name)
            asked.append(name)
            return await find(name)

        monkeypatch.setattr(side.store, "find", gone_too)
    await side.store.keep(NAME, file)
    assert asked and side.names() == {NAME, f"swept/{NAME}"} and side.take(NAME) == CONTENT


async def test_what_is_not_there_is_missing(side, file):
    assert await side.store.find(NAME) is None
    with pytest.raises(Missing):
        await side.store.read(NAME)
    with pytest.raises(Missing):
        async with side.store.local(NAME):
            pass
    assert left_over(file) == []


async def test_a_copy_takes_the_place_of_the_last_one_when_it_was_written_well(side, file):
    for content in (b"first", b"second"):
        async with side.store.writing(COPY) as path:
            with storage.replacing(path) as draft:
                os.write(draft.fd, content)
        assert side.take(COPY) == content
    with pytest.raises(RuntimeError):
        async with side.store.writing(COPY) as path:
            raise RuntimeError
    async with side.store.writing(COPY):
        pass  # the gate refused: nothing written
    assert side.take(COPY) == b"second" and side.names() == {COPY} and left_over(file) == []


async def test_everything_below_a_folder_is_listed(side):
    names = {storage.original(hashlib.sha256(bytes([n])).hexdigest()) for n in range(40)}
    for name in {*names, COPY, "originals/stray"}:
        side.put(name, b"12345")
    found = [one async for one in side.store.listed("originals")]
    assert {one.name for one in found} == {*names, "originals/stray"} and {one.size for one in found} == {5}
    assert [one async for one in side.store.listed("thumbnails")] == []


async def test_what_is_set_aside_can_be_put_back_or_forgotten(side):
    side.put(NAME, CONTENT)
    for _ in range(2):
        await side.store.set_aside(NAME)
        assert side.names() == {f"swept/{NAME}"} and await side.store.find(NAME) is None
    await side.store.put_back(NAME)
    assert side.names() == {NAME} and side.take(NAME) == CONTENT
    await side.store.set_aside(NAME)
    side.put(NAME, b"newer")
    await side.store.put_back(NAME)
    assert side.names() == {NAME} and side.take(NAME) == b"newer"
    await side.store.set_aside(NAME)
    for _ in range(2):
        await side.store.forget(NAME)
        assert side.names() == set()


def hostile_names() -> list[str]:
    """Five hundred ways out of a folder, and near misses of what a name is."""
    up = ["..", "../..", "%2e%2e", "..%2f", "..\\", "....//", "．．", "..;", "%c0%ae%c0%ae", "\u202e.."]
    where = ["etc/passwd", "originals", "root/.ssh/authorized_keys", "C:\\boot.ini", "proc/self/environ", ".env"]
    digest = NAME.rsplit("/", 1)[1]
    near = [
        digest.upper(),
        f"{NAME}/",
        f"/{NAME}",
        f"{NAME}\n",
        f"{NAME}\0",
        f" {NAME}",
        NAME.replace("/", "//"),
    ]
    near += [NAME[:-1], NAME + "0", f"originals/zz/zz/{digest}", f"originals/00/00/{digest}", f"display/{digest}.jpg"]
    near += [f"./{NAME}", f"{NAME}/../x", COPY.replace(".jpg", ".png"), COPY.replace("display", "originals"), "swept/x"]
    joins = ["/", "\\", "//", "/./", "\0", "\n", "", "%00"]
    tails = [f"{a}{join}{b}" for a, join, b in itertools.product(up, joins, where)]
    return [*near, *tails, "", ".", "/", "~", "|id", "$(id)", "`id`", "CON", "a" * 5000]


async def test_no_hostile_name_leaves_the_store(side, file, tmp_path):
    names = hostile_names()
    assert len(set(names)) >= 500
    around = sorted(tmp_path.rglob("*"))
    for name in names:
        with pytest.raises(ValueError):
            storage.original(name)
        with pytest.raises(ValueError):
            storage.derived("display", name)  # type: ignore[arg-type]
        for use in (
            side.store.keep(name, file),
            side.store.read(name),
            side.store.find(name),
            side.store.set_aside(name),
            side.store.put_back(name),
            side.store.forget(name),
        ):
            with pytest.raises(ValueError):
                await use
    assert side.names() == set() and sorted(tmp_path.rglob("*")) == around


async def test_a_store_that_is_well_has_no_trouble(side):
    assert await side.store.trouble() is None


async def test_a_large_object_costs_no_memory(s3_server, tmp_path):
    """One PUT of the mapped file: resident, but shared with the page cache and nobody's own."""
    file = tmp_path / "film"
    with file.open("wb") as film:
        for _ in range(64):
            film.write(os.urandom(2**20))

    def own() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0]) * 1024

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        took = 0
        while took < 64 * 2**20:
            took += len(await reader.read(2**20))
            most.append(own())
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n')
        writer.close()

    most: list[int] = []
    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    before = own()
    await S3(Bucket("duban", address, "r", False, "k", SECRET), tmp_path).keep(NAME, file)
    server.close()
    assert max(most) - before < 24 * 2**20


TROUBLES = {
    "403": (refusal("403 Forbidden", "AccessDenied"), StoreAway, "拒绝访问（403，AccessDenied）"),
    "403 wrong key": (refusal("403 Forbidden", "SignatureDoesNotMatch"), StoreAway, "SignatureDoesNotMatch"),
    "401": (refusal("401 Unauthorized"), StoreAway, "拒绝访问（401）"),
    "404": (refusal("404 Not Found", "NoSuchBucket"), StoreAway, "没有这个桶"),
    "500": (refusal("500 Internal Server Error", "InternalError"), StoreAway, "500"),
    "501": (refusal("501 Not Implemented", "NotImplemented"), StoreAway, "只新建"),
    "503": (refusal("503 Slow Down", "SlowDown"), StoreAway, "SlowDown"),
    "507": (refusal("507 Insufficient Storage", "XMinioStorageFull"), NoRoom, ""),
    "507 bare": (refusal("507 Insufficient Storage"), NoRoom, ""),
    "400 quota": (refusal("400 Bad Request", "QuotaExceeded"), NoRoom, ""),
    "garbage": (b"SSH-2.0-OpenSSH_9.6\r\n", StoreAway, "连不上"),
    "nothing": (b"", StoreAway, "连不上"),
    "half": (b"HTTP/1.1 200 OK\r\nContent-Le", StoreAway, "连不上"),
}


@pytest.mark.parametrize("reply", TROUBLES)
async def test_a_store_that_refuses_promises_nothing_and_says_why(file, caplog, reply):
    said, problem, reason = TROUBLES[reply]
    async with answering(said) as address:
        store = S3(bucket(address, "duban"), file.parent, patience=2.0)
        with pytest.raises(problem) as refused:
            await store.keep(NAME, file)
        assert refused.value.status in (503, 507) and SECRET not in str(refused.value)
        if problem is StoreAway:
            assert reason in refused.value.reason
            assert refused.value.details["retry_after"]
            trouble = await store.trouble()
            assert trouble and SECRET not in trouble
    assert SECRET not in caplog.text and "duban-key" not in caplog.text


async def test_a_store_that_does_not_answer_is_not_waited_for(file, caplog):
    caplog.set_level(logging.DEBUG)
    async with answering(b"", after=30) as address:
        store = S3(bucket(address, "duban"), file.parent, patience=0.2)
        with pytest.raises(StoreAway, match="稍后再试") as slow:
            await store.keep(NAME, file)
        assert "规定时间" in slow.value.reason
    store = S3(bucket("http://127.0.0.1:1", "duban"), file.parent, patience=2.0)
    with pytest.raises(StoreAway) as refused:
        await store.keep(NAME, file)
    assert "连不上" in refused.value.reason and SECRET not in caplog.text


async def test_a_missing_bucket_is_no_missing_object(s3_server, file, caplog):
    store = S3(bucket(s3_server, "no-such-bucket"), file.parent)
    for use in (store.read(NAME), store.keep(NAME, file)):
        with pytest.raises(StoreAway) as away:
            await use
        assert "NoSuchBucket" in away.value.reason
    logged = len(caplog.records)
    assert "NoSuchBucket" in (await store.trouble() or "")
    assert len(caplog.records) == logged == 2  # a load balancer asks for trouble every few seconds


async def test_a_store_that_breaks_off_in_the_middle_is_away_and_leaves_no_half_file(file):
    head = ["HTTP/1.1 200 OK", "Content-Length: 5000", 'ETag: "1"', "Last-Modified: Tue, 24 Nov 2026 04:00:00 GMT"]
    async with answering("\r\n".join([*head, "", "half"]).encode()) as address:
        store = S3(bucket(address, "duban"), file.parent, patience=1.0)
        with pytest.raises(StoreAway):
            async with store.local(NAME):
                pass
    assert left_over(file) == []


async def test_a_store_that_writes_over_what_it_has_is_found_out(s3_server, tmp_path):
    side = InBucket(store := S3(own := bucket(s3_server), tmp_path), own)
    assert await store.keeps_what_it_has()
    assert await store.keeps_what_it_has() and side.names() == {"duban-store"}
    async with answering(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n') as address:
        assert not await S3(bucket(address, "duban"), tmp_path).keeps_what_it_has()


async def test_a_request_is_signed_and_create_only_whatever_the_environment_says(file, monkeypatch):
    """A machine may have AWS_… of its own; obstore would take what we do not say from there."""
    elsewhere = {"ENDPOINT_URL": "http://127.0.0.1:1", "ENDPOINT_URL_S3": "http://127.0.0.1:1", "BUCKET": "other"}
    elsewhere |= {"ACCESS_KEY_ID": "other", "SECRET_ACCESS_KEY": "other", "SESSION_TOKEN": "other", "REGION": "other"}
    careless = dict.fromkeys(
        ("SKIP_SIGNATURE", "UNSIGNED_PAYLOAD", "S3_EXPRESS", "VIRTUAL_HOSTED_STYLE_REQUEST"), "true"
    )
    for name, value in (elsewhere | careless | {"CONDITIONAL_PUT": "disabled"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    asked: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        await reader.readexactly(len(CONTENT))
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 0\r\n\r\n')
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    await S3(bucket(address, "duban"), file.parent).keep(NAME, file)
    server.close()
    lines = asked[0].decode().split("\r\n")
    assert lines[0] == f"PUT /duban/{NAME} HTTP/1.1" and "if-none-match: *" in lines
    assert f"x-amz-content-sha256: {NAME.rsplit('/', 1)[1]}" in lines
    assert any(line.startswith("authorization: AWS4-HMAC-SHA256 Credential=duban-key/") for line in lines)
    assert "other" not in asked[0].decode() and SECRET not in asked[0].decode()


async def test_doctor_says_what_is_wrong_with_a_bucket(s3_server, tmp_path):
    there = bucket(s3_server)

    def told(other: Bucket) -> tuple[bool, str]:
        settings = replace(load({"DUBAN_VAR": str(tmp_path)}), bucket=other)
        finding = next(found for found in doctor.look(settings) if found.name == "S3 存储")
        assert SECRET not in finding.text
        return finding.bad, finding.text

    bad, text = await asyncio.to_thread(told, there)
    assert not bad and "可用" in text and "还没有启用" in text
    for other, said in (
        (bucket(s3_server, "no-such-bucket"), "没有这个桶"),
        (bucket("http://127.0.0.1:1", "duban"), "连不上"),
    ):
        bad, text = await asyncio.to_thread(told, other)
        assert bad and said in text
    async with answering(refusal("403 Forbidden", "InvalidAccessKeyId")) as address:
        bad, text = await asyncio.to_thread(told, bucket(address, "duban"))
    assert bad and "InvalidAccessKeyId" in text
