"""Mail against a real SMTP server: what it takes, refuses, puts off, says too late, or takes twice."""

import asyncio
import email
import email.policy
import ipaddress
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from backend import clock
from notifications.deliveries import circuits, mail
from notifications.deliveries.rules import ChannelKind as K
from tests import deliveries_make, make
from tests.deliveries_make import lanes, planned, story

TO, PASSWORD = "zhao.li@example.gov.cn", "Geheim-4711-mail"


class Server:
    """A mail server. `replies` are given one after the other, the last for ever, to RCPT and to the text."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.over_tls: list[bool] = []
        self.rcpt, self.data = ["250 OK"], ["250 OK"]
        self.drop_after_data = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        reply = self.rcpt.pop(0) if len(self.rcpt) > 1 else self.rcpt[0]
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server, session, envelope):
        self.over_tls.append(session.ssl is not None)
        reply = self.data.pop(0) if len(self.data) > 1 else self.data[0]
        if reply.startswith("2"):
            self.taken.append(envelope.content)
        if self.drop_after_data:
            self.drop_after_data -= 1
            server.transport.abort()
        return reply

    @property
    def letters(self) -> list[email.message.EmailMessage]:
        return [email.message_from_bytes(one, policy=email.policy.default) for one in self.taken]  # pyright: ignore


@asynccontextmanager
async def listening(handler: Server, context: ssl.SSLContext | None = None, **how: Any) -> AsyncIterator[str]:
    """The server's port."""
    made = await asyncio.get_running_loop().create_server(lambda: SMTP(handler, **how), "127.0.0.1", 0, ssl=context)
    try:
        yield str(made.sockets[0].getsockname()[1])
    finally:
        made.close()


@pytest.fixture
async def server(monkeypatch) -> AsyncIterator[Server]:
    handler = Server()
    monkeypatch.setenv("DUBAN_SEND", "mail,sms")
    monkeypatch.setenv("DUBAN_SMS_URL", "http://127.0.0.1:9/sms")
    monkeypatch.setenv("DUBAN_PUBLIC_URL", "https://duban.example.gov.cn")
    monkeypatch.setenv("DUBAN_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("DUBAN_SMTP_TLS", "none")
    monkeypatch.setenv("DUBAN_SMTP_FROM", "duban@example.gov.cn")
    async with listening(handler) as port:
        monkeypatch.setenv("DUBAN_SMTP_PORT", port)
        yield handler


@pytest.fixture
async def it(fresh, noon):
    circuits.forget()
    cast = await make.cast()
    await deliveries_make.address(K.mail, TO, person=cast.handler)
    yield cast
    circuits.forget()


async def later(delivery, *seconds: float) -> tuple[str, list[str]]:
    """After these times from now, one after the other."""
    now = clock.now()
    for wait in seconds:
        with clock.frozen(now + timedelta(seconds=wait)):
            await lanes(K.mail)
    return await story(delivery)


async def test_a_mail_says_what_happened_where_to_look_and_that_a_program_wrote_it(it, server):
    delivery = await planned(it.handler, K.mail, urgency="at_once")
    assert await later(delivery, 0) == ("sent", ["mail:sent"])
    (letter,) = server.letters
    assert (letter["to"], letter["subject"]) == (TO, "整改事项被退回")
    assert letter["message-id"] == f"<{delivery}@example.gov.cn>" and letter["auto-submitted"] == "auto-generated"
    body = letter.get_content()
    assert "抚督〔2026〕12号" in body and "https://duban.example.gov.cn/phone/#/items/1" in body


def test_a_title_cannot_begin_a_header(monkeypatch):
    sender = mail.MailServer("mail", 25, "none", "duban@example.gov.cn")
    title = "退回\r\nBcc: other@example.org\x00"
    letter = mail.letter(mail.Message(deliveries_make.uuid7(), title, "x"), TO, sender)
    assert letter["bcc"] is None and letter["subject"] == "退回 Bcc: other@example.org"


@pytest.mark.parametrize(
    ("reply", "outcome", "refused"),
    [
        (f"550 5.1.1 <{TO}> User unknown", "unknown_address", True),
        ("550 no such user", "unknown_address", True),
        ("550 5.7.1 blocked by policy", "refused", False),
        ("552 5.2.2 mailbox full", "refused", False),
    ],
)
async def test_a_recipient_refused_for_good_gives_way_at_once(it, server, reply, outcome, refused):
    server.rcpt = [reply]
    delivery = await planned(it.handler, K.mail)
    assert await later(delivery, 0) == ("gave_up", [f"mail:{outcome}"])
    (row,) = await deliveries_make.raw("SELECT refused_at IS NOT NULL AS refused FROM channel")
    assert row["refused"] == refused and server.taken == []
    (attempt,) = await deliveries_make.raw("SELECT said FROM delivery_attempt")
    assert attempt["said"].startswith(reply[:3]) and TO not in attempt["said"]


async def test_who_is_put_off_comes_back(it, server):
    """Greylisting, then a server that is busy while it takes the text."""
    server.rcpt = ["451 4.7.1 try again later", "250 OK"]
    server.data = ["452 4.3.1 out of memory", "250 OK"]
    delivery = await planned(it.handler, K.mail)
    assert await later(delivery, 0, 20, 100) == ("sent", ["mail:failed", "mail:failed", "mail:sent"])
    assert len(server.taken) == 1


async def test_text_that_is_refused_is_not_sent_again(it, server):
    server.data = ["554 5.6.0 no such content here"]
    delivery = await planned(it.handler, K.mail)
    assert await later(delivery, 0, 20) == ("gave_up", ["mail:refused"])


async def test_a_mail_whose_answer_was_lost_comes_twice_under_one_message_id(it, server):
    server.drop_after_data = 1
    delivery = await planned(it.handler, K.mail)
    assert await later(delivery, 0, 20) == ("sent", ["mail:failed", "mail:sent"])
    assert len(server.taken) == 2 and len({letter["message-id"] for letter in server.letters}) == 1


async def test_a_server_that_hangs_is_given_up_in_time_and_left_alone(it, server, monkeypatch):
    async def silent(reader, writer):
        await asyncio.sleep(60)

    monkeypatch.setattr(mail, "STEP_WITHIN", 0.2)
    hanging = await asyncio.start_server(silent, "127.0.0.1", 0)
    monkeypatch.setenv("DUBAN_SMTP_PORT", str(hanging.sockets[0].getsockname()[1]))
    first = [await planned(it.handler, K.mail) for _ in range(3)]
    await lanes(K.mail)
    assert [await story(delivery) for delivery in first] == [("waiting", ["mail:slow"])] * 3
    assert "mail" in circuits.resting(clock.now())
    with_next = await planned(it.handler, K.mail, K.sms)
    await lanes(K.mail)
    assert (await story(with_next))[1] == ["mail:down"]
    hanging.close()


async def test_a_server_that_is_not_there_is_no_reason_to_lose_anything(it, server, monkeypatch):
    right = mail.settings.load().outgoing.mail
    monkeypatch.setenv("DUBAN_SMTP_PORT", "9")
    delivery = await planned(it.handler, K.mail)
    assert await later(delivery, 0, 20) == ("waiting", ["mail:failed"] * 2)
    assert right
    monkeypatch.setenv("DUBAN_SMTP_PORT", str(right.port))
    assert await later(delivery, 100) == ("sent", ["mail:failed"] * 2 + ["mail:sent"])


# ── TLS and a password ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """Of 127.0.0.1, signed by itself: certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = clock.now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it does not see TLS from the first byte
@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_over_tls_with_a_password_that_nobody_reads_anywhere(it, server, monkeypatch, certificate, tls, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("mail.log"), "propagate", False)  # the other side's
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    seen = []

    def sign_in(smtp, session, envelope, mechanism, data):
        seen.append((session.ssl is not None or tls == "tls", data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    how: dict[str, Any] = {"authenticator": sign_in, "auth_required": True, "auth_require_tls": tls == "starttls"}
    how |= {"tls_context": context, "require_starttls": True} if tls == "starttls" else {}
    async with listening(server, context if tls == "tls" else None, **how) as port:
        monkeypatch.setenv("DUBAN_SMTP_PORT", port)
        monkeypatch.setenv("DUBAN_SMTP_TLS", tls)
        monkeypatch.setenv("DUBAN_SMTP_USER", "duban")
        monkeypatch.setenv("DUBAN_SMTP_PASSWORD", PASSWORD)
        stranger = await planned(it.handler, K.mail)
        assert await later(stranger, 0) == ("waiting", ["mail:failed"])  # nobody here knows its certificate
        monkeypatch.setenv("DUBAN_SMTP_CA", str(certificate[0]))
        assert await later(stranger, 20) == ("sent", ["mail:failed", "mail:sent"])
        monkeypatch.setenv("DUBAN_SMTP_PASSWORD", f"{PASSWORD}-no-more")
        refused = await planned(it.handler, K.mail)
        assert (await later(refused, 30))[1] == ["mail:failed"]
    assert seen[0] == (True, PASSWORD.encode())
    assert PASSWORD not in caplog.text and TO not in caplog.text
    rows = await deliveries_make.raw("SELECT coalesce(string_agg(it::text, ''), '') AS all FROM delivery_attempt AS it")
    assert PASSWORD not in rows[0]["all"] and TO not in rows[0]["all"]


async def test_a_server_without_tls_gets_nothing_where_tls_is_wanted(it, server, monkeypatch):
    monkeypatch.setenv("DUBAN_SMTP_TLS", "starttls")
    delivery = await planned(it.handler, K.mail)
    assert (await later(delivery, 0))[1] == ["mail:failed"] and server.taken == []
