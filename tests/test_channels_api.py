"""Addresses over HTTP: the ladder of each verb, codes and tests that really arrive, and what nobody gets to read."""

import os
from datetime import timedelta
from uuid import UUID

import pytest

from backend import clock, keys, protected
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from notifications.deliveries import addresses, circuits, jobs, rules
from notifications.deliveries.rules import ChannelKind as K
from tests import calls, deliveries_make, make
from tests.calls import Call

MAIL = "zhao.li@example.gov.cn"


@pytest.fixture
async def it(client, noon):
    circuits.forget()
    return await make.cast()


async def events(verb: str) -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = $1", verb))[0]["n"]


async def refused(client, call: Call, status: int, code: str, **other) -> None:
    """Refused with this code, and nothing is left of it."""
    before = await calls.snapshot()
    answer = await call.made(client, **other)
    assert (answer.status_code, make.problem(answer)["code"]) == (status, code), answer.text
    assert await calls.snapshot() == before


async def of_others(client, call: Call, *people) -> None:
    """401 signed out, 404 for whom it does not exist."""
    await refused(client, call, 401, "sign_in_needed", headers={})
    for person in people:
        await refused(client, call, 404, "not_found", headers=await make.signed_in(person))


# ── entering and confirming ──────────────────────────────────────────────────────────────────────────────────────


async def test_the_ladder_of_entering(client, it):
    call = await calls.add_channel(it)
    await refused(client, call, 401, "sign_in_needed", headers={})
    wrong = {
        "fax": ({"kind": "fax"}, "malformed"),
        "the app itself": ({"kind": "in_app"}, "unknown_channel"),
        "a browser": ({"kind": "web_push"}, "unknown_channel"),
        "no mail address": ({"address": "zhao"}, "bad_address"),
        "two lines": ({"address": "a@b.cn\r\nBcc: c@d.cn"}, "bad_address"),
        "no number": ({"kind": "sms", "address": "024-5555"}, "bad_address"),
        "a mail address of a unit": ({"unit": str(it.responsible)}, "bad_owner"),
        "a secret": ({"secret": "SECabc12345"}, "bad_secret"),
        "an unknown field": ({"confirmed": True}, "unknown_field"),
    }
    for what, (change, code) in wrong.items():
        answer = await call.made(client, json=call.body | change)
        assert (answer.status_code, make.problem(answer)["code"]) == (400, code), (what, answer.text)
    assert await events("channel.added") == 0
    first, second = [await call.made(client) for _ in range(2)]
    assert first.status_code == 201 and first.json() == second.json()
    told = first.json()
    assert (told["address"], told["state"], told["label"]) == ("z***@example.gov.cn", "unconfirmed", "办公邮箱")
    assert await events("channel.added") == 1
    assert (await raw("SELECT count(*) AS n FROM delivery WHERE purpose = 'code'"))[0]["n"] == 1
    await refused(client, call, 409, "conflict", json=call.body | {"address": "other@example.gov.cn"})
    await refused(client, call, 409, "conflict", headers=await make.signed_in(it.principal))


async def test_a_channel_that_is_not_connected_is_said_before_anybody_waits_for_a_code(client, it, monkeypatch):
    monkeypatch.setenv("DUBAN_SEND", "sms")
    monkeypatch.setenv("DUBAN_SMS_URL", "https://sms.example.org/send")
    await refused(client, await calls.add_channel(it), 409, "channel_off")
    page = (await client.get("/api/channels", headers=await make.signed_in(it.handler))).json()
    assert {one["kind"] for one in page["kinds"] if one["usable"]} == {"sms"}


async def test_the_code_that_comes_there_confirms_it_and_the_former_address_is_let_go(client, it, monkeypatch):
    with deliveries_make.provider() as gateway:
        monkeypatch.setenv("DUBAN_SEND", "sms")
        monkeypatch.setenv("DUBAN_SMS_URL", f"{gateway.url}/send")
        headers = await make.signed_in(it.handler)
        for number in ("139 0413-0077", "+8613900000000"):
            id = str(uuid7())
            body = {"id": id, "kind": "sms", "address": number}
            assert (await client.post("/api/channels", json=body, headers=headers)).status_code == 201
            await deliveries_make.lanes(K.sms)
            said = gateway.asked[-1].json["message"]
            code = said.split("\n")[1][:6]
            path = f"/api/channels/{id}/confirmation"
            answers = [await client.post(path, json={"code": code}, headers=headers) for _ in range(2)]
            assert [answer.json()["state"] for answer in answers] == ["ready", "ready"]
        (left,) = (await client.get("/api/channels", headers=headers)).json()["items"]
    assert [asked.json["to"] for asked in gateway.asked] == ["13904130077", "13900000000"]
    assert left["address"] == "139****0000" and await events("channel.confirmed") == 2
    texts = await raw("SELECT string_agg(convert_from(payload, 'UTF8'), '') AS all FROM event")
    assert "1390" not in texts[0]["all"] and code not in texts[0]["all"]


async def test_the_ladder_of_confirming(client, it):
    call = await calls.confirm_channel(it)
    await of_others(client, call, it.principal, it.staff, it.stranger)
    await refused(client, call, 400, "malformed", json={"code": 123456})
    right = call.body["code"]
    wrong = {"code": f"{(int(right) + 1) % 10**6:06}"}
    for left in (4, 3):
        answer = await call.made(client, json=wrong)
        assert (answer.status_code, make.problem(answer)["code"], answer.json()["details"]["left"]) == (
            422,
            "wrong_code",
            left,
        )
    with clock.frozen(clock.now() + rules.CODE_FOR):
        await refused(client, call, 409, "code_over")
    for _ in range(3):
        await call.made(client, json=wrong)
    await refused(client, call, 409, "code_over")  # guessed often enough: the right one too
    await client.post(call.path.replace("confirmation", "messages"), json={"id": str(uuid7())}, headers=call.headers)
    fresh = await deliveries_make.code(UUID(call.path.split("/")[3]))
    assert (await call.made(client, json={"code": fresh})).status_code == 201
    await client.delete(call.path.removesuffix("/confirmation"), headers=call.headers)
    await refused(client, call, 409, "removed")


async def test_nobody_has_strangers_written_to_again_and_again(client, it):
    """Six codes an hour from a person, three to an address, whoever asks."""
    call = await calls.send_to_channel(it)
    await of_others(client, call, it.principal, it.staff)
    first, again = [await call.made(client) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert (await raw("SELECT count(*) AS n FROM delivery"))[0]["n"] == 2  # the first, and this one once
    assert (await call.made(client, json={"id": str(uuid7())})).status_code == 201
    await refused(client, call, 429, "too_many_codes", json={"id": str(uuid7())})
    other = await calls.by(it.principal, "POST", "/api/channels", {"id": str(uuid7()), "kind": "mail", "address": MAIL})
    await refused(client, other, 429, "too_many_codes")
    with clock.frozen(clock.now() + timedelta(hours=1, seconds=1)):
        assert (await call.made(client, json={"id": str(uuid7())})).status_code == 201


async def test_the_ladder_of_removing(client, it):
    call = await calls.remove_channel(it)
    await of_others(client, call, it.principal, it.staff)
    assert [(await call.made(client)).status_code for _ in range(2)] == [204, 204]
    assert await events("channel.removed") == 1
    page = await client.get("/api/channels", headers=call.headers)
    assert page.json()["items"] == []


# ── browsers ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_ladder_of_registering_a_browser(client, it):
    call = await calls.register_browser(it)
    await refused(client, call, 401, "sign_in_needed", headers={})
    for endpoint in ("http://127.0.0.1:8000/push", "https://evil.example/push", "https://169.254.169.254/"):
        await refused(client, call, 400, "push_service", json=call.body | {"endpoint": endpoint})
    for bad in ({"p256dh": "AAAA"}, {"auth": "AAAA"}, {"auth": "§"}):
        await refused(client, call, 400, "bad_keys", json=call.body | {"keys": call.body["keys"] | bad})
    first, second = [(await call.made(client)) for _ in range(2)]
    assert first.status_code == 201 and first.json() == second.json()
    assert (first.json()["state"], first.json()["address"]) == ("ready", "fcm.googleapis.com")
    assert await events("channel.added") == 1


async def test_without_a_key_there_is_no_push(client, it, monkeypatch):
    monkeypatch.delenv("DUBAN_PUSH_KEY")
    await refused(client, await calls.register_browser(it), 409, "channel_off")
    answer = await client.get("/api/channels/push-key", headers=await make.signed_in(it.handler))
    assert answer.json() == {"public_key": None}


async def test_a_browser_is_told_only_what_its_last_person_is_told(client, it):
    call = await calls.register_browser(it)
    mine = (await call.made(client)).json()["id"]
    again = (await call.made(client, json=call.body | {"id": str(uuid7())})).json()["id"]
    assert again == mine
    other = await calls.by(it.principal, "POST", "/api/channels/push", call.body | {"id": str(uuid7())})
    assert (await other.made(client)).status_code == 201
    assert (await client.get("/api/channels", headers=call.headers)).json()["items"] == []
    (left,) = await raw("SELECT person FROM channel WHERE removed_at IS NULL")
    assert left["person"] == it.principal.person


async def test_the_key_for_browsers_is_a_point_of_p256(client, it):
    answer = await client.get("/api/channels/push-key", headers=await make.signed_in(it.handler))
    key = answer.json()["public_key"]
    assert len(key) == 87 and key[0] == "B"  # an uncompressed point begins with 4


async def test_a_person_has_ten_browsers_at_most(client, it):
    call = await calls.register_browser(it)
    for n in range(rules.MOST_OF_A_KIND):
        body = call.body | {"id": str(uuid7()), "endpoint": f"https://fcm.googleapis.com/fcm/send/{n}"}
        assert (await call.made(client, json=body)).status_code == 201
    await refused(client, call, 429, "too_many_addresses")


# ── robots ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_ladder_of_a_unit_s_robot(client, it):
    call = await calls.add_robot(it)
    await refused(client, call, 401, "sign_in_needed", headers={})
    await refused(client, call, 404, "not_found", json=call.body | {"unit": str(uuid7())})
    for person in (it.handler, it.stranger, it.reviewer):
        await refused(client, call, 403, "not_yours_to_do", headers=await make.signed_in(person))
    await refused(client, call, 400, "bad_owner", json={k: v for k, v in call.body.items() if k != "unit"})
    for url in (
        "https://evil.example/cgi-bin/webhook/send?key=693a91f6-7bbb",
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7bbb",
        "https://qyapi.weixin.qq.com@evil.example/cgi-bin/webhook/send?key=693a91f6-7bbb",
        "https://qyapi.weixin.qq.com/cgi-bin/token?key=693a91f6-7bbb",
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=../../x",
        "693a91f6-7bbb",
    ):
        await refused(client, call, 400, "bad_address", json=call.body | {"address": url})
    first, second = [await call.made(client) for _ in range(2)]
    assert first.status_code == 201 and first.json() == second.json()
    assert (first.json()["state"], first.json()["address"]) == ("unconfirmed", "…97a0")
    by_office = await calls.by(it.staff, "POST", "/api/channels", call.body | {"id": str(uuid7())})
    assert (await by_office.made(client)).status_code == 201


async def test_a_robot_is_used_once_its_test_message_has_arrived(client, it, monkeypatch):
    with deliveries_make.provider() as chat:
        monkeypatch.setenv("DUBAN_SEND", "wecom")
        monkeypatch.setenv("DUBAN_WECOM_ORIGIN", chat.url)
        call = await calls.add_robot(it)
        url = f"{chat.url}/cgi-bin/webhook/send?key=693a91f6-7bbb-4bc4-97a0"
        chat.answers = [(200, {"errcode": 93000, "errmsg": "invalid"}, {}), (200, {"errcode": 0}, {})]
        id = (await call.made(client, json=call.body | {"address": url})).json()["id"]
        await deliveries_make.lanes(K.wecom)
        shown = (await client.get(f"/api/channels?unit={it.responsible}", headers=call.headers)).json()["items"]
        assert [(one["state"], one["last_sent"]) for one in shown] == [("refused", "gave_up")]
        path = f"/api/channels/{id}/messages"
        with clock.frozen(clock.now() + timedelta(minutes=1)):
            await client.post(path, json={"id": str(uuid7())}, headers=call.headers)
            await deliveries_make.lanes(K.wecom)
        shown = (await client.get(f"/api/channels?unit={it.responsible}", headers=call.headers)).json()["items"]
    assert [(one["state"], one["last_sent"]) for one in shown] == [("ready", "sent")]
    assert "督办测试消息" in chat.asked[0].json["text"]["content"]


async def test_who_works_there_and_the_office_see_a_unit_s_robots_and_nobody_else(client, it):
    call = await calls.add_robot(it)
    id = (await call.made(client)).json()["id"]
    admin = await make.person("管理员孙", Role.sys_admin)
    for person, seen in ((it.handler, 1), (it.staff, 1), (admin, 1), (it.stranger, 0), (it.inspector, 0)):
        headers = await make.signed_in(person)
        page = (await client.get(f"/api/channels?unit={it.responsible}", headers=headers)).json()
        assert len(page["items"]) == seen, person.name
    taking = await calls.by(it.handler, "DELETE", f"/api/channels/{id}")
    await refused(client, taking, 403, "not_yours_to_do")
    await refused(client, taking, 404, "not_found", headers=await make.signed_in(it.stranger))
    assert (await taking.made(client, headers=call.headers)).status_code == 204


# ── in the database ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_addresses_keys_and_codes_are_encrypted_and_found_again_after_the_key_changed(client, it, monkeypatch):
    await (await calls.add_channel(it)).made(client)
    browser = await calls.register_browser(it)
    await browser.made(client)
    rows = await raw("SELECT string_agg(it::text, '') AS all FROM channel AS it")
    for secret in (MAIL, browser.body["endpoint"], browser.body["keys"]["auth"]):
        assert secret not in rows[0]["all"]
    monkeypatch.setenv("DUBAN_PROTECTED_KEYS", f"{protected.new_key()},{os.environ['DUBAN_PROTECTED_KEYS']}")
    protected.forget()
    try:
        assert await keys.reencrypted("channel", ("address", "secret", "code")) == 0
        again = await browser.made(client, json=browser.body | {"id": str(uuid7())})
        assert again.json()["id"] == browser.body["id"]
    finally:
        monkeypatch.undo()
        protected.forget()


async def test_what_was_removed_is_forgotten_and_what_was_never_confirmed_too(client, it):
    """Thirty days after it was removed nothing says any more where it led; its attempts stay."""
    call = await calls.register_browser(it)
    removed = (await call.made(client)).json()["id"]
    await client.delete(f"/api/channels/{removed}", headers=call.headers)
    waiting = await calls.add_channel(it)
    await waiting.made(client)
    robot = await calls.add_robot(it)
    await robot.made(client)
    await jobs.sweep_addresses()
    assert len(await raw("SELECT FROM channel WHERE address_index <> ''")) == 3
    start = clock.now()
    with clock.frozen(start + timedelta(days=8)):
        await jobs.sweep_addresses()
    assert len(await raw("SELECT FROM channel WHERE removed_at IS NULL")) == 1  # the robot's test may come yet
    with clock.frozen(start + timedelta(days=40)):
        assert (await jobs.sweep_addresses(), await jobs.sweep_addresses()) == (2, 0)
    rows = await raw("SELECT * FROM channel WHERE address_index = ''")
    assert [protected.decrypt(row["address"], "channel.address", row["id"]) for row in rows] == ["", ""]
    assert {row["secret"] for row in rows} == {None}
    again = await call.made(client, json=call.body | {"id": str(uuid7())})
    assert again.status_code == 201 and again.json()["state"] == "ready"


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [(K.mail, "a@b.cn", "a***@b.cn"), (K.sms, "13904130077", "139****0077"), (K.feishu, "abcdefgh", "…efgh")],
)
def test_an_address_is_shown_only_as_far_as_one_knows_it(kind, text, shown):
    assert addresses.shown(kind, text) == shown


@pytest.mark.parametrize("text", ["a@b.cn", "Zhao.Li+x@Sub.Example.GOV.cn", "1@2-3.org"])
def test_what_is_a_mail_address(text):
    kept = addresses.kept(K.mail, text, {})
    assert kept.partition("@")[0] == text.partition("@")[0] and kept.partition("@")[2] == text.partition("@")[2].lower()
