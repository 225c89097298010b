"""The working-day calendar over HTTP: read by everybody, settled by the office, used for deadlines."""

import asyncio
from datetime import date

import pytest

from backend.calendar import commands as calendar
from backend.db import raw
from backend.roles import SYSTEM
from inspections.findings.rules import ClosingClass
from tasks.rectifications import commands
from tasks.rectifications.item import Status
from tests import make

NEXT_WEDNESDAY = "/api/calendar/2026-11-25"


async def test_a_make_up_saturday_and_an_unpublished_year_are_told_apart(client, noon):
    headers = await make.signed_in((await make.cast()).handler)
    days = (await client.get("/api/calendar?from=2026-10-10&days=1", headers=headers)).json()["items"]
    later = (await client.get("/api/calendar?from=2027-03-01&days=1", headers=headers)).json()["items"]
    assert days == [{"day": "2026-10-10", "working": True, "certainty": "known"}]
    assert later == [{"day": "2027-03-01", "working": True, "certainty": "assumed"}]


async def test_the_office_settles_a_day_and_deadlines_follow(client, noon):
    it = await make.cast()
    body = {"working": False, "source": "抚政办〔2026〕9号"}
    refused = await client.put(NEXT_WEDNESDAY, json=body, headers=await make.signed_in(it.handler))
    assert make.problem(refused)["status"] == 403

    settled = await client.put(NEXT_WEDNESDAY, json=body, headers=await make.signed_in(it.staff))
    assert settled.status_code == 204
    item = await make.rectification(it, Status.draft, closing_class=ClosingClass.fix_now)
    await commands.issue(item, SYSTEM)
    due = (await raw("SELECT due_on FROM rectification WHERE id = $1", item))[0]["due_on"]
    assert due.isoformat() == "2026-11-30"  # three working days after Tuesday the 24th, Wednesday being free


async def test_a_stretch_without_a_start_is_malformed(client, noon):
    headers = await make.signed_in((await make.cast()).handler)
    assert make.problem(await client.get("/api/calendar", headers=headers))["status"] == 400


async def settlings() -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = 'calendar.settled'"))[0]["n"]


async def test_settling_a_day_again_the_same_way_is_no_news(client, noon):
    headers = await make.signed_in((await make.cast()).staff)
    body = {"working": False, "source": "抚政办〔2026〕9号"}
    for _ in range(2):
        assert (await client.put(NEXT_WEDNESDAY, json=body, headers=headers)).status_code == 204
    assert await settlings() == 1
    for other in ({"working": True}, {"source": "抚政办〔2026〕10号"}):
        body |= other
        assert (await client.put(NEXT_WEDNESDAY, json=body, headers=headers)).status_code == 204
    assert await settlings() == 3
    settled = (await client.get("/api/calendar?from=2026-11-25&days=1", headers=headers)).json()
    assert settled["items"][0]["working"] is True and settled["overrides"][0]["source"] == "抚政办〔2026〕10号"


async def test_two_who_settle_a_day_the_same_way_at_once_make_one_event(client, noon):
    it = await make.cast()
    await asyncio.gather(
        *(calendar.settle(actor, date(2026, 11, 25), working=False, source="放假通知") for actor in (it.staff, it.boss))
    )
    assert await settlings() == 1


# ── reading a phrase ─────────────────────────────────────────────────────────────────────────────────────────────

READINGS = "/api/deadlines/readings"


async def test_a_phrase_is_read_with_the_calendar_of_the_office_and_nothing_is_written(client, noon):
    it = await make.cast()
    headers = await make.signed_in(it.handler)
    assert (await client.post(READINGS, json={"text": "3个工作日内"})).status_code == 401
    found = (await client.post(READINGS, json={"text": "3个工作日内"}, headers=headers)).json()
    assert (found["due_on"], found["rule"], found["kind"]) == ("2026-11-27", "workdays:3", "within")
    await calendar.settle(it.staff, date(2026, 11, 25), working=False, source="放假通知")
    before = (await raw("SELECT count(*) AS n FROM event"))[0]["n"]
    found = (await client.post(READINGS, json={"text": "3个工作日内"}, headers=headers)).json()
    assert (found["due_on"], found["candidates"]) == ("2026-11-30", ["2026-11-30"])
    assert (await raw("SELECT count(*) AS n FROM event"))[0]["n"] == before


async def test_a_phrase_is_read_from_the_day_of_its_paper(client, noon):
    headers = await make.signed_in((await make.cast()).handler)

    async def told(**body: str) -> dict:
        return (await client.post(READINGS, json=body, headers=headers)).json()

    found = await told(text="2020年6月份前", from_day="2020-03-20")
    assert (found["kind"], found["candidates"]) == ("ambiguous", ["2020-05-31", "2020-06-30"])
    found = await told(text="资金下达后30日内", event_on="2026-12-01")
    assert (found["due_on"], found["counted_from"], found["text"]) == ("2026-12-31", "2026-12-01", "资金下达后30日内")
    found = await told(text="每月15日前")
    assert found["recurrence"] == {"every": "month", "interval": 1, "day": 15, "next_on": "2026-12-15"}
    assert (await told(text="2月底前", from_day="2020-02-10"))["due_on"] == "2020-02-29"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "月底前", "from_day": "0001-01-01"}, "from_day"),
        ({"text": "月底前", "event_on": "9999-12-31"}, "event_on"),
        ({"text": " "}, "text"),
        ({"text": "月" * 201}, "text"),
        ({}, "text"),
    ],
)
async def test_a_phrase_of_another_age_or_none_at_all_is_malformed(client, noon, body: dict, field: str):
    headers = await make.signed_in((await make.cast()).handler)
    refused = make.problem(await client.post(READINGS, json=body, headers=headers))
    assert refused["status"] == 400 and refused["field"] == field
