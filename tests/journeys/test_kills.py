"""kill -9 of web, worker and database while phones send: what was acknowledged is there, and nothing is there twice."""

import asyncio
import math
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock, embedded, receipts, signing
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import storage, stores
from backend.roles import Actor
from backend.uploads import jobs as uploads
from tests import calls, make
from tests.evidence_proofs import declare, digest, half_sent, pieces, stored_once
from tests.fault_proxy import Fault, Kind, Network
from tests.journeys.machine import Machine, Victim, a_machine
from tests.journeys.test_from_visit_to_close_out import not_handed_over
from tests.phones import Phone, photo
from tests.waiting import eventually

PHONES = 4
SIZE = 150_000
SLOWLY = Fault(Kind.slow)  # so that there is a middle to be killed in
LAPS = 5  # tests that the long cycles are spread over


@dataclass
class Said:
    """What the server has acknowledged, by the phones' own books."""

    findings: dict[UUID, dict[str, Any]] = field(default_factory=dict)  # and the answer
    files: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    photos: dict[UUID, bytes] = field(default_factory=dict)  # all that were declared
    over: bool = False


async def works(it: make.Cast, who: Actor, network: Network, said: Said, numbers: Iterator[int]) -> None:
    """Files urgent findings with two photos each, one sent by PUT and one by tus, until it is over. Repeats all that
    is not acknowledged, for as long as it takes.
    """
    phone = Phone(network, await make.signed_in(who), tries=100_000, pause=0.05)
    async with phone.http:
        while not said.over:
            lines = []
            for _ in range(2):
                lines.append(make.manifest_line(photo(number := next(numbers), SIZE)))
                said.photos[UUID(lines[-1]["id"])] = photo(number, SIZE)
            finding = uuid7()
            body = calls.finding_body(it, danger_to_life=True, evidence=lines)
            said.findings[finding] = await phone.tell("PUT", f"/api/visits/{it.visit}/findings/{finding}", body)
            for line, send in zip(lines, (phone.put, phone.resume), strict=True):
                phone.fates = iter([SLOWLY] * 3)
                id = UUID(line["id"])
                said.files[id] = await send(id, said.photos[id])


async def kills(machine: Machine, said: Said, cycles: int, dice: random.Random) -> None:
    """Each victim in turn, each time after something was acknowledged again, at any moment of what comes next."""
    victims = [victim for _ in range(math.ceil(cycles / len(Victim))) for victim in Victim][:cycles]
    dice.shuffle(victims)
    try:
        for victim in victims:
            enough = len(said.files) + PHONES
            await eventually(lambda: len(said.files), lambda n, enough=enough: n > enough, more=machine.told)
            await asyncio.sleep(dice.random() * 0.2)
            machine.kill(victim, dice)
            await asyncio.sleep(0.01)
            await machine.recovers()
    finally:
        said.over = True


async def lived_through(cycles: int, seed: int) -> str:
    """So many kills, then everything that must be true. What it was, in a sentence."""
    said, dice, earlier = Said(), random.Random(seed), half_sent()
    async with a_machine() as machine:
        it = await make.cast()
        numbers = iter(range(seed * 1_000_000, 2**60))
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as everybody:
            for place in range(PHONES):
                network = await stack.enter_async_context(Network(machine.port))
                who = (it.inspector, it.lead)[place % 2]
                everybody.create_task(works(it, who, network, said, numbers))
            everybody.create_task(kills(machine, said, cycles, dice))
        assert said.files.keys() == said.photos.keys()  # all ended complete
        await stored_once(said.photos)
        receipts_are_true(said)
        await eventually(not_handed_over, lambda left: left == 0, more=machine.told)
        await told_once(said)
        await what_was_left_is_swept(earlier)
    return f"{cycles} kills, {len(said.findings)} findings and {len(said.files)} photos acknowledged: all there, once"


def receipts_are_true(said: Said) -> None:
    """Each that was given verifies, and says what is stored."""
    keys = signing.public_keys()
    for id, answer in said.files.items():
        given = receipts.read(answer["receipt"], keys)
        content = stores.disk().path(storage.original(given.sha256)).read_bytes()
        assert (given.kind, given.id, given.sha256, given.size) == ("file", id, digest(content), len(content))
    for id, answer in said.findings.items():
        given = receipts.read(answer["receipt"], keys)
        declared = {(UUID(file["id"]), file["sha256"]) for file in answer["evidence"]}
        assert (given.kind, given.id, set(given.files)) == ("finding", id, declared)


async def told_once(said: Said) -> None:
    """One finding, one item, one issue, and one notice for each who hears of it."""
    rows = await raw(
        "SELECT finding.id, (SELECT count(*) FROM rectification AS it WHERE it.finding = finding.id) AS items, "
        "(SELECT count(*) FROM event WHERE subject = finding.id AND verb = 'finding.filed') AS filed, "
        "(SELECT count(*) FROM event WHERE subject = finding.id AND verb = 'rectification.issued') AS issued, "
        "heard.notices, heard.people FROM finding, LATERAL (SELECT count(*) AS notices, "
        "count(DISTINCT notice.person) AS people FROM notice JOIN event ON event.id = notice.event "
        "WHERE event.subject = finding.id AND event.verb = 'rectification.issued') AS heard"
    )
    assert {row["id"] for row in rows} == said.findings.keys()
    assert {(row["items"], row["filed"], row["issued"]) for row in rows} == {(1, 1, 1)}
    heard = {(row["notices"], row["people"]) for row in rows}
    assert len(heard) == 1 and all(notices == people > 0 for notices, people in heard), heard


async def what_was_left_is_swept(earlier: set[str]) -> None:
    """Half-sent files of requests that died with their process go when their time has come."""
    with clock.frozen(clock.now() + timedelta(days=8)):
        stores.intake().sweep(timedelta(days=1))
        await uploads.sweep_expired()
    await eventually(half_sent, lambda lying: lying <= earlier)  # what is being drawn goes by itself


@pytest.fixture(autouse=True)
def nothing_for_other_tests() -> Iterator[None]:
    """What a failure here leaves half-sent is not found by those who look for their own."""
    earlier = half_sent()
    yield
    for path in pieces():
        if path.name not in earlier:
            path.unlink(missing_ok=True)


async def test_twenty_kills_lose_nothing_and_double_nothing(database: None, record_property):
    record_property("kill -9", await lived_through(20, seed=1))


@pytest.mark.long
@pytest.mark.parametrize("lap", range(LAPS))
async def test_as_many_kills_as_one_likes_neither(database: None, record_property, request, lap):
    cycles = math.ceil(request.config.getoption("kills") / LAPS)
    record_property("kill -9", await lived_through(cycles, seed=2 + lap))


@pytest.mark.long
async def test_a_database_that_acknowledges_too_early_is_found_out(database: None, monkeypatch):
    """The control: the same question has another answer where commits do not wait for the disk."""
    monkeypatch.setitem(embedded.CONFIG, "synchronous_commit", "off")
    monkeypatch.setitem(embedded.CONFIG, "wal_writer_delay", "10s")
    photos = {uuid7(): photo(number, SIZE) for number in range(10)}
    async with a_machine() as machine, Network(machine.port) as network:
        it = await make.cast()
        phone = Phone(network, await make.signed_in(it.inspector))
        await raw("CHECKPOINT")
        async with phone.http:
            for id, content in photos.items():
                await declare(make.declaration(content, id=id), it.inspector)
                assert (await phone.put(id, content))["state"] == "received"
        await stored_once(photos)
        machine.kill(Victim.database, random.Random(1))
        await asyncio.sleep(0.01)
        await machine.recovers()
        with pytest.raises(AssertionError):
            await stored_once(photos)
