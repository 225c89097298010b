"""A local disk and a bucket for the tests, and hands that reach into both behind the product's back."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx

from backend import clock
from backend.columns import uuid7
from backend.evidence.rules import Declaration, MediaType, Source
from backend.evidence.s3 import S3
from backend.evidence.storage import LocalDisk, Store
from backend.settings import Bucket
from inspections.findings import commands as findings
from tests import make

SECRET = "ein-sehr-geheimer-schluessel"


def bucket(server: str, name: str = "") -> Bucket:
    """A bucket of a server; made when no name is given."""
    if not name:
        name = f"duban-{uuid4().hex[:12]}"
        httpx.put(f"{server}/{name}").raise_for_status()
    return Bucket(name, server, "us-east-1", False, "duban-key", SECRET)


def environment(bucket: Bucket) -> dict[str, str]:
    """The settings that name it."""
    return {
        "DUBAN_S3_BUCKET": bucket.name,
        "DUBAN_S3_ENDPOINT": bucket.endpoint,
        "DUBAN_S3_ACCESS_KEY": bucket.access_key,
        "DUBAN_S3_SECRET_KEY": bucket.secret_key,
    }


class OnDisk:
    """A LocalDisk and the file system under it."""

    def __init__(self, store: LocalDisk) -> None:
        self.root = store.root
        self.store: Store = store

    def names(self) -> set[str]:
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return {str(name) for name in found if name.parts[0] != "incoming"}

    def put(self, name: str, content: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def take(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def remove(self, name: str) -> None:
        (self.root / name).unlink()


class InBucket:
    """An S3 and the server behind it, spoken to without obstore."""

    def __init__(self, store: S3, bucket: Bucket) -> None:
        self.store: Store = store
        sent = {"Authorization": "AWS4-HMAC-SHA256 Credential=k/20261124/us-east-1/s3/aws4_request, SignedHeaders=host"}
        self._http = httpx.Client(base_url=f"{bucket.endpoint}/{bucket.name}/", headers=sent)

    def names(self) -> set[str]:
        text = self._http.get("", params={"list-type": "2"}).raise_for_status().text
        return {part.split("</Key>")[0] for part in text.split("<Key>")[1:]}

    def put(self, name: str, content: bytes) -> None:
        self._http.put(name, content=content).raise_for_status()

    def take(self, name: str) -> bytes:
        return self._http.get(name).raise_for_status().content

    def remove(self, name: str) -> None:
        self._http.delete(name).raise_for_status()


Side = OnDisk | InBucket


async def stored(
    client: httpx.AsyncClient, it: make.Cast, content: bytes, media_type: MediaType = MediaType.jpeg
) -> UUID:
    """A file on a finding of the cast's visit, with its bytes."""
    id, digest = uuid7(), hashlib.sha256(content).hexdigest()
    line = Declaration(id, digest, len(content), media_type, clock.now(), Source.camera, None)
    await findings.file(it.visit, it.inspector, make.filing(it), id=uuid7(), manifest=[line])
    answer = await client.put(f"/api/evidence/{id}", content=content, headers=await make.signed_in(it.inspector))
    assert answer.status_code == 200, answer.text
    return id


@asynccontextmanager
async def answering(reply: bytes, *, after: float = 0.0) -> AsyncIterator[str]:
    """The address of a server that says this to everybody, so late, and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        await asyncio.sleep(after)
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def refusal(status: str, code: str = "") -> bytes:
    body = f"<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>" if code else ""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
