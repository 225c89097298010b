"""Resumable uploads over HTTP: begun before or after the finding, cut off anywhere, ended once."""

import base64
import hashlib
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.columns import uuid7
from backend.evidence import storage
from backend.evidence.stores import disk, intake
from backend.uploads.rules import MOST_OPEN
from tests import make
from tests.test_evidence_api import declared, half_sent, state, stored_events

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def lying() -> list[str]:
    """What lies among the partials."""
    return sorted(path.suffix for path in intake().folder("partials").iterdir())


def described(evidence: UUID | str, **more: str) -> str:
    said = {"evidence_id": str(evidence), **more}
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


class Phone:
    """Speaks tus by hand."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def create(self, evidence: UUID, length: int, **more: Any) -> httpx.Response:
        said = {**TUS, "Upload-Length": str(length), "Upload-Metadata": described(evidence), **self.headers}
        return await self.client.post("/api/uploads", headers={**said, **more.pop("headers", {})}, **more)

    async def begin(self, evidence: UUID, length: int) -> str:
        answer = await self.create(evidence, length)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    async def send(self, path: str, at: int, piece: Any, **headers: str) -> httpx.Response:
        said = {**PIECE, "Upload-Offset": str(at), **self.headers, **headers}
        return await self.client.patch(path, headers=said, content=piece)

    async def ask(self, path: str) -> httpx.Response:
        return await self.client.head(path, headers={**TUS, **self.headers})

    async def offset(self, path: str) -> int:
        answer = await self.ask(path)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    async def end(self, path: str) -> httpx.Response:
        return await self.client.delete(path, headers={**TUS, **self.headers})


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def phone(client, it) -> Phone:
    return Phone(client, await make.signed_in(it.inspector))


async def test_a_file_in_pieces_is_evidence_with_its_last_byte(it, phone):
    content = make.photo(40)
    id = await declared(it, content)
    created = await phone.create(id, len(content))
    assert (created.status_code, created.headers["Tus-Resumable"]) == (201, "1.0.0")
    path = created.headers["Location"]
    for at in range(0, len(content), 300):
        assert await phone.offset(path) == at
        answer = await phone.send(path, at, content[at : at + 300])
        assert answer.status_code == 204, answer.text
        assert int(answer.headers["Upload-Offset"]) == min(at + 300, len(content))
    assert await state(id) == "received" and await stored_events() == 1
    assert disk().path(storage.original(hashlib.sha256(content).hexdigest())).read_bytes() == content
    assert await phone.offset(path) == len(content) and lying() == [] and not half_sent()


async def test_a_phone_that_lost_the_answer_to_its_first_bytes_may_send_them_again(it, phone):
    content = make.photo(59)
    id = await declared(it, content)
    for _ in range(3):  # the second time they are stored already
        answer = await phone.create(id, len(content), content=content, headers=PIECE)
        assert (answer.status_code, answer.headers.get("Upload-Offset")) == (201, str(len(content))), answer.text
    assert await state(id) == "received" and await stored_events() == 1 and lying() == []


async def test_whole_but_not_yet_declared_they_may_be_sent_again_too(it, phone):
    content, id = make.photo(60), uuid7()
    told = [await phone.create(id, len(content), content=content, headers=PIECE) for _ in range(2)]
    assert [answer.headers.get("Upload-Offset") for answer in told] == [str(len(content))] * 2
    assert told[0].headers["Location"] == told[1].headers["Location"] and lying() == [".whole"]
    assert (await phone.end(told[0].headers["Location"])).status_code == 204 and lying() == []


async def test_a_new_beginning_takes_the_place_of_one_whose_address_was_lost(it, phone):
    content = make.photo(61)
    id = await declared(it, content)
    for _ in range(MOST_OPEN + 1):  # and so never uses up what a person may have open
        answer = await phone.create(id, len(content), content=content[:100], headers=PIECE)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "100")
    assert lying() == [".part"]
    assert (await phone.send(answer.headers["Location"], 100, content[100:])).status_code == 204
    assert await state(id) == "received" and lying() == []
