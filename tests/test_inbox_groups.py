"""The inbox folded by thing and by kind, its counts, why one was told, where it leads, reading and undoing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock, db
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Role
from notifications.inbox import jobs, reasons, wording
from notifications.inbox.rules import Audience, Subject
from notifications.inbox.wording import PATHS
from tasks.rectifications import commands
from tasks.rectifications.words import ReturnReason
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def told(it, settle, noon) -> list[UUID]:
    """Three items: the first was issued, sent back twice; the others issued."""
    items = []
    for n in range(3):
        with clock.frozen(noon + timedelta(minutes=n)):
            items.append(await make.rectification(it))
            await settle()
    for n in (3, 4):
        with clock.frozen(noon + timedelta(minutes=n)):
            await raw("UPDATE rectification SET status = 'handed_in' WHERE id = $1", items[0])
            await raw("UPDATE rectification_unit SET status = 'handed_in' WHERE rectification = $1", items[0])
            await commands.send_back(
                items[0], it.reviewer, id=uuid7(), reason_code=ReturnReason.not_done, note="还差一户。"
            )
            await settle()
    return items


async def get(client, who, path: str, **params: object) -> dict:
    answer = await client.get(path, headers=await make.signed_in(who), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_notices_about_one_thing_are_one_line_that_opens(client, it, told):
    page = await get(client, it.handler, "/api/notices/groups")
    assert [(group["latest"]["subject"], group["count"]) for group in page["items"]] == [
        (str(told[0]), 3), (str(told[2]), 1), (str(told[1]), 1),
    ]  # fmt: skip
    assert page["unread"] == 5 and page["unread_of"] == {"rectification": 5}
    assert page["items"][0]["title"].startswith("整改被退回，请继续整改：ZG-")
    opened = await get(client, it.handler, "/api/notices", subject=str(told[0]))
    assert [notice["verb"].split(".")[1] for notice in opened["items"]] == ["sent_back", "sent_back", "issued"]


async def test_notices_of_one_kind_are_one_line_that_opens(client, it, told):
    page = await get(client, it.handler, "/api/notices/groups", by="kind")
    assert [(group["title"], group["count"]) for group in page["items"]] == [
        ("整改被退回，请继续整改（2 条）", 2), ("新交办整改事项（3 条）", 3),
    ]  # fmt: skip
    opened = await get(client, it.handler, "/api/notices", verb="rectification.issued")
    assert len(opened["items"]) == 3
    assert (await get(client, it.handler, "/api/notices", about="month"))["items"] == []
    assert len((await get(client, it.handler, "/api/notices", about="rectification"))["items"]) == 5


async def test_groups_are_walked_to_their_end_each_once(client, it, told):
    for by, groups in (("thing", 3), ("kind", 2)):
        seen, cursor = [], None
        while True:
            page = await get(client, it.handler, "/api/notices/groups", by=by, limit=1, **cursor or {})
            seen += [group["latest"]["id"] for group in page["items"]]
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}
        assert len(seen) == len(set(seen)) == groups


async def test_a_group_is_read_at_one_go_and_that_is_undone(client, it, told):
    headers = await make.signed_in(it.handler)
    latest = (await get(client, it.handler, "/api/notices"))["items"][0]["id"]
    reading = str(uuid7())
    body = {"id": reading, "up_to": latest, "subject": str(told[0])}
    for _ in range(2):
        assert (await client.post("/api/notices/readings", json=body, headers=headers)).status_code == 204
    assert (await get(client, it.handler, "/api/notices/unread")) == {"unread": 2, "of": {"rectification": 2}}
    for stranger in (it.principal, it.stranger):
        refused = await client.delete(f"/api/notices/readings/{reading}", headers=await make.signed_in(stranger))
        assert refused.status_code == 404
    for _ in range(2):
        assert (await client.delete(f"/api/notices/readings/{reading}", headers=headers)).status_code == 204
    assert (await get(client, it.handler, "/api/notices/unread"))["unread"] == 5
    assert (await get(client, it.principal, "/api/notices/unread"))["unread"] == 5


async def test_undoing_spares_what_was_read_before_and_since(client, it, told):
    headers = await make.signed_in(it.handler)
    ids = [notice["id"] for notice in (await get(client, it.handler, "/api/notices"))["items"]]
    await client.put(f"/api/notices/{ids[4]}/reading", headers=headers)
    reading = str(uuid7())
    await client.post("/api/notices/readings", json={"id": reading, "up_to": ids[0]}, headers=headers)
    await client.put(f"/api/notices/{ids[0]}/reading", headers=headers)
    assert (await client.delete(f"/api/notices/readings/{reading}", headers=headers)).status_code == 204
    unread = (await get(client, it.handler, "/api/notices", unread=True))["items"]
    assert [notice["id"] for notice in unread] == ids[1:4]


async def test_of_one_kind_only_that_kind_is_read(client, it, told):
    headers = await make.signed_in(it.handler)
    latest = (await get(client, it.handler, "/api/notices"))["items"][0]["id"]
    for body, left in (
        ({"about": "month"}, 5),
        ({"verb": "rectification.sent_back"}, 3),
        ({"verb": "rectification.issued", "about": "batch"}, 3),
        ({"about": "rectification"}, 0),
    ):
        answer = await client.post("/api/notices/readings", json={"up_to": latest, **body}, headers=headers)
        assert answer.status_code == 204
        assert (await get(client, it.handler, "/api/notices/unread"))["unread"] == left


async def test_one_read_by_mistake_is_unread_again(client, it):
    call = await calls.read_notice(it)
    for person in (it.principal, it.stranger):
        answer = await client.delete(call.path, headers=await make.signed_in(person))
        assert answer.status_code == 404
    assert (await client.delete(call.path)).status_code == 401
    await call.made(client)
    assert (await get(client, it.handler, "/api/notices/unread"))["unread"] == 0
    for _ in range(2):
        assert (await client.delete(call.path, headers=call.headers)).status_code == 204
    assert (await get(client, it.handler, "/api/notices/unread"))["unread"] == 1


async def test_it_says_why_one_is_told_and_where_it_leads(client, it, told):
    notice = (await get(client, it.principal, "/api/notices"))["items"][-1]
    assert notice["because"] == "新宾县水务局是责任单位，您是负责人。" and notice["in_place_of"] is None
    assert notice["phone"] == f"/phone/#/items/{told[0]}" and notice["desk"] == f"/desk/#/items/{told[0]}"
    headers = {**await make.signed_in(it.reviewer), "Accept-Language": "en"}
    english = (await client.get("/api/notices", headers=headers)).json()["items"][-1]
    assert english["because"] == "市水务局 is the lead unit; you are its reviewer."


async def test_a_notice_older_than_the_habit_says_why_as_well_as_it_can(client, it, told):
    await raw("UPDATE notice SET unit = NULL, role = NULL")
    notice = (await get(client, it.principal, "/api/notices"))["items"][-1]
    assert notice["because"] == "您的单位是责任单位，您是有关人员。"


def test_every_audience_has_its_sentence_and_every_kind_of_thing_its_path():
    assert set(reasons.SENTENCES) == set(Audience) and set(reasons.ROLES) == set(Role) and set(PATHS) == set(Subject)
    for sentences in reasons.SENTENCES.values():
        for sentence in sentences:
            assert "{" not in sentence.format_map({"unit": "单位", "role": "角色", "who": "您"})


def test_what_is_said_of_one_alone_has_a_name_for_several():
    for verb, titles in wording.TITLES.items():
        assert verb in wording.TOGETHER or not any("{" in title for title in titles), verb
        for english in (False, True):
            assert "{" not in wording.gathered(verb, 7, english) and "7" in wording.gathered(verb, 7, english)


async def test_nobody_reads_or_counts_what_is_told_to_others(client, it, told):
    """Two worlds: what a stranger gets is the same to the byte, whether others are told much or nothing."""
    paths = ["/api/notices", "/api/notices?unread=true", "/api/notices/groups", "/api/notices/groups?by=kind",
             "/api/notices/unread", f"/api/notices?subject={told[0]}", "/api/notices?verb=rectification.issued",
             "/api/notices/preferences", "/api/notices/absences"]  # fmt: skip
    headers = await make.signed_in(it.stranger)

    async def world() -> list[bytes]:
        return [(await client.get(path, headers=headers)).content for path in paths]

    full = await world()
    await raw("DELETE FROM delivery")
    await raw("DELETE FROM notice")
    assert await world() == full


async def test_a_large_inbox_is_read_by_index(client, it, told):
    """The plans of what is really asked, for who has many notices and for who has few: none scans them all."""
    await raw(
        "INSERT INTO notice (id, event, person, verb, subject, urgency, reason, at, batched) "
        "SELECT gen_random_uuid(), gen_random_uuid(), $1, 'rectification.issued', gen_random_uuid(), 'normal', "
        "'office', now(), false FROM generate_series(1, 20000)",
        it.staff.person,
    )
    asked: list[Any] = []
    async with db.DB.pool.acquire() as connection:
        await connection.execute("ANALYZE notice")
        connection.add_query_logger(note := asked.append)
    for who in (it.staff, it.handler):
        for path in ("", "/groups", "/groups?by=kind", "/groups?unread=true&about=rectification", "/unread"):
            await get(client, who, f"/api/notices{path}")
    with clock.frozen(clock.now() + timedelta(days=1)):
        await jobs.sweep_digests()
    async with db.DB.pool.acquire() as connection:
        connection.remove_query_logger(note)
        about = [one for one in asked if " notice " in one.query and one.query.startswith("SELECT")]
        for one in about:
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {one.query}", *one.args))
            assert "Seq Scan on notice" not in plan, f"{one.query}\n{plan}"
    assert len(about) > 20
