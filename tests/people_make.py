"""People with usernames and quick hashes, and the ways they sign in. For the tests of people."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from argon2 import PasswordHasher
from httpx import AsyncClient, Response
from pytest import MonkeyPatch

from backend import clock
from backend.columns import uuid7
from backend.people import commands, passwords
from backend.people.sign_in import running as sign_in_settings
from backend.people.tables import Person
from backend.roles import SYSTEM, Role
from tests import make

MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PASSWORD = "Shan-yao-7310"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
QUICK_HASH = QUICK.hash(PASSWORD)
BROWSER = {"X-Duban": "1"}


def quickly(monkeypatch: MonkeyPatch) -> Callable[..., None]:
    """Real argon2id with small costs, so that loops stay fast; and what sets DUBAN_* for the running test."""

    def set_to(**given: str) -> None:
        for name, value in given.items():
            monkeypatch.setenv(f"DUBAN_{name.upper()}", value)
        sign_in_settings.cache_clear()

    monkeypatch.setattr(passwords, "HASHER", QUICK)
    monkeypatch.setattr(passwords, "NOBODY", passwords._nobody())
    set_to(totp="optional", trusted_proxies="127.0.0.0/8", secure_cookies="1")
    return set_to


async def person(username: str, *roles: Role, at: UUID | None = None) -> UUID:
    """An account with this username and PASSWORD (hashed once); the command grants the roles."""
    home, id = at or await make.unit(), uuid7()
    await Person(
        id=id,
        username=username,
        name=f"王{username}",
        unit=home,
        password_hash=QUICK_HASH,
        added_at=clock.now(),
    ).save()
    for role in roles:
        await commands.grant_role(SYSTEM, id=uuid7(), person=id, unit=home, role=role)
    return id


async def sign_in(
    client: AsyncClient,
    username: str,
    password: str = PASSWORD,
    *,
    otp: str | None = None,
    origin: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    """One attempt; `origin` is the address a trusted proxy says it comes from. No cookie jar takes part."""
    client.cookies.clear()
    body = {"username": username, "password": password} | ({"otp": otp} if otp else {})
    extra = {"X-Forwarded-For": origin} if origin else {}
    answer = await client.post("/api/sessions", json=body, headers={**extra, **(headers or {})})
    client.cookies.clear()
    return answer


async def token(client: AsyncClient, username: str, **more: str) -> str:
    answer = await sign_in(client, username, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["token"]


async def bearer(client: AsyncClient, username: str, **more: str) -> dict[str, str]:
    """Headers of a phone that has just signed in."""
    return {"Authorization": f"Bearer {await token(client, username, **more)}"}


async def cookie(client: AsyncClient, username: str, headers: dict[str, str] | None = None) -> str:
    """The Cookie header of a browser that has just signed in."""
    answer = await sign_in(client, username, headers={**BROWSER, **(headers or {})})
    assert answer.status_code == 201 and answer.json()["token"] is None, answer.text
    return answer.headers["set-cookie"].split(";")[0]


async def status(client: AsyncClient, headers: dict[str, str]) -> int:
    """What /api/me answers to these headers."""
    return (await client.get("/api/me", headers=headers)).status_code
