"""HTTP of what makes claims checkable: tokens of the server's time, and the public keys of receipts."""

from datetime import datetime
from enum import StrEnum

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency

from backend import clock, signing, time_tokens
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor
from backend.signing import PublicKey
from backend.time_tokens import ServerTime


class Use(StrEnum):
    """What a key is for today. What it signed stays provable whatever it is."""

    signs = "signs"
    verifies = "verifies"  # time tokens given under it still count
    retired = "retired"


class KeyShape(msgspec.Struct):
    """`key` is the C2SP verifier key, `fingerprint` the SHA-256 of its 32 bytes, to be compared by eye."""

    id: str
    key: str
    fingerprint: str
    use: Use
    published_at: datetime | None


class KeyList(msgspec.Struct):
    items: list[KeyShape]
    next: None = None


async def publish() -> None:
    """Enters the public half of every key at hand, for ever. Before a web process signs anything with it."""
    keys = [str(key) for key in signing.public_keys()]
    await raw(
        "INSERT INTO signing_key (id, public, published_at) SELECT id, public, $3 "
        "FROM unnest($1::uuid[], $2::text[]) AS at_hand (id, public) ON CONFLICT (public) DO NOTHING",
        [uuid7() for _ in keys],
        keys,
        clock.now(),
    )


class AttestingController(Controller):
    path = "/api"
    tags = ["receipts"]

    @get("/time", summary="The server's time, signed for the person who asks")
    async def time(self, actor: NamedDependency[Actor]) -> ServerTime:
        return time_tokens.issue(actor, clock.now())

    @get("/receipt-keys", summary="Every public key that ever signed receipts here; open to everybody")
    async def keys(self) -> KeyList:
        """Without signing in: who was handed a receipt must be able to check it without an account."""
        rows = await raw("SELECT public, published_at FROM signing_key ORDER BY published_at DESC, public")
        since = {row["public"]: row["published_at"] for row in rows}
        ring = signing.public_keys()
        retired = [PublicKey.read(text) for text in since if text not in {str(key) for key in ring}]
        shown = [(key, Use.signs if place == 0 else Use.verifies) for place, key in enumerate(ring)]
        shown += [(key, Use.retired) for key in retired]
        return KeyList([_shape(key, use, since.get(str(key))) for key, use in shown])


def _shape(key: PublicKey, use: Use, since: datetime | None) -> KeyShape:
    return KeyShape(key.id.hex(), str(key), key.fingerprint, use, since)
