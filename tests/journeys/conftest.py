"""Journeys run the real thing: web and worker as processes of their own, a real queue that can be killed."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import httpx
import pytest

from backend import binaries, supervisor
from tests.waiting import last_lines, until


class Process:
    """A child that can be started, killed without warning, and started again."""

    def __init__(self, *command: str, log: Path, ready: Callable[[], bool], **env: str) -> None:
        self.command, self.log, self.ready, self.env = command, log, ready, env
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                env={**os.environ, **self.env},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: supervisor.die_with_parent(os.getppid()),
            )
        until(self.ready, more=lambda: last_lines(self.log))

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """The whole process group, so that no grandchild lives on."""
        if self.child is not None:
            os.killpg(self.child.pid, number)
            self.child.wait()
            self.child = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(1)
        try:
            line.connect(str(path))
            line.sendall(b"PING\r\n")
            return line.recv(10).startswith(b"+PONG")
        except OSError:
            return False


def serves(port: int, path: str = "/healthz") -> bool:
    """Whether a web answers there. By hand: a client of httpx reads all certificates before it asks."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        try:
            line.request("GET", path)
            return line.getresponse().status == 200
        except (OSError, HTTPException):
            return False


@contextmanager
def a_queue(folder: Path) -> Iterator[Process]:
    """A queue of its own, so that killing it harms nobody."""
    here = Path(f"/tmp/duban-journey-{os.getpid()}.sock")  # short: a socket path has 107 bytes at most
    account = supervisor.OsUser("", os.geteuid(), os.getegid())
    server = binaries.find_queue(account, copy=False)
    process = Process(
        str(server.path), "--port", "0", "--unixsocket", str(here), "--dir", str(folder), "--save", "",
        log=folder / "queue.log", ready=lambda: answers(here),
    )  # fmt: skip
    process.start()
    process.env["url"] = f"unix://{here}"
    yield process
    process.kill()
    here.unlink(missing_ok=True)


@contextmanager
def a_worker(queue: Process, folder: Path) -> Iterator[Process]:
    process = Process(
        sys.executable, "-m", "backend", "worker",
        log=folder / "worker.log", ready=lambda: True, DUBAN_REDIS_URL=queue.env["url"],
    )  # fmt: skip
    process.start()
    yield process
    process.kill()


@contextmanager
def a_web(queue: Process, folder: Path, **env: str) -> Iterator[Process]:
    """The address of a real server on a free port."""
    with a_web_of(queue, folder, [sys.executable, "-m", "backend", "web"], **env) as process:
        yield process


@contextmanager
def a_web_of(queue: Process, folder: Path, command: list[str], **env: str) -> Iterator[Process]:
    """The same, started by this command."""
    port = free_port()
    process = Process(
        *command, log=folder / "web.log", ready=lambda: serves(port),
        DUBAN_REDIS_URL=queue.env["url"], DUBAN_PORT=str(port), **env,
    )  # fmt: skip
    process.start()
    process.env["address"] = f"http://127.0.0.1:{port}"
    yield process
    process.kill(signal.SIGTERM)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Process]:
    with a_queue(tmp_path) as process:
        yield process


@pytest.fixture
def worker(queue: Process, tmp_path: Path, fresh: None) -> Iterator[Process]:
    with a_worker(queue, tmp_path) as process:
        yield process


@pytest.fixture
def web(queue: Process, tmp_path: Path, fresh: None) -> Iterator[Process]:
    with a_web(queue, tmp_path) as process:
        yield process


@pytest.fixture(scope="module")
def doorway(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """A web alone, started once for all stories of a file that kill none."""
    folder = tmp_path_factory.mktemp("doorway")
    with a_queue(folder) as queue, a_web(queue, folder) as web:
        yield web


@pytest.fixture(scope="module")
def town(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """Queue, worker and web, started once for all stories of a file that kill none of them."""
    folder = tmp_path_factory.mktemp("town")
    with a_queue(folder) as queue, a_worker(queue, folder), a_web(queue, folder) as web:
        yield web


@pytest.fixture
async def townspeople(town: Process, fresh: None) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the town's web, about a database that is empty again."""
    async with httpx.AsyncClient(base_url=town.env["address"], timeout=20) as client:
        yield client


@pytest.fixture
async def http(web: Process) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=web.env["address"], timeout=20) as client:
        yield client
