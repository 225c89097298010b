"""The doorbell: tells the worker through Redis that there is something to do. Carries names and ids, never content."""

import contextlib
import json
import time
from uuid import UUID, uuid4

from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from redis.exceptions import RedisError

from backend import settings

QUEUE = "duban"
PAUSE = 0.02  # seconds; the worker looks every 100 ms, so a ring answers for the commits just after it
KEPT_MS = 24 * 3600 * 1000  # a job nobody fetched; its row's sweeper has come long before

_pool: ArqRedis | None = None
_rang = 0.0


def encode(data: dict[str, object]) -> bytes:
    """arq's default is pickle: whoever can write to Redis could run code in the worker (trust.md A16)."""
    return json.dumps(data, default=str).encode()


def decode(raw: bytes) -> dict[str, object]:
    return json.loads(raw)


def redis_settings() -> RedisSettings:
    """Short time-outs: a dead queue may cost a command milliseconds, not seconds."""
    given = RedisSettings.from_dsn(settings.load().redis_url)
    given.conn_timeout, given.conn_retries, given.conn_retry_delay = 1, 0, 0
    return given


async def outbox() -> None:
    """There are new events. Any number of calls make one job; within PAUSE of a ring there is none."""
    global _rang
    if (now := time.monotonic()) - _rang >= PAUSE:
        _rang = now
        await _ring("drain", job_id="drain")


async def job(name: str, row: UUID) -> None:
    """Row `row` waits for the job `name`. Lost or doubled calls are harmless: the row has a state and a sweeper."""
    await _ring(name, str(row), job_id=f"{name}:{row}:{uuid4().hex}")


async def answers() -> bool:
    """Whether the queue can be reached now."""
    try:
        return bool(await (await _connected()).ping())
    except (RedisError, OSError, TimeoutError):
        return False


async def close() -> None:
    global _pool
    if _pool is not None:
        await _pool.aclose()
        _pool = None


async def _ring(name: str, *args: str, job_id: str) -> None:
    """What arq's enqueue_job does, in one round trip instead of four. An id that waits or runs stays as it is.

    The job is there before its name is in the queue; where the line breaks in between, it is forgotten in a day.
    """
    at = time.time_ns() // 1_000_000
    job = serialize_job(name, args, {}, None, at, serializer=encode)
    # Redis away: the command has succeeded, the worker finds the row by itself a few seconds later.
    with contextlib.suppress(RedisError, OSError, TimeoutError):
        async with (await _connected()).pipeline(transaction=False) as line:
            line.psetex(job_key_prefix + job_id, KEPT_MS, job)
            line.zadd(QUEUE, {job_id: at}, nx=True)
            await line.execute()


async def _connected() -> ArqRedis:
    global _pool
    if _pool is None:
        _pool = await create_pool(
            redis_settings(), default_queue_name=QUEUE, job_serializer=encode, job_deserializer=decode
        )
    return _pool
