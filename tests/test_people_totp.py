"""The second factor over HTTP: enrolling, codes that work once, roles that must have it."""

import asyncio
from datetime import timedelta

import pyotp
import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.people import commands, guesses, rules, sign_in
from backend.piccolo_migrations import backend_totp_protected
from backend.roles import SYSTEM, Role
from tests import people_make as make
from tests.people_make import MORNING

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def settings_of(monkeypatch):
    """Sets DUBAN_* for one test. Otherwise nobody is forced to enrol; the test client is a trusted proxy."""
    yield make.quickly(monkeypatch)
    sign_in.running.cache_clear()


async def enrolled(client, username):
    """The secret of a second factor confirmed just now, and headers of the session that did it."""
    headers = await make.bearer(client, username)
    secret = (await client.post("/api/me/totp", headers=headers)).json()["secret"]
    answer = await client.post("/api/me/totp/confirmation", json={"code": code_of(secret)}, headers=headers)
    assert answer.status_code == 201, answer.text
    return secret, headers


def code_of(secret, late=0):
    return pyotp.TOTP(secret).at(int(clock.now().timestamp()) + 30 * late)


async def test_confirmed_second_factor_is_asked_for_and_checked(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        other = await make.bearer(client, "wang")
        secret, headers = await enrolled(client, "wang")
        assert (await client.get("/api/me", headers=headers)).json()["totp"] == "confirmed"
        assert await make.status(client, other) == 401
    with clock.frozen(MORNING + 5 * MINUTE):
        answer = await make.sign_in(client, "wang")
        assert (answer.status_code, answer.json()["code"]) == (401, "otp_needed")
        assert not await raw("SELECT FROM sign_in_failure")
        answer = await make.sign_in(client, "wang", otp="000000" if code_of(secret) != "000000" else "000001")
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
        assert len(await raw("SELECT FROM sign_in_failure")) == 1
        answer = await make.sign_in(client, "wang", otp=code_of(secret))
        assert (answer.status_code, answer.json()["totp"]) == (201, "confirmed")


async def test_code_is_accepted_once(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        secret, _ = await enrolled(client, "wang")
        used = await make.sign_in(client, "wang", otp=code_of(secret))
        assert used.status_code == 401, "the code that confirmed the secret is used up"
    with clock.frozen(MORNING + MINUTE):
        for late, told in ((0, 201), (0, 401), (-1, 401), (1, 201), (1, 401), (2, 401)):
            assert (await make.sign_in(client, "wang", otp=code_of(secret, late))).status_code == told, late


async def test_code_sent_ten_times_at_once_signs_in_once(client, monkeypatch):
    monkeypatch.setattr(guesses, "_turns", asyncio.Semaphore(10))
    monkeypatch.setattr(rules, "PAIR_LIMIT", 50)
    await make.person("wang")
    with clock.frozen(MORNING):
        secret, _ = await enrolled(client, "wang")
    with clock.frozen(MORNING + 5 * MINUTE):
        tries = (make.sign_in(client, "wang", otp=code_of(secret)) for _ in range(10))
        assert sorted(answer.status_code for answer in await asyncio.gather(*tries)) == [201] + [401] * 9


async def test_unconfirmed_secret_changes_nothing(client):
    await make.person("wang")
    headers = await make.bearer(client, "wang")
    assert (await client.post("/api/me/totp/confirmation", json={"code": "1"}, headers=headers)).status_code == 409
    await client.post("/api/me/totp", headers=headers)
    wrong = await client.post("/api/me/totp/confirmation", json={"code": "1"}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_code")
    assert (await make.sign_in(client, "wang")).status_code == 201


async def test_second_secret_needs_a_reset(client):
    person = await make.person("wang")
    _, headers = await enrolled(client, "wang")
    assert (await client.post("/api/me/totp", headers=headers)).status_code == 409
    await commands.reset_totp(SYSTEM, person=person)
    assert await make.status(client, headers) == 401
    assert (await make.sign_in(client, "wang")).status_code == 201


async def test_enforced_second_factor_leaves_only_enrolment(client, settings_of):
    await make.person("zhou", Role.supervision_staff)
    settings_of(totp="enforced")
    answer = await make.sign_in(client, "zhou")
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert answer.json()["totp"] == "needed_enrolment"
    for method, path in (("GET", "/api/sessions"), ("GET", "/api/people"), ("POST", "/api/me/password")):
        told = await client.request(method, path, headers=headers)
        assert (told.status_code, told.json()["code"]) == (403, "totp_enrolment_needed")
    assert (await client.get("/api/me", headers=headers)).json()["totp"] == "needed_enrolment"
    secret = (await client.post("/api/me/totp", headers=headers)).json()["secret"]
    await client.post("/api/me/totp/confirmation", json={"code": code_of(secret)}, headers=headers)
    assert (await client.get("/api/people", headers=headers)).status_code == 200
    assert (await client.delete("/api/sessions/current", headers=headers)).status_code == 204


async def test_role_that_needs_two_factors_binds_sessions_already_open(client, settings_of):
    settings_of(totp="enforced")
    person = await make.person("wang", Role.inspector)
    headers = await make.bearer(client, "wang")
    assert (await client.get("/api/sessions", headers=headers)).status_code == 200
    (row,) = await raw("SELECT unit FROM person")
    await commands.grant_role(SYSTEM, id=uuid7(), person=person, unit=row["unit"], role=Role.supervision_leader)
    assert (await client.get("/api/sessions", headers=headers)).status_code == 403


async def test_optional_second_factor_forces_nobody(client):
    await make.person("zhou", Role.supervision_staff)
    answer = await make.sign_in(client, "zhou")
    assert answer.json()["totp"] == "not_needed"
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.get("/api/sessions", headers=headers)).status_code == 200


async def test_secrets_are_encrypted_and_a_copied_one_makes_no_codes_for_another(client):
    """Who can read the database cannot make codes, and who can write to it cannot lend out their own."""
    await make.person("wang")
    await make.person("li")
    with clock.frozen(MORNING):
        secret, _ = await enrolled(client, "wang")
        await enrolled(client, "li")
    rows = await raw("SELECT string_agg(it::text, '') AS all FROM person AS it")
    assert secret not in rows[0]["all"]
    await raw(
        "UPDATE person SET totp_secret = (SELECT totp_secret FROM person WHERE username = 'wang') WHERE username = 'li'"
    )
    with clock.frozen(MORNING + 5 * MINUTE):
        answer = await make.sign_in(client, "li", otp=code_of(secret))
        assert (answer.status_code, answer.json()["code"]) == (500, "protected_unreadable")
        assert (await make.sign_in(client, "wang", otp=code_of(secret))).status_code == 201


async def test_secrets_of_before_are_encrypted_where_they_stand_and_go_on_working(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        secret, _ = await enrolled(client, "wang")
    await raw("UPDATE person SET totp_secret = $1", secret)
    for _ in range(2):  # what is encrypted already stays
        await backend_totp_protected.protect()
    (row,) = await raw("SELECT totp_secret FROM person")
    assert secret not in row["totp_secret"]
    with clock.frozen(MORNING + 5 * MINUTE):
        assert (await make.sign_in(client, "wang", otp=code_of(secret))).status_code == 201
