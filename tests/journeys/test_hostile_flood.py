"""Thousands of damaged photos and bombs through the real server and worker: who works beside them notices little."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.db import raw
from backend.evidence.rules import Declaration, MediaType, Source
from backend.roles import Actor
from tests import hostile_mutants as hostile
from tests import make
from tests.evidence_proofs import declare
from tests.journeys.conftest import Process, a_worker

MUTANTS, BOMBS_EACH = 5_000, 5
QUIET = 400  # requests before and after the flood
WITHIN = 3600.0  # seconds for the worker to get through


async def floods(http: httpx.AsyncClient, who: Actor, files: Iterator[tuple[str, bytes]], told: Counter[int]) -> None:
    headers = await make.signed_in(who)
    for kind, content in files:
        if not content:
            continue  # nothing of no bytes can be declared
        line = make.declaration(content)
        line = Declaration(line.id, line.sha256, line.size, MediaType(kind), None, Source.unknown, None)
        await declare(line, who)
        answer = await http.put(f"/api/evidence/{line.id}", content=content, headers=headers)
        told[answer.status_code] += 1


def hostile_files() -> Iterator[tuple[str, bytes]]:
    for number in range(MUTANTS):
        yield hostile.mutant(number)
    for kind, bomb in hostile.BOMBS.values():
        yield from [(kind, bomb())] * BOMBS_EACH


async def left() -> int:
    return (await raw("SELECT count(*) AS n FROM evidence WHERE state = 'received'"))[0]["n"]


class Latency:
    """Seconds that an ordinary request took, one after the other."""

    def __init__(self, http: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.http, self.headers = http, headers

    async def once(self) -> float:
        began = time.perf_counter()
        answer = await self.http.get("/api/phone/today", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return time.perf_counter() - began

    async def quiet(self) -> list[float]:
        return [await self.once() for _ in range(QUIET)]


def told_in_ms(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return " / ".join(f"{cuts[at - 1] * 1000:.1f}" for at in (50, 95, 99))


@pytest.mark.long
async def test_five_thousand_damaged_photos_crash_nothing_and_slow_down_little(
    web: Process, queue: Process, http: httpx.AsyncClient, tmp_path: Path, record_property
):
    it = await make.cast()
    files, told = hostile_files(), Counter[int]()
    async with asyncio.TaskGroup() as senders:
        for _ in range(4):
            senders.create_task(floods(http, it.inspector, files, told))
    assert set(told) == {200, 422}, told  # each was taken in or refused with a sentence
    latency = Latency(http, await make.signed_in(it.lead))
    before = await latency.quiet()
    begun, during = await left(), []
    with a_worker(queue, tmp_path) as worker:
        async with asyncio.timeout(WITHIN):
            while await left():
                during += [await latency.once() for _ in range(20)]
        assert worker.child is not None and worker.child.poll() is None
    after = await latency.quiet()
    rows = await raw("SELECT state, coalesce(refusal, '') AS refusal FROM evidence WHERE received_at IS NOT NULL")
    states = Counter(f"{row['state']} {row['refusal']}".strip() for row in rows)
    assert begun == len(rows) > MUTANTS // 5 and "refused evidence.gave_up" not in states, states
    record_property("hostile files", f"{sum(told.values())} sent, at the door {dict(told)}, then {dict(states)}")
    words = [f"{name} {told_in_ms(some)}" for name, some in (("before", before), ("during", during), ("after", after))]
    record_property("latency p50 / p95 / p99 in ms", "; ".join(words))
    for share in (50, 95):
        quiet = max(statistics.quantiles(some, n=100)[share - 1] for some in (before, after))
        assert statistics.quantiles(during, n=100)[share - 1] <= 2 * quiet, words
