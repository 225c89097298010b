"""Guessing passwords over HTTP: who is made to wait, who never is, what is not kept."""

import asyncio
import logging
from datetime import timedelta

import pytest

from backend import clock
from backend.db import raw
from backend.people import commands, guesses, passwords, sign_in
from tests import make as real
from tests import people_make as make
from tests.people_make import MORNING, PASSWORD, QUICK

WRONG = "Shan-yao-0000"
HOME, ELSEWHERE, THIRD = "198.51.100.7", "203.0.113.9", "192.0.2.1"


@pytest.fixture(autouse=True)
def settings_of(monkeypatch):
    """Sets DUBAN_* for one test. Otherwise nobody is forced to enrol; the test client is a trusted proxy."""
    yield make.quickly(monkeypatch)
    sign_in.running.cache_clear()


async def test_unknown_name_costs_the_same_work_and_gets_the_same_answer(client, monkeypatch):
    await make.person("wang")
    work, verify = [], passwords._verify
    monkeypatch.setattr(passwords, "_verify", lambda *given: (work.append(given), verify(*given))[1])
    answers = [await make.sign_in(client, name, WRONG, origin=HOME) for name in ("wang", "nobody")]
    assert [known for known, _ in work] == [make.QUICK_HASH, passwords.NOBODY]
    bodies = [{**answer.json(), "request_id": None} for answer in answers]
    assert bodies[0] == bodies[1] and bodies[0]["code"] == "wrong_credentials"
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.parametrize("name", ["wang", "nobody"])
async def test_five_wrong_passwords_make_the_sixth_wait_longer_each_time(client, name):
    await make.person("wang")
    with clock.frozen(MORNING):
        for _ in range(5):
            assert (await make.sign_in(client, name, WRONG, origin=HOME)).status_code == 401
        answer = await make.sign_in(client, name, PASSWORD, origin=HOME)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (
            429,
            "too_many",
            "30",
        )
    with clock.frozen(MORNING + timedelta(seconds=30)):
        assert (await make.sign_in(client, name, WRONG, origin=HOME)).status_code == 401
        assert (await make.sign_in(client, name, WRONG, origin=HOME)).headers["retry-after"] == "60"


async def test_pause_ends_and_success_forgets(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        for _ in range(5):
            await make.sign_in(client, "wang", WRONG, origin=HOME)
    with clock.frozen(MORNING + timedelta(seconds=31)):
        assert (await make.sign_in(client, "wang", origin=HOME)).status_code == 201
        assert not await raw("SELECT FROM sign_in_failure")
        assert (await make.sign_in(client, "wang", WRONG, origin=HOME)).status_code == 401


async def test_strangers_cannot_lock_the_owner_out(client):
    await make.person("wang")
    with clock.frozen(MORNING - timedelta(days=89)):
        await make.token(client, "wang", origin=HOME)
    with clock.frozen(MORNING):
        for place in range(5):
            for _ in range(4):
                told = await make.sign_in(client, "wang", WRONG, origin=f"203.0.{place}.9")
                assert told.status_code == 401
        assert (await make.sign_in(client, "wang", origin=THIRD)).status_code == 429
        assert (await make.sign_in(client, "wang", origin=HOME)).status_code == 201
    with clock.frozen(MORNING + timedelta(minutes=16)):
        assert (await make.sign_in(client, "wang", origin=THIRD)).status_code == 201


async def test_network_is_forgotten_after_ninety_days(client):
    await make.person("wang")
    with clock.frozen(MORNING - timedelta(days=90)):
        await make.token(client, "wang", origin=HOME)
    with clock.frozen(MORNING):
        for place in range(20):
            await make.sign_in(client, "wang", WRONG, origin=f"203.0.{place}.9")
        assert (await make.sign_in(client, "wang", origin=HOME)).status_code == 429


async def test_spraying_closes_the_network_but_not_for_those_known_there(client):
    for name in ("wang", "li"):
        await make.person(name)
    with clock.frozen(MORNING):
        await make.token(client, "wang", origin=HOME)
        told = [(await make.sign_in(client, f"name{n}", WRONG, origin=HOME)).status_code for n in range(105)]
        assert told == [401] * 100 + [429] * 5
        assert (await make.sign_in(client, "li", origin=HOME)).status_code == 429
        assert (await make.sign_in(client, "wang", origin=HOME)).status_code == 201
        assert (await make.sign_in(client, "li", origin=ELSEWHERE)).status_code == 201


async def test_client_cannot_choose_its_network_past_the_proxy(client, settings_of):
    settings_of(trusted_proxies="10.0.0.0/8")
    await make.person("wang")
    for n in range(6):
        answer = await make.sign_in(client, "wang", WRONG, origin=f"203.0.{n}.9")
    assert answer.status_code == 429


@pytest.mark.parametrize("at_once", [passwords.AT_ONCE, 50])
async def test_of_fifty_guesses_at_once_five_are_checked(client, monkeypatch, at_once):
    """With 50 turns the queue in this process is out of the way, as between several processes."""
    monkeypatch.setattr(guesses, "_turns", asyncio.Semaphore(at_once))
    await make.person("wang")
    answers = await asyncio.gather(*(make.sign_in(client, "wang", WRONG, origin=HOME) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 45


async def test_morning_rush_of_one_office_is_not_held_back(client):
    names = [f"clerk{n}" for n in range(120)]
    home = await real.unit()
    for name in names:
        await make.person(name, at=home)
    answers = await asyncio.gather(*(make.sign_in(client, name, origin=HOME) for name in names))
    assert {answer.status_code for answer in answers} == {201}


async def test_wrong_old_passwords_are_guesses_too(client):
    await make.person("wang")
    headers = await make.bearer(client, "wang")
    told = [
        await client.post("/api/me/password", json={"old": WRONG, "new": "Xin-kou-ling-7310"}, headers=headers)
        for _ in range(6)
    ]
    assert [answer.status_code for answer in told] == [403] * 5 + [429]


async def test_neither_names_nor_passwords_are_logged_or_kept(client, caplog):
    caplog.set_level(logging.DEBUG)
    await make.person("canaryname")
    for _ in range(7):
        await make.sign_in(client, "canaryname", "Canary-word-7310")
        await make.sign_in(client, "Canary-typed-here-7310", "x")
    kept = " ".join(row["s"] for row in await raw("SELECT sign_in_failure::text AS s FROM sign_in_failure"))
    assert "canary" not in (caplog.text + kept).lower()
    assert "held back" in caplog.text


async def test_old_rows_are_swept(client):
    await make.person("wang")
    with clock.frozen(MORNING):
        await make.token(client, "wang")
        await make.sign_in(client, "wang", WRONG)
    assert await commands.sweep(MORNING + timedelta(hours=23)) == 0
    assert await commands.sweep(MORNING + timedelta(days=2)) == 1
    assert await commands.sweep(MORNING + timedelta(days=91)) == 2
    assert not await raw("SELECT FROM session")


async def test_hash_of_old_costs_is_renewed_at_sign_in(client, monkeypatch):
    await make.person("wang")
    monkeypatch.setattr(passwords, "HASHER", type(QUICK)(time_cost=2, memory_cost=16, parallelism=1))
    await make.token(client, "wang")
    assert (await raw("SELECT password_hash AS h FROM person"))[0]["h"].split("$")[3] == "m=16,t=2,p=1"
    await make.token(client, "wang")
