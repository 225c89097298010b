"""The worker's clock: what is due runs, and nothing waits for a neighbour."""

import asyncio

import pytest

from backend import worker
from tests.waiting import PATIENCE


async def hangs() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise RuntimeError("not today")


@pytest.mark.parametrize("neighbour", [hangs, fails])
async def test_a_neighbour_that_hangs_or_fails_does_not_hold_up_the_drain(neighbour):
    drained = asyncio.Semaphore(0)

    async def drain() -> None:
        drained.release()

    timed = asyncio.ensure_future(worker._by_time({"sweep": (neighbour, 0.01), "drain": (drain, 0.01)}))
    async with asyncio.timeout(PATIENCE):
        for _ in range(3):
            await drained.acquire()
    timed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await timed
