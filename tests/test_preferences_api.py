"""Preferences and absences over HTTP: the ladder of each verb, who sees what, and once however often."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def get(client, who, path: str) -> dict:
    answer = await client.get(path, headers=await make.signed_in(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def events(verb: str) -> int:
    return len(await raw("SELECT 1 FROM event WHERE verb = $1", verb))


# ── preferences ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_set_nothing_has_quiet_nights_and_one_digest(client, it):
    told = await get(client, it.handler, "/api/notices/preferences")
    assert told["changed_at"] is None
    assert (told["quiet_from"], told["quiet_to"], told["rest_days_quiet"]) == ("21:00", "07:30", True)
    assert (told["digest"], told["digest_time"], told["normal"]) == (True, "09:10", ["web_push", "mail"])


async def test_preferences_are_ones_own_and_kept(client, it):
    call = await calls.choose_preferences(it)
    assert (await client.request(call.method, call.path, json=call.body)).status_code == 401
    answer = await call.made(client)
    assert answer.status_code == 200, answer.text
    assert {**answer.json(), "changed_at": None} == {**calls.PREFERENCES, "changed_at": None}
    assert await get(client, it.handler, call.path) == answer.json()
    assert (await get(client, it.principal, call.path))["changed_at"] is None
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        assert (await call.made(client)).json() == answer.json()  # said again, nothing changes
    assert await events("notices.chosen") == 1


@pytest.mark.parametrize(
    ("wrong", "status", "code", "field"),
    [
        ({"at_once": ["telegram"]}, 400, "malformed", "at_once[0]"),
        ({"at_once": ["mail", "mail"]}, 400, "notices.channel_twice", "at_once"),
        ({"normal": ["dingtalk"]}, 422, "notices.robot_not_urgent", "normal"),
        ({"digest_time": "07:00"}, 422, "notices.digest_in_quiet", "digest_time"),
        ({"quiet_from": "24:00"}, 400, "malformed", "quiet_from"),
        ({"quiet_to": "7:30"}, 400, "malformed", "quiet_to"),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_a_sentence(client, it, wrong, status, code, field):
    call = await calls.choose_preferences(it)
    answer = await call.made(client, json={**calls.PREFERENCES, **wrong})
    assert (answer.status_code, make.problem(answer)["code"], make.problem(answer)["field"]) == (status, code, field)
    assert await raw("SELECT 1 FROM notice_preference") == [] and await events("notices.chosen") == 0


async def test_the_app_itself_is_always_there_and_no_choice(client, it):
    call = await calls.choose_preferences(it)
    answer = await call.made(client, json={**calls.PREFERENCES, "at_once": ["in_app"], "normal": ["in_app", "mail"]})
    assert (answer.json()["at_once"], answer.json()["normal"]) == ([], ["mail"])


# ── absences ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_absence_is_entered_once_seen_by_those_it_concerns_and_ended(client, it):
    call = await calls.enter_absence(it)
    assert (await client.request(call.method, call.path, json=call.body)).status_code == 401
    first = await call.made(client)
    assert first.status_code == 200, first.text
    assert (
        first.json()["person_name"] == "经办赵" and first.json()["deputy_name"] == "局长钱" and first.json()["current"]
    )
    assert (await call.made(client)).json() == first.json()
    colleague = await make.person("经办钱", Role.unit_handler, at=it.responsible)
    for person, sees in (
        (it.handler, [True]), (it.principal, [True]), (it.stranger, []), (it.staff, []), (colleague, []),
    ):  # fmt: skip
        seen = (await get(client, person, "/api/notices/absences"))["items"]
        assert [absence["may_end"] for absence in seen] == sees
    assert await events("absence.entered") == 1
    other = await call.made(client, json={**call.body, "last_day": "2026-12-01"})
    assert (other.status_code, make.problem(other)["code"]) == (409, "conflict")
    again = await call.made(client, path=f"/api/notices/absences/{uuid7()}")
    assert (again.status_code, make.problem(again)["code"]) == (409, "absence.overlaps")
    for _ in range(2):
        assert (await client.delete(call.path, headers=call.headers)).status_code == 204
    assert await events("absence.ended") == 1
    assert (await get(client, it.handler, "/api/notices/absences"))["items"] == []
    past = (await get(client, it.handler, "/api/notices/absences?past=true"))["items"]
    assert len(past) == 1 and past[0]["ended_at"] == "2026-11-24T04:00:00Z" and not past[0]["current"]
    assert (await call.made(client, path=f"/api/notices/absences/{uuid7()}")).status_code == 200  # the days are free


async def test_ending_is_for_who_may_enter(client, it):
    id = await make.absence(it.handler, it.principal)
    path = f"/api/notices/absences/{id}"
    assert (await client.delete(path)).status_code == 401
    for person in (it.stranger, it.staff):
        assert (await client.delete(path, headers=await make.signed_in(person))).status_code == 404
    assert (await client.delete(path, headers=await make.signed_in(it.principal))).status_code == 204
    boss = await make.absence(it.boss, it.staff)
    refused = await client.delete(f"/api/notices/absences/{boss}", headers=await make.signed_in(it.staff))
    assert (refused.status_code, make.problem(refused)["code"]) == (403, "not_yours_to_do")  # the deputy sees it
    (shown,) = (await get(client, it.staff, "/api/notices/absences"))["items"]
    assert shown["deputy_name"] == "督查办周" and not shown["may_end"]
    missing = await client.delete(f"/api/notices/absences/{uuid7()}", headers=await make.signed_in(it.boss))
    assert missing.status_code == 404


async def test_for_others_and_for_the_unit_only_who_answers_for_it(client, it):
    colleague = await make.person("经办钱", Role.unit_handler, at=it.responsible)
    days = {"first_day": "2026-11-24", "last_day": "2026-11-30", "deputy": str(colleague.person)}
    for who in ({"person": str(it.handler.person)}, {"unit": str(it.responsible)}):
        for asks, status in ((colleague, 403), (it.boss, 403), (it.principal, 200)):
            answer = await client.put(
                f"/api/notices/absences/{uuid7()}", json={**days, **who}, headers=await make.signed_in(asks)
            )
            assert answer.status_code == status, (who, asks.name, answer.text)


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"first_day": "2026-12-01"}, 422, "absence.ends_before_it_begins"),
        ({"first_day": "2026-11-01", "last_day": "2026-11-23"}, 422, "absence.over"),
        ({"last_day": "2028-11-30"}, 422, "absence.too_long"),
        ({"deputy": "self"}, 422, "absence.own_deputy"),
        ({"deputy": "stranger"}, 422, "absence.deputy_cannot_see"),
        ({"deputy": "nobody"}, 422, "absence.deputy_cannot_see"),
        ({"person": "handler", "unit": "own"}, 422, "absence.who"),
        ({"first_day": "24.11.2026"}, 400, "malformed"),
        ({"reason": "体检"}, 400, "unknown_field"),  # nobody is asked why
    ],
)
async def test_what_will_not_do_is_refused_in_a_sentence(client, it, wrong, status, code):
    call = await calls.enter_absence(it)
    named = {
        "self": it.handler.person, "stranger": it.stranger.person, "nobody": uuid4(), "handler": it.handler.person,
        "own": it.responsible,
    }  # fmt: skip
    said = {key: str(named.get(value, value)) for key, value in wrong.items()}
    answer = await call.made(client, json={**call.body, **said})
    assert (answer.status_code, make.problem(answer)["code"]) == (status, code)
    assert await raw("SELECT 1 FROM absence") == []


async def test_who_could_stand_in_is_offered_and_is_taken(client, it):
    colleague = await make.person("经办钱", Role.unit_handler, at=it.responsible)
    closed = await make.person("经办郑", Role.unit_handler, at=it.responsible)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), closed.person)
    assert (await client.get("/api/notices/deputies")).status_code == 401
    for who, names in (
        (it.handler, {"局长钱", "经办钱"}),
        (it.boss, {"督查办周", "市领导陈"}),
        (it.reviewer, set()),  # the only one there
        (it.inspector, set()),  # nobody sees for a team
    ):
        offered = (await get(client, who, "/api/notices/deputies"))["items"]
        assert {one["name"] for one in offered} == names
        for one in offered:
            days = {"first_day": "2026-11-24", "last_day": "2026-11-24", "deputy": one["id"]}
            path, headers = f"/api/notices/absences/{uuid7()}", await make.signed_in(who)
            assert (await client.put(path, json=days, headers=headers)).status_code == 200
            await client.delete(path, headers=headers)
    for asks, status in ((it.principal, 200), (colleague, 403), (it.stranger, 403)):
        for whom in (f"person={it.handler.person}", f"unit={it.responsible}"):
            answer = await client.get(f"/api/notices/deputies?{whom}", headers=await make.signed_in(asks))
            assert answer.status_code == status


async def test_of_many_at_once_for_the_same_days_one_stands(client, it):
    headers = await make.signed_in(it.handler)
    body = (await calls.enter_absence(it)).body
    answers = await asyncio.gather(
        *(client.put(f"/api/notices/absences/{uuid7()}", json=body, headers=headers) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    assert len(await raw("SELECT 1 FROM absence")) == 1


async def test_a_unit_that_is_away_names_somebody_on_duty(client, it):
    headers, id = await make.signed_in(it.principal), uuid7()
    body = {"unit": str(it.responsible), "deputy": str(it.handler.person), "first_day": "2026-11-24",
            "last_day": "2026-11-30"}  # fmt: skip
    answer = await client.put(f"/api/notices/absences/{id}", json=body, headers=headers)
    assert (answer.status_code, answer.json()["unit_name"]) == (200, "新宾县水务局")
    assert UUID(answer.json()["deputy"]) == it.handler.person and answer.json()["person"] is None
