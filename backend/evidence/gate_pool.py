"""The worker's side of the gate's fork server (gate_server.py): starts it, hands it photos, notices that it died.

One server in a process, started with the first photo; only the worker and what works like it prepares photos. The web
process never does.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pylopdf_fonts_zh_cn

from backend import settings

SCRIPT = Path(__file__).with_name("gate_server.py")
# Nothing of ours but how memory is had: Pillow's in few large blocks, one malloc arena, and large pages, because a
# child that lives for one photo meets every page for the first time.
ENVIRONMENT = {
    "PILLOW_BLOCK_SIZE": "2m",
    "PILLOW_BLOCKS_MAX": "64",
    "MALLOC_ARENA_MAX": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
AT_ONCE = max(2, os.cpu_count() or 1)  # children; the next photos wait their turn
REPLY = 16_384
OVERLONG = 71  # stands for the exit code of a child that said more
FONT_FILES = (".ttf", ".otf", ".ttc")
END_WITHIN = 5.0  # seconds a killed child has to be gone
PHOTOS = 1000  # of one server: then another, so that no leak and no memory layout is for ever
NEVER_RAN = (1, 2)  # the interpreter's own: no such script, an import failed. Not the photo's doing
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE, signal.SIGSYS, signal.SIGTRAP)


class Ended(NamedTuple):
    """What a child wrote, and how it ended: its exit code, or the number of a signal, negative. Seconds and bytes.

    The text is to be believed no further than needed. `status` is None when the server died first.
    """

    text: bytes
    status: int | None
    cpu: float = 0.0
    memory: int = 0


class _Server:
    """One fork server and our end of the socket pair to it. It ends by itself when that is closed."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        self._left = PHOTOS
        command = [sys.executable, "-I", "-B", str(SCRIPT), str(theirs.fileno()), *map(str, fonts())]
        with theirs:
            self.process = subprocess.Popen(
                command, env=ENVIRONMENT, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    @property
    def takes(self) -> bool:
        return self._left > 0 and not self.over

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def hand_over(self, descriptors: Sequence[int]) -> None:
        """Raises OSError when it is gone, or takes nothing because it stands still."""
        self._left -= 1
        socket.send_fds(self._control, [b"."], descriptors)

    def retire(self) -> None:
        """It takes no more photos, and ends when the last one is done."""
        self._left = 0
        self._control.close()

    async def end(self) -> int:
        """How it ended. If it has not although it should, it is killed."""
        self.retire()
        try:
            return await asyncio.to_thread(self.process.wait, 1.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return await asyncio.to_thread(self.process.wait)


_turns = asyncio.Semaphore(AT_ONCE)
_servers: list[_Server] = []  # the last one takes photos, the others end


def fonts() -> list[Path]:
    """Sans for captions; serif and the office's own for what it lacks."""
    own = settings.load().fonts
    more = sorted(path for path in own.iterdir() if path.suffix.lower() in FONT_FILES) if own else []
    return [pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_zh_cn.serif_path(), *more]


def server_pid() -> int | None:
    """The process id of the server that takes photos, if there is one."""
    return _servers[-1].process.pid if _servers and _servers[-1].takes else None


def close() -> None:
    """Photos at work are finished; the next one starts another server."""
    for server in _servers:
        server.retire()


async def ask(descriptors: Sequence[int], asked: dict[str, Any], wall: float) -> Ended:
    """A child gets these descriptors: the photo, and both copies. Who is cancelled has it killed.

    Raises TimeoutError when it takes longer than `wall` seconds, OSError when no child can be started.
    """
    async with _turns:
        line, theirs = socket.socketpair()
        with line:
            line.setblocking(False)
            with theirs:
                line.sendall(json.dumps(asked).encode() + b"\n")
                server = await _handed_over([*descriptors, theirs.fileno()])
            try:
                async with asyncio.timeout(wall):
                    heard = await _listen(line)
            except BaseException:
                await _hang_up(line, server)
                raise
            if len(heard) > REPLY:
                await _hang_up(line, server)
                return Ended(b"", OVERLONG)
        return await _understood(heard, server)


async def _handed_over(descriptors: Sequence[int]) -> _Server:
    """The server that has them now; one that died while it had nothing to do is replaced without a word."""
    server = _running()
    try:
        server.hand_over(descriptors)
    except OSError:
        await server.end()
        server = _running()
        server.hand_over(descriptors)
    return server


def _running() -> _Server:
    _servers[:] = [server for server in _servers if not server.over]  # reaped by having been asked
    if not _servers or not _servers[-1].takes:
        close()
        _servers.append(_Server())
    return _servers[-1]


async def _listen(line: socket.socket) -> bytes:
    """Everything that is said on the line until it is closed; a little too much of what is too long."""
    loop, heard = asyncio.get_running_loop(), bytearray()
    with suppress(ConnectionResetError):  # closed while our request was not read yet
        while len(heard) <= REPLY and (more := await loop.sock_recv(line, REPLY)):
            heard += more
    return bytes(heard)


async def _hang_up(line: socket.socket, server: _Server) -> None:
    """Has the child killed, and waits until it is. A server that stands still goes with it."""
    try:
        line.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(END_WITHIN):
            while await asyncio.get_running_loop().sock_recv(line, REPLY):
                pass
    except TimeoutError:
        server.process.kill()
        await server.end()
    except OSError:  # it is gone already
        pass


async def _understood(heard: bytes, server: _Server) -> Ended:
    """The server's own line is the last one; without it the server died first."""
    said, _, last = heard.rstrip(b"\n").rpartition(b"\n")
    match _parsed(last):
        case {"ended": int(status), "cpu": float(cpu), "memory": int(memory)}:
            if -status in CRASHES:
                server.retire()  # the next one lies elsewhere in memory: nobody finds out by crashing
            return Ended(said, status, cpu, memory)
        case {"fork": int(number)}:
            raise OSError(number, f"{SCRIPT.name} cannot fork: {os.strerror(number)}")
        case _:
            if await server.end() in NEVER_RAN:
                raise OSError(f"{SCRIPT.name} does not run here: its own words stand in the log")
            return Ended(b"", None)


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
