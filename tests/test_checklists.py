"""Checklists over HTTP: written by the office, given to a visit, answered by its team, once and for ever."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend import clock, settings
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from inspections.checklists import commands
from inspections.checklists.rules import Question
from tests import calls, checklists_make, make
from tests.checklists_make import body, content, on_visit, version
from tests.waiting import eventually


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def events(verb: str) -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = $1", verb))[0]["n"]


def code(answer) -> tuple[int, str]:
    return answer.status_code, make.problem(answer)["code"]


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_draft_is_written_once_and_anew_as_a_whole(client, it):
    call = await calls.write_checklist(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    told = answers[0].json()
    for field in (
        "region",
        "code",
        "title",
        "topic",
        "paper",
        "clause",
        "valid_from",
        "valid_to",
        "required",
        "questions",
    ):
        assert told[field] == call.body[field], field
    assert (told["number"], told["status"], told["moves"]) == (1, "draft", ["write", "adopt", "withdraw"])
    assert await events("checklist.drafted") == 1
    question = {"code": "S9", "text": "有人管水吗？"}
    told = (await call.made(client, json={**call.body, "title": "饮水安全入户核查", "questions": [question]})).json()
    assert (told["number"], told["title"]) == (1, "饮水安全入户核查")
    assert told["questions"] == [
        {**question, "hint": "", "topic": "0304", "photo_when_fails": True, "may_not_apply": True}
    ]
    assert await events("checklist.drafted") == 2


async def test_what_was_adopted_is_written_no_more_and_the_database_holds_it_too(client, it):
    id = await version(it)
    call = await calls.write_checklist(it)
    path = f"/api/checklists/versions/{id}"
    before = await calls.snapshot()
    said = {**call.body, "code": "YS-01"}
    assert code(await call.made(client, path=path, json=said)) == (409, "checklist.fixed")
    assert code(await call.made(client, path=path)) == (409, "conflict")  # another checklist's code
    for statement in (
        "UPDATE checklist_version SET title = '别的'",
        "UPDATE checklist_question SET wording = '别的'",
        "DELETE FROM checklist_question",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw(statement)
    assert await calls.snapshot() == before


async def test_the_next_version_replaces_the_one_in_force(client, it):
    first = await version(it)
    second = await version(it, adopted=False, title="新版")
    boss = await make.signed_in(it.boss)
    call = await calls.write_checklist(it)
    said = {**call.body, "code": "YS-01"}
    assert code(await call.made(client, json=said)) == (409, "checklist.draft_open")
    for _ in range(2):
        told = (await client.post(f"/api/checklists/versions/{second}/adoption", headers=boss)).json()
        assert (told["number"], told["status"], told["moves"]) == (2, "in_force", ["withdraw"])
    told = (await client.get(f"/api/checklists/versions/{first}", headers=boss)).json()
    assert (told["status"], told["withdrawal_reason"], told["moves"]) == ("withdrawn", "由第 2 版替代", [])
    assert await events("checklist.adopted") == 2
    assert code(await client.post(f"/api/checklists/versions/{first}/adoption", headers=boss)) == (
        409,
        "checklist.fixed",
    )


async def test_a_version_is_withdrawn_once_with_a_reason(client, it):
    call = await calls.withdraw_checklist(it)
    for _ in range(2):
        told = (await call.made(client)).json()
        assert (told["status"], told["withdrawal_reason"]) == ("withdrawn", "文件已废止。")
    assert await events("checklist.withdrawn") == 1
    assert code(await call.made(client, json={"reason": "另有原因"})) == (409, "checklist.fixed")


async def test_a_version_needs_sound_days_codes_places_and_topics(client, it):
    call = await calls.write_checklist(it)
    before, question = await calls.snapshot(), call.body["questions"][0]
    for wrong, status, said in (
        ({"valid_to": "2025-12-31"}, 422, "checklist.ends_before_it_begins"),
        ({"questions": [question, question]}, 422, "checklist.code_twice"),
        ({"region": "999999999999"}, 400, "unknown_reference"),
        ({"topic": "9999"}, 400, "unknown_reference"),
        ({"questions": [{**question, "topic": "9999"}]}, 400, "unknown_reference"),
        ({"questions": []}, 400, "malformed"),
        ({"questions": [{**question, "answer": "passes"}]}, 400, "unknown_field"),
    ):
        assert code(await call.made(client, json={**call.body, **wrong})) == (status, said), wrong
    assert await calls.snapshot() == before
    over = await version(it, adopted=False, code="YS-03", valid_from=date(2025, 1, 1), valid_to=date(2026, 11, 23))
    answer = await client.post(f"/api/checklists/versions/{over}/adoption", headers=await make.signed_in(it.boss))
    assert code(answer) == (422, "checklist.expired")


@pytest.mark.parametrize("who", ["lead", "inspector", "handler", "principal", "reviewer", "leader", "stranger"])
async def test_nobody_but_the_office_writes_or_even_sees_a_checklist(client, it, who):
    id = await version(it, adopted=False)
    call, headers = await calls.write_checklist(it), await make.signed_in(getattr(it, who))
    before = await calls.snapshot()
    assert code(await call.made(client, headers=headers)) == (403, "not_yours_to_do")
    assert (await client.get("/api/checklists", headers=headers)).json()["items"] == []
    assert (await client.get(f"/api/checklists/versions/{id}", headers=headers)).status_code == 404
    assert (await client.post(f"/api/checklists/versions/{id}/adoption", headers=headers)).status_code == 404
    assert await calls.snapshot() == before


async def test_an_office_reads_those_above_it_and_writes_its_own(client, it):
    city = await version(it)
    await version(it, code="QY-01", region=make.QINGYUAN)
    county = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))
    headers, call = await make.signed_in(county), await calls.write_checklist(it)
    listed = (await client.get("/api/checklists?status=in_force", headers=headers)).json()["items"]
    assert {one["code"]: one["moves"] for one in listed} == {"QY-01": ["withdraw"], "YS-01": []}
    assert code(await call.made(client, headers=headers)) == (403, "not_yours_to_do")
    assert (await call.made(client, headers=headers, json={**call.body, "region": make.QINGYUAN})).status_code == 201
    answer = await client.post(
        f"/api/checklists/versions/{city}/withdrawal", headers=headers, json={"reason": "不用了"}
    )
    assert code(answer) == (403, "not_yours_to_do")


async def test_a_draft_is_its_own_offices_until_it_is_adopted(client, it):
    draft = await version(it, adopted=False)
    dropped = await version(it, adopted=False, code="YS-02")
    await commands.withdraw(dropped, it.staff, reason="不用了")
    below = await version(it, code="QY-01", region=make.QINGYUAN, adopted=False)
    county = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))
    mine, theirs = await make.signed_in(it.staff), await make.signed_in(county)

    async def listed(headers):
        return {one["id"] for one in (await client.get("/api/checklists", headers=headers)).json()["items"]}

    assert await listed(theirs) == {str(below)}
    assert await listed(mine) == {str(draft), str(dropped), str(below)}  # the office above may write it as well
    for one in (draft, dropped):
        assert (await client.get(f"/api/checklists/versions/{one}", headers=theirs)).status_code == 404
    assert (await client.post(f"/api/checklists/versions/{draft}/adoption", headers=theirs)).status_code == 404
    await commands.adopt(draft, it.boss)
    assert await listed(theirs) == {str(below), str(draft)}


async def test_the_list_is_walked_newest_first_to_its_end(client, it):
    made = []
    for n in range(5):
        with clock.frozen(clock.now() + timedelta(minutes=n)):
            made.append(str(await version(it, code=f"YS-{n}")))
    headers, seen, cursor = await make.signed_in(it.staff), [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get("/api/checklists", headers=headers, params={"limit": 2, **more})).json()
        seen += [one["id"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]


async def test_writing_and_adopting_wait_for_each_other_in_one_order(client, it):
    """Both lock a checklist and its version: in two orders each would wait for the other, and one be cut off."""
    id = await version(it, adopted=False)
    line = await asyncpg.connect(**settings.load().database)
    try:
        async with line.transaction():
            await line.execute("SELECT 1 FROM checklist FOR UPDATE")
            adopting = asyncio.create_task(commands.adopt(id, it.boss))
            waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            await eventually(lambda: line.fetch(waiting))
            await line.execute("SELECT 1 FROM checklist_version FOR UPDATE NOWAIT")
        await adopting
    finally:
        await line.close()


# ── on a visit ───────────────────────────────────────────────────────────────────────────────────────────────────


async def chosen(client, it, headers=None) -> list[dict[str, Any]]:
    answer = await client.get(
        f"/api/visits/{it.visit}/checklists", headers=headers or await make.signed_in(it.inspector)
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_visit_has_none_until_the_office_says_which(client, it):
    id = await version(it)
    other = await version(it, code="YS-02", topic="03")
    assert await chosen(client, it) == []
    staff = await make.signed_in(it.staff)
    path = f"/api/visits/{it.visit}/checklists"
    for _ in range(2):
        answer = await client.put(path, headers=staff, json={"checklists": [], "topics": ["0304"]})
        assert [one["version"] for one in answer.json()["items"]] == [str(id)]
    assert await events("visit.checklists_chosen") == 1
    both = {"checklists": [], "topics": ["03"]}  # 大类 and all below it
    assert len((await client.put(path, headers=staff, json=both)).json()["items"]) == 2
    named = {"checklists": [str(await checklists_make.checklist_of(other))]}
    told = (await client.put(path, headers=staff, json=named)).json()["items"]
    assert [one["version"] for one in told] == [str(other)]
    assert [question["code"] for question in told[0]["questions"]] == ["S1", "S2", "S3"]
    assert (await client.put(path, headers=staff, json={"checklists": []})).json()["items"] == []


async def test_only_what_is_in_force_there_today_is_given_to_a_visit(client, it):
    staff, before = await make.signed_in(it.staff), await calls.snapshot()
    wrong = [
        await version(it, adopted=False),
        await version(it, code="YS-02", valid_from=date(2026, 11, 25)),
        await version(it, code="YS-03", region=make.QINGYUAN),
    ]
    named = [str(await checklists_make.checklist_of(one)) for one in wrong] + [str(uuid7())]
    for one in named:
        answer = await client.put(f"/api/visits/{it.visit}/checklists", headers=staff, json={"checklists": [one]})
        assert code(answer) == (422, "checklist.not_in_force")
        assert make.problem(answer)["details"]["checklists"] == [one]
    by_topic = await client.put(
        f"/api/visits/{it.visit}/checklists", headers=staff, json={"checklists": [], "topics": ["03"]}
    )
    assert by_topic.json()["items"] == [] and (await calls.snapshot())["visit_checklist"] == before["visit_checklist"]


async def test_the_office_of_the_place_chooses_and_a_stranger_sees_no_visit(client, it):
    call = await calls.choose_checklists(it)
    before = await calls.snapshot()
    for person, status in (
        (it.lead, 403),
        (it.inspector, 403),
        (it.leader, 404),
        (it.handler, 404),
        (it.stranger, 404),
    ):
        assert (await call.made(client, headers=await make.signed_in(person))).status_code == status, person.name
    assert await calls.snapshot() == before
    await (await calls.submit(it)).made(client)
    assert code(await call.made(client)) == (409, "already_submitted")


async def test_checklists_are_seen_by_whoever_sees_the_visit_and_by_nobody_else(client, it):
    id = await on_visit(it)
    other = await make.person("督查员冯", Role.inspector, at=await make.unit("市扶贫办"))
    paths = [f"/api/visits/{it.visit}/checklists", f"/api/visits/{it.visit}/checklists/{id}/answers"]

    async def seeing() -> set[str]:
        found = set()
        for person in (
            it.lead,
            it.inspector,
            it.staff,
            it.boss,
            it.leader,
            it.handler,
            it.reviewer,
            it.stranger,
            other,
        ):
            headers = await make.signed_in(person)
            said = {(await client.get(path, headers=headers)).status_code for path in paths}
            assert said in ({200}, {404}), person.name
            found |= {person.name} if said == {200} else set()
        return found

    team_and_office = {"组长刘", "督查员王", "督查办周", "主任吴"}
    assert await seeing() == team_and_office
    await raw("UPDATE visit SET status = 'submitted', submitted_at = $1", clock.now())
    assert await seeing() == team_and_office | {"市领导陈"}


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def give(client, it, version: UUID, who=None, id: UUID | None = None, **said: Any):
    path = f"/api/visits/{it.visit}/checklists/{version}/answers/{id or uuid7()}"
    return await client.put(path, headers=await make.signed_in(who or it.inspector), json=body(**said))


async def test_an_answer_is_kept_once_however_often_the_phone_tries(client, it):
    call = await calls.answer_question(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    stands = answers[0].json()["stands"]
    for field in ("question", "answer", "note", "finding", "seen"):
        assert stands[field] == call.body[field], field
    assert (stands["phone_at"], stands["received_at"]) == ("2026-11-24T03:58:00Z", "2026-11-24T04:00:00Z")
    assert (stands["by_name"], stands["late"], stands["finding_filed"]) == ("督查员王", False, False)
    assert await events("visit.question_answered") == 1
    assert not await raw("SELECT 1 FROM outbox JOIN event ON event.id = outbox.event WHERE verb LIKE '%answered'")


async def test_the_same_id_with_anything_changed_is_a_conflict(client, it):
    call = await calls.answer_question(it)
    assert (await call.made(client)).status_code == 201
    before = await calls.snapshot()
    changes = {
        "question": "S2", "answer": "passes", "phone_at": "2026-11-24T11:59:00+08:00", "note": "", "finding": None,
        "seen": None,
    }  # fmt: skip
    assert set(changes) == set(call.body)
    for field, value in changes.items():
        assert code(await call.made(client, json={**call.body, field: value})) == (409, "conflict"), field
    assert code(await call.made(client, headers=await make.signed_in(it.lead))) == (409, "conflict")
    assert await calls.snapshot() == before


async def test_another_answer_is_another_row_and_the_later_one_stands(client, it):
    id = await on_visit(it)
    first = uuid7()
    await give(client, it, id, id=first)
    told = (await give(client, it, id, answer="fails", seen=str(first), note="压力不足")).json()
    assert (told["stands"]["answer"], told["last"], told["differing"]) == ("fails", told["stands"]["id"], [])
    assert (await chosen(client, it))[0]["answered"] == 1
    history = await client.get(
        f"/api/visits/{it.visit}/checklists/{id}/answers", headers=await make.signed_in(it.staff)
    )
    assert [one["answer"] for one in history.json()["items"]] == ["passes", "fails"]
    assert await events("visit.question_answered") == 2
    for statement in ("UPDATE checklist_answer SET note = ''", "DELETE FROM checklist_answer"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw(statement)


async def test_two_of_the_team_at_once_the_later_tap_stands_and_the_other_is_shown(client, it):
    id = await on_visit(it)
    noon, earlier = "2026-11-24T11:59:00+08:00", "2026-11-24T11:50:00+08:00"
    both = await asyncio.gather(
        give(client, it, id, it.lead, answer="fails", phone_at=noon), give(client, it, id, phone_at=earlier)
    )
    assert [answer.status_code for answer in both] == [201, 201]
    question = (await chosen(client, it))[0]["questions"][0]
    assert (question["stands"]["by_name"], question["stands"]["answer"]) == ("组长刘", "fails")
    assert [(one["by_name"], one["answer"]) for one in question["differing"]] == [("督查员王", "passes")]
    settled = (await give(client, it, id, answer="passes", phone_at=earlier, seen=question["last"])).json()
    assert (settled["stands"]["answer"], settled["differing"]) == ("passes", [])


async def test_bad_answers_are_refused_and_leave_nothing(client, it):
    id, other = await on_visit(it), await version(it, code="YS-02")
    before = await calls.snapshot()
    for said, status, problem in (
        ({"question": "S7"}, 422, "unknown_question"),
        ({"answer": "not_applicable"}, 422, "answer.not_offered"),
        ({"finding": str(uuid7())}, 422, "answer.finding_without_failure"),
        ({"answer": "maybe"}, 400, "malformed"),
    ):
        assert code(await give(client, it, id, **said)) == (status, problem), said
    assert (await give(client, it, other)).status_code == 404  # in force, but not on this visit
    assert (await give(client, it, uuid7())).status_code == 404
    for person, status in ((it.staff, 403), (it.leader, 404), (it.handler, 404), (it.stranger, 404)):
        assert (await give(client, it, id, person)).status_code == status, person.name
    assert await calls.snapshot() == before


async def test_a_failure_names_its_finding_in_any_order_and_only_one_of_this_visit(client, it):
    id, coming = await on_visit(it), uuid7()
    told = (await give(client, it, id, answer="fails", finding=str(coming))).json()
    assert (told["stands"]["finding_filed"], told["lacks"]) == (False, True)
    call = await calls.file_finding(it)
    await call.made(client, path=f"/api/visits/{it.visit}/findings/{coming}")
    question = (await chosen(client, it))[0]["questions"][0]
    assert (question["stands"]["finding"], question["stands"]["finding_filed"]) == (str(coming), True)
    assert question["lacks"] is False
    elsewhere = await make.visit(it)
    strange = uuid7()
    await call.made(client, path=f"/api/visits/{elsewhere}/findings/{strange}")
    told = (await give(client, it, id, answer="fails", finding=str(strange), seen=question["last"])).json()
    assert told["stands"]["finding_filed"] is False  # nor does the answer say that it exists


async def test_the_submission_ends_changes_but_what_was_answered_before_it_comes_late(client, it, noon):
    id = await on_visit(it)
    await (await calls.submit(it)).made(client)
    with clock.frozen(noon + timedelta(hours=2)):
        before = await calls.snapshot()
        after = await give(client, it, id, phone_at="2026-11-24T13:00:00+08:00")
        assert code(after) == (409, "answer.after_submission")
        assert await calls.snapshot() == before
        told = (await give(client, it, id)).json()
    assert (told["stands"]["late"], told["stands"]["received_at"]) == (True, "2026-11-24T06:00:00Z")


async def test_a_required_checklist_holds_the_submission_up_and_says_with_what(client, it):
    id = await on_visit(it, required=True)
    submission, before = await calls.submit(it), await calls.snapshot()
    answer = await submission.made(client)
    told = make.problem(answer)
    assert (answer.status_code, told["code"], told["field"]) == (422, "checklist.unanswered", "checklists")
    assert told["details"]["questions"] == ["S1", "S2", "S3"] and await calls.snapshot() == before
    await give(client, it, id, answer="fails")
    await give(client, it, id, question="S2", answer="not_applicable")
    await give(client, it, id, question="S3")
    assert make.problem(await submission.made(client))["details"]["questions"] == ["S1"]
    await give(client, it, id, answer="fails", note="户主不同意拍照。", phone_at="2026-11-24T11:59:00+08:00")
    for _ in range(2):
        assert (await submission.made(client)).json()["status"] == "submitted"


async def test_one_that_is_not_required_holds_nothing_up(client, it):
    await on_visit(it)
    assert (await (await calls.submit(it)).made(client)).json()["status"] == "submitted"


async def test_a_version_that_is_withdrawn_or_replaced_meanwhile_stays_valid_for_the_visit(client, it):
    id = await on_visit(it)
    await give(client, it, id)
    renamed = Question("S1", "别的问题", "", "0304", True, True)
    second = uuid7()
    await commands.draft(second, it.staff, content(questions=(renamed,)), region=make.FUSHUN, code="YS-01")
    await commands.adopt(second, it.boss)
    checklist = str(await checklists_make.checklist_of(id))
    for said in ({"checklists": [checklist]}, {"checklists": [], "topics": ["0304"]}):
        staff = await make.signed_in(it.staff)
        answer = await client.put(f"/api/visits/{it.visit}/checklists", headers=staff, json=said)
        assert [(one["version"], one["status"]) for one in answer.json()["items"]] == [(str(id), "withdrawn")]
    assert (await give(client, it, id, question="S3")).status_code == 201
    assert (await give(client, it, second)).status_code == 404


async def test_what_was_answered_is_not_taken_away(client, it):
    id = await on_visit(it)
    await give(client, it, id)
    staff, before = await make.signed_in(it.staff), await calls.snapshot()
    answer = await client.put(f"/api/visits/{it.visit}/checklists", headers=staff, json={"checklists": []})
    assert code(answer) == (409, "checklist.answered") and await calls.snapshot() == before


async def test_the_document_of_the_day_brings_checklists_and_answers_for_offline(client, it):
    id = await on_visit(it)
    await give(client, it, id, answer="fails", note="压力不足")
    told = (await client.get("/api/phone/today", headers=await make.signed_in(it.lead))).json()
    assert told["assignments"][0]["checklists"] == await chosen(client, it)
    assert told["assignments"][0]["checklists"][0]["questions"][0]["stands"]["note"] == "压力不足"
