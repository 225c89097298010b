"""Broken, doubled and half-open connections to two real web processes, spoken by hand down to the socket."""

import asyncio
import base64
import hashlib
import os
from uuid import UUID

import httpx
import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import storage
from backend.evidence.rules import Declaration, MediaType, Source
from backend.evidence.stores import disk, intake
from inspections.findings import commands as findings
from tests import make
from tests.waiting import PATIENCE, eventually

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Line:
    """One connection, on which a PATCH has been begun and nothing is said about its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, piece: bytes) -> None:
        self.writer.write(piece)
        await self.writer.drain()

    async def status(self) -> int:
        """The status of the answer; 0 when the connection was closed before it could be read."""
        try:
            async with asyncio.timeout(PATIENCE):
                said = await self.reader.readline()
        except ConnectionError:
            return 0
        return int(said.split()[1]) if said else 0

    def cut(self) -> None:
        self.writer.transport.abort()


class Phone:
    """The inspector's, with one file that is declared, and an upload begun for it."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str], id: UUID, content: bytes) -> None:
        self.http, self.headers, self.id, self.content = http, headers, id, content
        self.path = ""

    async def begin(self) -> None:
        metadata = f"evidence_id {base64.b64encode(str(self.id).encode()).decode()}"
        said = {**TUS, **self.headers, "Upload-Length": str(len(self.content)), "Upload-Metadata": metadata}
        answer = await self.http.post("/api/uploads", headers=said)
        assert answer.status_code == 201, answer.text
        self.path = answer.headers["Location"]

    async def offset(self) -> int:
        answer = await self.http.head(self.path, headers={**TUS, **self.headers})
        assert answer.status_code == 200
        return int(answer.headers["Upload-Offset"])

    async def reaches(self, offset: int) -> None:
        """Waits until so many bytes are there: what a socket took is not yet with the server."""
        await eventually(self.offset, lambda at: at == offset)

    async def line(self, at: int, length: int, **more: str) -> Line:
        """A connection of its own with the head of a PATCH: which of the two web processes takes it is chance."""
        url = self.http.base_url
        said = {
            **PIECE,
            **self.headers,
            "Upload-Offset": str(at),
            "Content-Length": str(length),
            "Host": url.host,
            **more,
        }
        line = Line(*await asyncio.open_connection(url.host, url.port))
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        await line.send(f"PATCH {self.path} HTTP/1.1\r\n{head}\r\n".encode())
        return line

    async def rest(self, at: int) -> int:
        said = {**PIECE, **self.headers, "Upload-Offset": str(at)}
        return (await self.http.patch(self.path, headers=said, content=self.content[at:])).status_code

    async def stored(self) -> bool:
        rows = await raw("SELECT state FROM evidence WHERE id = $1", self.id)
        path = disk().path(storage.original(hashlib.sha256(self.content).hexdigest()))
        return rows[0]["state"] in ("received", "ready") and path.read_bytes() == self.content


@pytest.fixture
async def phone(townspeople) -> Phone:
    it = await make.cast()
    content = make.photo(70) + os.urandom(400_000)
    line = Declaration(
        uuid7(), hashlib.sha256(content).hexdigest(), len(content), MediaType.jpeg, clock.now(), Source.camera, None
    )
    await findings.file(it.visit, it.inspector, make.filing(it), id=uuid7(), manifest=[line])
    phone = Phone(townspeople, await make.signed_in(it.inspector), line.id, content)
    await phone.begin()
    return phone


@pytest.mark.parametrize("said", [{}, {"Upload-Checksum": "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="}])
async def test_what_came_before_a_cut_is_there_to_the_byte(phone, said):
    """Also of a piece with a checksum: the declared hash of the whole decides."""
    line = await phone.line(0, len(phone.content), **said)
    await line.send(phone.content[:100_001])
    await phone.reaches(100_001)
    line.cut()
    assert await phone.offset() == 100_001
    assert await phone.rest(100_001) == 204 and await phone.stored()


async def test_every_byte_may_come_alone(phone):
    line = await phone.line(0, 40)
    for at in range(40):
        await line.send(phone.content[at : at + 1])
        await phone.reaches(at + 1)
    assert await line.status() == 204
    assert await phone.rest(40) == 204 and await phone.stored()


async def test_a_newer_request_takes_over_from_a_half_open_one_at_once_in_whatever_process(phone):
    """The phone has changed its network: the old connection hangs, nobody has told the server."""
    old: list[Line] = []
    for turn in range(8):  # so that both web processes had the older one and the newer
        at = turn * 20_000
        line = await phone.line(at, len(phone.content) - at)
        await line.send(phone.content[at : at + 20_000])
        await phone.reaches(at + 20_000)
        old.append(line)
    assert await phone.rest(160_000) == 204 and await phone.stored()
    for turn, line in enumerate(old):  # the dead come back with all that they had to say: too late
        await line.send(b"x" * (len(phone.content) - (turn + 1) * 20_000))
        assert await line.status() == 409
    assert await phone.stored() and await phone.offset() == len(phone.content)
    assert list(intake().folder("partials").glob(f"{phone.path.rsplit('/', 1)[1]}.*")) == []


async def test_the_same_request_twice_at_once_writes_once(phone):
    lines = [await phone.line(0, len(phone.content)) for _ in range(4)]
    for at in range(0, len(phone.content), 50_000):
        for line in lines:
            line.writer.write(phone.content[at : at + 50_000])
        await asyncio.sleep(0.01)
    statuses = [await line.status() for line in lines]
    assert statuses.count(204) == 1 and set(statuses) <= {204, 404, 409, 0}, statuses
    assert await phone.stored() and await phone.offset() == len(phone.content)


async def test_two_that_take_turns_make_one_file(phone):
    """Each is refused when the other was faster, asks where it stands and goes on: nothing is lost or doubled."""
    whole = len(phone.content)

    async def sender(step: int) -> None:
        while (at := await phone.offset()) < whole:
            said = {**PIECE, **phone.headers, "Upload-Offset": str(at)}
            answer = await phone.http.patch(phone.path, headers=said, content=phone.content[at : at + step])
            assert answer.status_code in (204, 404, 409, 423), answer.text

    await asyncio.gather(sender(7_001), sender(9_999), sender(65_536))
    assert await phone.stored()
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'evidence.stored'")) == 1


async def test_more_than_was_said_is_refused_and_what_fits_is_kept(phone):
    line = await phone.line(0, 10)
    await line.send(phone.content[:10] + b"GET / HTTP/1.1\r\n\r\n")  # behind the body: another request, not ours
    assert await line.status() == 204 and await phone.offset() == 10
    long = await phone.line(10, len(phone.content))  # ten bytes more than there is room for
    await long.send(phone.content)
    assert await long.status() == 413 and await phone.offset() == 10
    assert await phone.rest(10) == 204 and await phone.stored()
