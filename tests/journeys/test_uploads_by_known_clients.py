"""tuspy and tus-js-client as they come, against the real server with its two web processes and its worker."""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tusclient.exceptions import TusCommunicationError
from tusclient.uploader import Uploader

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import storage
from backend.evidence.rules import Declaration, MediaType, Source
from backend.evidence.stores import disk, intake
from inspections.findings import commands as findings
from tests import make
from tests.tus_clients import by_javascript, python
from tests.waiting import eventually

SIZE = 3_000_000


def photo(number: int) -> bytes:
    """A JPEG of three megabytes: what follows the picture is as heavy as a camera's, and another one each time."""
    return make.photo(number) + os.urandom(SIZE)


class Sender:
    """The inspector's phone: what it declares, and the files it has."""

    def __init__(self, it: make.Cast, address: str, headers: dict[str, str], folder: Path) -> None:
        self.it, self.address, self.headers, self.folder = it, address, headers, folder

    def file(self, number: int) -> tuple[UUID, Path, bytes]:
        content = photo(number)
        path = self.folder / f"{number}.jpg"
        path.write_bytes(content)
        return uuid7(), path, content

    async def declare(self, *files: tuple[UUID, bytes]) -> None:
        lines = [
            Declaration(id, hashlib.sha256(it).hexdigest(), len(it), MediaType.jpeg, clock.now(), Source.camera, None)
            for id, it in files
        ]
        await findings.file(self.it.visit, self.it.inspector, make.filing(self.it), id=uuid7(), manifest=lines)

    def python(self, id: UUID, path: Path, **more: Any) -> Uploader:
        client = python(self.address, self.headers)
        return client.uploader(str(path), metadata={"evidence_id": str(id)}, retries=3, retry_delay=0, **more)

    async def javascript(self, *files: dict[str, Any], **more: Any) -> list[Any]:
        return await by_javascript(self.address, self.headers, self.folder / "begun", *files, **more)


async def stored(*files: tuple[UUID, bytes]) -> bool:
    """Whether each is evidence: its row says so and its bytes lie under their hash."""
    ids = [id for id, _ in files]
    rows = await raw("SELECT id FROM evidence WHERE id = ANY($1::uuid[]) AND state IN ('received', 'ready')", ids)
    names = [storage.original(hashlib.sha256(content).hexdigest()) for _, content in files]
    return len(rows) == len(files) and all(
        disk().path(name).read_bytes() == content for name, (_, content) in zip(names, files, strict=True)
    )


@pytest.fixture
async def sender(town, townspeople, tmp_path) -> Sender:
    it = await make.cast()
    return Sender(it, town.env["address"], await make.signed_in(it.inspector), tmp_path)


async def test_tuspy_sends_a_file_in_checked_pieces(sender):
    id, path, content = sender.file(1)
    await sender.declare((id, content))
    uploader = sender.python(id, path, chunk_size=700_000, upload_checksum=True)
    await asyncio.to_thread(uploader.upload)
    assert uploader.offset == len(content) and await stored((id, content))


async def test_tuspy_goes_on_where_another_one_broke_off(sender):
    id, path, content = sender.file(2)
    await sender.declare((id, content))
    first = sender.python(id, path, chunk_size=500_000)
    await asyncio.to_thread(first.upload, 1_000_000)
    second = await asyncio.to_thread(sender.python, id, path, url=first.url)
    assert second.offset == 1_000_000
    await asyncio.to_thread(second.upload)
    assert await stored((id, content))
    third = await asyncio.to_thread(sender.python, id, path, url=first.url)  # the last answer was lost
    assert third.offset == len(content)


async def test_tuspy_is_told_what_is_wrong(sender):
    id, path, content = sender.file(3)
    await sender.declare((id, content[:-1] + bytes([content[-1] ^ 1])))
    uploader = sender.python(id, path)
    with pytest.raises(TusCommunicationError) as refusal:
        await asyncio.to_thread(uploader.upload)
    assert refusal.value.status_code in (404, 422)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    await asyncio.to_thread(sender.python(id, path).upload)  # and the right bytes are welcome
    assert await stored((id, path.read_bytes()))


@pytest.mark.parametrize(
    "how",
    [{}, {"chunk": 400_000}, {"during_creation": True}, {"override": True}],
    ids=["whole", "pieces", "at once", "by POST"],
)
async def test_tus_js_client_sends_a_file(sender, how):
    id, path, content = sender.file(4)
    await sender.declare((id, content))
    [told] = await sender.javascript({"path": str(path), "evidence_id": str(id)}, **how)
    assert (told["error"], told["offset"]) == (None, len(content)), told
    assert await stored((id, content))


async def test_tus_js_client_goes_on_after_a_cut(sender):
    id, path, content = sender.file(5)
    await sender.declare((id, content))
    file = {"path": str(path), "evidence_id": str(id)}
    [cut] = await sender.javascript({**file, "cut_at": 1_000_000}, chunk=400_000)
    assert cut.get("cut") and not await stored((id, content))
    [told] = await sender.javascript(file)
    assert (told["url"], told["from"], told["error"]) == (cut["url"], 1_200_000, None), told
    assert await stored((id, content))
    [again] = await sender.javascript({**file})
    assert again["error"] is None and await stored((id, content))


async def test_ten_files_at_once_and_the_finding_afterwards(sender):
    """Both clients, side by side; the worker takes the files in within seconds of their declaration."""
    files = [sender.file(number) for number in range(10, 20)]
    known = [(id, content) for id, _, content in files]
    half = [{"path": str(path), "evidence_id": str(id)} for id, path, _ in files[:5]]
    others = [asyncio.to_thread(sender.python(id, path, chunk_size=1_000_000).upload) for id, path, _ in files[5:]]
    told, *_ = await asyncio.gather(sender.javascript(*half, chunk=600_000), *others)
    assert [line["error"] for line in told] == [None] * 5, told
    whole, lying = intake().folder("partials"), [line["url"].rsplit("/", 1)[1] for line in told]
    assert not await stored(*known) and all((whole / f"{id}.whole").exists() for id in lying)
    await sender.declare(*known)
    await eventually(lambda: stored(*known))
    assert not any((whole / f"{id}.whole").exists() for id in lying)
