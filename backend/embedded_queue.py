"""The private queue under var/, which only carries wake-ups: start it, know that it answers."""

import socket
import subprocess
import time
from functools import partial
from pathlib import Path

from backend import binaries, places
from backend.places import Places
from backend.supervisor import Program, Supervisor, Trouble, last_words, say

START_WITHIN = 20.0  # seconds


def start(where: Places, supervisor: Supervisor) -> None:
    """Starts the queue and waits until it answers; sets damaged data aside once. Raises Trouble."""
    path, log = where.run / "queue.sock", where.log / "queue.log"
    program = Program(
        name="队列",
        command=_command(where, path),
        log=log,
        user=where.user,
        cwd=Path("/"),
        patience=2.0,
        before=partial(_clear, path),
    )
    child = supervisor.start(program)
    if _ready(child.process, path):
        return
    # Nothing is lost with its file, only late, so a damaged one must not keep everything from starting.
    supervisor.children.remove(child)
    child.process.kill()
    child.process.wait()
    say(f"队列无法启动：{last_words(log)}")
    places.set_aside(where.queue, "broken")
    places.give(where.queue, where.user)
    if not _ready(supervisor.start(program).process, path):
        raise Trouble(f"队列无法启动：{last_words(log)}")


def answers(path: Path) -> bool:
    """Whether a queue answers on this socket and has loaded its data."""
    return _ask(path, b"PING\r\n").startswith(b"+PONG")


def _command(where: Places, path: Path) -> tuple[str, ...]:
    words = {
        "--port": "0",
        "--unixsocket": str(path),
        "--unixsocketperm": "700",
        "--dir": str(where.queue),
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        "--maxmemory": "256mb",
        "--maxmemory-policy": "noeviction",
    }
    binary = binaries.find_queue(where.user)
    return (str(binary.path), *(word for pair in words.items() for word in pair))


def _ready(process: "subprocess.Popen[bytes]", path: Path) -> bool:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        if answers(path):
            return True
        time.sleep(0.01)
    return False


def _clear(path: Path) -> None:
    """Stops a queue that outlived its supervisor; a new one would silently take its socket."""
    if _ask(path, b"PING\r\n"):
        _ask(path, b"SHUTDOWN\r\n")
        for _ in range(50):
            if not _ask(path, b"PING\r\n"):
                break
            time.sleep(0.1)
    path.unlink(missing_ok=True)


def _ask(path: Path, words: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(1.0)
        try:
            line.connect(str(path))
            line.sendall(words)
            return line.recv(200)
        except OSError:
            return b""
