"""The bar for filing: takes the same requests and does nothing but bytes to disk, fsynced, and a row committed.

No check, no sign-in, no framework; a hash only when asked, to show what that alone costs. One thread per connection
with blocking calls: the kernel does the copying, the threads use every core, and Python holds its lock for
microseconds per chunk.
"""

import asyncio
import hashlib
import itertools
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from backend import settings

CHUNK = 512 * 1024  # of 64 KB to 2 MB the fastest here
TABLE = "CREATE TABLE IF NOT EXISTS bench_reference (id text PRIMARY KEY, body text NOT NULL)"
INSERT = "INSERT INTO bench_reference (id, body) VALUES ($1, $2)"

_numbers = itertools.count(os.getpid() * 10**9)  # two servers may share a folder


class Rows:
    """Commits rows for any thread, over a pool in a loop of its own: asyncpg is the fastest driver there is."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._pool: asyncpg.Pool = self._run(self._open())

    def add(self, name: str, body: str) -> None:
        self._run(self._pool.execute(INSERT, name, body))

    async def _open(self) -> asyncpg.Pool:
        pool = await asyncpg.create_pool(**settings.load().database, min_size=1, max_size=12)  # pyright: ignore
        await pool.execute(TABLE)
        return pool

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def serve(port: int, folder: Path, hashes: bool) -> None:
    """Listens on 127.0.0.1 until it is killed. `hashes`: makes the SHA-256 of every file, and forgets it."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = Rows()
    with socket.create_server(("127.0.0.1", port), backlog=64) as door:
        while True:
            line, _ = door.accept()
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_converse, args=(line, folder, rows, hashes), daemon=True).start()


def _converse(line: socket.socket, folder: Path, rows: Rows, hashes: bool) -> None:
    """Requests of one connection, one after the other: heads and bodies with a Content-Length."""
    buffer = memoryview(bytearray(CHUNK))
    with line:
        while head := _head(line, buffer):
            text, got = head
            length = int(text.lower().split("content-length:")[1].split("\r\n")[0])
            if text.startswith("GET "):
                pass
            elif text.startswith("PUT /api/evidence/"):
                _to_disk(line, buffer, (got, length), folder, hashes)
            else:
                while got < length:
                    got += line.recv_into(buffer[got:])
                rows.add(text.split(" ", 2)[1], str(buffer[:length], "utf-8"))
            line.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


def _head(line: socket.socket, buffer: memoryview) -> tuple[str, int] | None:
    """The head as text; what came of the body lies at the start of the buffer, so many bytes. None at the end."""
    got = 0
    while True:
        came = line.recv_into(buffer[got:])
        if not came:
            return None
        got += came
        start = bytes(buffer[: min(got, 8192)]).find(b"\r\n\r\n")
        if start >= 0:
            text = str(buffer[:start], "latin-1") + "\r\n"
            rest = got - start - 4
            buffer[:rest] = bytes(buffer[start + 4 : got])
            return text, rest


def _to_disk(line: socket.socket, buffer: memoryview, body: tuple[int, int], folder: Path, hashes: bool) -> None:
    got, length = body
    digest = hashlib.sha256(buffer[: got if hashes else 0])
    fd = os.open(folder / f"{next(_numbers)}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(fd, buffer[:got])
        while got < length:
            came = line.recv_into(buffer[: min(CHUNK, length - got)])
            if not came:
                raise ConnectionError("the client went away")
            os.write(fd, buffer[:came])
            if hashes:
                digest.update(buffer[:came])
            got += came
        os.fsync(fd)
    finally:
        os.close(fd)
    names = os.open(folder, os.O_RDONLY)
    os.fsync(names)
    os.close(names)


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), "sha256" in sys.argv)
