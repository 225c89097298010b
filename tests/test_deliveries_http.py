"""Robots, text messages and Web Push against a real HTTP server: what is asked, what answers mean, what is hidden."""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import socket
import threading
import time
import urllib.parse
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from backend import clock, protected
from backend.columns import uuid7
from backend.db import raw
from notifications.deliveries import channels, circuits, posting, web_push
from notifications.deliveries.rules import ChannelKind as K
from notifications.deliveries.rules import Outcome as O
from notifications.deliveries.sending import Address, Message
from tests import deliveries_make, make
from tests.deliveries_make import Asked, Browser, lanes, planned, story

TOKEN, SECRET, PHONE, KEY = "693a91f6", "SEC41ab7c", "13904130077", "Geheim-4711-sms"
PATHS = {
    K.wecom: f"/cgi-bin/webhook/send?key={TOKEN}",
    K.dingtalk: f"/robot/send?access_token={TOKEN}",
    K.feishu: f"/open-apis/bot/v2/hook/{TOKEN}/",
}


@pytest.fixture
def provider(monkeypatch, noon):
    with deliveries_make.provider() as it:
        monkeypatch.setenv("DUBAN_SEND", "wecom,dingtalk,feishu,sms,web_push")
        for name in ("WECOM", "DINGTALK", "FEISHU"):
            monkeypatch.setenv(f"DUBAN_{name}_ORIGIN", it.url)
        monkeypatch.setenv("DUBAN_SMS_URL", f"{it.url}/sms/send")
        monkeypatch.setenv("DUBAN_SMS_TOKEN", KEY)
        monkeypatch.setenv("DUBAN_PUSH_ORIGINS", it.url)
        monkeypatch.setenv("DUBAN_PUSH_KEY", deliveries_make.PUSH_KEY)
        monkeypatch.setenv("DUBAN_PUSH_CONTACT", "duban@example.gov.cn")
        circuits.forget()
        yield it
        circuits.forget()


def message() -> Message:
    return Message(uuid7(), "整改事项被退回", "抚督〔2026〕12号", "https://duban.example.gov.cn/phone/#/items/1")


def robot(kind: K, secret: str = "") -> Address:
    return Address(uuid7(), kind, TOKEN, secret)


PHONE_ADDRESS = Address(uuid7(), K.sms, PHONE)

# ── robots ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [K.wecom, K.dingtalk, K.feishu])
async def test_a_robot_says_it_in_the_form_of_its_provider(provider, kind):
    said = message()
    assert (await channels.send(said, robot(kind))).outcome is O.sent
    (asked,) = provider.asked
    assert asked.path == PATHS[kind]
    body = asked.json
    text = body["content"]["text"] if kind is K.feishu else body["text"]["content"]
    assert text == f"【督办】{said.text}"  # robots may be secured by a key word


async def test_dingtalk_is_signed_where_the_robot_wants_it(provider):
    await channels.send(message(), robot(K.dingtalk, SECRET))
    query = urllib.parse.parse_qs(provider.asked[0].path.partition("?")[2])
    stamp = query["timestamp"][0]
    wanted = base64.b64encode(hmac.digest(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256)).decode()
    assert urllib.parse.unquote(query["sign"][0]) == wanted and query["access_token"] == [TOKEN]


@pytest.mark.parametrize(
    ("kind", "answer", "outcome", "ill"),
    [
        (K.wecom, (200, {"errcode": 93000, "errmsg": f"invalid webhook url {TOKEN}"}, {}), O.unknown_address, False),
        (K.wecom, (200, {"errcode": 45009, "errmsg": "api freq out of limit"}, {}), O.limited, False),
        (K.wecom, (200, {"errcode": -1, "errmsg": "system busy"}, {}), O.failed, False),
        (K.dingtalk, (200, {"errcode": 310000, "errmsg": "sign not match"}, {}), O.refused, False),
        (K.dingtalk, (200, {"errcode": 130101, "errmsg": "send too fast"}, {}), O.limited, False),
        (K.feishu, (200, {"code": 19024, "msg": "Key Words Not Found"}, {}), O.refused, False),
        (K.feishu, (200, {"StatusCode": 0, "StatusMessage": "success"}, {}), O.sent, False),
        (K.feishu, (200, {"hello": "I am a proxy"}, {}), O.failed, True),
        (K.wecom, (200, ["no", "object"], {}), O.failed, True),
        (K.wecom, (500, {}, {}), O.failed, True),
        (K.wecom, (404, {}, {}), O.refused, False),
        (K.wecom, (302, {}, {"Location": "http://127.0.0.1:9/"}), O.refused, False),
    ],
)
async def test_what_a_robot_is_answered_is_heard_also_when_the_status_is_200(provider, kind, answer, outcome, ill):
    provider.answers = [answer]
    told = await channels.send(message(), robot(kind))
    assert (told.outcome, told.ill) == (outcome, ill)
    assert TOKEN not in told.said and len(provider.asked) == 1


# ── text messages ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_text_message_is_asked_of_the_gateway_with_a_key_for_repetitions(provider):
    said = message()
    assert (await channels.send(said, PHONE_ADDRESS)).outcome is O.sent
    (asked,) = provider.asked
    assert asked.path == "/sms/send" and asked.json == {"message": said.text, "to": PHONE, "id": str(said.id)}
    assert asked.headers["idempotency-key"] == str(said.id)
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("answer", "outcome", "after"),
    [
        ((202, {}, {}), O.sent, None),
        ((400, {"error": f"{PHONE} is blocked"}, {}), O.refused, None),
        ((401, {}, {}), O.refused, None),
        ((429, {}, {"Retry-After": "90"}), O.limited, 90),
        ((429, {}, {"Retry-After": "Tue, 24 Nov 2026 04:02:00 GMT"}), O.limited, 120),
        ((429, {}, {"Retry-After": "soon"}), O.limited, None),
        ((503, {}, {"Retry-After": "99999999999999"}), O.failed, 3600),
        ((500, {}, {}), O.failed, None),
    ],
)
async def test_every_status_means_something(provider, answer, outcome, after):
    provider.answers = [answer]
    told = await channels.send(message(), PHONE_ADDRESS)
    assert told.outcome is outcome and told.after == (None if after is None else timedelta(seconds=after))
    assert PHONE not in told.said


async def test_who_does_not_answer_or_answers_without_end_is_not_waited_for(provider, monkeypatch):
    with monkeypatch.context() as hurried:
        hurried.setattr(posting, "READ_WITHIN", 0.2)
        provider.answers = [20.0]
        assert (await channels.send(message(), PHONE_ADDRESS)).outcome is O.slow
    provider.answers = [(200, {"errcode": 0, "x": "y" * 5_000_000}, {})]
    told = await channels.send(message(), robot(K.wecom))
    assert told.outcome is O.failed and told.ill  # cut off: not an answer of this provider


TRICKLES = {"line": "", "header": "HTTP/1.1 200 OK\r\nX-Slow: ", "body": "HTTP/1.1 200 OK\r\n\r\n"}


@pytest.mark.parametrize("head", TRICKLES.values(), ids=TRICKLES)
async def test_a_provider_that_trickles_is_cut_off_and_its_thread_is_free(monkeypatch, noon, head):
    """A byte now and then is an answer to each single read, for ever; the whole has an end."""
    monkeypatch.setattr(posting, "WHOLE_WITHIN", 0.6)
    with deliveries_make.trickle(head) as url, pytest.raises(TimeoutError):
        await asyncio.to_thread(posting.post, f"{url}/sms", origins=[url], data=b"{}", headers={})
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


async def test_an_encryption_that_is_never_agreed_upon_is_cut_off_too(monkeypatch, noon):
    monkeypatch.setattr(posting, "WHOLE_WITHIN", 0.6)
    with deliveries_make.trickle("\x16\x03\x03\x40\x00") as url:
        https = url.replace("http://", "https://")
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(posting.post, f"{https}/sms", origins=[https], data=b"{}", headers={})


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_trickles_is_cut_off_too(monkeypatch, noon, scheme):
    monkeypatch.setattr(posting, "WHOLE_WITHIN", 0.6)
    with deliveries_make.trickle("HTTP/1.1 200 OK\r\nX-Slow: ") as proxy:
        monkeypatch.setenv(f"{scheme}_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")
        url = f"{scheme}://provider.test"
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(posting.post, f"{url}/sms", origins=[url], data=b"{}", headers={})
        assert time.monotonic() - began > 0.5, "not before its time"


async def test_a_provider_whose_many_addresses_are_all_silent_is_given_up_in_time(monkeypatch, noon):
    """Behind a wall that drops what it does not let through each address takes as long as a connection may."""
    monkeypatch.setattr(posting, "WHOLE_WITHIN", 0.5)
    monkeypatch.setattr(posting, "CONNECT_WITHIN", 0.3)
    tried, connect = list[Any](), socket.socket.connect
    with deliveries_make.silent() as (url, address):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address] * 20)
        monkeypatch.setattr(socket.socket, "connect", lambda line, to: tried.append(to) or connect(line, to))
        with pytest.raises(TimeoutError):
            await asyncio.to_thread(posting.post, f"{url}/sms", origins=[url], data=b"{}", headers={})
    assert tried.count(address[4]) < 20, "two, and on a busy machine a few more; all would take six seconds"


async def test_a_gateway_that_took_it_and_lost_its_answer_is_asked_again_under_the_same_key(provider, fresh):
    it = await make.cast()
    await deliveries_make.address(K.sms, PHONE, person=it.handler)
    delivery = await planned(it.handler, K.sms)
    provider.answers = [0, (200, {}, {})]  # takes the text, closes the line
    await lanes(K.sms)
    with clock.frozen(clock.now() + timedelta(seconds=20)):
        await lanes(K.sms)
    assert await story(delivery) == ("sent", ["sms:failed", "sms:sent"])
    assert [asked.headers["idempotency-key"] for asked in provider.asked] == [str(delivery)] * 2


# ── Web Push ─────────────────────────────────────────────────────────────────────────────────────────────────────


def browser_at(url: str, browser: Browser) -> Address:
    return Address(uuid7(), K.web_push, f"{url}/push/abc", json.dumps(browser.keys))


async def test_only_the_browser_can_read_what_is_pushed_to_it(provider):
    provider.answers = [(201, {}, {})]
    browser, said = Browser(), message()
    assert (await channels.send(said, browser_at(provider.url, browser))).outcome is O.sent
    (asked,) = provider.asked
    assert browser.read(asked.body) == {"title": said.title, "body": said.line, "url": said.link}
    assert said.title.encode() not in asked.body
    assert asked.headers["content-encoding"] == "aes128gcm" and asked.headers["urgency"] == "normal"
    assert int(asked.headers["ttl"]) == 24 * 3600 and len(asked.headers["topic"]) <= 32
    with pytest.raises(Exception):  # noqa: B017  (whatever its library says)
        Browser().read(asked.body)


async def test_the_push_service_can_tell_who_asks(provider):
    """VAPID, RFC 8292: a token signed by the key whose public half the browser was given."""
    provider.answers = [(201, {}, {})]
    await channels.send(message(), browser_at(provider.url, Browser()))
    scheme, _, rest = provider.asked[0].headers["authorization"].partition(" ")
    given = dict(part.strip().split("=", 1) for part in rest.split(","))
    key = web_push.public_key(base64.b64decode(deliveries_make.PUSH_KEY))
    assert (scheme, given["k"]) == ("vapid", key)
    point = base64.urlsafe_b64decode(key + "=")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(given["t"], public, algorithms=["ES256"], options={"verify_aud": False})
    assert claims["sub"] == "mailto:duban@example.gov.cn" and claims["aud"].startswith("http://127.0.0.1")


async def test_the_same_message_again_replaces_the_first_at_the_push_service(provider):
    provider.answers = [(500, {}, {}), (201, {}, {})]
    said, address = message(), browser_at(provider.url, Browser())
    for _ in range(2):
        await channels.send(said, address)
    assert len({asked.headers["topic"] for asked in provider.asked}) == 1 and len(provider.asked) == 2


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, O.unknown_address),
        (410, O.unknown_address),
        (413, O.refused),
        (403, O.refused),
        (429, O.limited),
        (502, O.failed),
    ],
)
async def test_what_a_push_service_answers(provider, status, outcome):
    provider.answers = [(status, {}, {})]
    assert (await channels.send(message(), browser_at(provider.url, Browser()))).outcome is outcome


# ── what must not happen ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:22/", "http://169.254.169.254/latest/meta-data/", "https://fcm.googleapis.com.evil.example/x",
        "https://fcm.googleapis.com:8443/x", "http://fcm.googleapis.com/x", "https://user@fcm.googleapis.com/x",
        "https://push.apple.com/x", "https://evil.example/https://fcm.googleapis.com/", "file:///etc/passwd", "x",
        "https://fcm.googleapis.com\\@evil.example/", "https://[::1]/",
    ],
)  # fmt: skip
async def test_no_other_machine_is_asked_whatever_a_browser_claims(url, monkeypatch):
    assert not posting.allowed(url, web_push.settings.load().outgoing.push_origins)
    with pytest.raises(posting.NotAllowed):
        posting.post(url, origins=["https://fcm.googleapis.com", "https://*.push.apple.com"], data=b"", headers={})


@pytest.mark.parametrize("url", ["https://fcm.googleapis.com/fcm/send/x", "https://web.push.apple.com/x"])
def test_the_makers_of_browsers_may_be_asked(url):
    assert posting.allowed(url, web_push.settings.load().outgoing.push_origins)


async def test_no_address_no_key_and_no_text_is_in_a_log_or_in_clear_in_the_database(provider, fresh, caplog):
    """Everything goes wrong, providers repeat all they were told, and everything is logged at its loudest."""
    caplog.set_level(logging.DEBUG)
    for name in ("apprise", "urllib3", "requests", "duban.deliveries"):
        logging.getLogger(name).addHandler(caplog.handler)
    it = await make.cast()
    browser = Browser()
    await deliveries_make.address(K.sms, PHONE, person=it.handler)
    push = f"{provider.url}/push/Lkjh8765Lkjh8765"
    await deliveries_make.address(K.web_push, push, person=it.handler, secret=json.dumps(browser.keys))
    for kind in PATHS:
        await deliveries_make.address(kind, TOKEN, unit=it.responsible, secret=SECRET)

    def repeated(asked: Asked, status: int = 500, code: int = 7):
        lines = [asked.path, asked.headers.get("authorization", ""), asked.body.decode(errors="replace")]
        return status, {"errcode": code, "code": code, "errmsg": " ".join(lines), "msg": " ".join(lines[::-1])}, {}

    for answer in (repeated, partial(repeated, status=200), partial(repeated, status=400), 0):
        provider.answers = [answer]
        for kind in (K.sms, K.web_push, *PATHS):
            await planned(it.handler, kind)
        await lanes()
    rows = await raw(
        "SELECT (SELECT string_agg(it::text, '') FROM delivery_attempt AS it) || "
        "(SELECT string_agg(it::text, '') FROM channel AS it) || (SELECT string_agg(it::text, '') FROM delivery AS it) "
        "|| coalesce((SELECT string_agg(it::text || convert_from(payload, 'UTF8'), '') FROM event AS it), '') AS all"
    )
    for secret in (PHONE, TOKEN, SECRET, KEY, "Lkjh8765Lkjh8765", browser.keys["auth"], "整改事项被退回"):
        assert secret not in caplog.text, secret
        assert secret not in rows[0]["all"], secret
    assert (await raw("SELECT count(*) AS n FROM delivery_attempt"))[0]["n"] >= 15


async def test_an_address_moved_to_another_row_is_not_sent_to(provider, fresh):
    """Who can write to the database cannot make messages of one person go to another's address."""
    it = await make.cast()
    mine = await deliveries_make.address(K.sms, PHONE, person=it.handler)
    other = await deliveries_make.address(K.sms, "13900000000", person=it.principal)
    await raw("UPDATE channel SET address = (SELECT address FROM channel WHERE id = $1) WHERE id = $2", other, mine)
    protected.forget()
    delivery = await planned(it.handler, K.sms)
    await lanes()
    assert await story(delivery) == ("gave_up", ["sms:no_address"]) and provider.asked == []
