"""Server-time tokens: a signed nonce, the server's time, the person it was given to. Not stored: the phone keeps it.

What a good one proves: the record that carries it was put together after that time. What becomes of a bad one is in
evidence/rules.py.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from backend import signing
from backend.roles import Actor
from backend.signing import PublicKey, Unsigned

FIRST_LINE = "duban time v1"  # no other note begins like this
MOST_LENGTH = 1000  # of a token; ours have some 220 characters

_UTC = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class TimeToken:
    """When it was given, by the server's clock, and to whom."""

    at: datetime
    person: UUID


class ServerTime(msgspec.Struct):
    """What a phone gets: a token to put into its capture records, and the time that stands in it."""

    token: str
    at: datetime


def issue(actor: Actor, now: datetime) -> ServerTime:
    """A new token for this person, another one each time."""
    if actor.person is None:
        raise ValueError("the program has no phone")
    return ServerTime(signing.signed(_text(secrets.token_hex(16), TimeToken(now, actor.person))), now)


def read(token: str, keys: Sequence[PublicKey]) -> TimeToken:
    """A token that one of these keys signed. Raises Unsigned, also for a note that is none."""
    text = signing.opened(token, keys)
    try:
        first, nonce, at, person = (line.split(" ")[-1] for line in text.splitlines())
        found = TimeToken(datetime.strptime(at, _UTC).replace(tzinfo=UTC), UUID(person))
    except ValueError:
        raise Unsigned("signed, but no time token") from None
    if _text(nonce, found) != text:
        raise Unsigned("signed, but no time token")
    return found


def _text(nonce: str, token: TimeToken) -> str:
    at = token.at.astimezone(UTC).strftime(_UTC)
    return f"{FIRST_LINE}\nnonce {nonce}\nat {at}\nperson {token.person}\n"
