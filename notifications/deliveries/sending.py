"""What goes through a channel and what comes back: message, address, answer. No channel knows more than this."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from notifications.deliveries.rules import ChannelKind, Outcome

MOST_SAID = 160  # of a provider's word that is kept


@dataclass(frozen=True, slots=True)
class Message:
    """One text for one address. `id` is the same each time it is tried: providers that know such keys fold the two."""

    id: UUID
    title: str = field(repr=False)
    line: str = field(repr=False)
    link: str = field(default="", repr=False)
    at_once: bool = False

    @property
    def text(self) -> str:
        return "\n".join(part for part in (self.title, self.line, self.link) if part)


@dataclass(frozen=True, slots=True)
class Address:
    """Where to; in clear only while it is sent to, never shown."""

    id: UUID
    kind: ChannelKind
    text: str = field(repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt. `ill`: the provider itself does not work, whatever the address. `after`: not before."""

    outcome: Outcome
    said: str = ""
    ill: bool = False
    after: timedelta | None = None


Sender = Callable[[Message, Address], Awaitable[Answer]]

_SECRETS = re.compile(
    r"\S*@\S*|https?://\S*|\b(key|token|access_token|code|sign)=\S*|\+?\d{6,}|[A-Za-z0-9_-]{20,}", re.I
)


def told(text: object, *, hide: tuple[str, ...] = ()) -> str:
    """A provider's word as it may be kept: one short line without addresses, numbers or keys."""
    line = " ".join(str(text).split())
    for secret in sorted((word for word in hide if word), key=len, reverse=True):
        line = line.replace(secret, "…")
    return _SECRETS.sub("…", "".join(sign for sign in line if sign.isprintable()))[:MOST_SAID]


def hidden(message: Message, address: Address, *more: str) -> tuple[str, ...]:
    """What a provider may repeat to us and nobody shall read: where to, what was said, and the pieces of a URL."""
    pieces = [piece for piece in address.text.split("/") if len(piece) > 5]
    return (address.text, address.secret, message.title, message.line, message.link, *pieces, *more)


def one_line(text: str) -> str:
    """Without what would begin a new header or field."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
