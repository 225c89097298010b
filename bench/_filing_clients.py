"""The phones of bench/filing.py: one process each, one keep-alive connection, raw sockets, bytes by sendfile."""

import hashlib
import json
import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

PHOTOS = 3
TAIL = 32  # the last bytes of a photo make it one of its own


@dataclass(frozen=True, slots=True)
class Phone:
    """Who files where, and the picture whose last bytes change each time."""

    port: int
    token: str
    visit: UUID
    picture: Path
    form: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """Moments of time.monotonic(): submissions that end between `start` and `end` count."""

    start: float
    end: float


@contextmanager
def ready(phones: list[Phone]) -> Iterator[Callable[[Window], list[float]]]:
    """Gives, once every phone's process runs, what files from all of them at once until the window closes.

    That gives how long each submission that counts took, in seconds.
    """
    processes = multiprocessing.get_context("spawn")
    everybody = processes.Barrier(len(phones))
    with processes.Pool(len(phones), initializer=everybody.wait) as pool:
        pool.apply(os.getpid)

        def file_until(window: Window) -> list[float]:
            work = pool.starmap_async(_file, [(phone, window) for phone in phones], chunksize=1)
            return [took for one in work.get(window.end - time.monotonic() + 60) for took in one]

        yield file_until


def _file(phone: Phone, window: Window) -> list[float]:
    size = phone.picture.stat().st_size
    hashed = hashlib.sha256(phone.picture.read_bytes())
    took: list[float] = []
    with (
        socket.create_connection(("127.0.0.1", phone.port)) as line,
        phone.picture.open("rb") as picture,
    ):
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (began := time.monotonic()) < window.end:
            photos = [os.urandom(TAIL) for _ in range(PHOTOS)]
            manifest = [_line(hashed, tail, size) for tail in photos]
            form = json.dumps({**phone.form, "evidence": manifest}).encode()
            where = f"/api/visits/{phone.visit}/findings/{_id()}"
            line.sendall(_head(phone, where, len(form), "application/json") + form)
            _answer(line)
            for entry, tail in zip(manifest, photos, strict=True):
                where = f"/api/evidence/{entry['id']}"
                line.sendall(_head(phone, where, size + TAIL, "application/octet-stream"), socket.MSG_MORE)
                sent = 0
                while sent < size:
                    sent += os.sendfile(line.fileno(), picture.fileno(), sent, size - sent)
                line.sendall(tail)
                _answer(line)
            ended = time.monotonic()
            if window.start <= ended <= window.end:
                took.append(ended - began)
    return took


def _line(hashed: Any, tail: bytes, size: int) -> dict[str, Any]:
    """One line of a manifest. The hash of the common start is carried on, not made again."""
    whole = hashed.copy()
    whole.update(tail)
    return {
        "id": _id(),
        "sha256": whole.hexdigest(),
        "size": size + TAIL,
        "media_type": "image/jpeg",
        "captured_at": "2026-11-24T11:58:00+08:00",
        "source": "camera",
        "position": {"lat": 41.8, "lng": 124.9, "accuracy_m": 12.0},
    }


def _id() -> str:
    """A UUIDv7, as a phone makes them."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return str(UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62)))


def _head(phone: Phone, path: str, length: int, kind: str) -> bytes:
    return (
        f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{phone.port}\r\nAuthorization: Bearer {phone.token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def _answer(line: socket.socket) -> None:
    """Reads one answer whole. Raises RuntimeError when it is a refusal."""
    came = b""
    while (end := came.find(b"\r\n\r\n")) < 0:
        came += _more(line)
    length = int(came[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(came) < end + 4 + length:
        came += _more(line)
    if came[9:10] != b"2":
        raise RuntimeError(came.decode(errors="replace"))


def _more(line: socket.socket) -> bytes:
    if not (some := line.recv(65536)):
        raise RuntimeError("the server closed the connection")
    return some
