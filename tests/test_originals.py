"""调阅原件: the ladder, the ten minutes, the records, and what a browser is told, with each kind of store."""

from datetime import timedelta
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import storage
from backend.evidence.rules import MediaType
from backend.people.tables import RoleGrant
from backend.roles import Role
from tasks.rectifications.item import Status
from tests import calls, hostile_files, make
from tests.stores_make import stored
from tests.test_evidence_api import declared

REASON = "复核拍摄地点。"


@pytest.fixture
async def it(client, noon, side):
    return await make.cast()


async def ask(client, file: UUID, person, **said: str):
    body = {"id": str(uuid7()), "reason": REASON} | said
    return await client.post(f"/api/evidence/{file}/original-access", json=body, headers=await make.signed_in(person))


async def take(client, file: UUID, person, **headers: str):
    return await client.get(f"/api/evidence/{file}/original", headers={**await make.signed_in(person), **headers})


def told(answer) -> tuple[int, str]:
    return answer.status_code, make.problem(answer)["code"]


async def accesses() -> int:
    return (await raw("SELECT count(*) AS n FROM original_access"))[0]["n"]


async def test_the_ladder(client, it):
    content = make.photo(60)
    file = await declared(it, content)
    path = f"/api/evidence/{file}/original-access"
    body = {"id": str(uuid7()), "reason": REASON}
    before = await calls.snapshot()
    assert (await client.post(path, json=body)).status_code == 401
    assert told(await ask(client, file, it.stranger)) == (404, "not_found")
    assert told(await ask(client, uuid7(), it.staff)) == (404, "not_found")
    assert told(await ask(client, file, it.inspector)) == (403, "not_yours_to_do")
    assert told(await ask(client, file, it.lead)) == (403, "not_yours_to_do")
    assert told(await ask(client, file, it.staff)) == (409, "evidence.not_received")
    assert told(await take(client, file, it.staff)) == (409, "evidence.not_received")
    await client.put(f"/api/evidence/{file}", content=content, headers=await make.signed_in(it.inspector))
    before = await calls.snapshot()
    for reason, code in (
        ("", "incomplete"),
        ("看一看", "incomplete"),
        ("户主电话13904130077", "personal_data_in_reason"),
    ):
        answer = await ask(client, file, it.staff, reason=reason)
        assert (*told(answer), make.problem(answer)["field"]) == (422, code, "reason")
    assert told(await ask(client, file, it.staff, why="x")) == (400, "unknown_field")
    assert told(await take(client, file, it.staff)) == (403, "original_access_needed")
    assert await calls.snapshot() == before
    answer = await ask(client, file, it.staff)
    assert answer.status_code == 201 and answer.json()["path"] == f"/api/evidence/{file}/original"
    assert answer.json()["until"].startswith("2026-11-24T04:10:00")
    events = await raw("SELECT actor, payload FROM event WHERE verb = 'evidence.original_taken' AND subject = $1", file)
    assert len(events) == 1 and events[0]["actor"] == it.staff.person and REASON.encode() in events[0]["payload"]
    assert (await take(client, file, it.staff)).content == content
    assert told(await take(client, file, it.boss)) == (403, "original_access_needed")  # everybody says why
    assert told(await take(client, file, it.inspector)) == (403, "not_yours_to_do")


async def test_the_same_request_twice_is_one_access_and_ten_minutes_are_over(client, it):
    file = await stored(client, it, make.photo(61))
    id = str(uuid7())
    first, again = [await ask(client, file, it.staff, id=id) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json()) and await accesses() == 1
    assert told(await ask(client, file, it.staff, id=id, reason="另一个事由。")) == (409, "conflict")
    assert told(await ask(client, file, it.boss, id=id)) == (409, "conflict")
    with clock.frozen(clock.now() + timedelta(minutes=10)):
        assert (await take(client, file, it.staff)).status_code == 200
    with clock.frozen(clock.now() + timedelta(minutes=10, seconds=1)):
        assert told(await take(client, file, it.staff)) == (403, "original_access_needed")
        assert told(await ask(client, file, it.staff, id=id)) == (409, "original_access_is_over")
        assert (await ask(client, file, it.staff)).status_code == 201
        assert (await take(client, file, it.staff)).status_code == 200
    assert await accesses() == 2


async def test_who_may_take_what_units_and_teams_only_look_at(client, it):
    item = await make.rectification(it, Status.handed_in)
    after = (await raw("SELECT evidence FROM hand_in_evidence"))[0]["evidence"]
    before = (await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", item))[0]["evidence"]
    await raw("UPDATE evidence SET state = 'ready', received_at = declared_at")
    may = {
        it.reviewer: 201,
        it.staff: 201,
        it.boss: 201,
        it.leader: 201,
        it.handler: 403,
        it.principal: 403,
        it.stranger: 404,
    }
    for file in (before, after):
        assert {person: (await ask(client, file, person)).status_code for person in may} == may
    # Somebody who reviews elsewhere and sees this one as the responsible unit's handler does not get it either.
    both = await make.person("经办兼审核", Role.unit_handler, at=it.responsible)
    at = await make.unit("别的牵头局")
    role = Role.lead_unit_reviewer.value
    await RoleGrant(id=uuid7(), person=both.person, unit=at, role=role, granted_at=clock.now()).save()
    assert (await client.get(f"/api/evidence/{after}", headers=await make.signed_in(both))).status_code == 200
    assert told(await ask(client, after, both)) == (403, "not_yours_to_do")


async def test_auditors_and_office_leaders_read_who_took_what(client, it):
    file = await stored(client, it, make.photo(62))
    other = await stored(client, it, make.photo(63))
    for minute, (which, person) in enumerate(((file, it.staff), (other, it.staff), (file, it.boss))):
        with clock.frozen(clock.now() + timedelta(minutes=minute)):
            assert (await ask(client, which, person)).status_code == 201
    auditor = await make.person("审计员", Role.security_auditor, at=await make.unit("市扶贫办", area=make.FUSHUN))
    far = await make.person("外地审计员", Role.security_auditor, at=await make.unit("清原县审计局", area=make.QINGYUAN))

    async def read(person, path: str = f"{file}/original-accesses", **query: str):
        return await client.get(f"/api/evidence/{path}", headers=await make.signed_in(person), params=query)

    for person in (auditor, it.boss):
        found = (await read(person)).json()["items"]
        assert [(row["by"], row["reason"]) for row in found] == [
            (str(it.boss.person), REASON),
            (str(it.staff.person), REASON),
        ]
        assert len((await read(person, "original-accesses")).json()["items"]) == 3
        mine = (await read(person, "original-accesses", by=str(it.staff.person))).json()["items"]
        assert {row["evidence"] for row in mine} == {str(file), str(other)}
        page = (await read(person, "original-accesses", limit="2")).json()
        rest = (await read(person, "original-accesses", limit="2", cursor=page["next"])).json()
        assert [len(page["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    assert told(await read(it.staff)) == (403, "not_yours_to_do")
    assert told(await read(it.inspector)) == (403, "not_yours_to_do")
    assert told(await read(it.inspector, "original-accesses")) == (403, "not_yours_to_do")
    assert told(await read(it.stranger)) == told(await read(far)) == (404, "not_found")
    assert (await read(far, "original-accesses")).json()["items"] == []
    assert told(await read(auditor, "original-accesses", cursor=str(uuid7()))) == (400, "bad_cursor")
    # Reading who took it opens nothing, and the auditor still sees no file.
    assert told(await ask(client, file, auditor)) == (404, "not_found")


async def test_an_original_is_an_attachment_of_our_own_type_and_name(client, it):
    for number, (content, media_type) in enumerate(
        (
            (hostile_files.talkative(), MediaType.jpeg),
            (hostile_files.encoded(hostile_files.picture(), "PNG") + b"<script>alert(1)</script>", MediaType.png),
            (hostile_files.encoded(hostile_files.picture(), "WEBP"), MediaType.webp),
        )
    ):
        file = await stored(client, it, content, media_type)
        await ask(client, file, it.staff)
        answer = await take(client, file, it.staff)
        assert answer.status_code == 200 and answer.content == content, number
        assert answer.headers["content-type"] == media_type.value
        assert answer.headers["content-disposition"] == f'attachment; filename="{file}.{media_type.name}"'
        assert answer.headers["content-length"] == str(len(content))
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("sandbox")
        part = await take(client, file, it.staff, Range="bytes=5-14")
        assert (part.status_code, part.content) == (206, content[5:15])
        assert part.headers["content-range"] == f"bytes 5-14/{len(content)}"
        weighed = await client.head(f"/api/evidence/{file}/original", headers=await make.signed_in(it.staff))
        assert weighed.status_code == 200 and weighed.content == b""
        assert weighed.headers["content-length"] == str(len(content))
        past = await take(client, file, it.staff, Range=f"bytes={len(content)}-")
        assert told(past) == (416, "range_not_satisfiable")
        assert past.headers["content-range"] == f"bytes */{len(content)}"


async def test_an_original_that_is_gone_or_damaged_is_never_passed_off_as_whole(client, it, side, caplog):
    content = make.photo(64)
    file = await stored(client, it, content)
    name = storage.original((await raw("SELECT sha256 FROM evidence WHERE id = $1", file))[0]["sha256"])
    await ask(client, file, it.staff)
    side.put(name, content[:-1])
    assert told(await take(client, file, it.staff)) == (500, "evidence.lost")
    side.remove(name)
    assert told(await take(client, file, it.staff)) == (500, "evidence.lost")
    assert name in caplog.text
