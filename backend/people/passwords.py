"""Secrets: argon2id off the event loop, one-time codes, tokens. What a password needs stands in rules.py."""

import asyncio
import hmac
import os
import secrets
from base64 import b64encode
from datetime import datetime
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pyotp import random_base32
from pyotp.totp import TOTP

# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, two passes, one lane; measured 27 ms.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
AT_ONCE = 2
STEP_SECONDS = 30

_turns = asyncio.Semaphore(AT_ONCE)


async def hashed(password: str) -> str:
    """A new salted hash in PHC text form."""
    async with _turns:
        return await asyncio.to_thread(HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the one; None stands for nobody and costs the same work."""
    async with _turns:
        return await asyncio.to_thread(_verify, password_hash or NOBODY, password)


def outdated(password_hash: str) -> bool:
    return HASHER.check_needs_rehash(password_hash)


def made_up() -> str:
    """A password for a person to type once: 20 unambiguous letters and digits in groups, 109 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    while True:
        drawn = "".join(secrets.choice(alphabet) for _ in range(20))
        if any(c.isdigit() for c in drawn) and any(c.isupper() for c in drawn) and any(c.islower() for c in drawn):
            return "-".join(drawn[start : start + 5] for start in range(0, 20, 5))


def new_token() -> str:
    """256 random bits, safe in headers and cookies."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What the database keeps of a token. 256 random bits need no salt and no slowness."""
    return sha256(token.encode(errors="replace")).digest()


def new_totp_secret() -> str:
    """160 bits in base32 (RFC 4226, R6)."""
    return random_base32(32)


def totp_uri(secret: str, username: str) -> str:
    return TOTP(secret, name=username, issuer="Duban").provisioning_uri()


def totp_step(secret: str, code: str, now: datetime) -> int | None:
    """The 30-second step whose code this is, one step early or late allowed (RFC 6238, 5.2); or None."""
    here = int(now.timestamp()) // STEP_SECONDS
    given = code.replace(" ", "").encode(errors="replace")
    found = None
    for step in (here - 1, here, here + 1):
        if hmac.compare_digest(TOTP(secret).at(step * STEP_SECONDS).encode(), given):
            found = step
    return found


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _nobody() -> str:
    """A well-formed hash that no password has, with today's parameters."""
    salt, tag = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (HASHER.salt_len, HASHER.hash_len))
    costs = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${tag}"


NOBODY = _nobody()
