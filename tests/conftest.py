"""What every test stands on: a fresh migrated database of its own, the app over HTTP, a clock that stands still."""

import asyncio
import atexit
import base64
import gc
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from backend import settings

gc.disable()  # until everything is loaded, see pytest_collection_finish()

# Before anything opens a connection: this run's own database, evidence folder and queue number, whatever runs beside.
# (Several files may run at a time, in processes that inherit all this from the one that leads them, and do it again.)
os.environ.setdefault("DUBAN_PROTECTED_KEYS", base64.b64encode(bytes(range(32))).decode())
os.environ.setdefault("DUBAN_SIGNING_KEYS", base64.b64encode(bytes(range(32, 64))).decode())
os.environ.setdefault("DUBAN_PUSH_KEY", base64.b64encode(bytes(range(64, 96))).decode())
_server = settings.load()
_name = f"duban_test_{os.getpid()}"
_folder = Path(tempfile.mkdtemp(prefix="duban-test-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_where = "&".join(f"{key}={value}" for key, value in _server.database.items() if key in ("host", "port"))
os.environ["DUBAN_DATABASE_URL"] = (
    f"postgresql://{_server.database.get('user', 'duban')}:{_server.database.get('password', '')}@/{_name}?{_where}"
)
_turn = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))  # no two of one run get one number
os.environ["DUBAN_REDIS_URL"] = f"{_server.redis_url.split('?')[0]}?db={(os.getppid() + _turn) % 15 + 1}"
os.environ["DUBAN_EVIDENCE"] = str(_folder / "evidence")
os.environ["DUBAN_VAR"] = str(_folder)
os.environ["DUBAN_TOTP"] = settings.OPTIONAL
os.environ["DUBAN_SAMPLE_PERCENT"] = "0"  # tests of the sample say otherwise
logging.getLogger("httpx").setLevel(logging.WARNING)  # thousands of requests, each a line that nobody reads

import httpx  # noqa: E402

from backend import clock, db, outbox, wake  # noqa: E402
from backend.app import app as ready_app  # noqa: E402
from backend.evidence import stores  # noqa: E402
from backend.worker import REACTIONS  # noqa: E402
from tests import make, stores_make  # noqa: E402

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=clock.SHANGHAI)  # a Tuesday, a working day


LONG = "没有运行标记为 long 的测试（五万步、五百次争抢、一万次上传、两百次强杀）：./duban test --long"


# One test of a minute each: they begin, before the browser and the journeys, so that nobody waits for them at the end.
LONGEST = ("test_rectifications_machine.py", "test_kills.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run what is marked long, and nothing else")
    parser.addoption("--kills", type=int, default=200, help="how often --long kills web, worker or database")
    parser.addoption("--races", type=int, default=500, help="how many races of two clients --long runs at least")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: takes many minutes; runs with --long only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen: dict[bool, list[pytest.Item]] = {True: [], False: []}
    for item in items:
        is_long = item.get_closest_marker("long") is not None
        chosen[is_long == config.getoption("long")].append(item)
    items[:] = sorted(chosen[True], key=lambda item: item.path.name not in LONGEST)
    config.hook.pytest_deselected(items=chosen[False])


def pytest_collection_finish() -> None:
    """What is loaded by now stays: not looked through again at every collection, a tenth of the processor's time."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)  # as in the web processes
    gc.enable()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What tests measured (`record_property`). And never silently: what was left out is said."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value}")
    lacking = {
        report.longrepr[2] for report in terminalreporter.getreports("skipped") if "Chromium" in report.longrepr[2]
    }
    for sentence in lacking:
        terminalreporter.write_line(sentence.removeprefix("Skipped: "), red=True)
    if not config.getoption("long"):
        terminalreporter.write_line(LONG)


@pytest.fixture(scope="session")
async def database() -> AsyncIterator[None]:
    """An empty database, built by the migrations in a process of their own, as `./duban migrate` would."""
    server = await asyncpg.connect(**{**_server.database, "database": "postgres"})
    await server.execute(f'CREATE DATABASE "{_name}"')
    # Nobody pulls the plug of this one: a commit that need not reach the disk takes a fifth of the time. Tests that
    # kill a database have one of their own (journeys/machine.py).
    await server.execute(f'ALTER DATABASE "{_name}" SET synchronous_commit = off')
    await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", "from backend import migrate; migrate.run()"], check=True
    )
    await db.open_pool(most=24)
    yield
    await wake.close()
    await db.close_pool()
    await server.execute(f'DROP DATABASE "{_name}" WITH (FORCE)')
    await server.close()


class Tables:
    """All of them, emptied on a line that is not of the pool: one whose replication role changes forgets all its
    plans, and the next test would pay for them.
    """

    line: asyncpg.Connection | None = None

    async def empty(self) -> None:
        if self.line is None or self.line.is_closed():  # at first, and after tests that end every line
            self.line = await self._new_line()
        await self.line.execute("SELECT pg_temp.empty()")

    async def _new_line(self) -> asyncpg.Connection:
        line = await asyncpg.connect(**db.DB.config)
        rows = await line.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'"
        )
        all_ = "; ".join(f'DELETE FROM "{row["tablename"]}"' for row in rows)
        await line.execute(f"CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS $$BEGIN {all_}; END$$")
        # Lets it pass the append-only trigger and all links.
        await line.execute("SET session_replication_role = replica")
        return line


@pytest.fixture(scope="session")
async def tables(database: None) -> AsyncIterator[Tables]:
    """Empty of what migrating puts in: tests say what they need."""
    made = Tables()
    await empty(made)
    yield made
    if made.line is not None:
        await made.line.close()


async def empty(tables: Tables) -> None:
    for last in (False, False, True):
        try:
            return await tables.empty()
        except asyncpg.DeadlockDetectedError:  # a real worker of this test was at it, the other way round
            if last:
                raise


@pytest.fixture
async def fresh(tables: Tables) -> AsyncIterator[None]:
    """An empty database for this test; truncation, not rollback (docs/decisions/0005)."""
    yield
    await empty(tables)
    for left in (_folder / "evidence/incoming").glob("*"):  # what a server that was killed had half received
        left.unlink(missing_ok=True)
    make.forget()


@pytest.fixture(scope="session")
def app():
    return ready_app


@pytest.fixture
async def client(app, fresh: None) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks HTTP to the app; signed out. See make.signed_in()."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://duban.test") as http:
        yield http


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server of this run, in a thread."""
    from moto.server import ThreadedMotoServer  # takes a second, and few tests need it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["local", "s3"])
def side(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[stores_make.Side]:
    """This process keeps evidence in a store of this test's own: the test runs once with each kind of store."""
    monkeypatch.setenv("DUBAN_EVIDENCE", str(tmp_path / "evidence"))
    monkeypatch.setenv("DUBAN_STORE", request.param)
    if request.param == "s3":
        bucket = stores_make.bucket(request.getfixturevalue("s3_server"))
        for name, value in stores_make.environment(bucket).items():
            monkeypatch.setenv(name, value)
    stores.forget()
    yield stores_make.OnDisk(stores.disk()) if request.param == "local" else stores_make.InBucket(stores.s3(), bucket)
    stores.forget()


@pytest.fixture
def noon() -> Iterator[datetime]:
    """Tuesday 24 November 2026, 12:00 in Shanghai, until the test moves the clock itself."""
    with clock.frozen(NOON):
        yield NOON


@pytest.fixture
def settle(fresh: None):
    """Let everything happen that events cause: the worker's drain, here and now."""

    async def drain() -> int:
        return await outbox.drain(REACTIONS)

    return drain
