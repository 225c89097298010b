"""The embedded services with real processes: start, stop, murder, and every place they may live in."""

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import redis

from backend import embedded, places, supervisor
from backend.places import Places
from backend.settings import ROOT, Settings, load
from backend.supervisor import Program, Supervisor, Taken, Trouble, alone
from tests.waiting import until

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")

HOLD = """
import os, sys
import asyncio, errno, subprocess  # before we are somebody who may not read this Python's folder
from backend import embedded, embedded_queue
from backend.settings import load
from backend.supervisor import Program, Supervisor, alone, reap
if len(sys.argv) > 1:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[1]))
settings = load()
with alone(settings.var, "http://here"):
    keeper = Supervisor(settings.var)
    reap(settings.var)
    embedded.start_services(settings, keeper)
    keeper.start(Program("sleeper", ("sleep", "1000")))
    print("ready", *(child.process.pid for child in keeper.children), flush=True)
    keeper.watch()
"""


@pytest.fixture
def var(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A var/ that is not there yet, in a folder any user can enter."""
    with place(getattr(request, "param", 0o755)) as folder:
        yield folder / "var"


@pytest.fixture(scope="module")
def once_made() -> Iterator[Path]:
    with place(0o755) as folder:
        with services(folder / "var"):
            ask(folder / "var", "CREATE TABLE kept (word text)")
        yield folder / "var"


@pytest.fixture
def made(once_made: Path) -> Iterator[Path]:
    """A var/ of its own, complete and stopped, with an empty table `kept`."""
    with place(0o755) as folder:
        subprocess.run(["cp", "-a", str(once_made), str(folder / "var")], check=True)
        yield folder / "var"


@contextmanager
def place(mode: int) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="duban-place-"))
    folder.chmod(mode)
    yield folder
    for name in ("pg", "run", "queue"):  # what moved out of a closed folder
        there = (folder / "var" / name).resolve()
        if folder not in there.parents and there.exists():
            shutil.rmtree(there.parent if there.parent.parent == places.STATE else there)
    shutil.rmtree(folder)


def settings_of(var: Path) -> Settings:
    return load({"DUBAN_VAR": str(var)})


@contextmanager
def services(var: Path) -> Iterator[tuple[Places, Supervisor]]:
    keeper = Supervisor(var)
    with alone(var, "http://here"):
        supervisor.reap(var)
        try:
            yield embedded.start_services(settings_of(var), keeper), keeper
        finally:
            keeper.stop()


def ask(var: Path, *statements: str) -> Any:
    async def run() -> Any:
        given: dict[str, Any] = {**settings_of(var).database}
        line = await asyncpg.connect(**given)
        try:
            return [await line.fetchval(statement) for statement in statements][-1]
        finally:
            await line.close()

    return asyncio.run(run())


def queue_of(var: Path) -> "redis.Redis":
    return redis.Redis.from_url(settings_of(var).redis_url)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def held(var: Path, user: str | None = None) -> tuple["subprocess.Popen[str]", list[int]]:
    """The services in a process of their own, as `up` has them; its children's numbers."""
    account = pwd.getpwnam(user) if user else None
    who = [str(account.pw_uid), str(account.pw_gid)] if account else []
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, *who],
        cwd=ROOT,
        env={**os.environ, "DUBAN_VAR": str(var)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith("ready"):
            return process, [int(word) for word in line.split()[1:]]
    raise AssertionError("the services did not start")


def test_chinese_words_are_indexed_and_sorted_the_same_everywhere(made: Path) -> None:
    with services(made) as (where, _):
        grams = ask(made, "CREATE EXTENSION pg_trgm", "SELECT show_trgm('巡查任务')")
        words = "SELECT string_agg(w, '' ORDER BY w) FROM unnest(ARRAY['张','a','丁','B','一']) w"
        assert len(grams) == 5
        assert ask(made, words) == "Ba一丁张"
        assert ask(made, "SELECT upper('ä')") == "Ä"
        assert ask(made, "SHOW fsync") == ask(made, "SHOW synchronous_commit") == "on"
        assert ask(made, "SHOW listen_addresses") == ""
        assert (where.run.stat().st_mode & 0o777, where.pg.stat().st_mode & 0o777) == (0o700, 0o700)


def test_what_was_written_is_there_after_a_stop_and_after_a_murder(made: Path) -> None:
    with services(made):
        ask(made, "INSERT INTO kept VALUES ('stop')")
        queue_of(made).set("kept", "stop")
    process, children = held(made)
    ask(made, "INSERT INTO kept VALUES ('murder')")
    process.kill()
    process.wait()
    for pid in children:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    with services(made):
        assert ask(made, "SELECT string_agg(word, ' ' ORDER BY word) FROM kept") == "murder stop"
        assert queue_of(made).get("kept") == b"stop"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_children_do_not_outlive_a_killed_supervisor(made: Path) -> None:
    process, children = held(made)
    process.kill()
    process.wait()
    until(lambda: [pid for pid in children if alive(pid)], lambda left: not left)


def test_services_that_outlived_their_supervisor_are_replaced(made: Path) -> None:
    with services(made) as (where, keeper):
        old = [child.process.pid for child in keeper.children]
        twin = Supervisor(made)
        try:
            embedded.start_services(settings_of(made), twin)  # as if we, their parent, were gone
            new = [child.process.pid for child in twin.children]
            until(lambda: [pid for pid in old if alive(pid)], lambda left: not left)
            assert embedded.postgres_answers(where.pg) == new[0]
            assert ask(made, "SELECT 1") == 1 and queue_of(made).ping()
        finally:
            twin.stop()


def test_a_living_process_with_the_old_number_is_not_taken_for_postgres(made: Path) -> None:
    with services(made) as (where, _):
        pass
    lines = [str(os.getppid()), str(where.pg), "0", "5432", str(where.run), "", "", "ready"]
    (where.pg / "postmaster.pid").write_text("\n".join(lines))
    (where.run / ".s.PGSQL.5432.lock").write_text("\n".join(lines))
    (where.run / ".s.PGSQL.5432").touch()
    assert embedded.postgres_answers(where.pg) is None
    with services(made):
        assert ask(made, "SELECT 1") == 1
    assert alive(os.getppid())


def test_a_half_made_data_folder_is_set_aside_and_a_complete_one_never(
    var: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    user = places.service_user(settings_of(var))
    var.mkdir()
    half = places.give(var / "pg", user) / "PG_VERSION"
    half.write_text("18\n")
    with services(var) as (where, _):
        ask(var, "CREATE TABLE kept (word text)")
        (aside,) = var.glob("pg.broken-*")
        assert (aside / "PG_VERSION").read_text() == "18\n"
        assert "没有删除" in capfd.readouterr().out
    (where.pg / "PG_VERSION").write_text("9\n")
    with pytest.raises(Trouble, match="由 PostgreSQL 9 建立"), services(var):
        pass
    assert (where.pg / "base").is_dir() and len(list(var.glob("pg.*"))) == 1


def test_a_damaged_queue_is_set_aside(made: Path) -> None:
    with services(made) as (where, _):
        queue_of(made).set("a", "b")
    for path in where.queue.rglob("*.aof"):
        path.write_bytes(b"*nonsense\r\n" * 50)
    with services(made):
        assert queue_of(made).get("a") is None
    assert len(list(made.glob("queue.broken-*"))) == 1


def test_a_second_run_on_the_same_var_is_told_where_the_first_one_is(var: Path) -> None:
    with alone(var, "http://127.0.0.1:8000"):
        with pytest.raises(Taken, match="http://127.0.0.1:8000"), alone(var, "second"):
            pass
    with alone(var, "third"):
        pass


def test_a_killed_service_comes_back(made: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with services(made) as (where, keeper):
        for child in list(keeper.children):
            old = child.process.pid
            os.kill(old, signal.SIGKILL)
            until(lambda child=child, old=old: keeper.tend() or child.process.pid != old)
        until(lambda: embedded.postgres_answers(where.pg) or keeper.tend())
        until(lambda: _answers(made))
        assert ask(made, "SELECT 1") == 1
    assert "数据库意外停止（信号 9），0.2 秒后重新启动" in capfd.readouterr().out


def _answers(var: Path) -> bool:
    try:
        return bool(queue_of(var).ping())
    except redis.RedisError:
        return False


def test_the_delay_before_another_start_grows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    keeper = Supervisor(tmp_path)
    keeper.start(Program("short", ("false",)))
    began, said = time.monotonic(), ""

    def deaths() -> int:
        nonlocal said
        keeper.tend()
        said += capfd.readouterr().out
        return said.count("意外停止（退出码 1）")

    until(deaths, lambda n: n == 4)
    assert [f"，{delay} 秒后" in said for delay in ("0.2", "0.4", "0.8", "1.6")] == [True] * 4
    assert time.monotonic() - began > 0.2 + 0.4 + 0.8
    keeper.stop()


def test_a_child_that_will_not_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    keeper = Supervisor(tmp_path)
    script = f"trap '' TERM; sleep 1000 & echo $! > {tmp_path}/pid; wait; wait"
    keeper.start(Program("deaf", ("/bin/sh", "-c", script), patience=0.3))
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    began = time.monotonic()
    keeper.stop()
    assert time.monotonic() - began < supervisor.STOP_WITHIN
    until(lambda: not alive(int((tmp_path / "pid").read_text())))


def test_a_path_too_long_for_a_socket_is_gone_around(var: Path) -> None:
    long = var / ("x" * 100) / "督办"
    with services(long) as (where, _):
        assert where.run.parent == Path("/tmp") and (long / "run").readlink() == where.run
        assert ask(long, "SELECT 1") == 1 and queue_of(long).ping()
    shutil.rmtree(where.run)
    with services(long):  # /tmp was emptied
        assert ask(long, "SELECT 1") == 1
    where.run.chmod(0o777)
    with pytest.raises(Trouble, match="独有的目录"), services(long):
        pass
    shutil.rmtree(where.run)


@pytest.mark.parametrize(("gigabytes", "megabytes"), [(0.5, 128), (2, 256), (4, 512), (8, 1024), (512, 1024)])
def test_the_database_keeps_pages_in_an_eighth_of_the_memory_within_bounds(gigabytes: float, megabytes: int) -> None:
    assert embedded.pages_kept(int(gigabytes * 2**30)) == megabytes


def test_a_container_counts_as_large_as_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, limit = embedded.memory(), tmp_path / "memory.max"
    monkeypatch.setattr(embedded, "CONTAINER_LIMITS", (tmp_path / "none", limit))
    limit.write_text("268435456\n")
    assert embedded.memory() == 2**28 < machine
    limit.write_text("max\n")
    assert embedded.memory() >= machine


def test_a_full_disk_is_a_sentence(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "LEAST_FREE", 10**18)
    with pytest.raises(Trouble, match="请至少腾出"), services(var):
        pass


@needs_root
@pytest.mark.parametrize("var", [0o700], indirect=True)
def test_below_a_closed_folder_the_data_moves_out_and_the_folder_stays_closed(var: Path) -> None:
    with services(var) as (where, _):
        ask(var, "CREATE TABLE kept (word text)")
        assert places.STATE in where.pg.parents and (var / "pg").resolve() == where.pg
    with services(var):
        assert ask(var, "SELECT count(*) FROM kept") == 0
    assert var.parent.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(var)
    with services(var) as (where, _):  # a new var/ does not inherit what the deleted one left
        assert ask(var, "SELECT to_regclass('kept')") is None
    assert len(list(where.pg.parent.glob("pg.left-*"))) == 1


@needs_root
def test_an_unplugged_data_disk_is_never_taken_for_an_empty_one(var: Path) -> None:
    var.mkdir()
    (var / "pg").symlink_to(var / "not-mounted")
    with pytest.raises(Trouble, match="没有挂载"), services(var):
        pass


@needs_root
def test_an_ordinary_user_runs_it_and_root_can_come_after(var: Path) -> None:
    nobody = places.service_user(load({"DUBAN_OS_USER": "nobody"}))
    if not places.can_enter(nobody, Path(sys.prefix)):
        pytest.skip("this .venv lies below a folder closed to other users")
    os.chown(var.parent, nobody.uid, -1)
    process, _ = held(var, user="nobody")
    process.terminate()
    process.wait()
    with services(var) as (where, _):
        assert where.user.name == "nobody" and ask(var, "SELECT 1") == 1
