"""A web server whose evidence folder is small: on a file system of its own, or as if. No tests here.

Where this account may mount one, the folder is a real tmpfs in a mount namespace of the server. Everywhere, also where
it may not, the server's own calls to the kernel are counted instead, and refused as a full disk refuses them.
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZE = 24 * 2**20
FILLER = 12 * 2**20
BLOCK = 4096

UNSHARES = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])  # as root, as anybody
MOUNT = f'mount -t tmpfs -o size={SIZE},mode=700 tmpfs "$0"'
COUNTED = "from tests import small_disk; small_disk.serve()"


def unshare() -> list[str]:
    """The command that gives a program a mount namespace in which it may mount; empty where there is none."""
    for command in UNSHARES if shutil.which("unshare") else ():
        tried = subprocess.run([*command, "sh", "-c", MOUNT, "/mnt"], stderr=subprocess.DEVNULL)
        if tried.returncode == 0:
            return command
    return []


def ways() -> list[str]:
    return ["counted", "mounted"] if unshare() else ["counted"]


def command(way: str, folder: Path) -> list[str]:
    """What runs the web server on such a folder, which exists."""
    if way == "counted":
        return [sys.executable, "-c", COUNTED]
    return [*unshare(), "sh", "-c", f'{MOUNT} && exec "$1" -m backend web', str(folder), sys.executable]


def serve() -> None:
    from backend import settings, web

    web.serve(settings.load(), load=counting)


def counting(target: str) -> Any:
    """The app, in a process whose evidence folder has SIZE bytes."""
    from backend import settings, web

    count(settings.load().evidence)
    return web.load_app(target)


def count(folder: Path) -> None:
    """From here on this process is told about `folder` what the kernel would tell of a small disk."""
    write, pwrite, statvfs = os.write, os.pwrite, os.statvfs

    def free() -> int:
        return SIZE - sum(taken(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names)

    def taken(path: str) -> int:
        try:
            return -(-os.lstat(path).st_size // BLOCK) * BLOCK
        except FileNotFoundError:  # the other process has put it in its place, or dropped it, since we saw its name
            return 0

    def limited(wrote: Callable[..., int]) -> Callable[..., int]:
        def wrote_some(fd: int, data: Any, *at: int) -> int:
            if os.readlink(f"/proc/self/fd/{fd}").startswith(str(folder)):
                room = max(0, free())
                if room < BLOCK:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return wrote(fd, memoryview(data)[:room], *at)  # what fits, as a real one does
            return wrote(fd, data, *at)

        return wrote_some

    def told(path: Any) -> os.statvfs_result:
        real = statvfs(path)
        if not str(path).startswith(str(folder)):
            return real
        blocks, left = SIZE // BLOCK, max(0, free()) // BLOCK
        return os.statvfs_result((BLOCK, BLOCK, blocks, left, left, *real[5:]))

    os.write, os.pwrite, os.statvfs = limited(write), limited(pwrite), told
