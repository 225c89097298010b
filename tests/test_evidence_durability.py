"""In which order a photo becomes durable: the file, its name, the folder, the row, and only then the answer."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend.evidence import storage
from backend.evidence.stores import disk
from tests import make
from tests.evidence_proofs import declare
from tests.phones import OFFSET_STREAM, TUS, creation
from tests.test_evidence_api import state

Send = Callable[[httpx.AsyncClient, UUID, bytes], Awaitable[httpx.Response]]


class Watch:
    """What the kernel and the phone are told, in order, and what the database says of the file at that moment."""

    def __init__(self, app: Any, id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.id, self.seen = app, id, []
        self.loop = asyncio.get_running_loop()
        fsync, link = os.fsync, os.link

        def watched_fsync(fd: int) -> None:
            fsync(fd)
            self.note("fsync", Path(os.readlink(f"/proc/self/fd/{fd}")))

        def watched_link(source: Any, target: Any) -> None:
            link(source, target)
            self.note("link", Path(target))

        monkeypatch.setattr(os, "fsync", watched_fsync)
        monkeypatch.setattr(os, "link", watched_link)

    def note(self, what: str, where: object) -> None:
        assert threading.current_thread() is not threading.main_thread(), "everybody waits for this disk"
        committed = asyncio.run_coroutine_threadsafe(state(self.id), self.loop).result(30)
        self.seen.append((what, where, committed))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def watched_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.seen.append(("answer", message["status"], await state(self.id)))
            await send(message)

        await self.app(scope, receive, watched_send)


async def put(client: httpx.AsyncClient, id: UUID, content: bytes) -> httpx.Response:
    return await client.put(f"/api/evidence/{id}", content=content)


async def tus(client: httpx.AsyncClient, id: UUID, content: bytes) -> httpx.Response:
    where = (await client.post("/api/uploads", headers=creation(id, len(content)))).headers["location"]
    piece = {**TUS, "content-type": OFFSET_STREAM}
    await client.patch(where, content=content[:500], headers={**piece, "upload-offset": "0"})
    return await client.patch(where, content=content[500:], headers={**piece, "upload-offset": "500"})


@pytest.mark.parametrize("send", [put, tus])
async def test_the_phone_is_told_after_the_row_and_the_row_after_the_disk(app, fresh, send: Send, monkeypatch):
    it = await make.cast()
    content = make.photo(70 if send is put else 71)
    line = make.declaration(content)
    await declare(line, it.inspector)
    watch = Watch(app, line.id, monkeypatch)
    transport = httpx.ASGITransport(app=watch)
    headers = await make.signed_in(it.inspector)
    async with httpx.AsyncClient(transport=transport, base_url="http://duban.test", headers=headers) as client:
        assert (await send(client, line.id, content)).is_success
    target = disk().path(storage.original(hashlib.sha256(content).hexdigest()))
    steps = [(what, where) for what, where, _ in watch.seen]
    named = steps.index(("link", target))
    synced = [where for what, where in steps[:named] if what == "fsync" and isinstance(where, Path)]
    assert {".part", ".whole"} & {where.suffix for where in synced}  # by the name it had while it came in
    assert ("fsync", target.parent) in steps[named:]
    assert [state for *_, state in watch.seen[:-1]] == ["declared"] * (len(steps) - 1)
    assert (watch.seen[-1][0], watch.seen[-1][2]) == ("answer", "received")
