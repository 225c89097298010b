"""Notices while the queue is emptied and the worker is killed: none is lost, none comes twice, none comes late."""

import asyncio
import json
import random
import time
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import redis.asyncio

from backend.columns import uuid7
from backend.db import raw
from backend.worker import JOBS
from tests import calls, make
from tests.journeys.machine import Machine, Victim, a_machine
from tests.journeys.test_from_visit_to_close_out import HANDED_OVER_WITHIN, not_handed_over
from tests.waiting import eventually

FLUSHES, KILLS = 15, 5
AT_A_TIME = 3  # findings that are filed in one cycle


@asynccontextmanager
async def queue_of(machine: Machine):
    """Straight into the queue, past the doorbell."""
    line = redis.asyncio.Redis(unix_socket_path=machine.env["DUBAN_REDIS_URL"].removeprefix("unix://"))
    try:
        yield line
    finally:
        await line.aclose()


async def file(http: httpx.AsyncClient, it: make.Cast, headers: dict[str, str]) -> None:
    """An urgent finding: the reaction issues an item, and its event tells the units."""
    path, body = f"/api/visits/{it.visit}/findings/{uuid7()}", calls.finding_body(it, danger_to_life=True)
    assert (await http.put(path, headers=headers, json=body)).status_code == 201


async def seen(queue: redis.asyncio.Redis) -> list[tuple[str, list[str]]]:
    """The jobs that lie in the queue now, each with what it carries."""
    jobs = []
    for key in await queue.keys("arq:job:*"):
        if (content := await queue.get(key)) is not None:
            said = json.loads(content)
            jobs.append((said["f"], said["a"]))
    return jobs


async def notices() -> int:
    return (await raw("SELECT count(*) AS n FROM notice"))[0]["n"]


async def told_once(it: make.Cast, filed: int) -> None:
    """Of each item's issue everybody of the audience once, and each of these notices on its way once."""
    rows = await raw(
        "SELECT event.id, array_agg(notice.person ORDER BY notice.person) AS people, count(delivery.id) AS sent "
        "FROM event LEFT JOIN notice ON notice.event = event.id LEFT JOIN delivery ON delivery.notice = notice.id "
        "WHERE event.verb = 'rectification.issued' GROUP BY event.id"
    )
    audience = sorted(person for who in (it.handler, it.principal, it.reviewer) if (person := who.person))
    assert len(rows) == filed
    assert {(tuple(row["people"]), row["sent"]) for row in rows} == {(tuple(audience), len(audience))}


async def test_twenty_flushes_and_kills_lose_no_notice_and_double_none(database: None, record_property):
    dice, carried, filed = random.Random(5), [], 0
    async with a_machine() as machine, queue_of(machine) as queue:
        it = await make.cast()
        headers = await make.signed_in(it.inspector)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{machine.port}", timeout=30) as http:
            cycles = [True] * KILLS + [False] * FLUSHES
            dice.shuffle(cycles)
            for kill in cycles:
                before = await notices()
                for _ in range(AT_A_TIME):
                    await file(http, it, headers)
                    filed += 1
                if kill:  # at any moment of what follows
                    await asyncio.sleep(dice.random() * 0.1)
                    machine.kill(Victim.worker, dice)
                    await file(http, it, headers)
                    filed += 1
                carried += await seen(queue)
                await queue.flushall()
                if kill:
                    await machine.recovers()
                    await eventually(notices, lambda n, before=before: n > before, more=machine.told)
            recovered = time.monotonic()
            await eventually(not_handed_over, lambda left: left == 0, within=HANDED_OVER_WITHIN, more=machine.told)
            late = time.monotonic() - recovered
        await told_once(it, filed)
    assert late < HANDED_OVER_WITHIN
    # ids and names of ours, nothing else: whoever reads the queue learns nothing (trust.md 3.3)
    assert {name for name, _ in carried} <= {"drain", *JOBS} and carried
    assert all(str(UUID(word)) == word for _, words in carried for word in words)
    record_property("queue flushed, worker killed", f"{FLUSHES} and {KILLS} times, {filed} items, {late:.1f} s after")
