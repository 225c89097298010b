"""Photos over a bad network to the real server: every one arrives whole, whatever happens on the way."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from backend.roles import Actor
from tests import make
from tests.evidence_proofs import declare, half_sent, stored_once
from tests.fault_proxy import BREAKS, Fault, Kind, Network
from tests.journeys.conftest import Process
from tests.journeys.test_from_visit_to_close_out import eventually
from tests.phones import Phone, photo

BLOCK = 64 * 1024
SIZE = 4 * BLOCK + 1000
PHONES = 6
EVERY = [
    *(Fault(kind, at) for at in (*range(0, SIZE, BLOCK), SIZE - 1, SIZE) for kind in sorted(BREAKS, key=str)),
    *(Fault(kind) for kind in (Kind.answer_lost, Kind.twice, Kind.again, Kind.slow, Kind.late, Kind.fine)),
]

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
    port = urlsplit(web.env["address"]).port
    assert port is not None
    journey = Journey({})
    numbers = iter(range(count))
    async with asyncio.timeout(60 + count), AsyncExitStack() as stack, asyncio.TaskGroup() as phones:
        for place in range(PHONES):
            network = await stack.enter_async_context(Network(port))
            phones.create_task(_sent_by(people[place % 2], network, numbers, journey, send))
    return journey


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
    journey.requests += phone.requests


async def nothing_half_sent_stays() -> None:
    async def gone() -> bool:
        return not half_sent()

    await eventually(gone, 30)


async def test_a_plain_put_that_is_repeated_gets_every_photo_there(web: Process):
    it = await make.cast()
    journey = await travel(web, it, 60, lambda phone, id, content: phone.put(id, content))
    await stored_once(journey.photos)
    await nothing_half_sent_stays()
