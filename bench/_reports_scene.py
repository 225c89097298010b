"""What bench/reports.py measures, and the photos around it. Imported once the settings name the bench's database."""

import logging
import time
from statistics import median
from typing import Any
from uuid import UUID

import httpx

from backend import clock, db
from backend.app import create_app
from backend.db import raw
from tests import calls, make, trust_make

BATCH = 10_000  # rows of one statement
PHOTOS = 30
WARM = 20  # requests that do not count

_FINDINGS = """
    INSERT INTO finding SELECT made.* FROM finding AS one, generate_series($2::integer, $3::integer) AS place,
    LATERAL jsonb_populate_record(NULL::finding,
        to_jsonb(one) || jsonb_build_object('id', gen_random_uuid(), 'number', 100 + place)) AS made WHERE one.id = $1
"""
# A photo every seven minutes, one of forty by the inspector whose finding is asked for.
_FILES = """
    INSERT INTO evidence SELECT made.* FROM evidence AS one, generate_series($2::integer, $3::integer) AS place,
    LATERAL jsonb_populate_record(NULL::evidence, to_jsonb(one) || jsonb_build_object(
        'id', gen_random_uuid(), 'sha256', md5(place::text) || md5('x' || place), 'state', 'ready',
        'declared_by', CASE WHEN place % 40 = 0 THEN $4::uuid ELSE $5::uuid END, 'lat', one.lat + random() / 300,
        'captured_at', one.captured_at - place * interval '7 minutes',
        'declared_at', one.declared_at - place * interval '7 minutes')) AS made WHERE one.id = $1
"""
_HANG = """
    INSERT INTO finding_evidence (id, finding, evidence, position)
    SELECT gen_random_uuid(), found.id, file.id, 0
    FROM (SELECT id, row_number() OVER () AS place FROM evidence WHERE state = 'ready') AS file
    JOIN (SELECT id, row_number() OVER () - 1 AS place FROM finding WHERE id <> $1) AS found
    ON found.place = file.place % (SELECT count(*) - 1 FROM finding)
"""
_LOOKS = """
    INSERT INTO evidence_reading (evidence, looks, traces, read_at)
    SELECT id, ARRAY(SELECT ((random() * 2147483647)::bigint << 32) | (random() * 4294967295)::bigint
        FROM generate_series(1, 12) WHERE evidence.id IS NOT NULL), '{}', $1
    FROM evidence WHERE id NOT IN (SELECT evidence FROM evidence_reading)
"""


async def run(files: int, requests: int) -> int:
    """Prints a line for each kind of request."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    await db.open_pool()
    app: Any = create_app()
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            it = await make.cast()
            one, many = await _made(client, it, files)
            headers = await make.signed_in(it.staff)
            shown = (await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", many))[0]["evidence"]
            path = f"/api/visits/{it.visit}/findings"
            print(f"{files:,} photos; {requests} requests each, one after the other, the app in this process")
            await _measure(client, headers, "the session alone  ", "/api/me", requests)
            await _measure(client, headers, "one file           ", f"/api/evidence/{shown}", requests)
            await _measure(client, headers, "finding,  1 photo  ", f"{path}/{one}", requests)
            await _measure(client, headers, f"finding, {PHOTOS} photos ", f"{path}/{many}", requests)
    finally:
        await db.close_pool()
    return 0


async def _made(client: httpx.AsyncClient, it: make.Cast, files: int) -> tuple[UUID, UUID]:
    """A finding with one photo, one with thirty, and the rest of the county around them."""
    await (await calls.arrive(it)).made(client)
    one = await trust_make.filed(client, it, [trust_make.line(make.photo(0))])
    file = (await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", one))[0]["evidence"]
    for start in range(1, files + 1, BATCH):
        end = min(files, start + BATCH - 1)
        await raw(_FINDINGS, one, start // 5 + 1, end // 5)
        await raw(_FILES, file, start, end, it.inspector.person, it.lead.person)
    await raw(_HANG, one)
    many = await trust_make.filed(client, it, [trust_make.line(make.photo(number)) for number in range(PHOTOS)])
    await raw("UPDATE evidence SET state = 'ready', received_at = declared_at WHERE state = 'declared'")
    await raw(_LOOKS, clock.now())
    await raw("ANALYZE")
    return one, many


async def _measure(client: httpx.AsyncClient, headers: dict[str, str], label: str, path: str, requests: int) -> None:
    heard: list[Any] = []
    took: list[float] = []
    async with _pool().acquire() as line:
        line.add_query_logger(heard.append)
    for _ in range(WARM):
        await client.get(path, headers=headers)
    spent = time.process_time()
    for _ in range(requests):
        heard.clear()
        began = time.perf_counter()
        answer = await client.get(path, headers=headers)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
    async with _pool().acquire() as line:
        line.remove_query_logger(heard.append)
    spent = (time.process_time() - spent) * 1000 / requests
    at = sorted(took)
    print(f"{label} p50 {median(at):6.1f} ms  p95 {at[len(at) * 95 // 100]:6.1f}  best {at[0]:6.1f}  CPU {spent:5.1f}")
    slowest = sorted(heard, key=lambda it: -it.elapsed)[:3]
    told = ", ".join(f"{it.elapsed * 1000:.1f} {' '.join(it.query.split())[:40]}…" for it in slowest)
    print(f"    {len(heard)} statements, {sum(it.elapsed for it in heard) * 1000:.1f} ms in them the last time: {told}")


def _pool() -> Any:
    return db.DB.pool
