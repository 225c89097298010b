"""一户一户对账: which household an item is about, when a household is cleared, and the ledger by place."""

from typing import Any
from uuid import UUID

import pytest

from backend.columns import uuid7
from backend.db import raw
from backend.errors import Incomplete, NotFound, WrongState
from backend.households import commands as households
from backend.households.queries import nothing
from backend.households.rules import Category, Relation
from backend.roles import Role
from tasks.rectifications import commands, concerning
from tasks.rectifications.item import Status
from tests import calls, make

MAERDUN = make.MAERDUN


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def about(it: make.Cast, household: UUID, *statuses: Status) -> list[UUID]:
    items = []
    for status in statuses:
        id = await make.rectification(it, Status.issued if status == Status.hung else status)
        # set as no verb could: what is closed or void takes no household any more, and nothing leads to hung here
        await raw("UPDATE rectification SET household = $2, status = $3 WHERE id = $1", id, household, status.value)
        items.append(id)
    return items


async def get(client, who, path: str, **params: Any) -> Any:
    answer = await client.get(path, headers=await make.signed_in(who), params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_household_is_cleared_when_all_its_counted_items_are(client, it):
    empty, one, two, hung, void = [await make.household(it, household_number=f"{n:04}") for n in range(1, 6)]
    await about(it, one, Status.closed, Status.closed, Status.voided, Status.draft)
    await about(it, two, Status.closed, Status.passed)
    await about(it, hung, Status.hung, Status.closed)
    await about(it, void, Status.voided, Status.draft)
    rows = (await get(client, it.staff, "/api/households"))["items"]
    assert [(UUID(row["id"]), row["tally"]["standing"]) for row in rows] == [
        (empty, "no_items"), (one, "cleared"), (two, "open"), (hung, "hung"), (void, "no_items"),
    ]  # fmt: skip
    assert rows[1]["tally"] == {"counted": 2, "closed": 2, "hung": 0, "standing": "cleared"}
    for wanted, expected in (("true", [one]), ("false", [two, hung])):
        page = await get(client, it.staff, "/api/households", cleared=wanted)
        assert [UUID(row["id"]) for row in page["items"]] == expected
    shown = await get(client, it.staff, f"/api/households/{hung}")
    assert shown["tally"] == {"counted": 2, "closed": 1, "hung": 1, "standing": "hung"}


async def test_clearing_is_computed_anew_when_an_item_is_cleared(client, it):
    id = await make.household(it)
    item = await make.rectification(it, Status.passed)
    await concerning.concern(item, it.staff, id)
    assert (await get(client, it.staff, f"/api/households/{id}"))["tally"]["standing"] == "open"
    await commands.close_out(item, it.boss, id=uuid7(), opinion="同意销号。")
    assert (await get(client, it.staff, f"/api/households/{id}"))["tally"]["standing"] == "cleared"


async def test_clearing_counts_every_place_below_and_lists_who_is_left(client, it):
    await make.region(MAERDUN)
    numbers = {"0001": make.YAOZHAN, "0002": make.YAOZHAN, "0003": MAERDUN, "0004": MAERDUN, "0005": MAERDUN}
    ids = {n: await make.household(it, household_number=n, region=region) for n, region in numbers.items()}
    await about(it, ids["0001"], Status.closed)
    await about(it, ids["0002"], Status.working)
    await about(it, ids["0003"], Status.closed)
    await about(it, ids["0004"], Status.hung)
    told = await get(client, it.staff, "/api/households/clearing", region=make.SHANGJIAHE)
    names = ("households", "cleared", "not_cleared", "hung")
    assert [told[name] for name in names] == [4, 2, 2, 1]
    assert [(part["region"], part["region_name"], *(part[name] for name in names)) for part in told["parts"]] == [
        (MAERDUN, "马尔墩村", 2, 1, 1, 1),
        (make.YAOZHAN, "腰站村", 2, 1, 1, 0),
    ]
    assert [(row["household_number"], row["head_name"]) for row in told["items"]] == [
        ("0004", "佟*义"),
        ("0002", "佟*义"),
    ]
    assert told["next"] is None
    below = {
        make.LIAONING: [make.FUSHUN],
        make.FUSHUN: [make.XINBIN],
        make.XINBIN: [make.SHANGJIAHE],
        make.YAOZHAN: [make.YAOZHAN],
        make.QINGYUAN: [],
    }
    for region, parts in below.items():
        told = await get(client, it.staff, "/api/households/clearing", region=region)
        assert [part["region"] for part in told["parts"]] == parts
    first = await get(client, it.staff, "/api/households/clearing", region=make.XINBIN, limit=1)
    second = await get(client, it.staff, "/api/households/clearing", region=make.XINBIN, limit=1, cursor=first["next"])
    assert [row["household_number"] for row in (*first["items"], *second["items"])] == ["0004", "0002"]
    assert first["parts"] == second["parts"]


async def test_clearing_counts_only_what_is_in_sight(client, it):
    mine, other = await make.household(it), await make.household(it, household_number="0099")
    for id in (mine, other):
        await about(it, id, Status.issued)
    await raw(
        "DELETE FROM rectification_unit WHERE rectification IN (SELECT id FROM rectification WHERE household = $1)",
        other,
    )
    seen = await get(client, it.handler, "/api/households/clearing", region=make.XINBIN)
    assert (seen["households"], [row["id"] for row in seen["items"]]) == (1, [str(mine)])
    seen = await get(client, it.stranger, "/api/households/clearing", region=make.XINBIN)
    assert (seen["households"], seen["parts"], seen["items"]) == (0, [], [])
    headers = await make.signed_in(it.staff)
    answer = await client.get("/api/households/clearing", headers=headers, params={"region": "999999999999"})
    assert answer.status_code == 404


async def test_the_ledger_is_walked_to_its_end_without_gap_or_repeat(client, it):
    await make.region(MAERDUN)
    ids = {
        await make.household(it, household_number=number, region=region)
        for number in ("0001", "0001", '一|组, "2"号')
        for region in (make.YAOZHAN, MAERDUN)
    }
    seen, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = await get(client, it.staff, "/api/households", limit=2, **more)
        seen += page["items"]
        if not (cursor := page["next"]):
            break
    assert len(seen) == 6 and {UUID(row["id"]) for row in seen} == ids
    order = [(row["region"], row["household_number"], row["id"]) for row in seen]
    assert order == sorted(order)


async def test_the_ledger_is_narrowed_by_every_filter(client, it):
    await make.region(MAERDUN)
    one = await make.household(it, household_number="腰-0012%")
    other = await make.household(it, household_number="马-0013", region=MAERDUN, category=Category.unsafe_housing)

    async def found(**params: Any) -> set[UUID]:
        return {UUID(row["id"]) for row in (await get(client, it.staff, "/api/households", **params))["items"]}

    assert await found() == {one, other} == await found(region=make.XINBIN) == await found(q="-001")
    assert await found(region=make.YAOZHAN) == {one} and await found(region=make.QINGYUAN) == set()
    assert await found(q="12%") == {one} == await found(q="%") and await found(q="佟") == set()
    assert await found(category="unsafe_housing") == {other} and await found(category="illness") == {one}


@pytest.mark.parametrize("cursor", ["x", "%%%", "W10=", "WyIxIiwiMiIsIjMiXQ==", "é", "bnVsbA=="])
async def test_a_made_up_cursor_is_refused(client, it, cursor):
    for path, more in (("/api/households", {}), ("/api/households/clearing", {"region": make.XINBIN})):
        answer = await client.get(path, headers=await make.signed_in(it.staff), params={"cursor": cursor, **more})
        assert (answer.status_code, make.problem(answer)["code"]) == (400, "bad_cursor")


async def test_an_item_is_about_a_household_or_somebody_in_it_as_its_issuer_says(client, it):
    id, other = await make.household(it), await make.household(it, household_number="0099")
    person = uuid7()
    await households.add_person(
        id, it.staff, nothing, id=person, name="佟桂兰", relation=Relation.spouse, id_number=None
    )
    item = await make.rectification(it, Status.draft)
    await concerning.concern(item, it.lead, id, person)  # the team's lead may issue it
    with pytest.raises(Incomplete):
        await concerning.concern(item, it.staff, other, person)
    with pytest.raises(Incomplete):
        await concerning.concern(item, it.staff, None, person)
    with pytest.raises(NotFound):
        await concerning.concern(item, it.staff, uuid7())
    row = await get(client, it.staff, f"/api/rectifications/{item}")
    assert (row["household"], row["person_concerned"]) == (str(id), str(person))
    items = (await get(client, it.staff, f"/api/households/{id}/items"))["items"]
    assert [one["id"] for one in items] == [str(item)]
    assert [one["id"] for one in (await get(client, it.staff, "/api/rectifications", household=str(id)))["items"]] == [
        str(item)
    ]
    await concerning.concern(item, it.staff, None)
    assert (await get(client, it.staff, f"/api/households/{id}/items"))["items"] == []
    verbs = await raw("SELECT 1 FROM event WHERE verb = 'rectification.concerned'")
    assert len(verbs) == 2


async def test_an_item_is_about_no_household_of_another_county(it):
    id, item = await make.household(it), await make.rectification(it, Status.draft)
    await raw("UPDATE household SET county = $1 WHERE id = $2", make.QINGYUAN, id)
    with pytest.raises(Incomplete) as refusal:
        await concerning.concern(item, it.staff, id)
    assert refusal.value.code == "household_elsewhere"
    await raw("UPDATE rectification SET region = $1, county = NULL, township = NULL WHERE id = $2", make.FUSHUN, item)
    await concerning.concern(item, it.staff, id)  # the item is the whole city's


@pytest.mark.parametrize("status", [Status.closed, Status.voided])
async def test_a_finished_item_keeps_its_household(it, status):
    id, item = await make.household(it), await make.rectification(it, status)
    with pytest.raises(WrongState):
        await concerning.concern(item, it.staff, id)


async def test_a_household_out_of_sight_cannot_be_named(client, it):
    county_office = await make.unit("清原县督查办", area=make.QINGYUAN)
    staff = await make.person("清原督查办", Role.supervision_staff, Role.team_lead, at=county_office)
    id, item = await make.household(it), await make.rectification(it)
    call = await calls.by(staff, "PUT", f"/api/rectifications/{item}/household", {"household": str(id)})
    assert (await call.made(client)).status_code == 404


async def test_a_unit_lists_only_its_own_items_of_a_household(client, it):
    id = await make.household(it)
    mine, other = await about(it, id, Status.issued, Status.issued)
    await raw("DELETE FROM rectification_unit WHERE rectification = $1", other)
    for who, expected in ((it.handler, {mine}), (it.staff, {mine, other})):
        items = (await get(client, who, f"/api/households/{id}/items"))["items"]
        assert {UUID(one["id"]) for one in items} == expected
