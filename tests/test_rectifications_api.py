"""Rectifications over HTTP: the same ladder of refusals for every verb, then once and only once; lists and timeline."""

import asyncio
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from inspections.findings.rules import ClosingClass
from tasks.rectifications.item import Status
from tests import calls, make
from tests.calls import Call
from tests.make import Cast


@dataclass(frozen=True)
class Rung:
    """What a verb's ladder is climbed with."""

    sees_but_may_not: str  # who of the cast
    wrong_state: Status
    incomplete: dict[str, Any]  # changes of the body
    field: str | None  # None: nothing can be missing, but another record is in the way
    event: str
    end: str


RUNGS = {
    "issue": Rung("inspector", Status.issued, {}, "responsible_units", "issued", "issued"),
    "acknowledgement": Rung(
        "staff", Status.working, {"responsible_person": " "}, "responsible_person", "acknowledged", "working"
    ),
    "reports": Rung("reviewer", Status.issued, {"note": " \n"}, "note", "reported", "working"),
    "hand-ins": Rung("leader", Status.issued, {"evidence": []}, "evidence", "handed_in", "handed_in"),
    "hand-ins/{hand_in_id}/confirmation": Rung(
        "handler", Status.voided, {"upheld": False, "note": ""}, "note", "hand_in_withdrawn", "working"
    ),
    "first-pass": Rung("handler", Status.working, {"opinion": ""}, "opinion", "passed", "passed"),
    "returns": Rung("boss", Status.working, {"reason_code": None}, "reason_code", "sent_back", "working"),
    "closure": Rung("staff", Status.handed_in, {"opinion": " "}, "opinion", "closed", "closed"),
    "voiding": Rung("staff", Status.closed, {"note": ""}, "note", "void_asked", "issued"),
    "voiding/confirmation": Rung("boss", Status.closed, {}, None, "voided", "voided"),
    "voiding/refusal": Rung("leader", Status.closed, {"note": " "}, "note", "void_declined", "issued"),
    "dropping": Rung("inspector", Status.issued, {"note": " "}, "note", "dropped", "voided"),
    "objections": Rung("handler", Status.handed_in, {"ground": None}, "ground", "objected", "issued"),
    "objections/{objection_id}/decision": Rung(
        "inspector", Status.voided, {"note": " "}, "note", "redirected", "issued"
    ),
    "measures": Rung("reviewer", Status.issued, {"text": " "}, "text", "measure_planned", "working"),
    "measures/{measure_id}/completion": Rung("staff", Status.voided, {"note": "\n"}, "note", "measure_done", "working"),
    "measures/{measure_id}/dropping": Rung("leader", Status.voided, {"note": ""}, "note", "measure_dropped", "working"),
    "extensions": Rung("handler", Status.issued, {"due_on": None}, "due_on", "extension_asked", "working"),
    "extensions/{extension_id}/decision": Rung(
        "principal", Status.voided, {"opinion": " "}, "opinion", "extended", "working"
    ),
    "site-checks": Rung("reviewer", Status.handed_in, {"checkers": []}, "checkers", "check_assigned", "passed"),
    "site-checks/{check_id}/conclusion": Rung(
        "staff", Status.voided, {"present": []}, "checkers", "check_failed", "working"
    ),
    "publicity": Rung("inspector", Status.handed_in, {"text": "\n"}, "text", "published", "passed"),
    "publicity/{publicity_id}/objections": Rung(
        "reviewer", Status.voided, {"note": ""}, "note", "public_objection_taken", "passed"
    ),
    "public-objections/{objection_id}/decision": Rung(
        "principal", Status.voided, {"note": ""}, "note", "public_objection_upheld", "working"
    ),
    "hanging": Rung("staff", Status.handed_in, {"paper": " "}, "paper", "hung", "hung"),
    "resumption": Rung("handler", Status.working, {"due_on": None}, "due_on", "resumed", "working"),
    "look-backs": Rung("leader", Status.passed, {"result": None}, "result", "looked_back", "closed"),
    "reopening": Rung("staff", Status.passed, {"evidence": []}, "evidence", "reopened", "working"),
}
DECISIONS = [name for name in calls.VERBS if "_id}/" in name.split("{item_id}/")[1]]


def verb(name: str) -> str:
    return name.split("{item_id}/")[1]


def item_of(call: Call) -> UUID:
    return UUID(call.path.split("/")[3])


async def happened(verb: str, subject: UUID) -> int:
    rows = await raw("SELECT count(*) AS n FROM event WHERE verb = $1 AND subject = $2", verb, subject)
    return rows[0]["n"]


async def incomplete(it: Cast, call: Call, rung: Rung) -> Call:
    """The same person asking for the same move with something missing."""
    if verb_of(call) == "issue":
        id = await make.rectification(it, Status.draft, responsible_units=frozenset())
        return Call("POST", f"/api/rectifications/{id}/issue", call.headers, {})
    if rung.field is None:
        id = await make.rectification(it, Status.issued)
        return Call("POST", f"/api/rectifications/{id}/voiding/confirmation", call.headers)
    assert isinstance(call.body, dict)
    return Call("POST", call.path, call.headers, call.body | rung.incomplete)


async def out_of_season(it: Cast, name: str, call: Call, rung: Rung) -> str:
    """The path of the same move of an item that is not where it should be; an answer needs what it answers to."""
    if name not in DECISIONS:
        return call.path.replace(str(item_of(call)), str(await make.rectification(it, rung.wrong_state)))
    other = await calls.VERBS[name](it)
    await make._void(it, item_of(other))
    return other.path


def verb_of(call: Call) -> str:
    return call.path.split("/", 4)[4]


@pytest.mark.parametrize("name", calls.VERBS, ids=verb)
async def test_every_verb_climbs_the_same_ladder(client, noon, name):
    it = await make.cast()
    call, rung = await calls.VERBS[name](it), RUNGS[verb(name)]
    if call.body and "duplicate_of" in call.body:
        call.body["duplicate_of"] = None
    short = await incomplete(it, call, rung)
    wrong = await out_of_season(it, name, call, rung)
    stranger = await make.signed_in(it.stranger)
    onlooker = await make.signed_in(getattr(it, rung.sees_but_may_not))
    before, item = await calls.snapshot(), item_of(call)

    async def refused(status: int, code: str, **other: Any) -> dict[str, Any]:
        answer = await call.made(client, **other)
        told = make.problem(answer)
        assert (answer.status_code, told["code"]) == (status, code), answer.text
        return told

    await refused(401, "sign_in_needed", headers={})
    unseen = await refused(404, "not_found", headers=stranger)
    missing = await refused(404, "not_found", path=call.path.replace(str(item), str(uuid7())))
    assert {**unseen, "request_id": ""} == {**missing, "request_id": ""}
    await refused(403, "not_yours_to_do", headers=onlooker)
    other_id = {**call.body, "id": str(uuid7())} if isinstance(call.body, dict) and "id" in call.body else call.body
    told = await refused(409, "wrong_state", path=wrong, **({"json": other_id} if other_id else {}))
    assert told["details"]["status"] == rung.wrong_state
    answer = await short.made(client)
    told = make.problem(answer)
    expected = (422, "incomplete", rung.field) if rung.field else (409, "blocked", None)
    assert (answer.status_code, told["code"], told.get("field")) == expected, answer.text
    if call.body:
        await refused(400, "malformed", json=[])
    assert await calls.snapshot() == before

    answers = await asyncio.gather(*(call.made(client) for _ in range(20)))
    works = [answer for answer in answers if answer.status_code == 201]
    if isinstance(call.body, dict) and "id" in call.body:
        assert len(works) == 20, [answer.text for answer in answers]
        changed = {"id": call.body["id"], **{key: _other(value) for key, value in call.body.items() if key != "id"}}
        told = await refused(409, "conflict", json=changed)
        assert told["field"] == "id"
    elif verb(name).startswith("voiding/") or name in DECISIONS:
        # An answer to what was asked: the same person's again is the same, and another one comes too late.
        assert len(works) == 20, [answer.text for answer in answers]
        if name in DECISIONS:
            said = "opinion" if "opinion" in call.body else "note"
            told = make.problem(await call.made(client, json=call.body | {said: "另一种说法。"}))
            assert told["status"] == 409 and told["code"] in ("blocked", "wrong_state"), told
    else:  # made at a desk, without an id: the second time it is the wrong state
        assert len(works) == 1
        assert {answer.status_code for answer in answers} == {201, 409}
    assert works[0].json()["status"] == rung.end
    assert await happened(f"rectification.{rung.event}", item) == 1


def _other(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case int():
            return value + 1
        case "partly_done" | "jurisdiction" | "season" | "rebounded":
            return {"partly_done": "not_done", "jurisdiction": "fact", "season": "funds", "rebounded": "holds"}[value]
        case str() if value[:2] == "20":
            return "2026-11-01"
        case str():
            return value + "1"
        case _:
            return value


@pytest.mark.parametrize("name", DECISIONS, ids=verb)
async def test_an_answer_is_to_something_of_this_very_item(client, noon, name):
    it = await make.cast()
    call, other = await calls.VERBS[name](it), await calls.VERBS[name](it)
    (item, asked), (other_item, other_asked) = (path.path.split("/")[3:6:2] for path in (call, other))
    before = await calls.snapshot()
    for in_item, about in (
        (item, str(uuid7())), (item, other_asked), (other_item, asked), (asked, item), (item, item), (asked, asked)
    ):  # fmt: skip
        path = call.path.replace(asked, "ASKED").replace(item, in_item).replace("ASKED", about)
        answer = await call.made(client, path=path)
        assert (answer.status_code, make.problem(answer)["code"]) == (404, "not_found"), path
    assert await calls.snapshot() == before
    assert (await call.made(client)).status_code == 201


async def test_two_leaders_closing_at_once_have_one_winner(client, noon):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    office = await make.unit("市扶贫办")
    bosses = [it.boss, await make.person("副主任郑", Role.supervision_leader, at=office)]
    turns = [
        await calls.by(boss, "POST", f"/api/rectifications/{id}/closure", {"id": str(uuid7()), "opinion": "同意。"})
        for boss in bosses
    ]
    answers = await asyncio.gather(*(turn.made(client) for turn in turns))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await happened("rectification.closed", id) == 1
    assert len(await raw("SELECT 1 FROM review WHERE rectification = $1 AND verb = 'close_out'", id)) == 1


async def test_what_is_offered_can_be_done_and_what_is_not_is_refused(client, noon):
    """Buttons and enforcement cannot disagree: asked over HTTP for every person and every status."""
    it = await make.cast()
    paths = {
        "issue": "issue", "acknowledge": "acknowledgement", "report": "reports", "hand_in": "hand-ins",
        "pass_first": "first-pass", "send_back": "returns", "close_out": "closure", "ask_void": "voiding",
    }  # fmt: skip
    people = (it.lead, it.handler, it.principal, it.reviewer, it.staff, it.boss, it.leader)
    headers = [await make.signed_in(person) for person in people]
    for status in (Status.draft, Status.issued, Status.handed_in, Status.passed, Status.closed):
        id = await make.rectification(it, status)
        for header in headers:
            shown = await client.get(f"/api/rectifications/{id}", headers=header)
            if shown.status_code == 404:
                continue
            offered = {move["verb"]: [need["field"] for need in move["needs"]] for move in shown.json()["moves"]}
            for name, path in paths.items():
                # Nothing is said, so nothing is done: the refusal tells whether it could have been.
                body = {} if path == "issue" else {"id": str(uuid7())}
                if offered.get(name) == []:
                    continue  # nothing is missing: it would be done
                answer = await client.post(f"/api/rectifications/{id}/{path}", json=body, headers=header)
                told = make.problem(answer)
                assert (answer.status_code == 422) == (name in offered), (status, name, answer.text)
                if name in offered:
                    assert told["details"]["needs"] == offered[name], (status, name)


async def test_an_item_tells_its_whole_story(client):
    it, day = await make.cast(), clock.today()
    id = await make.rectification(it, Status.closed)
    headers = await make.signed_in(it.leader)
    told = (await client.get(f"/api/rectifications/{id}", headers=headers)).json()
    assert told["number"] == f"ZG-210422-{day:%Y%m%d}-0001" and told["status"] == "closed" and told["moves"] == []
    assert told["acknowledgement"]["phone"] == "138****5678"
    assert [review["verb"] for review in told["reviews"]] == ["pass_first", "close_out"]
    assert (told["hand_ins"][0]["declared"], told["hand_ins"][0]["arrived"]) == (1, 1)
    assert told["finding"]["facts"] == told["facts"] and "13812345678" not in str(told)
    story = (await client.get(f"/api/rectifications/{id}/timeline", headers=headers)).json()["items"]
    assert [entry["sentence"] for entry in story if entry["verb"].startswith("rectification.")] == [
        "形成整改事项", "交办", "签收", "申请销号", "初审通过", "复核销号",
    ]  # fmt: skip
    assert story[-1]["by_name"] == "主任吴" and story[-1]["unit_name"] == "市扶贫办"
    assert "13812345678" not in str(story)
    stranger = await make.signed_in(it.stranger)
    assert (await client.get(f"/api/rectifications/{id}/timeline", headers=stranger)).status_code == 404


async def test_everyone_lists_what_they_may_see_and_nothing_else(client, noon):
    it = await make.cast()
    draft = await make.rectification(it, Status.draft)
    issued = await make.rectification(it, Status.issued)
    elsewhere = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))
    admin = await make.person("管理员孙", Role.sys_admin)
    other_inspector = await make.person("督查员冯", Role.inspector, at=await make.unit("市扶贫办"))
    inspector_at_unit = await make.person("本单位督查员", Role.inspector, at=it.responsible)
    for person, expected in (
        (it.staff, {draft, issued}), (it.boss, {draft, issued}), (it.leader, {draft, issued}),
        (it.inspector, {draft, issued}), (it.lead, {draft, issued}), (it.handler, {issued}),
        (it.principal, {issued}), (it.reviewer, {issued}), (it.stranger, set()), (elsewhere, set()),
        (admin, set()), (other_inspector, set()), (inspector_at_unit, set()),
    ):  # fmt: skip
        headers = await make.signed_in(person)
        page = (await client.get("/api/rectifications", headers=headers)).json()
        assert {UUID(row["id"]) for row in page["items"]} == expected, person.name
        for id in (draft, issued):
            answer = await client.get(f"/api/rectifications/{id}", headers=headers)
            assert answer.status_code == (200 if id in expected else 404), person.name


async def test_a_list_is_walked_to_its_end_without_gap_or_repeat(client, noon):
    it = await make.cast()
    ids = {await make.rectification(it, Status.issued, closing_class=ClosingClass.fix_now) for _ in range(2)}
    ids |= {await make.rectification(it, Status.issued) for _ in range(3)}
    ids |= {await make.rectification(it, Status.draft) for _ in range(2)}  # without a date: at the end
    headers, seen, cursor = await make.signed_in(it.staff), [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get("/api/rectifications", headers=headers, params={"limit": 2, **more})).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(seen) == 7 and {UUID(row["id"]) for row in seen} == ids
    order = [(row["due_at"] or "9999", UUID(row["id"])) for row in seen]  # ISO 8601 in UTC sorts like the time
    assert order == sorted(order) and len({due for due, _ in order}) == 3
    assert [row["due_on"] is None for row in seen] == [False] * 5 + [True] * 2


def cursor_of(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    ["x", "%%%", "", cursor_of("2026-12-09|1"), cursor_of(f"0001-01-01T00:00:00+14:00|{UUID(int=1)}"), "é"],
    ids=["no base64", "signs", "empty", "no id", "before the first year", "no ASCII"],
)
async def test_a_made_up_cursor_is_refused(client, noon, cursor):
    headers = await make.signed_in((await make.cast()).staff)
    answer = await client.get("/api/rectifications", headers=headers, params={"cursor": cursor})
    assert (answer.status_code, make.problem(answer)["code"]) == (400, "bad_cursor")


async def test_lists_are_narrowed_by_every_filter(client, noon):
    it = await make.cast()
    one = await make.rectification(it, Status.issued, facts="管网冻裂，漏水率 100%_。")
    other = await make.rectification(it, Status.working, closing_class=make.ClosingClass.fix_now)
    headers = await make.signed_in(it.staff)

    async def found(**params: Any) -> set[UUID]:
        answer = await client.get("/api/rectifications", headers=headers, params=params)
        assert answer.status_code == 200, answer.text
        return {UUID(row["id"]) for row in answer.json()["items"]}

    both = {one, other}
    assert await found() == both
    assert await found(status="issued") == {one} and await found(status="closed") == set()
    assert await found(unit=str(it.responsible)) == both and await found(unit=str(uuid7())) == set()
    for code in (make.LIAONING, make.FUSHUN, make.XINBIN, make.SHANGJIAHE, make.YAOZHAN):
        assert await found(region=code) == both
    assert await found(region=make.QINGYUAN) == set()
    assert await found(q="漏水率") == {one} and await found(q="100%_") == {one}
    assert await found(q="%") == {one} and await found(q="_") == {one} and await found(q="\\") == set()
    assert await found(q="zg-210422-20261124-0002") == {other}
    assert await found(overdue="true") == set() and await found(overdue="false") == both
    with clock.frozen(noon + timedelta(days=4)):  # the third working day is over
        headers = await make.signed_in(it.staff)
        assert await found(overdue="true") == {other} and await found(overdue="false") == {one}


async def test_an_item_turns_overdue_when_its_last_day_is_over_in_shanghai(client, noon):
    it = await make.cast()
    id = await make.rectification(it, Status.issued, closing_class=make.ClosingClass.fix_now)
    headers = await make.signed_in(it.staff)
    due = (await client.get(f"/api/rectifications/{id}", headers=headers)).json()
    assert (due["due_on"], due["due_at"], due["due_certainty"]) == ("2026-11-27", "2026-11-27T16:00:00Z", "known")
    for moment, late in (("2026-11-27T23:59:59.999+08:00", False), ("2026-11-28T00:00:00+08:00", True)):
        with clock.frozen(datetime.fromisoformat(moment)):
            headers = await make.signed_in(it.staff)
            assert (await client.get(f"/api/rectifications/{id}", headers=headers)).json()["overdue"] is late


async def test_events_keep_the_id_of_the_request_that_caused_them(client, noon):
    it = await make.cast()
    for _ in range(2):
        await (await calls.acknowledge(it)).made(client)
    rows = await raw("SELECT request FROM event WHERE verb = 'rectification.acknowledged'")
    assert len({row["request"] for row in rows}) == 2 and all(len(row["request"]) == 32 for row in rows)


# ── two people on one screen ─────────────────────────────────────────────────────────────────────────────────────


async def test_who_decides_on_an_old_state_is_told_and_nothing_happens(client, noon):
    it = await make.cast()
    call = await calls.send_back(it)
    id, seen = item_of(call), (await client.get(call.path.rsplit("/", 1)[0], headers=call.headers)).json()["version"]
    current = {**call.headers, "If-Match": f'"{seen}"'}
    said = {"id": str(uuid7()), "opinion": "资料齐全。"}
    passed = await client.post(f"/api/rectifications/{id}/first-pass", headers=current, json=said)
    now = passed.json()["version"]
    assert passed.status_code == 201 and now > seen
    before = await calls.snapshot()
    late = await call.made(client, headers=current)
    assert (late.status_code, make.problem(late)["code"]) == (409, "stale")
    assert await calls.snapshot() == before
    again = await client.post(f"/api/rectifications/{id}/first-pass", headers=current, json=said)
    assert again.status_code == 201  # its own first try is no reason to refuse the second
    fresh = {**call.headers, "If-Match": str(now)}
    assert (await call.made(client, headers=fresh)).json()["status"] == "working"


@pytest.mark.parametrize("said", ["abc", '"', "-1", 'W/"7"', '"7", "8"'])
async def test_an_if_match_that_is_no_version_is_refused(client, noon, said):
    it = await make.cast()
    call = await calls.send_back(it)
    answer = await call.made(client, headers={**call.headers, "If-Match": said})
    assert (answer.status_code, make.problem(answer)["code"]) == (400, "bad_version")
