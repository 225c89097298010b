"""A phone that speaks tus by hand, and what lies among the partials."""

import base64
from typing import Any
from uuid import UUID

import httpx

from backend.evidence.stores import intake
from backend.roles import Actor
from tests import make

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def lying() -> list[str]:
    """What lies among the partials."""
    return sorted(path.suffix for path in intake().folder("partials").iterdir())


def described(evidence: UUID | str, **more: str) -> str:
    said = {"evidence_id": str(evidence), **more}
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())


class Phone:
    """Speaks tus by hand."""

    def __init__(self, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
        self.client, self.headers = client, headers

    async def create(self, evidence: UUID, length: int, **more: Any) -> httpx.Response:
        said = {**TUS, "Upload-Length": str(length), "Upload-Metadata": described(evidence), **self.headers}
        return await self.client.post("/api/uploads", headers={**said, **more.pop("headers", {})}, **more)

    async def begin(self, evidence: UUID, length: int) -> str:
        answer = await self.create(evidence, length)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    async def send(self, path: str, at: int, piece: Any, **headers: str) -> httpx.Response:
        said = {**PIECE, "Upload-Offset": str(at), **self.headers, **headers}
        return await self.client.patch(path, headers=said, content=piece)

    async def ask(self, path: str) -> httpx.Response:
        return await self.client.head(path, headers={**TUS, **self.headers})

    async def offset(self, path: str) -> int:
        answer = await self.ask(path)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["Upload-Offset"])

    async def end(self, path: str) -> httpx.Response:
        return await self.client.delete(path, headers={**TUS, **self.headers})


async def phone(client: httpx.AsyncClient, actor: Actor) -> Phone:
    """Signed in; what earlier tests left among the partials is gone."""
    for left in intake().folder("partials").iterdir():
        left.unlink()
    return Phone(client, await make.signed_in(actor))
