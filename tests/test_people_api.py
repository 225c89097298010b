"""Accounts, roles, recusals and the list of people over HTTP, and the command line for them."""

import asyncio

import pytest

from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, NotFound
from backend.people import cli, commands, passwords, queries
from backend.roles import MAY, SYSTEM, Actor, Grant, Role
from tests import make
from tests.people_make import QUICK
from tests.people_make import sign_in as attempt

GOOD = "Xin-kou-ling-7310"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", QUICK)


async def headers_of(*roles, at=None):
    return await make.signed_in(await make.person("管理员孙", *roles, at=at))


async def account(**said):
    home = await make.unit()
    content = {
        "id": str(uuid7()),
        "username": "wang.jianguo",
        "name": "王建国",
        "unit": str(home),
        "password": GOOD,
    }
    return content | said


async def verbs():
    return [row["verb"] for row in await raw("SELECT verb FROM event ORDER BY at, id")]


async def test_administrator_adds_a_person_who_can_sign_in(client):
    headers, body = await headers_of(Role.sys_admin), await account(phone="13812345678")
    answer = await client.post("/api/people", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.json() == {key: value for key, value in body.items() if key != "password"}
    assert (await attempt(client, "wang.jianguo", GOOD)).status_code == 201
    assert await verbs() == ["person.added", "person.signed_in"]


async def test_same_id_is_the_same_person_once(client):
    headers, body = await headers_of(Role.sys_admin), await account()
    answers = [await client.post("/api/people", json=body, headers=headers) for _ in range(2)]
    answers += await asyncio.gather(*(client.post("/api/people", json=body, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201} and len({a.text for a in answers}) == 1
    assert await verbs() == ["person.added"]
    other = await client.post("/api/people", json={**body, "name": "王建军"}, headers=headers)
    assert (other.status_code, make.problem(other)["code"]) == (409, "conflict")


async def test_same_new_id_five_times_at_once_is_one_person(client):
    headers, body = await headers_of(Role.sys_admin), await account()
    answers = await asyncio.gather(*(client.post("/api/people", json=body, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert await verbs() == ["person.added"]


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"password": "short"}, 422, "weak_password"),
        ({"password": "Wang.jianguo-7310"}, 422, "weak_password"),
        ({"username": "Wang"}, 400, "malformed"),
        ({"username": "a b"}, 400, "malformed"),
        ({"name": ""}, 400, "malformed"),
        ({"name": "王\0"}, 400, "nul_character"),
        ({"added_at": "2020-01-01T00:00:00Z"}, 400, "unknown_field"),
        ({"unit": str(uuid7())}, 400, "unknown_reference"),
    ],
)
async def test_unfit_account_is_refused_and_leaves_nothing(client, said, status, code):
    headers = await headers_of(Role.sys_admin)
    answer = await client.post("/api/people", json=await account(**said), headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (status, code), answer.text
    assert await verbs() == [] and not await raw("SELECT FROM person WHERE name <> '管理员孙'")


async def test_username_is_used_once(client):
    headers = await headers_of(Role.sys_admin)
    await client.post("/api/people", json=await account(), headers=headers)
    answer = await client.post("/api/people", json=await account(name="王建军"), headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "username_taken")


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.sys_admin, Role.system)])
async def test_nobody_else_administers(client, role):
    headers, someone = await headers_of(role), await make.person("赵")
    body = {"id": str(uuid7()), "role": "inspector", "unit": str(await make.unit())}
    for path, sent in (
        ("/api/people", await account()),
        (f"/api/people/{someone.person}/roles", body),
        (f"/api/people/{someone.person}/disabling", None),
    ):
        answer = await client.post(path, json=sent, headers=headers)
        assert (answer.status_code, make.problem(answer)["code"]) == (403, "not_yours_to_do")
    assert (await client.delete(f"/api/people/{someone.person}/roles/{uuid7()}", headers=headers)).status_code == 403
    assert await verbs() == []


async def test_role_is_granted_once_and_taken_back_once(client):
    headers, someone = await headers_of(Role.sys_admin), await make.person("赵")
    path, unit = f"/api/people/{someone.person}/roles", str(await make.unit())
    body = {"id": str(uuid7()), "role": "unit_handler", "unit": unit}
    for _ in range(2):
        answer = await client.post(path, json=body, headers=headers)
        assert answer.status_code == 201 and answer.json()["role"] == "unit_handler"
    told = [
        await client.post(path, json=changed, headers=headers)
        for changed in ({**body, "role": "inspector"}, {**body, "id": str(uuid7())})
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in told] == [
        (409, "conflict"),
        (409, "already_there"),
    ]
    for _ in range(2):
        assert (await client.delete(f"{path}/{body['id']}", headers=headers)).status_code == 204
    assert (await client.delete(f"{path}/{uuid7()}", headers=headers)).status_code == 404
    assert await verbs() == ["person.role_granted", "person.role_revoked"]
    assert (await client.post(path, json={**body, "id": str(uuid7())}, headers=headers)).status_code == 201


async def test_three_powers_stay_apart(client):
    headers, someone = await headers_of(Role.sys_admin), await make.person("赵", Role.unit_handler)
    path, unit = f"/api/people/{someone.person}/roles", str(await make.unit())
    for role in ("sys_admin", "security_auditor", "system"):
        answer = await client.post(path, json={"id": str(uuid7()), "role": role, "unit": unit}, headers=headers)
        assert (answer.status_code, make.problem(answer)["code"]) == (409, "roles_apart")
    assert await queries.roles_of(someone.person) == [Role.unit_handler]


async def test_two_powers_granted_at_once_are_one(fresh):
    someone, unit = await make.person("赵"), await make.unit()
    for _ in range(20):
        tries = [
            commands.grant_role(SYSTEM, id=uuid7(), person=someone.person, unit=unit, role=role)
            for role in (Role.sys_admin, Role.security_auditor)
        ]
        done = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(type(it) is Conflict for it in done) == [False, True]
        (grant,) = [it for it in done if not isinstance(it, Exception)]
        await commands.revoke_role(SYSTEM, person=someone.person, grant=grant.id)


async def test_disabling_twice_is_disabling_once(client):
    headers, someone = await headers_of(Role.sys_admin), await make.person("赵")
    for _ in range(2):
        answer = await client.post(f"/api/people/{someone.person}/disabling", headers=headers)
        assert answer.status_code == 204
    assert await verbs() == ["person.disabled"]
    assert (await client.post(f"/api/people/{uuid7()}/disabling", headers=headers)).status_code == 404
    body = {"id": str(uuid7()), "role": "inspector", "unit": str(await make.unit())}
    late = await client.post(f"/api/people/{someone.person}/roles", json=body, headers=headers)
    assert (late.status_code, make.problem(late)["code"]) == (409, "disabled")


async def test_me_says_what_i_may_do(client):
    me = await make.person("赵", Role.unit_handler)
    answer = await client.get("/api/me", headers=await make.signed_in(me))
    told = answer.json()
    unit = str(await make.unit())
    assert (told["id"], told["name"], told["unit"]) == (
        str(me.person),
        "赵",
        {"id": unit, "name": "新宾县水务局"},
    )
    place = {"unit": unit, "unit_name": "新宾县水务局", "area": make.XINBIN}
    assert told["roles"] == [{"role": "unit_handler", **place, "may": MAY[Role.unit_handler]}]
    assert (told["recusals"], told["totp"]) == ([], "not_needed")


async def test_recusal_holds_until_the_end_of_its_last_day(client, noon):
    me, other = await make.person("王", Role.inspector), await make.unit("市水务局", area=make.FUSHUN)
    headers = await make.signed_in(me)
    token = passwords.digest(headers["Authorization"][7:])
    body = {"id": str(uuid7()), "unit": str(other), "reason": "亲属在该单位任职", "ends_on": "2026-11-24"}
    for _ in range(2):
        assert (await client.post("/api/me/recusals", json=body, headers=headers)).status_code == 201
    answer = await client.post("/api/me/recusals", json={**body, "reason": "别的"}, headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict")
    (told,) = (await client.get("/api/me", headers=headers)).json()["recusals"]
    assert (told["unit"], told["unit_name"], told["ends_on"]) == (str(other), "市水务局", "2026-11-24")
    for hours, units in ((0, {other}), (11.9, {other}), (12, set())):
        await raw("UPDATE session SET seen_at = $1", make.at(noon, hours=hours))
        session = await queries.live_session(token, make.at(noon, hours=hours))
        assert session and session.actor.recused_units == units, hours


async def test_program_cannot_recuse_itself(fresh):
    with pytest.raises(Forbidden):
        await commands.declare_recusal(SYSTEM, id=uuid7(), unit=await make.unit(), reason="x")


async def test_list_is_whole_for_administrators_and_names_for_the_office(client):
    here = await make.unit("新宾县水务局")
    elsewhere = await make.unit("清原县水务局", area=make.QINGYUAN)
    handler = await make.person("赵", Role.unit_handler, at=here, phone="13812345678")
    await make.person("孙", at=elsewhere)
    office = await headers_of(Role.supervision_staff, at=await make.unit("县督查室", area=make.XINBIN))
    admin = await headers_of(Role.sys_admin, at=here)
    path = f"/api/people?unit={here}"
    (told,) = [p for p in (await client.get(path, headers=office)).json()["items"] if p["name"] == "赵"]
    assert told == {
        "id": str(handler.person),
        "name": "赵",
        "unit": {"id": str(here), "name": "新宾县水务局"},
    }
    (whole,) = [p for p in (await client.get(path, headers=admin)).json()["items"] if p["name"] == "赵"]
    assert whole["phone"] == "13812345678" and whole["roles"][0]["role"] == "unit_handler"
    seen = {p["name"] for p in (await client.get("/api/people", headers=office)).json()["items"]}
    assert "赵" in seen and "孙" not in seen
    assert (await client.get(f"/api/people?unit={elsewhere}", headers=office)).json()["items"] == []
    assert (await client.get("/api/people", headers=await headers_of(Role.inspector))).status_code == 403
    await client.post(f"/api/people/{handler.person}/disabling", headers=admin)
    assert "赵" not in (await client.get(path, headers=office)).text
    assert "disabled_at" in (await client.get(path, headers=admin)).text


async def test_colleagues_of_the_own_unit_are_seen_by_name_and_nobody_elses(client):
    here, elsewhere = await make.unit("新宾县水务局"), await make.unit("清原县水务局", area=make.QINGYUAN)
    handler = await make.person("赵", Role.unit_handler, at=here, phone="13812345678")
    await make.person("钱", Role.unit_principal, at=here)
    headers = await make.signed_in(handler)
    seen = (await client.get(f"/api/people?unit={here}", headers=headers)).json()["items"]
    assert {person["name"] for person in seen} == {"赵", "钱"} and all("phone" not in person for person in seen)
    for path in ("/api/people", f"/api/people?unit={elsewhere}"):
        assert (await client.get(path, headers=headers)).status_code == 403


async def test_long_list_is_read_page_by_page(client):
    here = await make.unit()
    await raw(
        "INSERT INTO person (id, username, name, unit, password_hash, added_at) SELECT "
        "gen_random_uuid(), 'clerk' || n, '职员' || n, $1, '!', now() FROM generate_series(1, 205) n",
        here,
    )
    headers, seen, cursor, pages = await headers_of(Role.sys_admin), set(), "", 0
    while cursor is not None:
        answer = (await client.get(f"/api/people?unit={here}{cursor}", headers=headers)).json()
        seen |= {person["id"] for person in answer["items"]}
        cursor, pages = answer["next"] and f"&cursor={answer['next']}", pages + 1
    assert (len(seen), pages) == (206, 3)


async def command_line(*words):
    chosen = cli.parser().parse_args(words)
    await cli.VERBS[chosen.verb](chosen)


async def test_command_line_adds_lists_and_disables(client, capsys):
    unit = await make.unit()
    await command_line(
        "add",
        "--username",
        "Li",
        "--name",
        "李审核",
        "--unit",
        "新宾县水务局",
        "--role",
        "lead_unit_reviewer",
    )
    made = capsys.readouterr().out.split("：")[-1].strip()
    answer = await attempt(client, "li", made)
    assert answer.status_code == 201 and answer.json()["person"]["roles"][0]["unit"] == str(unit)
    await command_line("list")
    assert "li  李审核  新宾县水务局  lead_unit_reviewer@新宾县水务局" in capsys.readouterr().out
    await command_line("password", "li")
    assert (await attempt(client, "li", made)).status_code == 401
    made = capsys.readouterr().out.split("：")[-1].strip()
    assert (await attempt(client, "li", made)).status_code == 201
    await command_line("disable", "li")
    assert (await attempt(client, "li", made)).status_code == 401


async def test_command_line_resets_a_lost_phone(client, capsys):
    person = (await make.person("赵")).person
    await raw(
        "UPDATE person SET username = 'zhao', totp_secret = 'X', totp_confirmed_at = added_at, totp_last_step = 9"
    )
    headers = await make.signed_in(Actor(person, "赵"))
    await command_line("totp-reset", "zhao")
    (row,) = await raw("SELECT totp_secret, totp_confirmed_at, totp_last_step FROM person")
    assert tuple(row) == (None, None, None)
    assert (await client.get("/api/me", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "words", ["--role king", "--role inspector@月球", "--role sys_admin --role inspector", "--unit 月球"]
)
async def test_command_line_refuses_before_anything_is_written(fresh, words):
    await make.unit()
    said = ["add", "--username", "li", "--name", "李", "--unit", "新宾县水务局", *words.split()]
    with pytest.raises(BadRequest):
        await command_line(*said)
    assert not await raw("SELECT FROM person")


async def test_command_line_knows_who_is_meant(fresh):
    for verb in ("password", "disable", "totp-reset"):
        with pytest.raises(NotFound):
            await command_line(verb, "nobody")


async def test_actor_carries_the_units_region(fresh):
    someone = await make.person("赵", Role.unit_handler)
    headers = await make.signed_in(someone)
    session = await queries.live_session(passwords.digest(headers["Authorization"][7:]), make.clock.now())
    assert session and session.actor.grants == (Grant(Role.unit_handler, await make.unit(), make.XINBIN),)
