"""A whole Duban of its own, kept alive by the supervisor of `up`: database, queue, worker, web. Any can be killed."""

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path

import httpx

from backend import db, embedded, settings
from backend.settings import ROOT
from backend.supervisor import FIRST_DELAY, Child, Program, Supervisor
from tests import make
from tests.journeys.conftest import free_port
from tests.waiting import eventually, last_lines

READY = "ready"


class Victim(StrEnum):
    """Who is killed."""

    web = "web"
    web_process = "one of the web processes"
    worker = "worker"
    database = "database"


class Machine:
    """Everything that runs, as children of this process."""

    def __init__(self, var: Path) -> None:
        self.supervisor = Supervisor(var)
        given = {
            name: value for name, value in os.environ.items() if name not in ("DUBAN_DATABASE_URL", "DUBAN_REDIS_URL")
        }
        where = embedded.start_services(settings.load({**given, "DUBAN_VAR": str(var)}), self.supervisor)
        self.database: dict[str, str] = {"host": str(where.run), "user": "duban", "database": "duban"}
        self.env = {
            "DUBAN_DATABASE_URL": f"postgresql://duban@/duban?host={where.run}",
            "DUBAN_REDIS_URL": f"unix://{where.run}/queue.sock",
            "DUBAN_PORT": str(free_port()),
        }
        self.port = int(self.env["DUBAN_PORT"])
        self.log = where.log
        migrating = "from backend import migrate; migrate.run()"
        subprocess.run([sys.executable, "-c", migrating], check=True, env={**os.environ, **self.env}, cwd=ROOT)
        self.children: dict[Victim, Child] = {Victim.database: self.supervisor.children[0]}
        for name in (Victim.worker, Victim.web):
            command = (sys.executable, "-m", "backend", name.value)
            program = Program(name.value, command, log=where.log / f"{name}.log", env=self.env, cwd=ROOT)
            self.children[name] = self.supervisor.start(program)

    def kill(self, victim: Victim, dice: random.Random) -> None:
        """Without a warning, and only this one process: what becomes of the others is for us to clear up."""
        child = self.children[Victim.web if victim is Victim.web_process else victim]
        pid = child.process.pid
        if victim is Victim.web_process:
            pid = dice.choice(sorted(_children(pid)) or [pid])
        os.kill(pid, signal.SIGKILL)

    async def tended(self) -> None:
        """For ever what `up` does: a dead child is started again, also one that dies of another's death only later."""
        while True:
            self.supervisor.tend()
            await asyncio.sleep(0.02)

    async def recovers(self) -> None:
        """Waits until everything runs and answers again."""
        async with httpx.AsyncClient(timeout=2) as http:
            await eventually(lambda: self._answer(http), lambda answer: answer == READY, pause=0.1, more=self.told)
        for child in self.supervisor.children:
            child.delay = FIRST_DELAY  # as after a while without trouble

    async def _answer(self, http: httpx.AsyncClient) -> str:
        """READY, or what is still in the way of it."""
        if dead := [child.program.name for child in self.supervisor.children if _dead(child)]:
            return f"not running: {', '.join(dead)}"
        try:
            said = await http.get(f"http://127.0.0.1:{self.port}/readyz")
        except httpx.HTTPError as wrong:
            return repr(wrong)
        return READY if said.status_code == 200 and "queue" not in said.json()["degraded"] else said.text

    def told(self) -> str:
        """Who of the children is dead, and what each said last: for a failure to tell."""
        standing = [
            f"{child.program.name}: {'dead' if _dead(child) else 'runs'}, "
            f"exit code {child.process.poll()}, {child.delay} s before the next start"
            for child in self.supervisor.children
        ]
        logs = (child.program.log for child in self.supervisor.children)
        return "\n".join([*standing, *(last_lines(log) for log in logs if log)])


@asynccontextmanager
async def a_machine() -> AsyncIterator[Machine]:
    """Its database is the one that this process talks to meanwhile."""
    var = Path(tempfile.mkdtemp(prefix="duban-machine-"))
    os.chmod(var, 0o755)  # the service user passes through
    supervisor: Supervisor | None = None
    try:
        machine = Machine(var)
        supervisor = machine.supervisor
        async with _its_database(machine.database):
            tending = asyncio.create_task(machine.tended())
            try:
                await machine.recovers()
                yield machine
            finally:
                tending.cancel()
    finally:
        if supervisor is not None:
            supervisor.stop()
        shutil.rmtree(var, ignore_errors=True)


@asynccontextmanager
async def _its_database(config: dict[str, str]) -> AsyncIterator[None]:
    make.forget()
    pool, earlier, db.DB.config, db.DB.pool = db.DB.pool, db.DB.config, config, None
    planned, db._planned = db._planned, None
    try:
        await db.open_pool(most=8)
        yield
    finally:
        await db.close_pool()
        db.DB.pool, db.DB.config, db._planned = pool, earlier, planned
        make.forget()


def _dead(child: Child) -> bool:
    return child.again_at is not None or child.process.poll() is not None


def _children(pid: int) -> list[int]:
    found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(child) for line in found for child in line]
