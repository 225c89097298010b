"""What bench/filing.py needs around it: a database of its own, a few people on visits, servers, a picture."""

import asyncio
import http.client
import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
from arq.connections import ArqRedis

from backend import protected, settings
from backend.roles import Role
from backend.settings import ROOT

PASSWORD = "Correct-Horse-7"
VILLAGE, COUNTY = "210422102201", "210422000000"
PLACES = (
    ("210000000000", None, "province", "辽宁省"),
    ("210400000000", "210000000000", "prefecture", "抚顺市"),
    (COUNTY, "210400000000", "county", "新宾满族自治县"),
    ("210422102000", COUNTY, "township", "上夹河镇"),
    (VILLAGE, "210422102000", "village", "腰站村"),
)
Team = list[tuple[str, UUID]]  # user name of each inspector, and the visit


@contextmanager
def own_database(folder: Path) -> Iterator[None]:
    """A new database on the server of the settings, named in the environment meanwhile, dropped at the end."""
    server = settings.load()
    name = f"duban_bench_{os.getpid()}"
    queue = asyncio.run(_empty_queue(server.redis_url))
    asyncio.run(_statement(server.database, f'CREATE DATABASE "{name}"'))
    where = "&".join(f"{key}={value}" for key, value in server.database.items() if key in ("host", "port"))
    who = ":".join(quote(str(server.database.get(word, "")), safe="") for word in ("user", "password"))
    before = dict(os.environ)
    os.environ |= {
        "DUBAN_DATABASE_URL": f"postgresql://{who}@/{name}?{where}",
        "DUBAN_REDIS_URL": queue,
        "DUBAN_EVIDENCE": str(folder / "evidence"),
        "DUBAN_TOTP": settings.OPTIONAL,
        "DUBAN_PROTECTED_KEYS": protected.new_key(),
        "DUBAN_SIGNING_KEYS": protected.new_key(),
    }
    try:
        yield
    finally:
        try:
            asyncio.run(_forget_jobs(queue))
        finally:
            os.environ.clear()
            os.environ.update(before)
            asyncio.run(_statement(server.database, f'DROP DATABASE "{name}" WITH (FORCE)'))


async def durability() -> str:
    """What the server says of itself: a figure without fsync would be none."""
    line = await asyncpg.connect(**settings.load().database)  # pyright: ignore[reportArgumentType]
    try:
        said = [await line.fetchval(f"SHOW {name}") for name in ("server_version", "fsync", "synchronous_commit")]
    finally:
        await line.close()
    return "PostgreSQL {}, fsync {}, synchronous_commit {}".format(*said)


async def cast(phones: int) -> Team:
    """Inspectors two by two on visits to one village, all through the commands. Topics are there from migrating."""
    from backend import db, wake

    await db.open_pool(most=2)
    try:
        return (await _teams((phones + 1) // 2))[:phones]
    finally:
        await wake.close()
        await db.close_pool()


async def _teams(visits_wanted: int) -> Team:
    from backend.columns import uuid7
    from backend.roles import SYSTEM, Actor, Grant
    from backend.units import commands as units
    from backend.units.region_loading import load_regions
    from backend.units.region_rows import Level, RegionRow
    from backend.units.rules import UnitKind
    from inspections.visits import commands as visits
    from inspections.visits.rules import Kind

    rows = [RegionRow(code, parent, Level(level), name) for code, parent, level, name in PLACES]
    await load_regions(SYSTEM, rows, "bench")
    office, kind = uuid7(), next(iter(UnitKind))
    await units.add_unit(SYSTEM, id=office, name="督查办", short_name="督查办", kind=kind, region=COUNTY)
    chief = await _person("staff", office, Role.supervision_staff)
    staff = Actor(chief, "督查办", (Grant(Role.supervision_staff, office, COUNTY),))
    team: Team = []
    for pair in range(visits_wanted):
        visit, names = uuid7(), [f"inspector{pair}a", f"inspector{pair}b"]
        members = [await _person(name, office, Role.inspector) for name in names]
        await visits.open_visit(
            staff, id=visit, region=VILLAGE, place_name="腰站村", purpose="饮水安全", kind=Kind.covert,
            approval_number="抚督〔2026〕7号", target=(41.8, 124.9), radius_m=500.0,
            team=members, lead=members[0],
        )  # fmt: skip
        team += [(name, visit) for name in names]
    return team


async def _person(username: str, office: UUID, role: Role) -> UUID:
    from backend.columns import uuid7
    from backend.people import commands as people
    from backend.roles import SYSTEM

    id = uuid7()
    name = f"甲{id.hex[-4:]}"
    await people.add_person(SYSTEM, id=id, username=username, name=name, unit=office, password=PASSWORD)
    await people.grant_role(SYSTEM, id=uuid7(), person=id, unit=office, role=role)
    return id


def sign_in(port: int, username: str) -> str:
    """The token of a phone."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = json.dumps({"username": username, "password": PASSWORD})
    line.request("POST", "/api/sessions", body, {"Content-Type": "application/json"})
    answer = line.getresponse()
    told = answer.read().decode()
    line.close()
    if answer.status != 201:
        raise RuntimeError(told)
    return json.loads(told)["token"]


@contextmanager
def server(words: list[str], port: int, log: Path, **env: str) -> Iterator[int]:
    """A server of ours as a process of its own until the block ends; gives its process number."""
    with log.open("ab") as output:
        command = [sys.executable, "-m", *words]
        running = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env}, stdout=output, stderr=output)
    try:
        for _ in range(300):
            if port == 0 or _answers(port):
                break
            if running.poll() is not None:
                raise RuntimeError(log.read_text()[-2000:])
            time.sleep(0.1)
        yield running.pid
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def picture(path: Path, size: int) -> Path:
    """A 12-megapixel JPEG as a camera makes it, filled up with random bytes to `size`."""
    from PIL import Image

    grain = Image.effect_noise((1000, 750), 40).resize((4000, 3000), Image.Resampling.BICUBIC)
    slope = Image.linear_gradient("L").resize((4000, 3000))
    out = io.BytesIO()
    Image.merge("RGB", (grain, slope, grain)).save(out, "JPEG", quality=85)
    content = out.getvalue()
    if len(content) > size:
        raise RuntimeError(f"a picture of {len(content)} bytes does not fit into {size}")
    path.write_bytes(content + os.urandom(size - len(content)))
    return path


def empty(folder: Path) -> None:
    """Deletes the files and keeps the folders, which a running server takes for durable."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.unlink()
    os.sync()


def memory(root: int) -> int:
    """Bytes of a process and its children together, shared pages counted once (PSS)."""
    total = 0
    for pid in _family(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def cpu_seconds(root: int) -> float:
    """Processor time of a process and its children so far, in the kernel and out of it."""
    ticks = 0
    for pid in _family(root):
        try:
            words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(words[11]) + int(words[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    family = [root]
    for member in family:
        family += [pid for pid, parent in parents.items() if parent == member]
    return family


def _answers(port: int) -> bool:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        line.request("GET", "/healthz", headers={"Content-Length": "0"})
        return line.getresponse().status == 200
    except OSError:
        return False
    finally:
        line.close()


async def _empty_queue(url: str) -> str:
    """The address of a numbered database of the queue's server in which nobody keeps anything."""
    parts = urlsplit(url)
    for number in range(15, 0, -1):
        unix, tcp = f"unix://{parts.path}?db={number}", urlunsplit(parts._replace(path=f"/{number}"))
        ours = unix if parts.scheme == "unix" else tcp
        queue = ArqRedis.from_url(ours)
        try:
            if not await queue.dbsize():
                return ours
        finally:
            await queue.aclose()
    raise RuntimeError("every numbered database of the queue is in use")


async def _forget_jobs(url: str) -> None:
    """The jobs rung for, which nobody is going to do: in a database that was empty before."""
    queue = ArqRedis.from_url(url)
    await queue.flushdb()
    await queue.aclose()


async def _statement(database: dict[str, Any], sql: str) -> None:
    line = await asyncpg.connect(**{**database, "database": "postgres"})
    try:
        await line.execute(sql)
    finally:
        await line.close()
