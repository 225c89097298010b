"""For tests of deliveries: addresses, planned notices, real providers on this machine, and what each was told."""

import base64
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend import clock, protected
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.roles import Actor
from notifications.deliveries import jobs
from notifications.deliveries.commands import Planned, plan_many
from notifications.deliveries.rules import LANES, ChannelKind, Words

PUSH_KEY = base64.b64encode(bytes(range(64, 96))).decode()
WORDS = Words("整改事项被退回", "抚督〔2026〕12号，请继续整改。", "/phone/#/items/1")


async def words_of(notices: Any) -> dict[UUID, Words]:
    """Every notice says the same."""
    return dict.fromkeys(notices, WORDS)


async def address(
    kind: ChannelKind, text: str, *, person: Actor | None = None, unit: UUID | None = None, secret: str | None = None
) -> UUID:
    """A confirmed address, as the commands would leave it."""
    id = uuid7()
    await raw(
        "INSERT INTO channel (id, kind, person, unit, address, address_index, secret, added_at, added_by, code_tries, "
        "confirmed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $8)",
        id, kind.value, person and person.person, unit, protected.encrypt(text, "channel.address", id),
        protected.index(text, "address"), secret and protected.encrypt(secret, "channel.secret", id), clock.now(),
        person.person if person else (await raw("SELECT id FROM person LIMIT 1"))[0]["id"],
    )  # fmt: skip
    return id


async def code(address: UUID) -> str:
    """What was sent there to confirm it."""
    (row,) = await raw("SELECT code FROM channel WHERE id = $1", address)
    return protected.decrypt(row["code"], "channel.code", address)


async def planned(person: Actor, *channels: ChannelKind, **said: Any) -> UUID:
    """A notice that is to go through these channels; the id of the delivery."""
    notice = said.pop("notice", None) or uuid7()
    content = {"not_before": clock.now(), "urgency": "normal", "unit": min(person.units(), default=None)} | said
    async with transaction(joinable=True):
        await plan_many([Planned(notice, person.person, channels, **content)])  # pyright: ignore
    return (await raw("SELECT id FROM delivery WHERE notice = $1 AND person = $2", notice, person.person))[0]["id"]


async def lanes(*kinds: ChannelKind) -> int:
    """One turn of each lane of the worker."""
    return sum([await jobs.run_lane(kind, (words_of,)) for kind in kinds or LANES])


async def story(delivery: UUID) -> tuple[str, list[str]]:
    """Where a delivery stands, and the outcomes of its attempts as channel:outcome."""
    (row,) = await raw("SELECT state FROM delivery WHERE id = $1", delivery)
    attempts = await raw(
        "SELECT it.channel, outcome FROM delivery_attempt AS it JOIN delivery ON delivery.id = it.delivery "
        "WHERE delivery.id = $1 ORDER BY at, array_position(chain, it.channel), outcome",
        delivery,
    )
    return row["state"], [f"{it['channel']}:{it['outcome']}" for it in attempts]


# ── a provider that speaks HTTP ──────────────────────────────────────────────────────────────────────────────────


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Provider:
    """A real HTTP server. `answers` are given one after the other, the last for ever: status, body, headers; a
    function of what was asked; or a number of seconds to be silent.
    """

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Any] = field(default_factory=lambda: [(200, {"errcode": 0, "code": 0}, {})])
    done: threading.Event = field(default_factory=threading.Event)


@contextmanager
def provider() -> Iterator[Provider]:
    it = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            it.asked.append(Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            answer = it.answers.pop(0) if len(it.answers) > 1 else it.answers[0]
            if isinstance(answer, int | float):
                it.done.wait(answer)
                return
            status, said, headers = answer(it.asked[-1]) if callable(answer) else answer
            raw_body = json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(raw_body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw_body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    it.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield it
    finally:
        it.done.set()
        server.shutdown()
        server.server_close()


@contextmanager
def trickle(head: str) -> Iterator[str]:
    """The address of a server that says this much and then a letter every twentieth of a second, for ever."""
    done = threading.Event()
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with suppress(OSError), server.accept()[0] as line:
            line.sendall(head.encode("latin-1"))
            while not done.wait(0.05):
                line.sendall(b"x")

    threading.Thread(target=answer, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        done.set()
        server.close()


@contextmanager
def silent() -> Iterator[tuple[str, Any]]:
    """The URL and the address (as getaddrinfo has it) of a server whose queue is full: connecting to it never ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for line in waiting:
            line.setblocking(False)
            line.connect_ex(server.getsockname())
        try:
            found = (socket.AF_INET, socket.SOCK_STREAM, 0, "", server.getsockname())
            yield f"http://127.0.0.1:{server.getsockname()[1]}", found
        finally:
            for line in waiting:
                line.close()


# ── a browser that is subscribed ─────────────────────────────────────────────────────────────────────────────────


class Browser:
    """Its keys, and how it reads what is pushed to it (RFC 8291, 3.4; RFC 8188)."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        self.point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def keys(self) -> dict[str, str]:
        return {"p256dh": _text(self.point), "auth": _text(self.auth)}

    def read(self, body: bytes) -> dict[str, str]:
        salt, sender, ciphertext = body[:16], body[21 : 21 + body[20]], body[21 + body[20] :]
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        secret = _derived(shared, self.auth, b"WebPush: info\0" + self.point + sender, 32)
        key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, ciphertext, None)
        return json.loads(plain.rstrip(b"\0").removesuffix(b"\x02"))


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def _text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
