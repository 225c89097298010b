"""The second bar for filing: our own web server with an app that does only bytes, SHA-256, fsync and a row.

What is missing between this and the bare reference is the price of the server and of Python; what is missing between
`duban` and this is ours: sign-in, sight, checks, events, the framework.
"""

import asyncio
import hashlib
import itertools
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg

from backend import settings, web
from bench.reference_server import INSERT, TABLE

_numbers = itertools.count(os.getpid() * 10**9)


class App:
    """ASGI. Answers every request with 200 and {}."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pool: asyncpg.Pool | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["path"].startswith("/api/evidence/"):
            await self._to_disk(_body(receive))
        elif scope["method"] == "PUT" and self._pool is not None:
            form = b"".join([chunk async for chunk in _body(receive)])
            await self._pool.execute(INSERT, scope["path"], form.decode())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        self._pool = await asyncpg.create_pool(**settings.load().database, min_size=1, max_size=12)  # pyright: ignore
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _to_disk(self, body: AsyncIterator[bytes]) -> None:
        digest = hashlib.sha256()
        path = self._folder / f"{os.getpid()}-{next(_numbers)}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        async for chunk in body:
            digest.update(chunk)
            os.write(fd, chunk)
        await asyncio.to_thread(_sync, fd, self._folder)


async def _body(receive: Any) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _sync(fd: int, folder: Path) -> None:
    os.fsync(fd)
    os.close(fd)
    names = os.open(folder, os.O_RDONLY)
    os.fsync(names)
    os.close(names)


def load_app(folder: str) -> Any:
    return App(Path(folder))


async def _table() -> None:
    line = await asyncpg.connect(**settings.load().database)  # pyright: ignore[reportArgumentType]
    await line.execute(TABLE)
    await line.close()


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(_table())
    web.serve(settings.load(), sys.argv[1], load_app)
