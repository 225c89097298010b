"""Photos over a bad network to the real server: every one arrives whole, whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from backend import clock
from backend.columns import uuid7
from backend.roles import Actor
from backend.uploads import jobs as uploads
from tests import make
from tests.evidence_proofs import declare, half_sent, stored_once
from tests.fault_proxy import BREAKS, Fault, Kind, Network
from tests.journeys.conftest import Process
from tests.phones import OFFSET_STREAM, PATIENCE, TUS, Phone, creation, photo
from tests.waiting import eventually

BLOCK = 64 * 1024
SIZE = 3 * BLOCK + 1000
PHONES = 8
EVERY = [
    *(Fault(kind, at) for at in (*range(0, SIZE, BLOCK), SIZE - 1, SIZE) for kind in sorted(BREAKS, key=str)),
    *(Fault(kind) for kind in (Kind.answer_lost, Kind.twice, Kind.again, Kind.slow, Kind.late, Kind.fine)),
]


@pytest.fixture
def web(doorway: Process) -> Process:
    return doorway


Send = Callable[[Phone, UUID, bytes], Awaitable[object]]


@dataclass
class Journey:
    """What it took to get all photos to the server."""

    photos: dict[UUID, bytes]
    sent: int = 0
    requests: int = 0

    @property
    def ratio(self) -> float:
        return self.sent / sum(len(content) for content in self.photos.values())


async def travel(web: Process, it: make.Cast, count: int, send: Send) -> Journey:
    """So many photos from several phones at once, each through two faults of EVERY."""
    people = [it.inspector, it.lead]
    journey = Journey({})
    numbers = iter(range(count))
    async with asyncio.timeout(60 + count), AsyncExitStack() as stack, asyncio.TaskGroup() as phones:
        for place in range(PHONES):
            network = await stack.enter_async_context(Network(port_of(web)))
            phones.create_task(_sent_by(people[place % 2], network, numbers, journey, send))
    return journey


def port_of(web: Process) -> int:
    return int(web.env["DUBAN_PORT"])


async def _sent_by(who: Actor, network: Network, numbers: Iterator[int], journey: Journey, send: Send) -> None:
    phone = Phone(network, await make.signed_in(who))
    async with phone.http:
        for number in numbers:
            content = photo(number, SIZE)
            phone.fates = iter([EVERY[number % len(EVERY)], EVERY[number // len(EVERY) % len(EVERY)]])
            line = make.declaration(content)
            await declare(line, who)
            await send(phone, line.id, content)
            journey.photos[line.id] = content
    journey.sent += network.sent
    journey.requests += len(phone.story)


async def nothing_stays_half_sent(earlier: set[str]) -> None:
    """At once, but for an upload that a late repetition of its creation began anew when its photo was stored: that
    goes with the next sweep.
    """

    async def left() -> set[str]:
        with clock.frozen(clock.now() + timedelta(hours=2)):
            await uploads.sweep_expired()
        return half_sent() - earlier

    await eventually(left, lambda left: not left, pause=0.1)


async def test_a_plain_put_that_is_repeated_gets_every_photo_there(web: Process, fresh: None):
    earlier, it = half_sent(), await make.cast()
    journey = await travel(web, it, 60, lambda phone, id, content: phone.put(id, content))
    await stored_once(journey.photos)
    await nothing_stays_half_sent(earlier)


def resume(phone: Phone, id: UUID, content: bytes) -> Awaitable[object]:
    """Every second photo comes with the request that announces it."""
    return phone.resume(id, content, with_creation=id.int % 2 == 0)


async def resumed(web: Process, count: int) -> str:
    """Sends so many, all of which must arrive, and says what it took."""
    earlier = half_sent()
    journey = await travel(web, await make.cast(), count, resume)
    await stored_once(journey.photos)
    await nothing_stays_half_sent(earlier)
    assert journey.ratio <= 1.5
    return f"{len(journey.photos)} stored, {journey.requests} requests, {journey.ratio:.2f} x the bytes of the files"


async def test_resumed_uploads_get_every_photo_there_for_hardly_more_than_its_bytes(
    web: Process, fresh: None, record_property
):
    record_property("resumed over a bad network", await resumed(web, 300))


@pytest.mark.long
async def test_ten_thousand_resumed_uploads_do_so_too(web: Process, fresh: None, record_property):
    record_property("resumed over a bad network", await resumed(web, 10_000))


async def test_a_phone_that_is_still_sending_hears_why_it_is_refused(web: Process, fresh: None):
    """A server that closes on unread bytes resets the connection, and its answer is lost with it."""
    it = await make.cast()
    content = photo(1, 3_000_000)
    line = make.declaration(content[:-1])
    await declare(line, it.inspector)
    headers = await make.signed_in(it.inspector)
    async with httpx.AsyncClient(base_url=web.env["address"], timeout=PATIENCE, headers=headers) as http:
        made = await http.post("/api/uploads", headers=creation(line.id, len(content) - 1))
        piece = {**TUS, "upload-offset": "1", "content-type": OFFSET_STREAM}
        for method, path, more, status in (
            ("PUT", f"/api/evidence/{line.id}", {}, 413),
            ("PUT", f"/api/evidence/{uuid7()}", {}, 404),
            ("PATCH", made.headers["location"], piece, 409),
            ("PATCH", f"/api/uploads/{uuid7()}", piece, 404),
            ("POST", "/api/uploads", creation(line.id, len(content)) | piece, 413),
        ):
            for close in ("close", "keep-alive"):
                for _ in range(4):
                    answer = await http.request(method, path, content=content, headers={**more, "connection": close})
                    assert (answer.status_code, "detail" in answer.json()) == (status, True), (method, path)
        assert (await http.delete(made.headers["location"], headers=TUS)).status_code == 204


async def test_a_photo_that_comes_eight_times_at_once_is_stored_once(web: Process, fresh: None):
    """Four by PUT, three by tus, and one with another byte, which is refused whenever it comes."""
    it = await make.cast()
    headers = await make.signed_in(it.inspector)
    photos = {uuid7(): photo(number, BLOCK + 1000) for number in range(12)}
    async with AsyncExitStack() as stack:
        phones = []
        for _ in range(8):
            network = await stack.enter_async_context(Network(port_of(web)))
            phones.append(Phone(network, headers, pause=0.02))
            await stack.enter_async_context(phones[-1].http)
        for id, content in photos.items():
            await declare(make.declaration(content, id=id), it.inspector)
            changed = content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]
            *told, refused = await asyncio.gather(
                *(phone.put(id, content) for phone in phones[:4]),
                *(phone.resume(id, content) for phone in phones[4:7]),
                phones[7].ask("PUT", f"/api/evidence/{id}", changed),
            )
            assert {answer["state"] for answer in told} == {"received"}
            assert len({answer["receipt"] for answer in told}) == 1
            assert refused.status_code in (409, 422), refused.text
    await stored_once(photos)
