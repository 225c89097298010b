"""What a person and a unit may bring in: asked before a body is read, counted from rows."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from backend import clock
from backend.columns import uuid7
from backend.evidence.stores import intake
from backend.uploads import quota
from backend.uploads.quota import Limits
from tests import calls, make, uploads_make
from tests.test_evidence_api import declared, half_sent, state
from tests.uploads_make import Phone, lying


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def phone(client, it) -> Phone:
    return await uploads_make.phone(client, it.inspector)


@pytest.fixture
def allowed(monkeypatch):
    """Sets how many bytes a person and a unit have."""

    def say(person: int = 10**9, unit: int = 10**9) -> None:
        monkeypatch.setattr(quota, "limits", lambda: Limits(person, unit))

    return say


async def put(phone: Phone, id: UUID, content: bytes) -> httpx.Response:
    return await phone.client.put(f"/api/evidence/{id}", content=content, headers=phone.headers)


async def test_a_person_who_brought_in_enough_today_is_refused_before_the_body_and_not_tomorrow(it, phone, allowed):
    first, second = make.photo(80), make.photo(81)
    allowed(person=len(first) + len(second) - 1)
    ids = [await declared(it, first), await declared(it, second)]
    assert (await put(phone, ids[0], first)).status_code == 200
    before = await calls.snapshot()
    for answer in (
        (await put(phone, ids[1], second)),
        await phone.create(ids[1], len(second)),
        await phone.create(uuid7(), len(second)),
    ):
        told = make.problem(answer)
        assert (answer.status_code, told["code"]) == (429, "evidence.quota_person"), told
        assert told["details"]["used"] == len(first) and int(answer.headers["Retry-After"]) == 12 * 3600 + 1
    assert await calls.snapshot() == before and not half_sent() and lying() == []
    assert (await put(phone, ids[0], first)).status_code == 200  # what is there already costs nothing
    assert (await phone.create(ids[0], len(first))).status_code == 201
    with clock.frozen(clock.now() + timedelta(hours=12)):
        phone.headers = await make.signed_in(it.inspector)
        assert (await put(phone, ids[1], second)).status_code == 200


async def test_a_unit_has_a_quota_that_its_people_share_and_another_unit_has_its_own(client, it, phone, allowed):
    mine, theirs = make.photo(82), make.photo(83)
    allowed(unit=max(len(mine), len(theirs)))
    id = await declared(it, mine)
    assert (await put(phone, id, mine)).status_code == 200
    colleague = Phone(client, await make.signed_in(it.lead))
    answer = await colleague.create(uuid7(), len(theirs))
    assert (answer.status_code, make.problem(answer)["code"]) == (429, "evidence.quota_unit")
    handler = Phone(client, await make.signed_in(it.handler))
    assert (await handler.create(uuid7(), len(theirs))).status_code == 201


async def test_what_lies_open_counts_at_its_full_length_until_it_is_over(it, phone, allowed):
    content = make.photo(84)
    allowed(person=len(content) * 2)
    id = await declared(it, content)
    first, second = await phone.begin(id, len(content)), await phone.begin(uuid7(), len(content))
    answer = await phone.create(uuid7(), 1)
    assert (answer.status_code, make.problem(answer)["code"]) == (429, "evidence.quota_person")
    assert (await phone.send(first, 0, content)).status_code == 204  # what was begun may end
    assert await state(id) == "received"
    assert (await phone.create(uuid7(), 1)).status_code == 429  # now it counts as brought in, once
    assert (await phone.end(second)).status_code == 204
    assert (await phone.create(uuid7(), 1)).status_code == 201


async def test_a_file_begun_in_pieces_may_be_sent_at_once_and_counts_once(it, phone, allowed):
    content = make.photo(85)
    allowed(person=len(content))
    id = await declared(it, content)
    await phone.begin(id, len(content))
    assert (await put(phone, id, content)).status_code == 200


async def test_nothing_is_begun_when_the_disk_is_at_its_floor(it, phone, monkeypatch):
    content = make.photo(86)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    before = await calls.snapshot()
    monkeypatch.setattr(intake(), "_floor", 2**62)
    for answer in (await phone.create(uuid7(), 5), await phone.send(path, 0, content)):
        assert (answer.status_code, make.problem(answer)["code"]) == (507, "no_room")
    assert await calls.snapshot() == before and await phone.offset(path) == 0 and lying() == [".part"]
    monkeypatch.undo()
    assert (await phone.send(path, 0, content)).status_code == 204 and await state(id) == "received"
