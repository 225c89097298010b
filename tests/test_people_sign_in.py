"""Signing in and staying signed in, over HTTP: tokens, ends, browsers and other sites."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from backend import clock
from backend.db import raw
from backend.people import commands, passwords, queries, sign_in
from backend.roles import SYSTEM, Role
from tests import make as real
from tests import people_make as make
from tests.people_make import BROWSER, MORNING, PASSWORD

WRONG = "Shan-yao-0000"
MINUTE = timedelta(minutes=1)


def format_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


GUARDS = {"HttpOnly", "Path=/", "SameSite=lax"}


@pytest.fixture(autouse=True)
def settings_of(monkeypatch):
    """Sets DUBAN_* for one test. Otherwise nobody is forced to enrol; the test client is a trusted proxy."""
    yield make.quickly(monkeypatch)
    sign_in.running.cache_clear()


# --- tokens ---


async def test_answer_says_who_and_until_when(client):
    with clock.frozen(MORNING):
        home = await real.unit("清原县水务局", area=real.QINGYUAN)
        person = await make.person("wang", Role.unit_handler, at=home)
        answer = (await make.sign_in(client, "Wang ")).json()
    assert len(answer.pop("token")) == 43
    assert answer == {
        "person": {
            "id": str(person),
            "name": "王wang",
            "username": "wang",
            "unit": {"id": str(home), "name": "清原县水务局"},
            "roles": [
                {
                    "role": "unit_handler",
                    "unit": str(home),
                    "unit_name": "清原县水务局",
                    "area": real.QINGYUAN,
                }
            ],
        },
        "expires_at": "2026-11-30T01:00:00Z",
        "totp": "not_needed",
    }


async def test_token_is_kept_only_as_a_hash(client):
    await make.person("wang")
    tokens = [await make.token(client, "wang") for _ in range(3)]
    assert len(set(tokens)) == 3
    rows = await raw("SELECT session::text AS s FROM session UNION ALL SELECT encode(payload, 'escape') FROM event")
    kept = " ".join(row["s"] for row in rows)
    assert all(token not in kept and passwords.digest(token).hex() in kept for token in tokens)


async def test_invented_token_is_never_adopted(client):
    await make.person("wang")
    for run in range(50):
        invented = {"Cookie": f"__Host-duban=ATTACKERCHOSEN{run}"}
        theirs = await make.cookie(client, "wang", headers=invented)
        assert "ATTACKERCHOSEN" not in theirs
        assert await make.status(client, {**invented, **BROWSER}) == 401
        assert await make.status(client, {"Cookie": theirs}) == 200


async def test_planted_session_ends_when_the_victim_signs_in_over_it(client):
    await make.person("mallory")
    await make.person("wang")
    for _ in range(50):
        planted = await make.cookie(client, "mallory")
        theirs = await make.cookie(client, "wang", headers={"Cookie": planted})
        assert theirs != planted and await make.status(client, {"Cookie": planted}) == 401


async def test_request_in_flight_does_not_revive_a_signed_out_session(client):
    wang = await real.person("王")
    for _ in range(50):
        with clock.frozen(MORNING):
            headers = await real.signed_in(wang)
        with clock.frozen(MORNING + 2 * MINUTE):  # old enough for seen_at to be written
            reads = [client.get("/api/me", headers=headers) for _ in range(3)]
            await asyncio.gather(*reads, client.delete("/api/sessions/current", headers=headers))
            assert await make.status(client, headers) == 401


async def test_late_seen_does_not_revive_a_signed_out_session(fresh):
    wang = await real.person("王")
    for _ in range(50):
        with clock.frozen(MORNING):
            token = (await real.signed_in(wang))["Authorization"][7:]
        now = MORNING + 2 * MINUTE
        in_flight = await queries.live_session(passwords.digest(token), now)
        assert in_flight
        await commands.sign_out(token)
        await commands.seen(in_flight, now)
        assert await queries.live_session(passwords.digest(token), now) is None


async def test_rotation_in_flight_does_not_outlive_sign_out(client):
    wang = await real.person("王")
    for _ in range(50):
        headers = await real.signed_in(wang)
        rotated, _ = await asyncio.gather(
            client.post("/api/sessions/current/rotation", headers=headers),
            client.delete("/api/sessions/current", headers=headers),
        )
        assert await make.status(client, headers) == 401
        if rotated.status_code == 201:
            assert await make.status(client, {"Authorization": f"Bearer {rotated.json()['token']}"}) == 401


async def test_signing_out_twice_is_signing_out_once(client):
    await make.person("wang")
    headers = await make.bearer(client, "wang")
    for sent in (headers, headers, {}, {"Authorization": "Bearer nonsense"}):
        assert (await client.delete("/api/sessions/current", headers=sent)).status_code == 204
    assert await make.status(client, headers) == 401
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'person.signed_out'")) == 1


async def test_a_session_that_was_over_anyway_is_not_signed_out(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        headers = await make.bearer(client, "wang")
    with clock.frozen(MORNING + timedelta(days=8)):
        assert (await client.delete("/api/sessions/current", headers=headers)).status_code == 204
    assert not await raw("SELECT 1 FROM event WHERE verb = 'person.signed_out'")


@pytest.mark.parametrize(
    "sent", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, {"Cookie": "a=b"}]
)
async def test_stranger_sees_401(client, sent):
    answer = await client.get("/api/me", headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_strangers_body_is_not_read(client):
    sent = 0

    async def body():
        nonlocal sent
        for _ in range(12):
            sent += 1
            yield b"x" * 2**20

    answer = await client.post("/api/people", content=body(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, sent) == (401, 0)


# --- ends ---


@pytest.mark.parametrize(("browser", "idle", "whole"), [(True, 30, 12 * 60), (False, 12 * 60, 30 * 24 * 60)])
async def test_session_ends_when_idle_and_at_its_absolute_end(client, browser, idle, whole):
    await make.person("wang")
    with clock.frozen(MORNING):
        headers = {"Cookie": await make.cookie(client, "wang")} if browser else await make.bearer(client, "wang")
    at = 0
    while at + idle - 1 < whole:  # used just often enough
        at += idle - 1
        with clock.frozen(MORNING + at * MINUTE):
            assert await make.status(client, headers) == 200, at
    with clock.frozen(MORNING + whole * MINUTE):
        assert await make.status(client, headers) == 401
    with clock.frozen(MORNING):
        headers = {"Cookie": await make.cookie(client, "wang")} if browser else await make.bearer(client, "wang")
    with clock.frozen(MORNING + idle * MINUTE):
        assert await make.status(client, headers) == 401


async def test_the_end_of_a_phone_moves_on_while_it_is_used_and_no_further_than_a_month(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        phone, desk = await make.bearer(client, "wang"), {"Cookie": await make.cookie(client, "wang")}
    hours = range(8, 30 * 24, 8)
    for later in hours:
        now = MORNING + timedelta(hours=later)
        with clock.frozen(now):
            told = (await client.get("/api/phone/today", headers=phone)).json()["keep_until"]
        assert told == format_utc(min(now + timedelta(days=7), MORNING + timedelta(days=30))), later
    with clock.frozen(MORNING + 29 * MINUTE):
        await make.status(client, {**desk, **BROWSER})
    [row] = await raw("SELECT ends_at FROM session WHERE browser")
    assert row["ends_at"] == MORNING + timedelta(hours=12)


async def test_a_new_token_does_not_begin_the_month_anew(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        headers = await make.bearer(client, "wang")
    for later in range(1, 66):
        with clock.frozen(MORNING + timedelta(hours=11 * later)):
            answer = await client.post("/api/sessions/current/rotation", headers=headers)
            headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    with clock.frozen(MORNING + timedelta(days=30) - MINUTE):
        assert await make.status(client, headers) == 200
    with clock.frozen(MORNING + timedelta(days=30)):
        assert await make.status(client, headers) == 401


async def test_use_is_noted_at_most_once_a_minute(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        headers = await make.bearer(client, "wang")
    for seconds, noted in ((0, 0), (59, 0), (60, 60), (100, 60), (120, 120)):
        with clock.frozen(MORNING + timedelta(seconds=seconds)):
            await make.status(client, headers)
        assert (await raw("SELECT seen_at FROM session"))[0]["seen_at"] == MORNING + timedelta(seconds=noted)


async def test_rotation_tells_the_end_and_leaves_the_old_token_a_minute(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        old = await make.bearer(client, "wang")
    with clock.frozen(MORNING + 10 * MINUTE):
        answer = await client.post("/api/sessions/current/rotation", headers=old)
    new = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert answer.status_code == 201 and answer.json()["expires_at"] == "2026-11-30T01:10:00Z" and new != old
    for seconds, old_answer in ((59, 200), (60, 401)):
        with clock.frozen(MORNING + 10 * MINUTE + timedelta(seconds=seconds)):
            assert (await make.status(client, old), await make.status(client, new)) == (old_answer, 200)


async def test_lost_answer_of_a_rotation_is_asked_for_again(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        old = await make.bearer(client, "wang")
        lost = (await client.post("/api/sessions/current/rotation", headers=old)).json()["token"]
        again = (await client.post("/api/sessions/current/rotation", headers=old)).json()
        assert again["expires_at"] == "2026-11-30T01:00:00Z"
        assert await make.status(client, {"Authorization": f"Bearer {lost}"}) == 401
        assert await make.status(client, {"Authorization": f"Bearer {again['token']}"}) == 200
        assert len((await client.get("/api/sessions", headers=old)).json()["items"]) == 1


async def test_my_sessions_are_listed_and_ended_by_me_only(client):
    await make.person("wang")
    await make.person("li")
    phone, desk = await make.bearer(client, "wang"), {"Cookie": await make.cookie(client, "wang")}
    stranger = await make.bearer(client, "li")
    items = (await client.get("/api/sessions", headers=phone)).json()["items"]
    assert sorted((item["browser"], item["current"]) for item in items) == [(False, True), (True, False)]
    desk_id = next(item["id"] for item in items if item["browser"])
    assert (await client.delete(f"/api/sessions/{desk_id}", headers=stranger)).status_code == 404
    assert await make.status(client, desk) == 200
    assert (await client.delete(f"/api/sessions/{desk_id}", headers=phone)).status_code == 204
    assert (await make.status(client, desk), await make.status(client, phone)) == (401, 200)


async def test_taken_role_is_gone_at_the_next_request(client):
    person = await make.person("wang", Role.inspector, Role.team_lead)
    headers = await make.bearer(client, "wang")
    roles = (await client.get("/api/me", headers=headers)).json()["roles"]
    assert [role["role"] for role in roles] == ["inspector", "team_lead"]
    (grant,) = await raw("SELECT id FROM role_grant WHERE role = 'team_lead'")
    await commands.revoke_role(SYSTEM, person=person, grant=grant["id"])
    session = await queries.live_session(passwords.digest(headers["Authorization"][7:]), clock.now())
    assert session and session.actor.has(Role.inspector) and not session.actor.has(Role.team_lead)
    assert session.actor.areas(Role.inspector) == {real.XINBIN}


async def test_disabled_person_is_out_at_the_next_request_and_cannot_come_back(client):
    person = await make.person("wang")
    headers = await make.bearer(client, "wang")
    await commands.disable_person(SYSTEM, person=person)
    assert await make.status(client, headers) == 401
    answer = await make.sign_in(client, "wang")
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


async def test_session_of_a_disabled_person_opens_nothing_even_if_a_row_is_left(client):
    wang = await real.person("王")
    headers = await real.signed_in(wang)
    await raw("UPDATE person SET disabled_at = $1", clock.now())
    assert await make.status(client, headers) == 401


async def test_new_password_ends_the_other_sessions(client):
    await make.person("wang")
    here, there = await make.bearer(client, "wang"), await make.bearer(client, "wang")
    for old, new, told in ((WRONG, "Xin-kou-7310", 403), (PASSWORD, "short", 422), (PASSWORD, PASSWORD, 422)):
        answer = await client.post("/api/me/password", json={"old": old, "new": new}, headers=here)
        assert answer.status_code == told and await make.status(client, there) == 200
    changed = {"old": PASSWORD, "new": "Xin-kou-ling-7310"}
    assert (await client.post("/api/me/password", json=changed, headers=here)).status_code == 204
    assert (await make.status(client, here), await make.status(client, there)) == (200, 401)
    assert (await make.sign_in(client, "wang")).status_code == 401
    assert (await make.sign_in(client, "wang", "Xin-kou-ling-7310")).status_code == 201


# --- browsers and other sites ---


@pytest.mark.parametrize(
    ("secure", "name", "flags"),
    [("1", "__Host-duban", {*GUARDS, "Secure"}), ("0", "duban", GUARDS)],
)
async def test_cookie_has_every_guard_and_goes_away_with_them(client, settings_of, secure, name, flags):
    settings_of(secure_cookies=secure)
    await make.person("wang")
    signed_in = await make.sign_in(client, "wang", headers=BROWSER)
    signed_out = await client.delete("/api/sessions/current")
    for answer, seconds in ((signed_in, 43200), (signed_out, 0)):
        first, *attributes = answer.headers["set-cookie"].split("; ")
        assert first.startswith(f"{name}=") and set(attributes) == flags | {f"Max-Age={seconds}"}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, 403),
        ({"X-Duban": "0"}, 403),
        (BROWSER, 201),
        ({**BROWSER, "Origin": "https://evil.test"}, 403),
        ({**BROWSER, "Origin": "null"}, 403),
        ({**BROWSER, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**BROWSER, "Sec-Fetch-Site": "same-site"}, 403),
        (
            {
                **BROWSER,
                "Host": "duban.test",
                "Origin": "https://duban.test",
                "Sec-Fetch-Site": "same-origin",
            },
            201,
        ),
    ],
)
async def test_cookie_alone_changes_nothing(client, sent, told):
    await make.person("wang")
    headers = {"Cookie": await make.cookie(client, "wang")}
    answer = await client.post("/api/me/totp", headers={**headers, **sent})
    assert answer.status_code == told, answer.text
    assert told == 201 or answer.json()["code"] == "cross_site"


async def test_other_site_cannot_sign_a_browser_out_or_guess_from_it(client):
    await make.person("wang")
    headers = {"Cookie": await make.cookie(client, "wang"), "Origin": "https://evil.test"}
    assert (await client.delete("/api/sessions/current", headers=headers)).status_code == 403
    assert (await make.sign_in(client, "wang", headers={"Origin": "https://evil.test"})).status_code == 403
    assert await make.status(client, headers) == 200
    assert not await raw("SELECT FROM sign_in_failure")


async def test_bearer_needs_no_header_of_browsers(client):
    await make.person("wang")
    headers = await make.bearer(client, "wang")
    answer = await client.post("/api/me/totp", headers={**headers, "Origin": "capacitor://localhost"})
    assert answer.status_code == 201


async def test_browsers_rotation_sets_the_cookie_anew(client):
    await make.person("wang")
    headers = {"Cookie": await make.cookie(client, "wang"), **BROWSER}
    answer = await client.post("/api/sessions/current/rotation", headers=headers)
    assert answer.json()["token"] is None
    assert await make.status(client, {"Cookie": answer.headers["set-cookie"].split(";")[0]}) == 200


@pytest.mark.parametrize("way", ["signed out", "ended elsewhere", "closed", "over"])
async def test_who_holds_a_token_that_was_taken_back_is_told_so(client, way):
    """A phone clears away what it copied only then; when the sign-in is merely over it keeps it for the next one."""
    person = await make.person("wang")
    with clock.frozen(MORNING):
        headers, other = await make.bearer(client, "wang"), await make.bearer(client, "wang")
        if way == "signed out":
            await client.delete("/api/sessions/current", headers=headers)
        elif way == "ended elsewhere":
            rows = (await client.get("/api/sessions", headers=headers)).json()["items"]
            mine = next(row["id"] for row in rows if row["current"])
            assert (await client.delete(f"/api/sessions/{mine}", headers=other)).status_code == 204
        elif way == "closed":
            await raw("UPDATE person SET disabled_at = now() WHERE id = $1", getattr(person, "person", person))
    with clock.frozen(MORNING + timedelta(days=8 if way == "over" else 0)):
        answer = await client.get("/api/me", headers=headers)
    wanted = "sign_in_needed" if way == "over" else "session_revoked"
    assert (answer.status_code, answer.json()["code"]) == (401, wanted)
