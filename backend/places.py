"""Where the embedded services live and as whom: folders under var/, links out of it. Starts nothing."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from backend.settings import Settings
from backend.supervisor import OsUser, Trouble, as_user, say

SERVICE_USERS = ("duban", "postgres", "nobody")
STATE, FALLBACK = Path("/var/lib/duban"), Path("/tmp/duban-state")  # when the service user cannot reach var/
SOCKET_PATH_CAP = 100  # bytes; the kernels' own limits are 107 (Linux) and 103 (macOS)
LEAST_FREE = 200_000_000  # bytes
READY = "duban-ready"  # in the data folder once it is complete


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, links resolved."""

    user: OsUser  # who runs PostgreSQL and the queue
    pg: Path
    run: Path
    queue: Path
    conf: Path
    log: Path


def prepare(settings: Settings) -> Places:
    """Makes the folders. As root they belong to the service user, and move out of a var/ it cannot enter.

    No folder that was there before has its mode changed. Raises Trouble.
    """
    var = settings.var
    try:
        (var / "log").mkdir(mode=0o700, parents=True, exist_ok=True)
        _enough_room(var)
        user = service_user(settings)
        base = var if can_enter(user, var) else _state(var)
        conf = _plain(base / "conf")
        pg, queue = (_folder(var, name, base, user) for name in ("pg", "queue"))
        run = _run_folder(var, base, user)
    except PermissionError as wrong:
        raise Trouble(f"无法写入 {wrong.filename}：请换用它的主人运行，或用 DUBAN_VAR 指定另一个目录。") from wrong
    _enough_room(pg)
    return Places(user=user, pg=pg, run=run, queue=queue, conf=conf, log=var / "log")


def programs() -> Path:
    """Where root keeps copies of binaries that the service user cannot reach, for every var/ together."""
    return _own((STATE if _usable(STATE) else FALLBACK) / "programs")


def service_user(settings: Settings) -> OsUser:
    """Who runs PostgreSQL: we ourselves; instead of root, the owner of the data or a service user."""
    if os.geteuid() != 0:
        return named(os.geteuid())
    if settings.os_user:
        names: tuple[str, ...] = (settings.os_user,)
    else:
        data = settings.var / "pg"
        if data.exists() and data.stat().st_uid != 0:
            return named(data.stat().st_uid)
        names = SERVICE_USERS
    for name in names:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return OsUser(found.pw_name, found.pw_uid, found.pw_gid)
    missing = "、".join(names)
    raise Trouble(f"PostgreSQL 不能以 root 运行，本机又没有用户 {missing}：请用 DUBAN_OS_USER 指定一个。")


def named(uid: int) -> OsUser:
    """The account with this number. Raises Trouble when the machine has no name for it."""
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        raise Trouble(f"本机没有编号为 {uid} 的用户名，PostgreSQL 无法以它运行：请在 /etc/passwd 中登记。") from None
    return OsUser(found.pw_name, found.pw_uid, found.pw_gid)


def can_enter(user: OsUser, folder: Path) -> bool:
    """Whether this account gets through to the folder, asked of the kernel itself."""
    if not as_user(user):
        return os.access(folder, os.X_OK)
    script = ("/bin/sh", "-c", 'cd "$1"', "sh", str(folder))
    return subprocess.run(script, cwd="/", capture_output=True, **as_user(user)).returncode == 0


def set_aside(folder: Path, why: str) -> Path:
    """Renames a folder to NAME.WHY-TIME beside it and says so. Nothing is deleted."""
    aside = folder.with_name(f"{folder.name}.{why}-{time.strftime('%Y%m%d-%H%M%S')}")
    folder.rename(aside)
    say(f"{folder} 移到 {aside}，没有删除")
    return aside


def give(folder: Path, user: OsUser) -> Path:
    """Makes a folder only this account (and root) can enter. Raises Trouble when it is somebody else's."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        whole = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o027
        unfinished = whole and found.st_uid == os.geteuid() and not any(folder.iterdir())
        if not whole or (found.st_uid != user.uid and not unfinished):
            raise Trouble(
                f"{folder} 不是 {user.name} 独有的目录（应为 0700）：请查明来历，或换一个 DUBAN_VAR。"
            ) from None
    if as_user(user):
        os.chown(folder, user.uid, user.gid)
    return folder


def _folder(var: Path, name: str, base: Path, user: OsUser) -> Path:
    """var/NAME: a folder, or a link to the folder that stands for it."""
    here = var / name
    if here.is_symlink():
        if not here.exists():
            raise Trouble(
                f"{here} 指向 {here.readlink()}，但那里什么也没有：数据盘没有挂载？确认要重新建立时，请删除这个链接。"
            )
        there = here.resolve()
    elif here.exists() or base == var:
        there = give(here, user)
    else:
        there = base / name
        if there.exists():  # of an earlier var/ that was deleted: not this one's data
            set_aside(there, "left")
        give(there, user)
        here.symlink_to(there)
    if not can_enter(user, there):
        raise Trouble(f"用户 {user.name} 进不了 {there}：请放开它上级目录的进入权限（chmod o+x），或移到别处。")
    return there


def _run_folder(var: Path, base: Path, user: OsUser) -> Path:
    """var/run. It holds nothing that lasts, so a link that fits no longer is made anew."""
    here, there = var / "run", base / "run"
    if not _fits(there):
        there = Path(f"/tmp/duban-run-{user.uid}-{_short(var)}")
    if here.is_symlink() and (here.readlink() != there or there == here):
        here.unlink()
    if there == here:
        return give(here, user)
    if here.is_dir() and not here.is_symlink():
        set_aside(here, "old")
    give(there, user)
    if not here.is_symlink():
        here.symlink_to(there)
    return there


def _fits(run: Path) -> bool:
    """Short enough for a socket, and free of the signs that mean something in a URL or a host list."""
    return len(os.fsencode(run / ".s.PGSQL.5432")) <= SOCKET_PATH_CAP and not set("%#?,") & set(str(run))


def _state(var: Path) -> Path:
    """This var's folder outside of it, for what a service user must reach."""
    base = _own((STATE if _usable(STATE) else FALLBACK) / _short(var))
    (base / "belongs-to").write_text(f"{var}\n")
    return base


def _own(folder: Path) -> Path:
    for made in (folder, *folder.parents)[1::-1]:
        _plain(made)
        found = made.lstat()
        ours = found.st_uid == os.geteuid() or made == Path("/tmp")
        if not stat.S_ISDIR(found.st_mode) or not ours or (found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX):
            raise Trouble(f"{made} 不是我们独有的目录：请查明来历后移开。")
    return folder


def _usable(folder: Path) -> bool:
    return os.access(folder if folder.exists() else folder.parent, os.W_OK)


def _plain(folder: Path) -> Path:
    if not folder.exists():
        folder.mkdir(mode=0o755, exist_ok=True)
        folder.chmod(0o755)  # whatever our umask: the service user reads it
    return folder


def _short(var: Path) -> str:
    return hashlib.sha256(os.fsencode(var)).hexdigest()[:12]


def _enough_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        raise Trouble(f"{folder} 所在磁盘只剩 {free // 1_000_000} MB：请至少腾出 {LEAST_FREE // 1_000_000} MB 再启动。")
