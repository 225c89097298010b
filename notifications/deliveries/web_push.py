"""Web Push (RFC 8030): encrypted for one browser (RFC 8291), in our name (VAPID, RFC 8292), by the webpush package."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import AnyHttpUrl
from webpush import WebPush
from webpush.types import WebPushKeys, WebPushSubscription

from backend import settings
from notifications.deliveries import posting
from notifications.deliveries.rules import GIVE_UP_AFTER, Outcome
from notifications.deliveries.sending import Address, Answer, Message, hidden

MOST_TEXT = 300  # signs of title and line each: a push message holds 4,096 bytes, and a screen shows fewer
# The order of P-256 (SEC 2, 2.4.2).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_pool = ThreadPoolExecutor(8, thread_name_prefix="web-push")


async def send(message: Message, address: Address) -> Answer:
    """One message for one browser. Its `Topic` is the same each time it is tried: the second replaces the first."""
    return await posting.in_thread(_pool, lambda: _send(message, address))


def public_key(key: bytes) -> str:
    """What a browser is told as applicationServerKey: the point in base64url (RFC 8292, 3.2)."""
    point = _private(key).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def keys_fit(p256dh: str, auth: str) -> bool:
    """Whether a message can be encrypted for these keys: a point of P-256 and sixteen octets (RFC 8291, 2)."""
    try:
        point, secret = (_octets(text) for text in (p256dh, auth))
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return len(point) == 65 and len(secret) == 16


def _send(message: Message, address: Address) -> Answer:
    out = settings.load().outgoing
    keys = json.loads(address.secret)
    # webpush keeps what it was told last in itself: one per message
    made = WebPush(*_pair(out.push_key), subscriber=out.push_contact, ttl=int(GIVE_UP_AFTER.total_seconds())).get(
        json.dumps(
            {"title": message.title[:MOST_TEXT], "body": message.line[:MOST_TEXT], "url": message.link},
            ensure_ascii=False,
        ),
        WebPushSubscription(endpoint=AnyHttpUrl(address.text), keys=WebPushKeys(**keys)),
    )
    headers = {
        **made.headers,
        "Content-Type": "application/octet-stream",
        "Urgency": "high" if message.at_once else "normal",
        "Topic": base64.urlsafe_b64encode(message.id.bytes).rstrip(b"=").decode(),
    }
    try:
        heard = posting.post(address.text, origins=out.push_origins, data=made.encrypted, headers=headers)
    except (posting.NotAllowed, TimeoutError, requests.RequestException) as trouble:
        return posting.fallen(trouble)
    if heard.status in (404, 410):  # RFC 8030, 7.3: the subscription is no more
        return Answer(Outcome.unknown_address, f"HTTP {heard.status}")
    return posting.by_status(heard, hide=hidden(message, address))


@cache
def _private(key: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(key) % (_ORDER - 1) + 1, ec.SECP256R1())


@cache
def _pair(key: bytes) -> tuple[bytes, bytes]:
    private = _private(key)
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def _octets(text: str) -> bytes:
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
