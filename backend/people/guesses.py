"""Counting wrong passwords, in PostgreSQL so that every process sees them. The limits stand in rules.py."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import TooMany
from backend.people import passwords, queries, rules
from backend.people.tables import Person, SignInFailure

log = logging.getLogger("duban.people")

_turns = asyncio.Semaphore(passwords.AT_ONCE)


@asynccontextmanager
async def counted(username: str, network: str) -> AsyncIterator[UUID]:
    """A guess at a password, counted as wrong before it is checked; forget() it when it was right.

    Counted when its turn to be checked comes: a morning's queue of honest sign-ins is no wave of failures.
    Raises TooMany with `retry_after` in seconds.
    """
    await _refuse_when_held_back(username, network)
    async with _turns:
        yield await _reserve(username, network)


async def forget(guess: UUID) -> None:
    """The guess was right, though not yet enough to sign in."""
    await SignInFailure.delete().where(SignInFailure.id == guess)


async def forgive(person: Person, network: str, now: datetime) -> None:
    """Signed in: the name's failures on this network are forgotten, and the network is known from now on."""
    here = (SignInFailure.username_hash == _hashed(person.username)) & (SignInFailure.network == network)
    await SignInFailure.delete().where(here)
    await raw(
        "INSERT INTO known_network (id, person, network, last_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (person, network) DO UPDATE SET last_at = excluded.last_at",
        uuid7(),
        person.id,
        network,
        now,
    )


async def _reserve(username: str, network: str) -> UUID:
    """One at a time for each name, so that parallel guesses see each other."""
    guess = uuid7()
    async with transaction():
        await raw("SELECT pg_advisory_xact_lock(hashtextextended($1, 7))", _hashed(username))
        await _refuse_when_held_back(username, network)
        await SignInFailure.insert(
            SignInFailure(id=guess, username_hash=_hashed(username), network=network, at=clock.now())
        )
    return guess


async def _refuse_when_held_back(username: str, network: str) -> None:
    now = clock.now()
    failures = await queries.failures(username, _hashed(username), network, now)
    if wait := rules.held_back(failures, now):
        seconds = math.ceil(wait.total_seconds())
        log.warning("sign-in held back for %s s on network %s", seconds, network)
        raise TooMany(f"登录失败次数过多，请 {seconds} 秒后再试。", retry_after=seconds)


def _hashed(username: str) -> str:
    return sha256(username.encode(errors="replace")).hexdigest()
