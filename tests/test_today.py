"""The phone's document for today: everything to work from offline, and nothing the person could not fetch anyway."""

from datetime import timedelta
from uuid import UUID

import pytest

from backend import clock, db
from backend.roles import Role
from inspections.findings.rules import ClosingClass
from tasks.rectifications.item import Status
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def today(client, person) -> dict:
    answer = await client.get("/api/phone/today", headers=await make.signed_in(person))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_inspector_finds_visits_with_findings_topics_and_the_time(client, it):
    finding = await make.finding(it)
    told = await today(client, it.inspector)
    assert told["keep_until"] == "2026-11-29T04:00:00Z"  # when the sign-in ends
    assert (told["as_of"], told["today"], told["person"]) == ("2026-11-24T04:00:00Z", "2026-11-24", "督查员王")
    assert [one["visit"]["id"] for one in told["assignments"]] == [str(it.visit)]
    assert [one["id"] for one in told["assignments"][0]["findings"]] == [str(finding)]
    assert told["assignments"][0]["visit"]["lat"] == make.TARGET[0]
    assert [topic["code"] for topic in told["topics"]] == ["03", "0304"]
    assert told["rectifications"] == {"overdue": 0, "due_soon": 0, "items": []} and told["unread"] == 0


async def test_more_visits_cost_no_more_statements_and_a_hundred_are_enough(client, it, noon):
    async def statements() -> int:
        said: list[str] = []
        async with db.DB.pool.acquire() as connection:
            connection.add_query_logger(note := lambda record: said.append(record.query))
        await today(client, it.inspector)
        async with db.DB.pool.acquire() as connection:
            connection.remove_query_logger(note)
        return len(said)

    await make.finding(it)
    once = await statements()
    for minutes in range(101):
        with clock.frozen(noon + timedelta(minutes=minutes + 1)):
            newest = await make.visit(it)
    assert once and await statements() == once
    told = (await today(client, it.inspector))["assignments"]
    assert len(told) == 100 and told[0]["visit"]["id"] == str(newest)


async def test_a_submitted_visit_leaves_the_phone(client, it):
    await (await calls.submit(it)).made(client)
    assert (await today(client, it.inspector))["assignments"] == []


async def test_today_is_the_day_in_shanghai(client, it):
    with clock.frozen(clock.datetime.fromisoformat("2026-11-25T00:30:00+08:00")):
        told = await today(client, it.inspector)
    assert (told["today"], told["as_of"]) == ("2026-11-25", "2026-11-24T16:30:00Z")


async def test_a_handler_finds_what_waits_for_the_unit_the_most_urgent_first(client, it, settle, noon):
    slow = await make.rectification(it, Status.working)
    quick = await make.rectification(it, Status.issued, closing_class=ClosingClass.fix_now)
    for status in (Status.draft, Status.handed_in, Status.passed, Status.closed, Status.voided):
        await make.rectification(it, status)
    told = await today(client, it.handler)
    mine = told["rectifications"]
    assert [UUID(row["id"]) for row in mine["items"]] == [quick, slow]
    assert (mine["overdue"], mine["due_soon"]) == (0, 1)
    await settle()
    assert (await today(client, it.handler))["unread"] > 0
    for days, overdue, soon in ((4, 1, 0), (9, 1, 1), (16, 2, 0)):
        with clock.frozen(noon + timedelta(days=days)):
            mine = (await today(client, it.handler))["rectifications"]
            assert (mine["overdue"], mine["due_soon"]) == (overdue, soon), days


async def test_who_handed_in_or_lost_the_part_is_not_asked_again(client, it):
    """Although the item itself waits for another unit."""
    id = await make.shared(it)
    await make.second(it)
    for by in (it.handler, it.handler2):
        assert len((await today(client, by))["rectifications"]["items"]) == 1
        await make.acknowledge(by, id)
    await make.hand_in(it.handler, id)
    assert (await today(client, it.handler))["rectifications"] == {"overdue": 0, "due_soon": 0, "items": []}
    assert [row["id"] for row in (await today(client, it.handler2))["rectifications"]["items"]] == [str(id)]
    await (await calls.rule(it)).made(client)  # another item, redirected away from the first unit
    assert (await today(client, it.handler))["rectifications"]["items"] == []


async def test_a_cooperating_unit_sees_its_part_and_the_lead_unit_has_none_to_do(client, it):
    call = await calls.issue(it)
    assert (await call.made(client)).status_code == 201
    helper = await make.person("经办郑", Role.unit_handler, at=await make.unit("新宾县财政局"))
    assert len((await today(client, helper))["rectifications"]["items"]) == 1
    lead_handler = await make.person("经办冯", Role.unit_handler, at=it.lead_unit)
    assert (await today(client, lead_handler))["rectifications"]["items"] == []
    for person in (it.stranger, it.staff, it.reviewer):
        assert (await today(client, person))["rectifications"]["items"] == []


async def test_everything_in_it_can_be_fetched_piece_by_piece(client, it):
    await make.finding(it)
    await make.rectification(it, Status.working)
    for person in (it.inspector, it.lead, it.handler, it.principal):
        headers = await make.signed_in(person)
        told = (await client.get("/api/phone/today", headers=headers)).json()
        pieces = [f"/api/rectifications/{row['id']}" for row in told["rectifications"]["items"]]
        for one in told["assignments"]:
            path = f"/api/visits/{one['visit']['id']}"
            assert (await client.get(path, headers=headers)).json() == one["visit"]
            assert (await client.get(f"{path}/findings", headers=headers)).json()["items"] == one["findings"]
        for path in pieces:
            assert (await client.get(path, headers=headers)).status_code == 200
        assert pieces or told["assignments"]


async def test_a_person_who_left_the_team_and_an_administrator_find_nothing(client, it):
    admin = await make.person("管理员孙", Role.sys_admin)
    for person in (admin, it.stranger):
        told = await today(client, person)
        assert told["assignments"] == [] and told["rectifications"]["items"] == []
