"""A finding may be about a household: named by its id alone, in sight of the inspector, and the item concerns it."""

import json
from typing import Any
from uuid import UUID

import pytest

from backend import events
from backend.columns import uuid7
from backend.db import raw
from backend.households import commands as households
from backend.households.queries import nothing
from backend.households.rules import Relation
from backend.roles import Role
from inspections.findings import queries as findings
from tasks.rectifications import concerning
from tests import calls, make
from tests.calls import Call

MAERDUN = make.MAERDUN
HEAD, SPOUSE, PHONE = "佟守义", "佟桂兰", "13904130077"


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def family(it, **said: Any) -> tuple[UUID, UUID]:
    household, person = await make.household(it, **({"head_name": HEAD, "phone": PHONE} | said)), uuid7()
    await households.add_person(
        household, it.staff, nothing, id=person, name=SPOUSE, relation=Relation.spouse, id_number=None
    )
    return household, person


async def filing(it, household: UUID | None, person: UUID | None = None, **said: Any) -> Call:
    about = {"household": household and str(household), "person": person and str(person)}
    path = f"/api/visits/{it.visit}/findings/{uuid7()}"
    return await calls.by(it.inspector, "PUT", path, calls.finding_body(it, **about, **said))


async def filed(client, it, household: UUID | None, person: UUID | None = None, **said: Any) -> UUID:
    call = await filing(it, household, person, **said)
    answer = await call.made(client)
    assert answer.status_code == 201, answer.text
    return UUID(call.path.split("/")[-1])


async def refused(client, call: Call, code: str, **changed: Any) -> str:
    answer = await call.made(client, json=call.body | changed)
    told = make.problem(answer)
    assert (answer.status_code, told["code"]) == (422, code), answer.text
    return told["detail"]


async def get(client, who, path: str) -> Any:
    answer = await client.get(path, headers=await make.signed_in(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_item_of_a_finding_concerns_its_household_from_the_start(client, it, settle):
    household, person = await family(it)
    id = await filed(client, it, household, person)
    await (await calls.submit(it)).made(client)
    await settle()
    for who in (it.staff, it.handler, it.inspector):
        item = await get(client, who, f"/api/rectifications/{id}")
        assert (item["household"], item["person_concerned"]) == (str(household), str(person)), who.name
        assert (item["finding"]["household"], item["finding"]["person_concerned"]) == (str(household), str(person))
    assert (await get(client, it.handler, f"/api/households/{household}"))["head_name"] == "佟*义"
    narrowed = await get(client, it.staff, f"/api/rectifications?household={household}")
    assert [row["id"] for row in narrowed["items"]] == [str(id)]


@pytest.mark.parametrize("how", ["danger", "late"])
async def test_so_does_one_that_is_issued_at_once(client, it, settle, how):
    household, person = await family(it)
    if how == "late":
        await (await calls.submit(it)).made(client)
    id = await filed(client, it, household, person, danger_to_life=how == "danger")
    await settle()
    item = await get(client, it.handler, f"/api/rectifications/{id}")
    assert (item["status"], item["household"], item["person_concerned"]) == ("issued", str(household), str(person))


async def test_a_finding_without_a_household_concerns_none(client, it, settle):
    id = await filed(client, it, None, danger_to_life=True)
    await settle()
    assert (await get(client, it.staff, f"/api/rectifications/{id}"))["household"] is None


async def test_a_household_out_of_sight_is_refused_like_one_that_does_not_exist(client, it):
    household, _ = await family(it)
    elsewhere = await make.person("清原督查员", Role.inspector, at=await make.unit("清原县水务局"))
    await raw("UPDATE visit_member SET person = $1 WHERE person = $2", elsewhere.person, it.inspector.person)
    headers, before = await make.signed_in(elsewhere), await calls.snapshot()
    told = set()
    for named in (household, uuid7()):
        call = await filing(it, named)
        answer = await call.made(client, headers=headers)
        problem = make.problem(answer)
        told.add((answer.status_code, problem["code"], problem["detail"], problem["field"]))
    assert [(status, code) for status, code, _, _ in told] == [(422, "unknown_household")]
    assert await calls.snapshot() == before


async def test_a_household_of_another_county_is_a_slip_of_the_finger(client, it):
    household, _ = await family(it)
    await raw("UPDATE household SET county = $1 WHERE id = $2", make.QINGYUAN, household)
    await refused(client, await filing(it, household), "household_elsewhere")


async def test_who_is_named_lives_there_now(client, it):
    household, person = await family(it)
    other, stranger = await family(it, household_number="0099")
    call = await filing(it, household, person)
    before = await calls.snapshot()
    await refused(client, call, "not_of_the_household", person=str(stranger))
    await refused(client, call, "not_of_the_household", household=str(other))
    await refused(client, call, "not_of_the_household", household=None)
    assert await calls.snapshot() == before
    await households.remove_person(household, person, it.staff, nothing)
    await refused(client, call, "not_of_the_household")
    assert not await raw("SELECT 1 FROM finding")


async def test_a_retry_is_answered_as_it_was_also_when_the_person_moved_out(client, it):
    household, person = await family(it)
    call = await filing(it, household, person)
    first = await call.made(client)
    await households.remove_person(household, person, it.staff, nothing)
    assert ((again := await call.made(client)).status_code, again.text) == (201, first.text)
    other, _ = await family(it, household_number="0099")
    for changed in ({"household": str(other)}, {"person": None}, {"household": str(uuid7())}):
        answer = await call.made(client, json=call.body | changed)
        assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict"), changed


async def test_the_finding_and_its_events_hold_ids_and_nobodys_name(client, it, settle):
    household, person = await family(it)
    id = await filed(client, it, household, person, danger_to_life=True)
    await settle()
    for table in ("finding", "rectification", "event", "notice", "delivery"):
        rows = json.dumps([dict(row) for row in await raw(f"SELECT * FROM {table}")], default=repr, ensure_ascii=False)
        assert not [word for word in (HEAD, SPOUSE, PHONE, "佟") if word in rows], table
    [drafted] = [event.payload for event in await events.of_subjects([id], ["rectification.drafted"])]
    assert (drafted["household"], drafted["person"]) == (str(household), str(person))


async def test_below_a_photo_stands_nothing_of_the_household(client, it):
    household, person = await family(it)
    call = await filing(it, household, person)
    await call.made(client)
    caption = await findings.caption(UUID(call.body["evidence"][0]["id"]))
    assert caption and not [word for word in (HEAD, SPOUSE, "佟", "0012") if word in repr(caption)]


async def test_two_worlds_who_does_not_see_the_household_learns_nothing_of_it(client, it, settle):
    """A colleague of the team from another county, and the unit after the office took the household off the item."""
    colleague = await make.person("清原督查员", Role.inspector, at=await make.unit("清原县水务局"))
    household, person = await family(it)
    id = await filed(client, it, household, person, danger_to_life=True)
    await settle()
    join = "INSERT INTO visit_member (id, visit, person, lead) VALUES ($1, $2, $3, false)"
    await raw(join, uuid7(), it.visit, colleague.person)
    await concerning.concern(id, it.staff, None)
    visit, item = f"/api/visits/{it.visit}/findings", f"/api/rectifications/{id}"
    phone = ("/api/phone/today", "/api/phone/households")

    async def world() -> dict[str, str]:
        told = {}
        for who, paths in (
            (colleague, (visit, f"{visit}/{id}", "/api/households", *phone)),
            (it.handler, (item, f"{item}/timeline", "/api/rectifications", *phone)),
            (it.stranger, (f"/api/rectifications?household={household}", *phone)),
        ):
            for path in paths:
                answer = await get(client, who, path)
                answer.pop("time", None)
                told[f"{who.name} {path}"] = json.dumps(answer, ensure_ascii=False)
        return told

    with_household = await world()
    await raw("UPDATE finding SET household = NULL, person_concerned = NULL WHERE id = $1", id)
    assert await world() == with_household
    assert not [path for path, text in with_household.items() if str(household) in text or str(person) in text]
