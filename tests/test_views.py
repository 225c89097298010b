"""Saved views: the ladder, fifty of them, names, sharing, and views of what is no more."""

from typing import Any
from uuid import UUID

import pytest

from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from tasks.views import rules
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def body(**said: Any) -> dict[str, Any]:
    return {"name": "超期", "filter": {"group": "open", "overdue": True}} | said


async def listed(client, person) -> list[dict[str, Any]]:
    answer = await client.get("/api/views", headers=await make.signed_in(person))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_the_ladder(client, it):
    call = await calls.keep_view(it)
    strange = await make.signed_in(it.stranger)
    before = await calls.snapshot()
    assert (await client.get("/api/views")).status_code == 401
    for other in ({"headers": {}}, {"headers": {}, "method": "DELETE"}):
        method = other.pop("method", "PUT")
        assert (await client.request(method, call.path, headers={}, json=call.body)).status_code == 401
    missing = await client.delete(call.path, headers=call.headers)
    assert (missing.status_code, make.problem(missing)["code"]) == (404, "not_found")
    for wrong, code, field in (
        ({"filter": {"group": "late"}}, "malformed", "filter.group"),
        ({"filter": {"surprise": 1}}, "unknown_field", "filter.surprise"),
        ({"filter": {"overdue": "true"}}, "malformed", "filter.overdue"),
        ({"filter": {"unit_role": "lead"}}, "unit_role_without_unit", "unit_role"),
        ({"name": " "}, "malformed", "name"),
        ({"sort": "x"}, "malformed", "sort"),
    ):
        answer = await call.made(client, json=call.body | wrong)
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (400, code, field)
    assert await calls.snapshot() == before

    for _ in range(2):
        answer = await call.made(client)
        assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["filter"] == {"group": "open", "region": make.XINBIN, "overdue": True, "q": "饮水"}
    assert (told["region_name"], told["unit_name"], told["gone"]) == ("新宾满族自治县", None, [])
    assert told["first"] and told["own"] and not told["shared"]
    after = await calls.snapshot()
    unseen = await client.put(call.path, headers=strange, json=call.body)
    gone = await client.delete(call.path, headers=strange)
    assert {unseen.status_code, gone.status_code} == {404} and await calls.snapshot() == after
    assert await listed(client, it.stranger) == []

    assert (await client.delete(call.path, headers=call.headers)).status_code == 204
    assert await listed(client, it.staff) == []
    assert (await client.delete(call.path, headers=call.headers)).status_code == 404


async def test_a_name_stands_for_one_view(client, it):
    headers = await make.signed_in(it.staff)
    id = uuid7()
    assert (await client.put(f"/api/views/{id}", headers=headers, json=body())).status_code == 200
    again = await client.put(f"/api/views/{uuid7()}", headers=headers, json=body(name=" 超期 "))
    assert (again.status_code, make.problem(again)["code"], make.problem(again)["field"]) == (
        409, "view_name_taken", "name",
    )  # fmt: skip
    renamed = await client.put(f"/api/views/{id}", headers=headers, json=body(name="超期的", sort="newest"))
    assert (renamed.json()["name"], renamed.json()["sort"]) == ("超期的", "newest")
    boss = await make.signed_in(it.boss)
    assert (await client.put(f"/api/views/{uuid7()}", headers=boss, json=body())).status_code == 200


async def test_fifty_are_kept_and_one_is_the_first(client, it):
    headers = await make.signed_in(it.staff)
    ids = [uuid7() for _ in range(rules.MOST_VIEWS)]
    for place, id in enumerate(ids):
        said = body(name=f"视图{place}", place=rules.MOST_VIEWS - place, first=place in (3, 7))
        assert (await client.put(f"/api/views/{id}", headers=headers, json=said)).status_code == 200
    full = await client.put(f"/api/views/{uuid7()}", headers=headers, json=body(name="多了"))
    assert (full.status_code, make.problem(full)["code"]) == (409, "too_many_views")
    changed = await client.put(f"/api/views/{ids[0]}", headers=headers, json=body(name="改名", place=50))
    assert changed.status_code == 200
    found = await listed(client, it.staff)
    assert [UUID(view["id"]) for view in found] == ids[::-1]
    assert [UUID(view["id"]) for view in found if view["first"]] == [ids[7]]


async def test_what_is_shared_is_read_by_the_unit_and_changed_by_its_owner(client, it):
    id, headers = uuid7(), await make.signed_in(it.staff)
    said = body(name="本办共用", shared=True, first=True)
    assert (await client.put(f"/api/views/{id}", headers=headers, json=said)).status_code == 200
    seen = await listed(client, it.boss)
    assert [(view["name"], view["own"], view["first"], view["owner_name"]) for view in seen] == [
        ("本办共用", False, False, "督查办周")
    ]
    assert await listed(client, it.handler) == []
    guest = await make.person("兼任", Role.inspector, at=it.responsible)
    assert await listed(client, guest) == []
    boss = await make.signed_in(it.boss)
    for answer in (
        await client.put(f"/api/views/{id}", headers=boss, json=said),
        await client.delete(f"/api/views/{id}", headers=boss),
    ):
        assert (answer.status_code, make.problem(answer)["code"]) == (403, "not_yours_to_do")
    await client.put(f"/api/views/{id}", headers=headers, json=body(name="本办共用"))
    assert await listed(client, it.boss) == []


async def test_a_view_of_what_is_no_more_says_so(client, it):
    id, headers = uuid7(), await make.signed_in(it.staff)
    wanted = {"unit": str(it.responsible), "region": make.XINBIN, "topic": "0304"}
    said = body(filter=wanted)
    assert (await client.put(f"/api/views/{id}", headers=headers, json=said)).json()["gone"] == []
    await raw("UPDATE unit SET valid_to = '2026-11-23' WHERE id = $1", it.responsible)
    await raw("UPDATE region SET valid_to = '2026-11-23' WHERE code = $1", make.XINBIN)
    told = (await listed(client, it.staff))[0]
    assert told["gone"] == ["unit", "region"] and told["unit_name"] == "新宾县水务局" and told["filter"] == wanted
    said = body(name="没有过的", filter={"unit": str(uuid7()), "region": "999999999999", "topic": "77"})
    made = await client.put(f"/api/views/{uuid7()}", headers=headers, json=said)
    assert (made.status_code, made.json()["gone"]) == (200, ["unit", "region", "topic"])
    answer = await client.get("/api/rectifications", headers=headers, params=made.json()["filter"])
    assert (answer.status_code, answer.json()["items"]) == (200, [])
