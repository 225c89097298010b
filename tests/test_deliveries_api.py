"""Deliveries over HTTP: who sees which, what an attempt tells, and trying again."""

from datetime import timedelta

import pytest

from backend import clock
from backend.db import raw
from backend.roles import Role
from notifications.deliveries.rules import ChannelKind as K
from tests import calls, deliveries_make, make
from tests.deliveries_make import lanes, planned


@pytest.fixture
async def it(client, noon):
    cast = await make.cast()
    for person in (cast.handler, cast.stranger):
        await deliveries_make.address(K.mail, "zhao.li@example.gov.cn", person=person)
    return cast


async def get(client, person, path: str = "/api/deliveries"):
    return await client.get(path, headers=await make.signed_in(person))


async def test_one_sees_ones_own_the_office_its_people_s_and_the_administrator_all(client, it):
    mine, far = await planned(it.handler, K.mail), await planned(it.stranger, K.mail)
    admin = await make.person("管理员孙", Role.sys_admin)
    near_office = await make.person(
        "县督查周", Role.supervision_staff, at=await make.unit("县督查办", area=make.XINBIN)
    )
    seen = {
        it.handler: {mine}, it.principal: set(), it.stranger: {far}, near_office: {mine}, it.staff: {mine, far},
        admin: {mine, far}, it.leader: set(),
    }  # fmt: skip
    for person, ids in seen.items():
        page = (await get(client, person)).json()
        assert {one["id"] for one in page["items"]} == {str(id) for id in ids}, person.name
        for id in (mine, far):
            assert (await get(client, person, f"/api/deliveries/{id}")).status_code == (200 if id in ids else 404)
        counts = (await get(client, person, "/api/deliveries/counts")).json()["states"]
        assert counts == {"waiting": len(ids), "sending": 0, "sent": 0, "gave_up": 0, "lapsed": 0}
    assert (await get(client, it.staff, "/api/deliveries?mine=true")).json()["items"] == []


async def test_two_worlds_a_stranger_s_answers_do_not_depend_on_others(client, it):
    paths = ["/api/deliveries", "/api/deliveries?state=sent", "/api/deliveries/counts", "/api/channels"]
    before = [(await get(client, it.principal, path)).content for path in paths]
    for _ in range(3):
        await planned(it.handler, K.mail)
    await lanes()
    assert [(await get(client, it.principal, path)).content for path in paths] == before


async def test_pages_follow_each_other_and_a_state_is_asked_for(client, it):
    made = sorted([str(await planned(it.handler, K.mail)) for _ in range(5)])  # in one millisecond
    await raw("UPDATE delivery SET state = 'gave_up', ended_at = due_at WHERE id = ANY($1)", made[:2])
    seen, cursor = [], ""
    while True:
        page = (await get(client, it.handler, f"/api/deliveries?limit=2{cursor}")).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]
    failed = (await get(client, it.staff, "/api/deliveries?state=gave_up")).json()["items"]
    assert [one["id"] for one in failed] == made[1::-1]
    assert (await get(client, it.staff, "/api/deliveries?state=lost")).status_code == 400


async def test_a_delivery_tells_its_attempts_without_addresses(client, it):
    delivery = await planned(it.handler, K.web_push, K.mail)
    await lanes()
    told = (await get(client, it.handler, f"/api/deliveries/{delivery}")).json()
    assert (told["delivery"]["state"], told["delivery"]["channel"]) == ("sent", "mail")
    assert [(one["channel"], one["outcome"], one["said"]) for one in told["attempts"]] == [("mail", "recorded", None)]
    assert "zhao.li" not in str(told)


async def test_the_ladder_of_trying_again(client, it):
    call = await calls.retry_delivery(it)
    before = await calls.snapshot()
    assert (await call.made(client, headers={})).status_code == 401
    for person in (it.principal, it.stranger, it.leader):
        assert (await call.made(client, headers=await make.signed_in(person))).status_code == 404
    assert await calls.snapshot() == before
    first = await call.made(client)
    assert first.status_code == 201 and first.json()["delivery"]["state"] == "waiting"
    assert (await call.made(client)).json() == first.json()  # it is on its way: the same request
    assert (await raw("SELECT count(*) AS n FROM event WHERE verb = 'delivery.retried'"))[0]["n"] == 1
    await lanes()
    answer = await call.made(client)
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "wrong_state")
    by_office = await client.post(call.path, headers=await make.signed_in(it.staff))
    assert by_office.status_code == 409


async def test_a_code_is_not_sent_again_but_asked_for_anew(client, it):
    await (await calls.add_channel(it)).made(client)
    await raw("UPDATE delivery SET state = 'gave_up', ended_at = due_at")
    (row,) = await raw("SELECT id FROM delivery")
    answer = await client.post(f"/api/deliveries/{row['id']}/retry", headers=await make.signed_in(it.handler))
    assert (answer.status_code, make.problem(answer)["detail"]) == (409, "验证码不重发，请重新获取。")


async def test_a_code_that_is_over_is_not_sent_any_more(client, it):
    await (await calls.add_channel(it)).made(client)
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        await lanes()
    assert (await raw("SELECT state FROM delivery"))[0]["state"] == "lapsed"
