"""Rules of the monthly check over HTTP: entered, approved by a second person, replaced, ended, seen beforehand."""

import asyncio
from datetime import date

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import SYSTEM, Role
from backend.units import commands as units
from tasks.monthly import jobs, ruling
from tasks.monthly.words import Answer
from tests import make, monthly_make
from tests.monthly_make import at, rule_body

RULES = "/api/monthly/rules"


@pytest.fixture
async def city(client):
    with clock.frozen(at(3, 2)):
        return await monthly_make.fushun(valid_from=date(2026, 1, 1))


async def post(client, by, path: str, said: dict):
    return await client.post(path, json=said, headers=await make.signed_in(by) if by else {})


async def months(rule) -> dict[str, int]:
    rows = await raw(
        "SELECT month, extract(day FROM last_on)::int AS day FROM monthly_period WHERE rule = $1 ORDER BY month", rule
    )
    return {row["month"]: row["day"] for row in rows}


async def test_the_ladder_of_entering_a_rule(client, city) -> None:
    with clock.frozen(at(3, 2)):
        said = rule_body(city)
        assert (await post(client, None, RULES, said)).status_code == 401
        assert (await post(client, city.reviewer, RULES, said)).status_code == 403
        county = await make.person("县", Role.supervision_staff, at=await make.unit("新宾县督查办"))
        assert (await post(client, county, RULES, said)).status_code == 403
        for field, wrong, code in (
            ("cutoff_day", 32, "malformed"),
            ("target", "各乡镇", "unknown_reference"),
            ("region", "999999000000", "unknown_reference"),
            ("valid_from", "0001-01-01", "bad_date"),
            ("valid_from", "1999-12-31", "bad_date"),
            ("valid_from", "2031-03-03", "bad_date"),  # five years and a day ahead
            ("valid_to", "2100-01-01", "bad_date"),
            ("roll", "sideways", "malformed"),
        ):
            refused = await post(client, city.staff, RULES, said | {field: wrong})
            assert (refused.status_code, refused.json()["code"]) == (400, code), field
        for changed, code in (({"leads": []}, "no_cells"), ({"window_start_day": 16}, "no_days"),
                              ({"valid_to": "2026-03-31"}, "ends_before_it_starts")):  # fmt: skip
            refused = await post(client, city.staff, RULES, said | changed)
            assert (refused.status_code, refused.json()["code"]) == (422, code)
        for _ in range(2):
            made = await post(client, city.staff, RULES, said)
            assert made.status_code == 201, made.text
        assert (await post(client, city.staff, RULES, said | {"title": "别的"})).status_code == 409
        assert (await post(client, city.staff, RULES, said | {"leads": said["leads"][:3]})).status_code == 409
    answer = made.json()
    assert (answer["state"], len(answer["leads"]), answer["moves"]) == ("proposed", 8, [])
    count = await raw("SELECT count(*) AS n FROM event WHERE verb = 'month.rule_proposed'")
    assert count[0]["n"] == 1


async def test_a_rule_counts_when_a_second_person_approves_it(client, city, settle) -> None:
    with clock.frozen(at(3, 2)):
        id = await monthly_make.proposed(city)
        path, yes = f"{RULES}/{id}/decision", {"answer": "upheld", "opinion": "同意"}
        assert (await post(client, None, path, yes)).status_code == 401
        assert (await post(client, city.reviewer, path, yes)).status_code == 404  # not approved: not there for units
        assert (await post(client, city.staff, path, yes)).status_code == 403
        assert (await post(client, city.boss, path, yes | {"opinion": " "})).status_code == 422
        with clock.frozen(at(4, 2)):
            await jobs.start_periods()
            assert await months(id) == {}
        for _ in range(2):
            done = await post(client, city.boss, path, yes)
            assert done.status_code == 201, done.text
        assert (await post(client, city.boss, path, yes | {"answer": "declined"})).status_code == 409
        assert done.json()["state"] == "approved" and [move["verb"] for move in done.json()["moves"]] == ["end_rule"]
        await settle()
        notices = await client.get("/api/notices", headers=await make.signed_in(city.reviewer))
        titles = [notice["title"] for notice in notices.json()["items"]]
        assert titles.count("每月检查规则已批准，2026-04 起执行") == 1
    with clock.frozen(at(4, 2)):
        await jobs.start_periods()
    assert await months(id) == {"2026-04": 15}


async def test_a_declined_rule_never_counts(client, city) -> None:
    with clock.frozen(at(3, 2)):
        id = await monthly_make.proposed(city)
        no = {"answer": "declined", "opinion": "部门不全"}
        assert (await post(client, city.boss, f"{RULES}/{id}/decision", no)).json()["state"] == "declined"
    with clock.frozen(at(5, 2)):
        await jobs.start_periods()
    assert await months(id) == {}


async def test_a_rule_replaces_another_from_a_later_day(client, city) -> None:
    with clock.frozen(at(3, 10)):
        await jobs.start_periods()
        early = rule_body(city, replaces=str(city.rule), valid_from="2026-03-10", cutoff_day=20)
        assert (await post(client, city.staff, RULES, early)).json()["code"] == "begins_too_early"
        said = early | {"valid_from": "2026-04-01"}
        assert (await post(client, city.staff, RULES, said)).status_code == 201
        decision = {"answer": "upheld", "opinion": "同意"}
        assert (await post(client, city.boss, f"{RULES}/{said['id']}/decision", decision)).status_code == 201
        old = (await client.get(f"{RULES}/{city.rule}", headers=await make.signed_in(city.staff))).json()
        assert (old["valid_to"], old["moves"]) == ("2026-03-31", [])
    with clock.frozen(at(5, 1)):
        await jobs.start_periods()
    assert await months(city.rule) == {"2026-01": 15, "2026-02": 15, "2026-03": 15}
    assert await months(said["id"]) == {"2026-04": 20, "2026-05": 20}


async def test_an_approval_that_comes_too_late_does_not_touch_a_month_that_has_begun(client, city) -> None:
    with clock.frozen(at(3, 20)):
        said = rule_body(city, replaces=str(city.rule), valid_from="2026-04-01")
        assert (await post(client, city.staff, RULES, said)).status_code == 201
    with clock.frozen(at(4, 1)):
        decision = {"answer": "upheld", "opinion": "同意"}
        refused = await post(client, city.boss, f"{RULES}/{said['id']}/decision", decision)
    assert (refused.status_code, refused.json()["code"]) == (409, "begins_too_early")


async def test_an_ended_rule_finishes_its_month(client, city) -> None:
    with clock.frozen(at(3, 10)):
        path, said = f"{RULES}/{city.rule}/ending", {"on": "2026-03-12", "reason": "文件到期"}
        assert (await post(client, None, path, said)).status_code == 401
        assert (await post(client, city.staff, path, said)).status_code == 403
        assert (await post(client, city.boss, f"{RULES}/{uuid7()}/ending", said)).status_code == 404
        assert (await post(client, city.boss, path, said | {"on": "2026-03-09"})).status_code == 400
        assert (await post(client, city.boss, path, said | {"reason": ""})).status_code == 422
        for _ in range(2):
            done = await post(client, city.boss, path, said)
            assert done.status_code == 201, done.text
        assert (await post(client, city.boss, path, said | {"on": "2026-04-12"})).status_code == 409
    with clock.frozen(at(5, 1)):
        await jobs.start_periods()
    assert await months(city.rule) == {"2026-01": 15, "2026-02": 15, "2026-03": 15}


async def test_the_next_month_is_shown_beforehand_as_units_and_groups_stand(client, city) -> None:
    with clock.frozen(at(10, 20)):
        await units.end_member(
            SYSTEM, group=city.group, unit=city.units[monthly_make.COUNTIES[0]], on=date(2026, 10, 25)
        )
        path = f"{RULES}/{city.rule}/preview"
        assert (await client.get(path)).status_code == 401
        seen = (await client.get(path, headers=await make.signed_in(city.staff))).json()
        assert (seen["month"], seen["last_on"], seen["target_on"]) == ("2026-11", "2026-11-15", "2026-11-13")
        assert (seen["cells"], len(seen["leads"]), len(seen["regions"])) == (48, 8, 6)
    with clock.frozen(at(12, 20)):  # the calendar of 2027 is not out
        seen = (await client.get(path, headers=await make.signed_in(city.staff))).json()
        assert (seen["month"], seen["target_certainty"]) == ("2027-01", "assumed")
    assert await months(city.rule) == {}  # nothing was begun by looking


async def test_units_see_the_rules_that_name_them_once_they_are_approved(client, city) -> None:
    with clock.frozen(at(3, 2)):
        await monthly_make.proposed(city)
        staff = (await client.get(RULES, headers=await make.signed_in(city.staff))).json()["items"]
        unit = (await client.get(RULES, headers=await make.signed_in(city.reviewer))).json()["items"]
        assert [rule["state"] for rule in staff] == ["proposed", "approved"]
        assert [rule["state"] for rule in unit] == ["approved"]
        first = (await client.get(f"{RULES}?limit=1", headers=await make.signed_in(city.staff))).json()
        after = f"{RULES}?limit=1&cursor={first['next']}"
        second = (await client.get(after, headers=await make.signed_in(city.staff))).json()
        assert [rule["id"] for rule in (*first["items"], *second["items"])] == [rule["id"] for rule in staff]
        assert (await client.get(RULES)).status_code == 401


async def test_two_approvals_at_once_are_one(client, city) -> None:
    with clock.frozen(at(3, 2)):
        id = await monthly_make.proposed(city)
        other = await make.person("第三人", Role.supervision_staff, at=await make.unit("市扶贫办", area=make.FUSHUN))
        answers = await asyncio.gather(
            *(ruling.decide(id, by, answer=Answer.upheld, opinion="同意") for by in (city.boss, other)),
            return_exceptions=True,
        )
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict", "NoneType"]
