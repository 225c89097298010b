"""What bench/reuse.py needs around it: a database of a million photos that is kept, and one that is not."""

import asyncio
import hashlib
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import Pool
from multiprocessing.pool import Pool as ProcessPool
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import msgspec

from backend import protected, settings
from backend.evidence import looks as seen
from bench import _reuse_photos as photos

SEEDS = 1_000  # photos of each kind whose looks the million are made of
OWN = 25  # photos of each kind that are there themselves; copies are looked for of these alone
BATCH = 250_000
LAST = UUID(int=OWN * len(photos.KINDS))  # of their ids; those of the others are greater
Looks = list[int]
_EVIDENCE = ("id", "sha256", "size", "media_type", "source", "declared_by", "declared_at", "state", "tries")


@contextmanager
def database(name: str, *, keep: bool) -> Iterator[bool]:
    """The database of that name, migrated and named in the environment meanwhile. Gives whether it is new."""
    server = settings.load()
    where, before = dict(server.database), dict(os.environ)
    new = asyncio.run(_made(where, name))
    address = "&".join(f"{key}={value}" for key, value in where.items() if key in ("host", "port"))
    who = ":".join(quote(str(where.get(word, "")), safe="") for word in ("user", "password"))
    os.environ |= {
        "DUBAN_DATABASE_URL": f"postgresql://{who}@/{name}?{address}",
        "DUBAN_REDIS_URL": server.redis_url,
        "DUBAN_PROTECTED_KEYS": protected.new_key(),  # nothing in it is encrypted or signed
        "DUBAN_SIGNING_KEYS": protected.new_key(),
        "DUBAN_TOTP": settings.OPTIONAL,
    }
    try:
        from backend import migrate

        migrate.run()
        yield new
    finally:
        os.environ.clear()
        os.environ.update(before)
        if not keep:
            asyncio.run(drop(where, name))


async def _made(where: dict[str, Any], name: str) -> bool:
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    try:
        if await line.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            return False
        await line.execute(f'CREATE DATABASE "{name}"')
        return True
    finally:
        await line.close()


async def drop(where: dict[str, Any], name: str) -> None:
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    await line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await line.close()


async def connected() -> asyncpg.Connection:
    return await asyncpg.connect(**settings.load().database)  # pyright: ignore[reportArgumentType]


def fingerprint(*more: str) -> str:
    """Changes with what a look is and with what is made up, and with these files."""
    files = (seen.__file__, photos.__file__, *more)
    return hashlib.sha256(b"".join(Path(path).read_bytes() for path in files)).hexdigest()


async def is_loaded(line: asyncpg.Connection) -> bool:
    if not await line.fetchval("SELECT to_regclass('bench_loaded')"):
        return False
    return await line.fetchval("SELECT fingerprint FROM bench_loaded") == fingerprint(__file__)


def _seeds() -> list[Looks]:
    """Made once for databases of any size: it takes minutes."""
    kept = settings.load().var / f"looks-{SEEDS}-{fingerprint()[:16]}.json"
    if not kept.exists():
        kept.with_suffix(".part").write_bytes(msgspec.json.encode(made_up(0, SEEDS)))
        kept.with_suffix(".part").rename(kept)
    return msgspec.json.decode(kept.read_bytes())


def made_up(first: int, count: int) -> list[Looks]:
    """The looks of so many made-up photos of each kind, from that number on."""
    wanted = [(kind, number) for kind in photos.KINDS for number in range(first, first + count)]
    with workers() as pool:
        return pool.starmap(_look, wanted, chunksize=10)


def workers() -> ProcessPool:
    """Processes that make photos, as many as there are cores, and end without a word."""
    return Pool(initializer=_quiet)


def _quiet() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the services' own handler would tell of each


def _look(kind: str, number: int) -> Looks:
    return seen.looks(photos.photo(kind, number))


async def load(line: asyncpg.Connection, count: int) -> None:
    """So many photos. Each band of a look is that band of a made-up photo, drawn by lot; and OWN of each kind beside.

    So a lookup meets as many entries of the index as it would among photos like those, and hardly a photo that is near.
    Not so a photo that bands were drawn from: with ten million of ten thousand, each of its twenty bands is there a
    thousand times for that alone. Therefore copies are looked for of the OWN, which lent no band to any other.
    """
    drawn = _bands(await asyncio.to_thread(_seeds))
    own = await asyncio.to_thread(made_up, SEEDS, OWN)
    # As the owner of the database: neither links nor triggers, and the indexes afterwards.
    await line.execute("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'")
    made = await _without_indexes(line)
    await line.execute("TRUNCATE evidence_look, evidence_reading, evidence CASCADE")
    for start in range(0, count, BATCH):
        await line.execute(_INSERT, start + 1, min(start + BATCH, count), *drawn, timeout=None)
    await line.execute(_COPY_LOOKS, timeout=None)
    for definition in made:
        await line.execute(definition, timeout=None)
    await line.execute("RESET session_replication_role")
    await hand_in(line, own)
    for table in ("evidence", "evidence_reading", "evidence_look"):
        await line.execute(f"VACUUM ANALYZE {table}", timeout=None)
    await line.execute("DROP TABLE IF EXISTS bench_loaded; CREATE TABLE bench_loaded (fingerprint text)")
    await line.execute("INSERT INTO bench_loaded VALUES ($1)", fingerprint(__file__))


async def hand_in(line: asyncpg.Connection, made: Sequence[Looks]) -> list[UUID]:
    """These photos, ready, with the trigger keeping what is searched by. Gives their ids."""
    ids, now = [UUID(int=number + 1) for number in range(len(made))], datetime.now(UTC)
    async with line.transaction():
        await line.execute("SET LOCAL session_replication_role = replica")  # their person is not there
        declared = [(id, id.hex * 2, 1, "image/jpeg", "camera", id, now, "ready", 1) for id in ids]
        await line.copy_records_to_table("evidence", columns=_EVIDENCE, records=declared)
    read = [(id, [], looks, now) for id, looks in zip(ids, made, strict=True)]
    await line.copy_records_to_table(
        "evidence_reading", columns=("evidence", "traces", "looks", "read_at"), records=read
    )
    await line.execute("ANALYZE")
    return ids


def _bands(made: Sequence[Looks]) -> list[list[int]]:
    """For each part and band the values it had in those photos that have a look there."""
    return [
        [looks[part] >> 16 * band & 0xFFFF for looks in made if looks[part] != seen.NOTHING]
        for part in range(len(seen.PARTS))
        for band in range(4)
    ]


async def _without_indexes(line: asyncpg.Connection) -> list[str]:
    """Drops those that are no constraint, and says how they were made."""
    rows = await line.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('evidence', 'evidence_look') "
        "AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)"
    )
    for row in rows:
        await line.execute(f'DROP INDEX "{row["indexname"]}"')
    return [row["indexdef"] for row in rows]


def _drawn(number: int) -> str:
    return f"(${number}::integer[])[1 + floor(random() * array_length(${number}::integer[], 1))::integer]::bigint"


def _part(part: int) -> str:
    """A look of four bands; the uppermost may make it negative."""
    return " | ".join(f"({_drawn(3 + 4 * part + band)} << {16 * band})" for band in range(4))


_TILES = seen.COUNT - len(seen.PARTS)
_TILE = "(random() * 1099511627775)::bigint"  # 40 bits
_INSERT = f"""
    WITH made AS (
        SELECT ('0190' || lpad(to_hex(number), 12, '0') || md5(number::text))::char(32)::uuid AS id, number
        FROM generate_series($1::bigint, $2::bigint) AS number
    ), declared AS (
        INSERT INTO evidence (id, sha256, size, media_type, source, declared_by, declared_at, state, tries)
        SELECT id, md5(number::text) || md5('x' || number), 3000000, 'image/jpeg', 'camera', id, now(), 'ready', 1
        FROM made
    )
    INSERT INTO evidence_reading (evidence, traces, looks, read_at)
    SELECT id, '{{}}', ARRAY[{", ".join([*map(_part, range(len(seen.PARTS))), *[_TILE] * _TILES])}], now() FROM made
"""
_COPY_LOOKS = f"""
    INSERT INTO evidence_look (evidence, part, look)
    SELECT evidence, at, looks[at + 1] FROM evidence_reading, generate_series(0, {len(seen.PARTS) - 1}) AS at
    WHERE looks[at + 1] <> 0
"""
