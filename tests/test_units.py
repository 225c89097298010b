"""Units, their other names and groups, and what the two trees look like over HTTP."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock, events
from backend.columns import uuid7
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.roles import SYSTEM, Role
from backend.units import commands, queries
from backend.units.region_file import FIXTURE
from backend.units.region_loading import load_regions
from backend.units.region_rows import read
from backend.units.rules import UnitKind
from tests import make

FUSHUN, XINBIN, QINGYUAN = "210400000000", "210422000000", "210423000000"
YAOZHAN = "210422108204"
FOUNDED = date(2010, 5, 1)
TODAY = date(2026, 11, 24)  # the noon fixture's

pytestmark = pytest.mark.usefixtures("fresh", "noon")


SHIPPED = [
    line
    for line in FIXTURE.read_bytes().splitlines(keepends=True)
    if b",village," not in line or line.startswith(b"210422108")
]


@pytest.fixture(autouse=True)
async def regions(fresh: None, noon: datetime) -> None:
    await load_regions(SYSTEM, read(SHIPPED, []), "test")


async def add(name: str, region: str = FUSHUN, **said: Any) -> UUID:
    id = said.pop("id", None) or uuid7()
    content: dict[str, Any] = {"short_name": name, "kind": UnitKind.department, "valid_from": FOUNDED}
    await commands.add_unit(SYSTEM, id=id, name=name, region=region, **(content | said))
    return id


async def names(*args: Any) -> list[str]:
    return [unit.name for unit in await queries.known_as(*args)]


async def test_a_unit_is_known_by_full_short_and_other_name() -> None:
    office = await add("抚顺市扶贫开发办公室", short_name="市扶贫办")
    await commands.add_alias(SYSTEM, id=uuid7(), unit=office, name="市扶贫开发办公室")
    for name in ("抚顺市扶贫开发办公室", "市扶贫办", "市扶贫开发办公室"):
        assert await names(name, TODAY) == ["抚顺市扶贫开发办公室"], name
    assert await names("市扶贫", TODAY) == []


async def test_a_name_means_the_unit_that_bore_it_on_that_day() -> None:
    old, new = await add("市扶贫办"), await add("市乡村振兴局", valid_from=date(2021, 6, 1))
    await commands.end_unit(SYSTEM, unit=old, on=date(2021, 5, 31), successor=new)
    await commands.add_alias(SYSTEM, id=uuid7(), unit=new, name="市扶贫办", valid_to=date(2022, 6, 1))
    assert await names("市扶贫办", date(2021, 5, 31)) == ["市扶贫办"]
    assert await names("市扶贫办", date(2021, 6, 1)) == ["市乡村振兴局"]
    assert await names("市扶贫办", date(2022, 6, 1)) == ["市乡村振兴局"]
    assert await names("市扶贫办", date(2022, 6, 2)) == []
    assert await names("市扶贫办", FOUNDED - timedelta(days=1)) == []


async def test_the_same_unit_again_changes_nothing_and_other_content_is_a_conflict() -> None:
    id = await add("市水务局")
    await add("市水务局", id=id)
    with pytest.raises(Conflict):
        await add("市水利局", id=id)
    assert len(await queries.units(SYSTEM)) == 1


async def test_two_units_of_one_region_cannot_have_one_full_name_on_one_day() -> None:
    first = await add("市水务局")
    with pytest.raises(Conflict, match="同名"):
        await add("市水务局")
    await add("市水务局", region=XINBIN)
    await commands.end_unit(SYSTEM, unit=first, on=date(2020, 1, 1))
    await add("市水务局", valid_from=date(2020, 1, 2))


async def test_an_unknown_region_or_parent_is_refused() -> None:
    with pytest.raises(Incomplete) as refused:
        await add("某局", region="999999000000")
    assert refused.value.code == "unknown_region"
    with pytest.raises(BadRequest):
        await add("某局", parent=uuid7())
    assert await queries.units(SYSTEM) == []


async def test_a_unit_ends_once_and_not_before_it_began() -> None:
    unit, heir = await add("市扶贫办"), await add("市乡村振兴局")
    with pytest.raises(BadRequest):
        await commands.end_unit(SYSTEM, unit=unit, on=FOUNDED - timedelta(days=1))
    with pytest.raises(BadRequest):
        await commands.end_unit(SYSTEM, unit=unit, on=TODAY, successor=unit)
    for _ in range(2):
        await commands.end_unit(SYSTEM, unit=unit, on=TODAY, successor=heir)
    with pytest.raises(WrongState):
        await commands.end_unit(SYSTEM, unit=unit, on=TODAY)
    with pytest.raises(NotFound):
        await commands.end_unit(SYSTEM, unit=uuid7(), on=TODAY)
    with pytest.raises(BadRequest):
        await commands.end_unit(SYSTEM, unit=heir, on=TODAY + timedelta(days=1), successor=unit)


async def test_a_group_stands_for_its_members_of_that_day_that_are_units_that_day() -> None:
    xinbin, qingyuan = await add("新宾县人民政府", XINBIN), await add("清原县人民政府", QINGYUAN)
    late = await add("高新区管委会", valid_from=date(2026, 1, 1))
    group = await commands.set_group(SYSTEM, name="各县区", region=FUSHUN)
    assert await commands.set_group(SYSTEM, name="各县区", region=FUSHUN) == group
    told = await events.of_subjects([group])
    assert [(it.verb, it.actor_name, it.payload["name"]) for it in told] == [("unit.group_set", "系统", "各县区")]
    for unit in (xinbin, qingyuan, late):
        for _ in range(2):
            await commands.add_member(SYSTEM, group=group, unit=unit, valid_from=FOUNDED)
    await commands.end_member(SYSTEM, group=group, unit=xinbin, on=date(2025, 12, 31))

    async def expanded(on: date) -> list[str]:
        return [unit.name for unit in await queries.expand("各县区", FUSHUN, on)]

    assert await expanded(date(2025, 12, 31)) == ["新宾县人民政府", "清原县人民政府"]
    assert await expanded(date(2026, 1, 1)) == ["高新区管委会", "清原县人民政府"]
    assert await expanded(FOUNDED - timedelta(days=1)) == []
    with pytest.raises(NotFound):
        await queries.expand("各县区", XINBIN, TODAY)
    with pytest.raises(NotFound):
        await commands.end_member(SYSTEM, group=group, unit=xinbin, on=TODAY)


async def test_only_administrators_keep_the_list() -> None:
    unit = await add("市水务局")
    group = await commands.set_group(SYSTEM, name="成员单位", region=FUSHUN)
    cadre = await make.person("周", Role.supervision_leader, Role.leader_viewer, at=unit)
    admin = await make.person("管", Role.sys_admin, at=unit)
    content: dict[str, Any] = {"short_name": "某", "kind": UnitKind.other, "region": FUSHUN}
    for attempt in (
        commands.add_unit(cadre, id=uuid7(), name="某", **content),
        commands.end_unit(cadre, unit=unit, on=TODAY),
        commands.add_alias(cadre, id=uuid7(), unit=unit, name="某"),
        commands.set_group(cadre, name="某", region=FUSHUN),
        commands.add_member(cadre, group=group, unit=unit),
        commands.end_member(cadre, group=group, unit=unit, on=TODAY),
    ):
        with pytest.raises(Forbidden):
            await attempt
    await commands.add_unit(admin, id=uuid7(), name="某", **content)


async def test_pages_go_through_every_unit_once() -> None:
    for number in range(5):
        await add("同名单位" if number < 2 else f"单位{number}", (FUSHUN, XINBIN)[number % 2])
    met: list[UUID] = []
    while page := await queries.units(SYSTEM, cursor=met[-1] if met else None, most=2):
        met += [unit.id for unit in page]
    assert len(met) == len(set(met)) == 5


async def test_units_are_found_below_and_above_a_place() -> None:
    await add("市水务局")
    await add("新宾县水务局", XINBIN)
    await add("上夹河镇人民政府", "210422108000", kind=UnitKind.government)
    await add("清原县水务局", QINGYUAN)

    async def found(**wanted: Any) -> set[str]:
        return {unit.name for unit in await queries.units(SYSTEM, **wanted)}

    assert await found(region=XINBIN) == {"新宾县水务局", "上夹河镇人民政府"}
    assert await found(covering=YAOZHAN) == {"市水务局", "新宾县水务局", "上夹河镇人民政府"}
    assert await found(covering=YAOZHAN, q="水务") == {"市水务局", "新宾县水务局"}
    assert await found(q="%") == set()


async def test_an_ended_unit_is_out_of_everybodys_list_but_the_administrators() -> None:
    unit = await add("市扶贫办")
    cadre = await make.person("周", Role.supervision_staff, at=unit)
    await commands.end_unit(SYSTEM, unit=unit, on=TODAY - timedelta(days=1))
    assert await queries.units(cadre) == []
    with pytest.raises(NotFound):
        await queries.unit(unit, cadre)
    assert (await queries.unit(unit, SYSTEM)).valid_to == TODAY - timedelta(days=1)


async def test_regions_over_http(client) -> None:
    assert (await client.get("/api/regions")).status_code == 401
    reader = await make.signed_in(await make.person("王", Role.inspector, at=await add("市扶贫办")))
    provinces = (await client.get("/api/regions", headers=reader)).json()
    assert provinces["next"] is None
    assert [row["name"] for row in provinces["items"]] == ["辽宁省", "安徽省", "广东省", "宁夏回族自治区"]
    counties = (await client.get("/api/regions", headers=reader, params={"parent": FUSHUN})).json()["items"]
    assert len(counties) == 7
    first = (await client.get("/api/regions", headers=reader, params={"parent": FUSHUN, "limit": 5})).json()
    cursor = {"parent": FUSHUN, "limit": 5, "cursor": first["next"]}
    rest = (await client.get("/api/regions", headers=reader, params=cursor)).json()
    assert first["items"] + rest["items"] == counties
    assert rest["next"] is None
    village = (await client.get(f"/api/regions/{YAOZHAN}", headers=reader)).json()
    assert village["full_name"] == "抚顺市新宾满族自治县上夹河镇腰站村"
    make.problem(await client.get("/api/regions/999999999999", headers=reader))
    assert (await client.get("/api/regions", headers=reader, params={"parent": "2104"})).status_code == 400
    assert (await client.get("/api/regions", headers=reader, params={"limit": 101})).status_code == 400


async def test_units_over_http(client) -> None:
    office = await add("市扶贫办")
    path, id = "/api/units", str(uuid7())
    body = {"id": id, "name": "新宾县水务局", "kind": "department", "region": XINBIN}
    assert (await client.post(path, json=body)).status_code == 401
    cadre = await make.signed_in(await make.person("周", Role.supervision_staff, at=office))
    admin = await make.signed_in(await make.person("管", Role.sys_admin, at=office))
    assert make.problem(await client.post(path, json=body, headers=cadre))["status"] == 403
    unknown = {**body, "region": "999999999999"}
    assert make.problem(await client.post(path, json=unknown, headers=admin))["status"] == 422
    for wrong in ({**body, "kind": "x"}, {**body, "region": "2104"}, {**body, "valid_to": "2026-01-01"}):
        assert make.problem(await client.post(path, json=wrong, headers=admin))["status"] == 400
    for _ in range(2):
        assert (await client.post(path, json=body, headers=admin)).status_code == 201
    other = {"id": str(uuid7()), "name": "新宾县水利局"}
    named = (await client.post(f"{path}/{id}/aliases", json=other, headers=admin)).json()
    assert [alias["name"] for alias in named["aliases"]] == ["新宾县水利局"]
    found = (await client.get(path, headers=cadre, params={"q": "水利", "region": XINBIN})).json()
    assert [unit["id"] for unit in found["items"]] == [id]
    assert found["next"] is None
    assert (await client.get(f"{path}/{uuid7()}", headers=cadre)).status_code == 404
    page = (await client.get(path, headers=cadre, params={"limit": 1})).json()
    rest = (await client.get(path, headers=cadre, params={"cursor": page["next"]})).json()
    assert [unit["name"] for unit in page["items"] + rest["items"]] == ["市扶贫办", "新宾县水务局"]


async def test_days_are_legal_days() -> None:
    with clock.frozen(clock.now().replace(hour=16, minute=30)):  # half past midnight in Shanghai
        unit = uuid7()
        await commands.add_unit(
            SYSTEM, id=unit, name="新局", short_name="新局", kind=UnitKind.department, region=FUSHUN
        )
        assert (await queries.unit(unit, SYSTEM)).valid_from == date(2026, 11, 25)
