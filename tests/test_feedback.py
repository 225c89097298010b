"""投诉建议: the rules, the ladder of each verb, who reads it, who is told, and its pictures."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from backend.columns import uuid7
from backend.db import raw
from backend.errors import Forbidden, Incomplete, WrongState
from backend.feedback import rules
from backend.feedback.rules import Deed, Facts, Kind, Standing
from backend.roles import Actor, Grant, Role
from tests import calls, make

NOON = datetime(2026, 11, 24, 4, tzinfo=UTC)


def somebody(*roles: Role) -> Actor:
    return Actor(uuid4(), "某人", tuple(Grant(role, uuid4(), make.FUSHUN) for role in roles))


def given(kind: Kind = Kind.suggestion, answers: int = 0, closed: bool = False, by: UUID | None = None) -> Facts:
    return Facts(by or uuid4(), kind, answers, NOON if closed else None)


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("kind", list(Kind))
def test_the_office_answers_and_the_administrator_answers_faults(role, kind):
    may = role in (Role.supervision_staff, Role.supervision_leader) or (role, kind) == (Role.sys_admin, Kind.fault)
    assert (rules.may_answer(somebody(role), given(kind)) is None) == may


def test_nobody_answers_themselves():
    boss = somebody(Role.supervision_leader)
    assert rules.may_answer(boss, given(by=boss.person)) is not None
    assert rules.deeds(boss, given(by=boss.person)) == []


def test_buttons_end_with_the_closing():
    boss = somebody(Role.supervision_leader)
    assert rules.deeds(boss, given()) == [Deed.answer, Deed.close] and rules.deeds(boss, given(closed=True)) == []
    for check, said in ((rules.check_answer, "好的。"), (rules.check_closing, "")):
        with pytest.raises(WrongState):
            check(boss, given(answers=1, closed=True), said)
        with pytest.raises(Forbidden):
            check(somebody(Role.unit_handler), given(closed=True), said)


def test_an_answer_says_something_and_a_closing_without_one_says_why():
    boss = somebody(Role.supervision_leader)
    with pytest.raises(Incomplete):
        rules.check_answer(boss, given(), "  ")
    with pytest.raises(Incomplete):
        rules.check_closing(boss, given(), " ")
    rules.check_closing(boss, given(answers=1), "")
    rules.check_closing(boss, given(), "与本系统无关。")


def test_how_far_it_has_come():
    assert rules.standing(0, None) == Standing.waiting and rules.standing(2, None) == Standing.answered
    assert rules.standing(0, NOON) == Standing.closed


# ── over HTTP ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def listed(client, person: Actor, **asked: object) -> dict:
    answer = await client.get("/api/feedback", headers=await make.signed_in(person), params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def events(verb: str) -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = $1", verb))[0]["n"]


async def test_the_ladder_of_giving(client, it):
    call = await calls.give_feedback(it)
    before = await calls.snapshot()
    assert (await call.made(client, headers={})).status_code == 401
    for wrong, code, field in (
        ({"text": "  "}, "malformed", "text"),
        ({"kind": "praise"}, "malformed", "kind"),
        ({"phone": "13812345678"}, "unknown_field", "phone"),
    ):
        answer = await call.made(client, json=call.body | wrong)
        assert (answer.status_code, make.problem(answer)["code"], make.problem(answer)["field"]) == (400, code, field)
    assert await calls.snapshot() == before

    first, again = [await call.made(client) for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json()) and await events("feedback.given") == 1
    told = first.json()
    assert (told["standing"], told["own"], told["moves"], told["declared"], told["arrived"]) == (
        "waiting", True, [], 1, 0,
    )  # fmt: skip
    other = await call.made(client, json=call.body | {"text": "别的话。"})
    files = await call.made(client, json=call.body | {"evidence": []})
    assert (other.status_code, files.status_code) == (409, 409)
    stranger = await call.made(client, headers=await make.signed_in(it.stranger))
    assert (stranger.status_code, make.problem(stranger)["code"]) == (409, "conflict")


@pytest.mark.parametrize(("name", "verb"), [("answers", "feedback.answered"), ("closing", "feedback.closed")])
async def test_the_ladder_of_answering_and_closing(client, it, name, verb):
    call = await (calls.answer_feedback(it) if name == "answers" else calls.close_feedback(it))
    empty = call.body | ({"text": " "} if name == "answers" else {"note": " "})
    before = await calls.snapshot()
    assert (await call.made(client, headers={})).status_code == 401
    for person in (it.stranger, it.principal, it.inspector):
        assert (await call.made(client, headers=await make.signed_in(person))).status_code == 404
    gone = await call.made(client, path=f"/api/feedback/{uuid7()}/{name}")
    own = await call.made(client, headers=await make.signed_in(it.handler))
    assert (gone.status_code, own.status_code) == (404, 403)
    assert (await call.made(client, json=empty)).status_code == 422
    assert (await call.made(client, json=call.body | {"at": "now"})).status_code == 400
    assert await calls.snapshot() == before

    first, again = [await call.made(client) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201) and await events(verb) == 1
    other = await call.made(client, headers=await make.signed_in(it.boss))
    assert other.status_code == 409
    if name == "closing":
        late = await client.post(call.path.replace("closing", "answers"), headers=call.headers, json={
            "id": str(uuid7()), "text": "晚了。",
        })  # fmt: skip
        assert (late.status_code, make.problem(late)["code"]) == (409, "feedback.closed")


async def test_its_giver_reads_the_answer_and_the_office_its_area(client, it, settle):
    id = await calls.feedback_given(it)
    await settle()
    told = await raw("SELECT person, reason FROM notice WHERE verb = 'feedback.given'")
    assert {(row["person"], row["reason"]) for row in told} == {(it.staff.person, "office"), (it.boss.person, "office")}
    assert (await listed(client, it.handler))["waiting"] == 1
    assert [row["id"] for row in (await listed(client, it.staff, own=False))["items"]] == [str(id)]
    assert (await listed(client, it.staff))["items"] == []
    for person in (it.stranger, it.principal, it.inspector, it.leader):
        assert (await listed(client, person, own=False))["items"] == []

    headers = await make.signed_in(it.staff)
    path = f"/api/feedback/{id}"
    await client.post(f"{path}/answers", headers=headers, json={"id": str(uuid7()), "text": "“我的”里可以放大字号。"})
    await client.post(f"{path}/closing", headers=headers, json={})
    await settle()
    seen = (await client.get(path, headers=await make.signed_in(it.handler))).json()
    assert seen["answers"][0]["text"].startswith("“我的”") and seen["standing"] == "closed"
    notices = (await client.get("/api/notices", headers=await make.signed_in(it.handler))).json()["items"]
    assert {(row["verb"], row["why"], row["link"]) for row in notices} == {
        ("feedback.answered", "asker", path), ("feedback.closed", "asker", path),
    }  # fmt: skip
    assert (await listed(client, it.staff, own=False, standing="waiting"))["items"] == []
    assert len((await listed(client, it.staff, own=False, standing="closed"))["items"]) == 1


async def test_the_administrator_reads_faults_and_no_pictures(client, it):
    admin = await make.person("管理员孙", Role.sys_admin, at=await make.unit("市扶贫办", area=make.FUSHUN))
    await calls.feedback_given(it)
    call = await calls.give_feedback(it)
    fault = await call.made(client, json=call.body | {"kind": "fault"})
    file, id = fault.json()["evidence"][0]["id"], fault.json()["id"]
    seen = (await listed(client, admin, own=False))["items"]
    assert [(row["id"], row["evidence"], row["moves"]) for row in seen] == [(id, [], ["answer", "close"])]
    for person, status in ((admin, 404), (it.stranger, 404), (it.handler, 200), (it.staff, 200)):
        answer = await client.get(f"/api/evidence/{file}", headers=await make.signed_in(person))
        assert answer.status_code == status, (person.name, answer.text)


async def test_pages_follow_each_other_without_gap(client, it):
    ids = [str(await calls.feedback_given(it)) for _ in range(3)]
    first = await listed(client, it.handler, limit=2)
    rest = await listed(client, it.handler, limit=2, cursor=first["next"])
    assert [row["id"] for row in first["items"] + rest["items"]] == sorted(ids, reverse=True) and rest["next"] is None
