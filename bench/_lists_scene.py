"""What bench/lists.py needs around it: the made-up province in a database that is kept, its people, a client."""

import asyncio
import hashlib
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg

from backend import protected, settings
from backend.roles import Role
from bench import _filing_scene as scene
from bench import _lists_data as data
from bench._filing_scene import PASSWORD

VISITS, VISITS_OF_INSPECTOR = 4_000, 300
IDLE = 5.0  # the server closes a connection that says nothing for thirty seconds


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who reads lists: a role at a unit. `place` is the code or the unit that the ideal query asks for."""

    label: str
    username: str
    role: Role
    unit: str  # the name in the made-up province
    place: str


_COUNTY = "210305000000"
PEOPLE = (
    Who("office, village", "village", Role.supervision_staff, "village", "210305007004"),
    Who("office, township", "township", Role.supervision_staff, "2103050070 人民政府", "210305007000"),
    Who("office, county", "county", Role.supervision_staff, f"{_COUNTY[:10]} 督查办", _COUNTY),
    Who("office, greatest county", "great", Role.supervision_staff, "2101010000 督查办", "210101000000"),
    Who("office, prefecture", "prefecture", Role.supervision_staff, "2103000000 督查办", "210300000000"),
    Who("office, province", "province", Role.supervision_staff, "2100000000 督查办", data.ROOT),
    Who("leader, province", "leader", Role.leader_viewer, "2100000000 督查办", data.ROOT),
    Who("handler, small unit", "small", Role.unit_handler, f"{_COUNTY[:10]} 文旅局", ""),
    Who("handler, 60,000 items", "heavy", Role.unit_handler, data.HEAVY_UNIT, ""),
    Who("inspector", "inspector", Role.inspector, "2100000000 督查办", ""),
)


@contextmanager
def province(items: int) -> Iterator[None]:
    """The database of that size, named in the environment meanwhile; loaded when it is missing or out of date."""
    server = settings.load()
    name = f"duban_bench_lists_{items}"
    before, where = dict(os.environ), dict(server.database)
    asyncio.run(_if_missing(where, name))
    os.environ |= {
        "DUBAN_DATABASE_URL": _url({**where, "database": name}),
        "DUBAN_REDIS_URL": server.redis_url,
        "DUBAN_PROTECTED_KEYS": protected.new_key(),  # nothing in it is encrypted
        "DUBAN_SIGNING_KEYS": protected.new_key(),
        "DUBAN_TOTP": settings.OPTIONAL,
    }
    try:
        if not asyncio.run(_is_loaded()):
            print(f"loading {items:,} items into {name}; this is done once")
            asyncio.run(_anew(where, name))
            _load(items)
        _migrate()
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _url(database: dict[str, Any]) -> str:
    where = "&".join(f"{key}={value}" for key, value in database.items() if key in ("host", "port"))
    who = ":".join(quote(str(database.get(word, "")), safe="") for word in ("user", "password"))
    return f"postgresql://{who}@/{database['database']}?{where}"


async def connected() -> asyncpg.Connection:
    return await asyncpg.connect(**settings.load().database)  # pyright: ignore[reportArgumentType]


def _fingerprint() -> str:
    """Changes with what is made up. A database that is there is migrated, not made anew."""
    return hashlib.sha256(Path(data.__file__).read_bytes()).hexdigest()


async def _if_missing(where: dict[str, Any], name: str) -> None:
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    if not await line.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await line.execute(f'CREATE DATABASE "{name}"')
    await line.close()


async def _anew(where: dict[str, Any], name: str) -> None:
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    await line.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await line.execute(f'CREATE DATABASE "{name}"')
    await line.close()


async def _is_loaded() -> bool:
    line = await connected()
    try:
        if not await line.fetchval("SELECT to_regclass('bench_loaded')"):
            return False
        return await line.fetchval("SELECT fingerprint FROM bench_loaded") == _fingerprint()
    finally:
        await line.close()


def _load(items: int) -> None:
    _migrate()
    asyncio.run(_fill(items))


def _migrate() -> None:
    from backend import migrate

    migrate.run()


async def _fill(items: int) -> None:
    it, made, now = data.tree(), random.Random(3), datetime.now(UTC)
    visits = [UUID(int=made.getrandbits(128), version=4) for _ in range(VISITS)]
    line = await connected()
    try:
        await line.copy_records_to_table("region", columns=data.REGION, records=it.regions)
        await line.copy_records_to_table("unit", columns=data.UNIT, records=it.unit_rows)
        await _add_village_office(line, it)
        people = await _people(it)
        by = people["inspector"]
        rows = [(id, it.villages[0][3], "村部", "检查", "covert", "某督〔2026〕1号", 41.8, 124.9, 500.0, "submitted",
                 by, now) for id in visits]  # fmt: skip
        await line.copy_records_to_table("visit", columns=data.VISIT, records=rows)
        team = [(UUID(int=made.getrandbits(128), version=4), id, by, True) for id in visits[:VISITS_OF_INSPECTOR]]
        await line.copy_records_to_table("visit_member", columns=data.MEMBER, records=team)
        await data.load(line, items, by, visits, now, it)
        await line.execute("SELECT refill_tallies()")  # the rows came past the triggers
        await _ideal_indexes(line)
        await line.execute("CREATE TABLE bench_loaded (fingerprint text)")
        await line.execute("INSERT INTO bench_loaded VALUES ($1)", _fingerprint())
    finally:
        await line.close()


async def _add_village_office(line: asyncpg.Connection, it: data.Tree) -> None:
    it.units["village"] = UUID(int=1)
    row = (UUID(int=1), "丁4村村委会", "丁4村", "department", PEOPLE[0].place, it.unit_rows[0][5])
    await line.copy_records_to_table("unit", columns=data.UNIT, records=[row])


async def _people(it: data.Tree) -> dict[str, UUID]:
    from backend import db, wake
    from backend.columns import uuid7
    from backend.people import commands as people
    from backend.roles import SYSTEM

    await db.open_pool(most=1)
    made: dict[str, UUID] = {}
    try:
        for who in PEOPLE:
            id, unit = uuid7(), it.units[who.unit]
            await people.add_person(SYSTEM, id=id, username=who.username, name="某人", unit=unit, password=PASSWORD)
            await people.grant_role(SYSTEM, id=uuid7(), person=id, unit=unit, role=who.role)
            made[who.username] = id
    finally:
        await wake.close()
        await db.close_pool()
    return made


IDEAL = ("region", "township", "county", "prefecture", "province")
OPEN = "('issued', 'working', 'handed_in', 'passed', 'hung')"


async def _ideal_indexes(line: asyncpg.Connection) -> None:
    """What somebody would make who knew the one question to come: for the hand-written queries only."""
    for column in IDEAL:
        await line.execute(
            f"CREATE INDEX bench_ideal_{column} ON rectification ({column}, urgency, id) WHERE status IN {OPEN}"
        )
    await line.execute(
        "CREATE INDEX bench_ideal_unit ON rectification_unit (unit, item_urgency, rectification) "
        f"WHERE item_status IN {OPEN} AND role <> 'lead'"
    )
    await line.execute("ANALYZE")


class Client:
    """One keep-alive connection of somebody who is signed in; raw, so that it costs next to nothing."""

    def __init__(self, port: int, username: str) -> None:
        self._port = port
        self._token = scene.sign_in(port, username)
        self._connect()

    def _connect(self) -> None:
        self._line = socket.create_connection(("127.0.0.1", self._port))
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._used = time.monotonic()

    def get(self, path: str) -> bytes:
        """The body. Raises RuntimeError for a refusal."""
        if time.monotonic() - self._used > IDLE:
            self._connect()
        self._used = time.monotonic()
        self._line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAuthorization: Bearer {self._token}\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
        came = b""
        while (end := came.find(b"\r\n\r\n")) < 0:
            came += self._more()
        length = int(came[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(came) < end + 4 + length:
            came += self._more()
        if came[9:12] != b"200":
            raise RuntimeError(came.decode(errors="replace"))
        return came[end + 4 :]

    def _more(self) -> bytes:
        if not (some := self._line.recv(262_144)):
            raise RuntimeError("the server closed the connection")
        return some
