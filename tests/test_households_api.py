"""Households over HTTP: refusals in order, once and only once, masked for everybody, read in full only on record."""

import asyncio
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import Conflict
from backend.households import commands
from backend.households.queries import nothing
from backend.households.rules import Relation, ViewReason
from backend.roles import Role
from tasks.rectifications import concerning
from tasks.rectifications.item import Status
from tests import calls, make
from tests.calls import ID_NUMBER, OTHER_ID_NUMBER, Call

HEAD, PHONE, SPOUSE = "佟守义", "13904130077", "佟桂兰"
SECRETS = (HEAD, PHONE, SPOUSE, ID_NUMBER, OTHER_ID_NUMBER)


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def auditor(it):
    return await make.person("审计林", Role.security_auditor, at=await make.unit("市扶贫办"))


async def family(it, **said: Any) -> UUID:
    """A household with every secret in it."""
    id = await make.household(it, **({"head_name": HEAD, "id_number": ID_NUMBER, "phone": PHONE} | said))
    await commands.add_person(
        id, it.staff, nothing, id=uuid7(), name=SPOUSE, relation=Relation.spouse, id_number=OTHER_ID_NUMBER
    )
    return id


async def told(call: Call, client, **other: Any) -> tuple[int, str]:
    answer = await call.made(client, **other)
    return answer.status_code, make.problem(answer)["code"]


async def count(verb: str) -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = $1", verb))[0]["n"]


EVENTS = {
    "POST /api/households/{household_id}/corrections": "household.corrected",
    "POST /api/households/{household_id}/persons": "household.person_added",
    "DELETE /api/households/{household_id}/persons/{person_id}": "household.person_removed",
    "POST /api/households/{household_id}/views": "household.viewed",
    "PUT /api/rectifications/{item_id}/household": "rectification.concerned",
}


@pytest.mark.parametrize("name", EVENTS)
async def test_every_verb_climbs_the_same_ladder(client, it, name):
    call = await calls.WRITES[name](it)
    stranger, leader = await make.signed_in(it.stranger), await make.signed_in(it.leader)
    before, thing = await calls.snapshot(), call.path.split("/")[3]
    assert await told(call, client, headers={}) == (401, "sign_in_needed")
    assert await told(call, client, headers=stranger) == (404, "not_found")
    assert await told(call, client, path=call.path.replace(thing, str(uuid7()))) == (404, "not_found")
    assert await told(call, client, headers=leader) == (403, "not_yours_to_do")
    if call.body:
        assert await told(call, client, json=[]) == (400, "malformed")
    assert await calls.snapshot() == before
    answers = await asyncio.gather(*(call.made(client) for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {200, 201, 204}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    assert await count(EVENTS[name]) == 1


async def test_a_household_is_entered_once_by_who_may_in_the_own_area(client, it):
    call = await calls.enter_household(it)
    elsewhere = await make.person("清原督查员", Role.inspector, at=await make.unit("清原县水务局"))
    before = await calls.snapshot()
    assert await told(call, client, headers={}) == (401, "sign_in_needed")
    for person in (it.handler, it.leader, it.reviewer, it.stranger, elsewhere):
        headers = await make.signed_in(person)
        assert await told(call, client, headers=headers) == (403, "not_yours_to_do"), person.name
    for change, refusal in (
        ({"region": make.SHANGJIAHE}, (422, "not_a_village")),
        ({"region": "210422999999"}, (422, "unknown_region")),
        ({"id_number": "110105194912310021"}, (400, "bad_id_number")),
        ({"household_number": ID_NUMBER}, (400, "id_number_as_number")),
        ({"head_name": " "}, (400, "malformed")),
    ):
        assert await told(call, client, json=call.body | change) == refusal, change
    assert await calls.snapshot() == before
    answers = await asyncio.gather(*(call.made(client) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    assert await count("household.entered") == 1
    seen = answers[0].json()
    assert (seen["head_name"], seen["id_number"], seen["phone"]) == ("佟*义", "110105********002X", "139****0077")
    assert (seen["version"], seen["population"], seen["persons"], seen["views"]) == (1, 3, [], 0)
    for field in ("head_name", "population", "category", "phone"):
        other = call.body | {field: {"population": 5, "category": "other", "phone": None}.get(field, "佟守礼")}
        assert await told(call, client, json=other) == (409, "conflict"), field
    assert await told(call, client, headers=await make.signed_in(it.staff)) == (409, "conflict")  # somebody else's id


async def test_a_retry_is_known_also_after_a_correction(client, it):
    call = await calls.enter_household(it)
    await call.made(client)
    id = UUID(call.path.split("/")[3])
    await commands.correct(id, it.staff, nothing, version=1, changes={"head_name": "佟守礼"})
    assert (await call.made(client)).json()["head_name"] == "佟*礼"
    assert await count("household.entered") == 1


async def test_an_id_number_is_given_to_one_household_of_a_county(client, it):
    await make.household(it, id_number=ID_NUMBER)
    call = await calls.enter_household(it)
    assert await told(call, client) == (409, "id_number_taken")
    other = await make.household(it, household_number="0099")
    correction = await calls.by(
        it.staff, "POST", f"/api/households/{other}/corrections", {"version": 1, "id_number": ID_NUMBER}
    )
    assert await told(correction, client) == (409, "id_number_taken")


async def test_two_at_once_with_one_id_number_have_one_winner(it):
    ids = [uuid7(), uuid7()]
    tries = await asyncio.gather(
        *(make.household(it, id=id, id_number=ID_NUMBER) for id in ids), return_exceptions=True
    )
    assert sorted(isinstance(one, Conflict) for one in tries) == [False, True], tries
    assert len(await raw("SELECT 1 FROM household")) == 1


async def test_a_correction_changes_what_it_names_and_only_from_the_current_version(client, it):
    id = await family(it)
    body: dict[str, Any] = {"version": 1, "category": "elder_alone", "phone": None}
    call = await calls.by(it.inspector, "POST", f"/api/households/{id}/corrections", body)
    corrected = (await call.made(client)).json()
    assert (corrected["version"], corrected["category"], corrected["phone"]) == (2, "elder_alone", None)
    assert (corrected["head_name"], corrected["id_number"]) == ("佟*义", "110105********002X")
    assert (await call.made(client)).json() == corrected  # the phone tried twice
    answer = await call.made(client, json={"version": 1, "category": "other"})
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "stale")
    assert make.problem(answer)["details"] == {"version": 2}
    assert (await call.made(client, json={"version": 2, "category": "elder_alone"})).json() == corrected
    row = (await raw("SELECT payload FROM event WHERE verb = 'household.corrected'"))[0]
    assert b'"fields":["category","phone"]' in row["payload"] and await count("household.corrected") == 1


async def test_two_corrections_at_once_have_one_winner(client, it):
    id = await make.household(it)
    path = f"/api/households/{id}/corrections"
    turns = [await calls.by(it.staff, "POST", path, {"version": 1, "population": n}) for n in (4, 5)]
    answers = await asyncio.gather(*(turn.made(client) for turn in turns))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_household_entered_in_the_wrong_village_can_be_moved_within_the_own_area(client, it):
    id = await make.household(it)
    path = f"/api/households/{id}/corrections"
    county_office = await make.unit("新宾县督查办", area=make.XINBIN)
    staff = await make.person("县督查办", Role.supervision_staff, at=county_office)
    call = await calls.by(staff, "POST", path, {"version": 1, "region": make.QINGYUAN})
    assert await told(call, client) == (403, "not_yours_to_do")
    assert await told(call, client, json={"version": 1, "region": make.SHANGJIAHE}) == (422, "not_a_village")


async def test_people_come_and_go_and_nobody_is_there_twice(client, it):
    id = await family(it)
    headers = await make.signed_in(it.leader)
    seen = (await client.get(f"/api/households/{id}", headers=headers)).json()
    [spouse] = seen["persons"]
    assert (spouse["name"], spouse["id_number"], spouse["relation"]) == ("佟*兰", "440524********0014", "spouse")
    path = f"/api/households/{id}/persons"
    for number in (ID_NUMBER, OTHER_ID_NUMBER):
        body = {"id": str(uuid7()), "name": "某人", "relation": "child", "id_number": number}
        assert await told(await calls.by(it.staff, "POST", path, body), client) == (409, "id_number_taken")
    gone = await calls.by(it.staff, "DELETE", f"{path}/{spouse['id']}")
    assert (await gone.made(client)).status_code == 204
    assert (await client.get(f"/api/households/{id}", headers=headers)).json()["persons"] == []
    assert await told(gone, client, path=f"{path}/{uuid7()}") == (404, "not_found")
    back = await calls.by(it.staff, "POST", path, body | {"id_number": OTHER_ID_NUMBER})
    assert (await back.made(client)).status_code == 201
    assert len(await raw("SELECT 1 FROM household_person")) == 2


async def test_everyone_sees_what_they_may_and_always_masked(client, it, auditor):
    id, other = await family(it), await make.household(it, household_number="0099")
    item = await make.rectification(it, Status.issued)
    await concerning.concern(item, it.staff, id)
    elsewhere = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))
    admin = await make.person("管理员孙", Role.sys_admin, at=await make.unit("市扶贫办"))
    for person, expected in (
        (it.staff, {id, other}), (it.boss, {id, other}), (it.leader, {id, other}), (it.inspector, {id, other}),
        (it.handler, {id}), (it.principal, {id}), (it.reviewer, {id}),
        (it.stranger, set()), (elsewhere, set()), (admin, set()), (auditor, set()),
    ):  # fmt: skip
        headers = await make.signed_in(person)
        listed = await client.get("/api/households", headers=headers)
        assert {UUID(row["id"]) for row in listed.json()["items"]} == expected, person.name
        for one in (id, other):
            shown = await client.get(f"/api/households/{one}", headers=headers)
            items = await client.get(f"/api/households/{one}/items", headers=headers)
            status = 200 if one in expected else 404
            assert (shown.status_code, items.status_code) == (status, status), person.name
            assert not any(secret in shown.text + listed.text + items.text for secret in SECRETS), person.name


async def test_a_unit_reads_masked_and_may_not_look_behind(client, it):
    id = await family(it)
    await concerning.concern(await make.rectification(it, Status.issued), it.staff, id)
    headers = await make.signed_in(it.handler)
    assert (await client.get(f"/api/households/{id}", headers=headers)).json()["moves"] == []
    body = {"id": str(uuid7()), "reason_code": "contact", "reason": "联系农户修复饮水管网"}
    answer = await client.post(f"/api/households/{id}/views", json=body, headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (403, "not_yours_to_do")


async def test_a_draft_shows_no_household_to_a_unit(client, it):
    id = await family(it)
    await concerning.concern(await make.rectification(it, Status.draft), it.staff, id)
    headers = await make.signed_in(it.handler)
    assert (await client.get(f"/api/households/{id}", headers=headers)).status_code == 404


async def test_reading_in_full_is_recorded_and_counted(client, it):
    id = await family(it)
    call = await calls.by(
        it.inspector, "POST", f"/api/households/{id}/views",
        {"id": str(uuid7()), "reason_code": "visit", "reason": "入户核查饮水管网修复情况"},
    )  # fmt: skip
    for change, code in (
        ({"reason": "看看"}, "incomplete"),
        ({"reason": f"找{SPOUSE}核对信息"}, "personal_data_in_reason"),
        ({"reason": f"核对证件 {ID_NUMBER}"}, "personal_data_in_reason"),
    ):
        assert await told(call, client, json=call.body | change) == (422, code)
    assert await count("household.viewed") == 0
    first, again = [(await call.made(client)).json() for _ in range(2)]
    assert first == again and await count("household.viewed") == 1
    assert (first["head_name"], first["id_number"], first["phone"]) == (HEAD, ID_NUMBER, PHONE)
    assert [(one["name"], one["id_number"]) for one in first["persons"]] == [(SPOUSE, OTHER_ID_NUMBER)]
    headers = await make.signed_in(it.leader)
    assert (await client.get(f"/api/households/{id}", headers=headers)).json()["views"] == 1
    assert await told(call, client, json=call.body | {"reason": "入户核查住房安全情况"}) == (409, "conflict")
    with clock.frozen(make.at(clock.now(), minutes=11)):
        assert await told(call, client) == (409, "view_is_over")


async def test_auditor_and_office_leader_read_who_read(client, it, auditor):
    id, other = await family(it), await make.household(it, household_number="0099")
    for n, (one, reader) in enumerate([(id, it.inspector), (other, it.staff), (id, it.boss)]):
        with clock.frozen(make.at(clock.now(), seconds=n)):
            await commands.view(
                one, reader, nothing, id=uuid7(), reason_code=ViewReason.verification, reason="信息核对第一批次"
            )
    for person, status in (
        (auditor, 200), (it.boss, 200), (it.staff, 403), (it.inspector, 403), (it.leader, 403), (it.stranger, 404),
    ):  # fmt: skip
        headers = await make.signed_in(person)
        answer = await client.get(f"/api/households/{id}/views", headers=headers)
        assert answer.status_code == status, person.name
        if status == 200:
            assert [row["by_name"] for row in answer.json()["items"]] == ["主任吴", "督查员王"]
            assert not any(secret in answer.text for secret in SECRETS)
        listed = await client.get("/api/households/views", headers=headers)
        assert listed.status_code == (200 if status == 200 else 403)
    headers = await make.signed_in(auditor)
    names, cursor = [], None
    while True:
        params = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/api/households/views", headers=headers, params=params)).json()
        names += [row["by_name"] for row in page["items"]]
        if not (cursor := page["next"]):
            break
    assert names == ["主任吴", "督查办周", "督查员王"]
    mine = await client.get("/api/households/views", headers=headers, params={"by": str(it.staff.person)})
    assert [row["household"] for row in mine.json()["items"]] == [str(other)]
    abroad = await make.person("清原审计", Role.security_auditor, at=await make.unit("清原县水务局"))
    headers = await make.signed_in(abroad)
    assert (await client.get("/api/households/views", headers=headers)).json()["items"] == []
    assert (await client.get(f"/api/households/{id}/views", headers=headers)).status_code == 404


async def test_an_id_number_finds_its_household_and_stays_out_of_addresses(client, it):
    id, other = await family(it), await make.household(it, household_number="0099")
    headers = await make.signed_in(it.staff)

    async def found(number: str, who=headers) -> set[UUID]:
        answer = await client.post("/api/households/searches", json={"id_number": number}, headers=who)
        assert answer.status_code == 200, answer.text
        return {UUID(row["id"]) for row in answer.json()["items"]}

    assert await found(ID_NUMBER) == {id}  # the head's
    assert await found("440524-18800101-0014") == {id}  # somebody's living there
    assert await found("210422199001010017") == set()
    assert await found(ID_NUMBER, await make.signed_in(it.stranger)) == set()
    answer = await client.post("/api/households/searches", json={"id_number": "123"}, headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (400, "bad_id_number")
    for q in (ID_NUMBER, PHONE):
        answer = await client.get("/api/households", headers=headers, params={"q": q})
        assert (answer.status_code, make.problem(answer)["code"]) == (400, "personal_data_in_address")
    assert other not in await found(ID_NUMBER)


async def test_no_secret_stands_in_any_table_event_notice_or_log(client, it, settle, caplog):
    """Every value is looked for in the text of every row of every table, and in everything that was logged."""
    with caplog.at_level(logging.DEBUG):
        entered = await calls.enter_household(it)
        assert (await entered.made(client)).status_code == 201
        id = entered.path.split("/")[3]
        for body, path in (
            ({"id": str(uuid7()), "name": SPOUSE, "relation": "spouse", "id_number": OTHER_ID_NUMBER}, "persons"),
            ({"version": 1, "head_name": "佟守礼", "phone": "13904130099"}, "corrections"),
            ({"id": str(uuid7()), "reason_code": "visit", "reason": "入户核查饮水管网修复情况"}, "views"),
        ):
            call = await calls.by(it.staff, "POST", f"/api/households/{id}/{path}", body)
            assert (await call.made(client)).status_code == 201
        item = await make.rectification(it, Status.issued)
        await concerning.concern(item, it.staff, UUID(id))
        await settle()
    secrets = [*SECRETS, "佟守礼", "13904130099"]
    names = await raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    looked_at = 0
    for name in (row["tablename"] for row in names):
        payload = ", convert_from(t.payload, 'UTF8')" if name == "event" else ""
        for row in await raw(f"SELECT concat_ws(' ', t::text{payload}) AS text FROM \"{name}\" AS t"):
            looked_at += 1
            assert not any(secret in row["text"] for secret in secrets), name
    assert looked_at > 50 and not any(secret in caplog.text for secret in secrets)
    assert "household.viewed" in {row["verb"] for row in await raw("SELECT verb FROM event")}


async def test_a_damaged_value_hides_itself_and_nothing_else(client, it, caplog):
    id, other = await family(it), await make.household(it, household_number="0099", phone="13904130088")
    await raw("UPDATE household SET phone = (SELECT phone FROM household WHERE id = $2) WHERE id = $1", id, other)
    headers = await make.signed_in(it.staff)
    rows = (await client.get("/api/households", headers=headers)).json()["items"]
    assert [(row["head_name"], row["phone"], row["readable"]) for row in rows] == [
        ("佟*义", "", False),
        ("佟*义", "139****0088", True),
    ]
    body = {"id": str(uuid7()), "reason_code": "visit", "reason": "入户核查饮水管网修复情况"}
    answer = await client.post(f"/api/households/{id}/views", json=body, headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (500, "protected_unreadable")
    assert "household.phone" in caplog.text and await count("household.viewed") == 0
    mended = {"version": 1, "phone": PHONE}
    answer = await client.post(f"/api/households/{id}/corrections", json=mended, headers=headers)
    assert (answer.json()["phone"], answer.json()["readable"]) == ("139****0077", True)
    assert (await client.post(f"/api/households/{id}/views", json=body, headers=headers)).status_code == 201


async def test_the_clock_of_views_is_ours(it):
    id = await make.household(it)
    await commands.view(id, it.staff, nothing, id=uuid7(), reason_code=ViewReason.other, reason="核对台账信息")
    row = (await raw("SELECT at FROM household_view"))[0]
    assert row["at"] - clock.now() == timedelta(0)
