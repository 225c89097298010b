"""The households a phone keeps: of own visits, of the own unit's items, masked, page by page, and only what changed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.households import commands as households
from backend.households.queries import nothing
from backend.households.rules import Relation
from backend.roles import Role
from notifications.today import kept
from tasks.rectifications import concerning
from tasks.rectifications.item import Status
from tests import calls, make

MAERDUN = make.MAERDUN


@pytest.fixture
async def it(client, noon):
    it = await make.cast()
    await make.region(MAERDUN)
    return it


async def copy(client, who, have: str | None = None, cursor: str | None = None) -> dict[str, Any]:
    params = {name: value for name, value in (("have", have), ("cursor", cursor)) if value}
    answer = await client.get("/api/phone/households", headers=await make.signed_in(who), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(client, who) -> list[UUID]:
    return [UUID(one["id"]) for one in (await copy(client, who))["items"]]


async def test_an_inspector_keeps_the_households_of_own_visits_and_no_others(client, it):
    here = await make.household(it)
    await make.household(it, household_number="0099", region=MAERDUN)
    assert await ids(client, it.inspector) == [here]
    assert await ids(client, it.lead) == [here]
    for who in (it.staff, it.boss, it.leader, it.reviewer, it.handler, it.stranger):
        assert await ids(client, who) == [], who.name
    await (await calls.submit(it)).made(client)
    assert await ids(client, it.inspector) == []


async def test_a_line_is_masked_and_holds_neither_id_number_nor_phone(client, it):
    await make.household(it, head_name="佟守义", id_number=calls.ID_NUMBER)
    await raw("UPDATE region SET name = '腰站村民委员会', full_name = '上夹河镇腰站村' WHERE code = $1", make.YAOZHAN)
    told = await copy(client, it.inspector)
    assert told["whole"] is True and told["next"] is None
    [line] = told["items"]
    assert set(line) == {
        "id", "region", "village", "household_number", "category", "head_name", "population", "version",
        "persons",
    }  # fmt: skip
    assert (line["head_name"], line["household_number"], line["category"]) == ("佟*义", "0012", "illness")
    assert (line["village"] == "腰站村", line["population"], line["version"]) == (True, 3, 1)


async def test_who_lives_there_is_told_masked_to_who_files_findings_and_again_when_somebody_moves(client, it, noon):
    household, person = await make.household(it), uuid7()
    await concerning.concern(await make.rectification(it), it.staff, household)
    have = (await copy(client, it.inspector))["have"]
    with clock.frozen(noon + timedelta(minutes=10)):
        said = {"name": "佟桂兰", "relation": Relation.spouse, "id_number": calls.ID_NUMBER}
        await households.add_person(household, it.staff, nothing, id=person, **said)
        told = await copy(client, it.inspector, have)
        assert (told["whole"], told["items"][0]["persons"]) == (
            False,
            [{"id": str(person), "name": "佟*兰", "relation": "spouse"}],
        )
        assert [one["persons"] for one in (await copy(client, it.handler))["items"]] == [[]]
    with clock.frozen(noon + timedelta(minutes=20)):
        await households.remove_person(household, person, it.staff, nothing)
        assert [one["persons"] for one in (await copy(client, it.inspector, told["have"]))["items"]] == [[]]


async def test_who_inspects_no_longer_keeps_nobody_of_the_households_of_their_unit(client, it, noon):
    both = await make.person("两头赵", Role.unit_handler, Role.inspector, at=it.responsible)
    household = await make.household(it)
    await concerning.concern(await make.rectification(it), it.staff, household)
    said = {"name": "佟桂兰", "relation": Relation.spouse, "id_number": calls.ID_NUMBER}
    await households.add_person(household, it.staff, nothing, id=uuid7(), **said)
    with clock.frozen(noon + timedelta(minutes=10)):
        told = await copy(client, both)
        assert [one["name"] for one in told["items"][0]["persons"]] == ["佟*兰"]
        await raw("UPDATE role_grant SET revoked_at = $2 WHERE person = $1 AND role = 'inspector'", both.person, noon)
        again = await copy(client, both, told["have"])
        assert again["whole"] and [one["persons"] for one in again["items"]] == [[]]


async def test_an_inspector_from_elsewhere_keeps_none(client, it):
    await make.household(it)
    elsewhere = await make.person("清原督查员", Role.inspector, at=await make.unit("清原县水务局"))
    await raw("UPDATE visit_member SET person = $1 WHERE person = $2", elsewhere.person, it.inspector.person)
    assert await ids(client, elsewhere) == []


async def test_a_unit_keeps_the_households_of_its_items(client, it):
    household, _ = await make.household(it), await make.household(it, household_number="0099")
    item = await make.rectification(it)
    await concerning.concern(item, it.staff, household)
    assert await ids(client, it.handler) == [household] == await ids(client, it.reviewer)
    assert await ids(client, it.stranger) == []


async def test_a_unit_keeps_none_of_an_item_that_is_done(client, it):
    household = await make.household(it)
    done, open = await make.rectification(it, Status.closed), await make.rectification(it, Status.hung)
    await raw("UPDATE rectification SET household = $1 WHERE id = ANY($2::uuid[])", household, [done, open])
    assert await ids(client, it.handler) == [household]
    await raw("UPDATE rectification SET household = NULL WHERE id = $1", open)
    assert await ids(client, it.handler) == [] == await ids(client, it.reviewer)


async def test_only_what_was_corrected_since_is_told_again(client, it, noon):
    one, other = await make.household(it), await make.household(it, household_number="0099")
    with clock.frozen(noon + timedelta(minutes=5)):
        have = (await copy(client, it.inspector))["have"]
        again = await copy(client, it.inspector, have)
        assert (again["whole"], again["items"]) == (False, [])
    with clock.frozen(noon + timedelta(minutes=10)):
        await households.correct(other, it.staff, nothing, version=1, changes={"population": 5})
        again = await copy(client, it.inspector, have)
        assert again["whole"] is False
        assert [(UUID(line["id"]), line["population"], line["version"]) for line in again["items"]] == [(other, 5, 2)]
    with clock.frozen(noon + timedelta(minutes=12)):
        again = await copy(client, it.inspector, again["have"])  # told twice: a minute overlaps
    with clock.frozen(noon + timedelta(minutes=15)):
        assert (await copy(client, it.inspector, again["have"]))["items"] == []
        await households.correct(one, it.staff, nothing, version=1, changes={"region": MAERDUN})
        moved = await copy(client, it.inspector, again["have"])  # what is no longer here must leave the phone
        assert (moved["whole"], [UUID(line["id"]) for line in moved["items"]]) == (True, [other])
    with clock.frozen(noon + timedelta(days=1)):
        assert (await copy(client, it.inspector, moved["have"]))["whole"] is True
    for nonsense in ("x", ".", "0" * 40, f"{have.split('.')[0]}.９", f"{have.split('.')[0]}.-1"):
        assert (await copy(client, it.inspector, nonsense))["whole"] is True, nonsense


async def test_it_is_walked_page_by_page_without_gap_or_repeat(client, it, monkeypatch):
    monkeypatch.setattr(kept, "PAGE", 2)
    made = {await make.household(it, id=uuid7(), household_number=f"{n % 3:04}") for n in range(5)}
    seen, told = [], await copy(client, it.inspector)
    while True:
        seen += [UUID(line["id"]) for line in told["items"]]
        if not told["next"]:
            break
        told = await copy(client, it.inspector, cursor=told["next"])
    assert len(seen) == 5 and set(seen) == made


async def test_a_stranger_signs_in_first(client, it):
    assert (await client.get("/api/phone/households")).status_code == 401
