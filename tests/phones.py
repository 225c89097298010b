"""Phones that send photos until they are acknowledged, by plain PUT or resumed by tus. No tests here."""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any
from uuid import UUID

import httpx

from tests import hostile_files
from tests.fault_proxy import FINE, Fault, Kind, Network

PATIENCE = 60.0  # seconds for an answer, on a machine that has other things to do
NO_SIGNAL = 0.2  # seconds after which a phone without a signal hangs up
MOST_TRIES = 40  # requests for one photo
OFFSET_STREAM = "application/offset+octet-stream"
TUS = {"tus-resumable": "1.0.0"}
AGAIN = frozenset((408, 409, 423, 429, 460, 500, 502, 503, 504, 507))  # answers after which a phone asks anew
PIECE = 16 * 1024


@cache
def _plain() -> bytes:
    return hostile_files.encoded(hostile_files.picture())


def photo(number: int, size: int) -> bytes:
    """A JPEG of exactly this many bytes (2,000 or more), another one for each number, made in no time."""
    dice, filler = random.Random(number), size - len(_plain())
    count = -(-filler // 65_000)
    lengths = [filler // count + (place < filler % count) for place in range(count)]
    segments = [hostile_files.segment(0xFE, dice.randbytes(length - 4)) for length in lengths]
    return hostile_files.with_segments(_plain(), *segments)


def worth_trying_again(answer: httpx.Response) -> bool:
    """Whether the phone may get further by asking anew; everything else is shown to its owner."""
    return answer.status_code in AGAIN or (answer.status_code == 400 and answer.json()["code"] == "connection_lost")


def creation(evidence: UUID, length: int) -> dict[str, str]:
    """The headers that begin an upload."""
    metadata = "evidence_id " + base64.b64encode(str(evidence).encode()).decode()
    return {**TUS, "upload-length": str(length), "upload-metadata": metadata}


class Gone(Exception):
    """No answer came."""


class Phone:
    """One person's phone. `fates` says what becomes of its requests with a body, one after the other."""

    def __init__(
        self, network: Network, headers: dict[str, str], *, tries: int = MOST_TRIES, pause: float = 0.0
    ) -> None:
        self.network, self.headers = network, {**headers, "connection": "close"}
        self.fates: Iterator[Fault] = iter(())
        self.tries, self.pause = tries, pause  # seconds after a request that brought nothing
        self.story: list[str] = []  # one line a request, for whoever looks into a failure
        self.http = httpx.AsyncClient(base_url=network.address, timeout=PATIENCE)

    async def put(self, id: UUID, content: bytes) -> dict[str, Any]:
        """The control: every try begins at the first byte."""
        for _ in range(self.tries):
            try:
                answer = await self.ask("PUT", f"/api/evidence/{id}", content)
            except Gone:
                continue
            if answer.status_code == 200:
                return answer.json()
            assert worth_trying_again(answer), answer.text
        raise AssertionError("\n".join(self.story[-MOST_TRIES:]))

    async def tell(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A record, as JSON."""
        content = json.dumps(body).encode()
        for _ in range(self.tries):
            try:
                answer = await self.ask(method, path, content, **{"content-type": "application/json"})
            except Gone:
                continue
            if answer.is_success:
                return answer.json()
            assert worth_trying_again(answer), answer.text
        raise AssertionError("\n".join(self.story[-MOST_TRIES:]))

    async def resume(
        self, id: UUID, content: bytes, *, where: str | None = None, with_creation: bool = False
    ) -> dict[str, Any]:
        """tus: goes on where the server says it is. `with_creation` sends everything with the POST, once: when that
        breaks off, the phone does not know where to go on.
        """
        for _ in range(self.tries):
            try:
                if where is None:
                    first, with_creation = content if with_creation else b"", False
                    answer = await self._begin(id, content, first)
                    where = answer.headers.get("location")
                else:
                    answer = await self.ask("HEAD", where, **TUS)
                if answer.status_code == 404:  # over, whatever became of it: the evidence tells
                    where = None
                elif answer.is_success and (there := int(answer.headers["upload-offset"])) < len(content):
                    said = {"upload-offset": str(there), "content-type": OFFSET_STREAM}
                    answer = await self.ask("PATCH", where or "", content[there:], **TUS, **said)
                if answer.is_success and answer.headers.get("upload-offset") == str(len(content)):
                    answer = await self.ask("GET", f"/api/evidence/{id}")
                    if answer.is_success:
                        return answer.json()
            except Gone:
                continue
            assert answer.is_success or answer.status_code == 404 or worth_trying_again(answer), answer.text
        raise AssertionError("\n".join(self.story[-2 * MOST_TRIES :]))

    async def _begin(self, id: UUID, content: bytes, first: bytes) -> httpx.Response:
        more = {"content-type": OFFSET_STREAM} if first else {}
        return await self.ask("POST", "/api/uploads", first, **creation(id, len(content)), **more)

    async def ask(self, method: str, path: str, content: bytes | None = None, **headers: str) -> httpx.Response:
        """One request, through the next fault if it has a body. Raises Gone."""
        fault = FINE if content is None else next(self.fates, FINE)
        self.network.next = fault
        wait = NO_SIGNAL if fault.kind is Kind.silent else PATIENCE
        headers = self.headers | headers
        if content is not None:
            headers["content-length"] = str(len(content))
        body = None if content is None else _pieces(content)
        said = (
            f"{method} {path} {len(content or b'')} from {headers.get('upload-offset')} {fault.kind.name} {fault.at}: "
        )
        try:
            limits = httpx.Timeout(wait, connect=PATIENCE)
            answer = await self.http.request(method, path, content=body, headers=headers, timeout=limits)
        except httpx.TransportError as gone:
            self.story.append(said + repr(gone))
            await asyncio.sleep(self.pause)
            raise Gone from gone
        self.story.append(f"{said}{answer.status_code} {answer.headers.get('upload-offset')} {answer.text}")
        if not answer.is_success:
            await asyncio.sleep(self.pause)
        return answer


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(content), PIECE):
        yield content[at : at + PIECE]
