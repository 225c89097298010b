"""The private PostgreSQL under var/, and the start of all embedded services. Folders are in places.py."""

import errno
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from backend import binaries, embedded_queue, places
from backend.binaries import Binary
from backend.places import READY, Places
from backend.settings import Settings
from backend.supervisor import (
    MARK,
    Program,
    Supervisor,
    Trouble,
    as_user,
    die_with_parent,
    how,
    last_words,
    open_log,
    say,
)

CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
START_WITHIN = 120.0  # seconds; there may be a long log to replay
CONFIG = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "logging_collector": "off",
}


def start_services(settings: Settings, supervisor: Supervisor) -> Places:
    """Starts PostgreSQL and the queue and waits until both answer. The caller holds `alone(settings.var)`.

    A complete data folder is never touched; a half-made one is set aside. Load the settings anew afterwards:
    var/run may have become a link. Raises Trouble with a sentence.
    """
    try:
        where = places.prepare(settings)
        _start_postgres(where, supervisor)
        embedded_queue.start(where, supervisor)
    except OSError as wrong:
        if wrong.errno != errno.ENOSPC:
            raise
        raise Trouble(f"磁盘已满（{settings.var}）：请腾出空间再启动。") from wrong
    return where


def memory() -> int:
    """What this machine has, or what the container it is may use at most. Bytes."""
    most = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in CONTAINER_LIMITS:
        try:
            most = min(most, int(limit.read_text()))
        except (OSError, ValueError):  # no such file here, or it says that there is no limit
            continue
    return most


def pages_kept(memory: int) -> int:
    """Megabytes in which the database keeps pages: an eighth of the memory, 128 to 1024.

    With PostgreSQL's own 128 a backlog of notices writes each page of their indexes many times over.
    """
    return min(max(memory // 8 // 2**20, 128), 1024)


def postgres_answers(data: Path) -> int | None:
    """The process number of a PostgreSQL that is ready on this data folder, else None."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    ready = len(lines) > 7 and lines[7].strip() == "ready"
    return int(lines[0]) if ready and _is_postgres(int(lines[0]), data) else None


def _start_postgres(where: Places, supervisor: Supervisor) -> None:
    binary = binaries.find_postgres(where.user, where.pg)
    if not (where.pg / READY).exists():
        _make_data(where, binary, supervisor.mark)
    _write_access_rules(where)
    options = CONFIG | {
        "unix_socket_directories": str(where.run),
        "hba_file": str(where.conf / "pg_hba.conf"),
        "ident_file": str(where.conf / "pg_ident.conf"),
        "shared_buffers": f"{pages_kept(memory())}MB",
    }
    child = supervisor.start(
        Program(
            name="数据库",
            command=(
                str(binary.path),
                "-D",
                str(where.pg),
                *(f"--{name}={value}" for name, value in options.items()),
            ),
            log=where.log / "postgres.log",
            env={"LC_ALL": "C"},
            user=where.user,
            cwd=Path("/"),
            stop=signal.SIGINT,  # fast: sessions are ended, everything is written
            force=signal.SIGQUIT,  # at once: the next start replays the log
            before=partial(_clear, where),
        )
    )
    # A backend that outlived its postmaster holds the shared memory for a moment: the first start may fail.
    supervisor.await_child(child, lambda: postgres_answers(where.pg) == child.process.pid, START_WITHIN)


def _make_data(where: Places, binary: Binary, mark: str) -> None:
    """A new data folder with role and database `duban`; complete only once READY lies in it."""
    if any(where.pg.iterdir()):
        say("数据库目录上次没有建完")
        places.set_aside(where.pg, "broken")
        places.give(where.pg, where.user)
    say(f"正在建立数据库（PostgreSQL {binary.version}，{where.pg}）…")
    words = ["--username=duban", "--encoding=UTF8", "--auth=peer", "--data-checksums", "--no-instructions"]
    if binary.major >= 17:
        # A database keeps its ctype for good. Nothing needs a UTF-8 one yet, but pg_trgm under C skips Chinese, and the
        # builtin provider alone does not set it.
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    ctype = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    words += ["--locale=C", f"--lc-ctype={ctype}", "--lc-collate=C"]
    _run(where, mark, [str(binary.path.with_name("initdb")), "-D", str(where.pg), *words])
    # In single-user mode, so that nothing half-made is ever open to a connection.
    _run(
        where,
        mark,
        [str(binary.path), "--single", "-D", str(where.pg), "postgres"],
        b"CREATE DATABASE duban;\n",
    )
    ready = os.open(where.pg / READY, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    folder = os.open(where.pg, os.O_RDONLY)
    for handle in (ready, folder):
        os.fsync(handle)
        os.close(handle)


def _run(where: Places, mark: str, command: list[str], text: bytes = b"") -> None:
    path = where.log / "initdb.log"
    log = open_log(path)
    try:
        done = subprocess.run(
            command,
            input=text,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), MARK: mark},  # no LANG, LC_* or PG* of ours
            preexec_fn=partial(die_with_parent, os.getpid()),
            **as_user(where.user),
        )
    finally:
        os.close(log)
    if done.returncode:
        raise Trouble(f"建立数据库失败（{how(done.returncode)}）：{last_words(path)}")


def _write_access_rules(where: Places) -> None:
    """Only the accounts concerned get in, known by the kernel; there is no password to lose."""
    names = dict.fromkeys((where.user.name, places.named(os.geteuid()).name, places.named(0).name))
    quoted = ('"' + name.replace('"', '""') + '"' for name in names)
    rules = {
        "pg_hba.conf": "local all duban peer map=duban\n",
        "pg_ident.conf": "".join(f"duban {name} duban\n" for name in quoted),
    }
    for name, text in rules.items():
        path = where.conf / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        path.chmod(0o644)


def _clear(where: Places) -> None:
    """Stops a PostgreSQL that outlived its supervisor, and removes lock files whose owner is dead.

    PostgreSQL alone would take any living process with the old number for its predecessor.
    """
    lock = where.pg / "postmaster.pid"
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not (pid := _pid(lock)) or not _is_postgres(pid, where.pg):
            break
        os.kill(pid, number)
        for _ in range(100):
            if not _is_postgres(pid, where.pg):
                break
            time.sleep(0.1)
    for path in (lock, where.run / ".s.PGSQL.5432.lock", where.run / ".s.PGSQL.5432"):
        path.unlink(missing_ok=True)


def _pid(lock: Path) -> int:
    """The process number in PostgreSQL's lock file, 0 when there is none."""
    try:
        return abs(int(lock.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return 0


def _is_postgres(pid: int, data: Path) -> bool:
    """Whether this process is a PostgreSQL at work in `data`."""
    if sys.platform == "linux":
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", data)
        except OSError:
            return False
    seen = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True)
    return str(data) in seen.stdout
