"""日历订阅: a person's deadlines in their own calendar, under an address that only they have and can take back."""

from datetime import date, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from notifications.feeds import queries
from notifications.feeds.rules import MOST_FEEDS
from tasks.rectifications.item import Status
from tests import make, monthly_make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def address(client, who, id=None) -> str:
    made = await client.post("/api/calendar-feeds", headers=await make.signed_in(who), json={"id": str(id or uuid7())})
    assert made.status_code == 201, made.text
    return made.json()["path"]


async def events(client, path: str) -> list[dict[str, Any]]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    calendar = Calendar.from_ical(answer.content)
    assert str(calendar["x-wr-calname"]) in ("督办期限", "Duban deadlines")
    return [dict(one) for one in calendar.walk("VEVENT")]


async def test_a_handler_sees_the_deadlines_of_the_unit_in_any_calendar(client, it) -> None:
    id = await make.rectification(it, Status.working)
    [row] = await raw("SELECT number, due_on FROM rectification WHERE id = $1", id)
    [event] = await events(client, await address(client, it.handler))
    assert str(event["SUMMARY"]).startswith(f"整改期限：{row['number']}")
    assert event["DTSTART"].dt == row["due_on"] and event["DTEND"].dt == row["due_on"] + timedelta(days=1)
    assert str(event["URL"]).endswith(f"/phone/#/items/{id}") and str(event["TRANSP"]) == "TRANSPARENT"


async def test_what_was_found_is_in_no_calendar(client, it) -> None:
    id = await make.rectification(it, Status.working)
    await raw("UPDATE rectification SET facts = '张三家里漏水' WHERE id = $1", id)
    assert "张三" not in (await client.get(await address(client, it.handler))).text


async def test_a_calendar_follows_what_happens(client, it) -> None:
    path, id = await address(client, it.handler), await make.rectification(it, Status.working)
    [before] = await events(client, path)
    with clock.frozen(clock.now() + timedelta(days=200)):
        [late] = await events(client, path)
        assert str(late["SUMMARY"]).endswith("（已逾期）") and late["UID"] == before["UID"]
    await raw("UPDATE rectification SET status = 'handed_in' WHERE id = $1", id)
    await raw(
        "UPDATE rectification_unit SET status = 'handed_in' WHERE rectification = $1 AND role = 'responsible'", id
    )
    assert await events(client, path) == []  # it waits for others now
    [waits] = await events(client, await address(client, it.reviewer))
    assert str(waits["SUMMARY"]).startswith("待我处理：")


async def test_the_same_calendar_is_not_sent_twice(client, it) -> None:
    path = await address(client, it.handler)
    await make.rectification(it, Status.working)
    first = await client.get(path)
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_calendar_speaks_english_when_asked(client, it) -> None:
    path = await address(client, it.handler)
    await make.rectification(it, Status.working)
    [event] = await events(client, f"{path}?language=en")
    assert str(event["SUMMARY"]).startswith("Due: ")


async def test_a_revoked_address_and_one_that_never_was_are_the_same(client, it) -> None:
    headers, id = await make.signed_in(it.handler), uuid7()
    path = await address(client, it.handler, id)
    for _ in range(2):
        assert (await client.delete(f"/api/calendar-feeds/{id}", headers=headers)).status_code == 204
    gone, never = await client.get(path), await client.get("/calendar/never.ics")
    assert (gone.status_code, gone.json()["code"]) == (never.status_code, never.json()["code"]) == (404, "not_found")
    assert (await client.get("/api/calendar-feeds", headers=headers)).json()["items"] == []
    again = await client.post("/api/calendar-feeds", headers=headers, json={"id": str(id)})
    assert (again.status_code, again.json()["code"]) == (409, "revoked")


async def test_links_of_a_calendar_lead_to_the_address_that_people_use(client, it, monkeypatch) -> None:
    """Behind a proxy the server does not know it; a caller's Host header does not decide it either."""
    monkeypatch.setenv("DUBAN_PUBLIC_URL", "https://duban.example.gov.cn")
    id, path = await make.rectification(it, Status.working), await address(client, it.handler)
    [event] = Calendar.from_ical((await client.get(path, headers={"Host": "evil.example"})).content).walk("VEVENT")
    assert str(event["URL"]) == f"https://duban.example.gov.cn/phone/#/items/{id}"


async def test_a_closed_account_has_no_calendar(client, it) -> None:
    path = await address(client, it.handler)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), it.handler.person)
    assert (await client.get(path)).status_code == 404


async def test_a_role_that_was_taken_away_takes_its_deadlines_with_it(client, it) -> None:
    path = await address(client, it.handler)
    await make.rectification(it, Status.working)
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", clock.now(), it.handler.person)
    assert await events(client, path) == []


async def test_an_address_is_made_once_and_only_its_owner_knows_it(client, it) -> None:
    id = uuid7()
    assert await address(client, it.handler, id) == await address(client, it.handler, id)
    other = await make.signed_in(it.reviewer)
    assert (await client.get("/api/calendar-feeds", headers=other)).json()["items"] == []
    assert (await client.delete(f"/api/calendar-feeds/{id}", headers=other)).status_code == 404
    stolen = await client.post("/api/calendar-feeds", headers=other, json={"id": str(id)})
    assert stolen.status_code == 409
    [made] = await raw("SELECT payload FROM event WHERE verb = 'calendar_feed.made'")
    secret = (await address(client, it.handler, id)).removeprefix("/calendar/").removesuffix(".ics")
    [kept] = await raw("SELECT secret, secret_index FROM calendar_feed")
    assert secret not in kept["secret"] + kept["secret_index"] + made["payload"].decode()


@pytest.mark.parametrize("gone", [RuntimeError("a bug"), ConnectionError("database away")])
async def test_a_failure_is_logged_without_the_secret_address(client, it, caplog, monkeypatch, gone) -> None:
    path = await address(client, it.handler)

    async def fails(actor):
        raise gone

    monkeypatch.setattr(queries, "days", fails)
    assert (await client.get(path)).status_code >= 500
    assert "/calendar/…" in caplog.text
    assert path.removeprefix("/calendar/").removesuffix(".ics") not in caplog.text


@pytest.mark.parametrize("name", ["%ff%fe", "%00", "a" * 5000, "%ed%a0%80", "中文", "..%2f..", "%20"])
async def test_an_odd_address_is_nobodys(client, it, name) -> None:
    assert (await client.get(f"/calendar/{name}.ics")).status_code == 404


async def test_nobody_makes_addresses_without_end_or_without_signing_in(client, it) -> None:
    assert (await client.post("/api/calendar-feeds", json={"id": str(uuid7())})).status_code == 401
    headers = await make.signed_in(it.handler)
    for _ in range(MOST_FEEDS):
        await address(client, it.handler)
    refused = await client.post("/api/calendar-feeds", headers=headers, json={"id": str(uuid7())})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_feeds")
    odd = await client.post("/api/calendar-feeds", headers=headers, json={"id": "x"})
    assert odd.status_code == 400


async def test_a_department_sees_its_check_of_the_month_on_the_working_day_before(client, fresh) -> None:
    """15 August 2026 is a Saturday."""
    with clock.frozen(monthly_make.at(8, 3)):
        it = await monthly_make.fushun()
        await monthly_make.begun(it)
        [event] = await events(client, await address(client, it.reviewer))
    assert event["DTSTART"].dt == date(2026, 8, 14)
    assert str(event["SUMMARY"]) == "每月检查：还有 7 个县区没有检查记录"
    assert "宜在这一天办完，截止日是 8月15日" in str(event["DESCRIPTION"])


async def test_a_month_whose_last_day_is_worked_says_so_on_that_day(client, fresh) -> None:
    with clock.frozen(monthly_make.at(12, 2)):
        it = await monthly_make.fushun()
        await monthly_make.begun(it)
        [event] = await events(client, await address(client, it.reviewer))
    assert event["DTSTART"].dt == date(2026, 12, 15)
    assert str(event["DESCRIPTION"]).endswith("截止日")


async def test_what_waits_for_a_decision_stands_on_the_day_it_is_to_be_made_by(client, it) -> None:
    id = await make.rectification(it, Status.working)
    await make.extension(it, id)
    [row] = await raw("SELECT decide_by FROM extension")
    last = clock.local(row["decide_by"] - timedelta(seconds=1)).date()
    [event] = [one for one in await events(client, await address(client, it.staff)) if "DTSTART" in one]
    assert event["DTSTART"].dt == last and "请在这一天以前办理" in str(event["DESCRIPTION"])


async def test_what_waits_without_a_date_of_its_own_stands_on_the_items_due_day_and_says_so(client, it) -> None:
    await make.rectification(it, Status.handed_in)
    [event] = await events(client, await address(client, it.reviewer))
    assert "这一天是整改期限，您的办理没有单独期限" in str(event["DESCRIPTION"])
