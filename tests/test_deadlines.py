"""Dates on items: issued by the words of a paper, and moved by the calendar; told once to those who have a part."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import chinese_calendar
import pytest

from backend import clock, workdays
from backend.calendar import commands as calendar
from backend.calendar import queries as calendar_queries
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest
from backend.events import of_row
from backend.roles import SYSTEM
from inspections.findings.rules import ClosingClass
from tasks.rectifications import commands, extensions, hanging, jobs, objections, rescheduling
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.item import Status
from tests import make
from tests.rectification_proofs import complete

WEDNESDAY = date(2026, 11, 25)
FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 30)
NOTICE = "抚政办〔2026〕9号"


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
def published(monkeypatch):
    """As if a new chinesecalendar with these days were installed."""

    def publish(days: dict[date, bool]) -> None:
        was = chinese_calendar.is_workday
        monkeypatch.setattr(chinese_calendar, "is_workday", lambda day: days[day] if day in days else was(day))
        monkeypatch.setattr(calendar_queries, "version", lambda _: "2.0.0")
        workdays._published.cache_clear()

    yield publish
    monkeypatch.undo()
    workdays._published.cache_clear()


async def row(id: UUID) -> dict[str, Any]:
    return dict((await raw("SELECT * FROM rectification WHERE id = $1", id))[0])


async def told(verb: str = "rescheduled") -> list[dict[str, Any]]:
    rows = await raw("SELECT * FROM event WHERE verb = $1 ORDER BY at, id", f"rectification.{verb}")
    return [of_row(row).payload for row in rows]


async def to_fix_now(it: make.Cast, status: Status = Status.issued) -> UUID:
    """Due on Friday the 27th, three working days after noon's Tuesday."""
    return await make.rectification(it, status, closing_class=ClosingClass.fix_now)


async def off(it: make.Cast, day: date, *, working: bool = False) -> None:
    await calendar.settle(it.staff, day, working=working, source=NOTICE)


def at(text: str):
    return clock.frozen(datetime.fromisoformat(f"{text}+08:00"))


# ── issued by words ──────────────────────────────────────────────────────────────────────────────────────────────


async def issued(client, it: make.Cast, closing_class: ClosingClass = ClosingClass.by_date, **body: Any):
    draft = await make.rectification(it, Status.draft, closing_class=closing_class)
    headers = await make.signed_in(it.staff)
    return draft, await client.post(f"/api/rectifications/{draft}/issue", json=body, headers=headers)


async def test_the_words_of_a_paper_give_the_date_and_stay_beside_it(client, it):
    _, answer = await issued(client, it, due_text="15个工作日内")
    told = answer.json()
    assert answer.status_code == 201, told
    assert (told["due_on"], told["deadline_text"]) == ("2026-12-15", "15个工作日内")
    assert (told["due_rule"], told["due_from"], told["due_certainty"]) == ("workdays:15", "2026-11-24", "known")


async def test_without_words_the_class_gives_the_date_and_a_chosen_day_is_given(client, it):
    told = (await issued(client, it))[1].json()
    assert (told["due_rule"], told["due_from"], told["deadline_text"]) == ("days:15", "2026-11-24", None)
    told = (await issued(client, it, due_on="2026-12-31", due_text="2026年12月份前"))[1].json()
    assert (told["due_on"], told["due_rule"], told["due_from"]) == ("2026-12-31", "given", None)
    assert told["deadline_text"] == "2026年12月份前"


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("2027年6月份前", ["2027-05-31", "2027-06-30"]),
        ("每月15日前", ["2026-12-15"]),
        ("不定期", []),
        ("资金下达后30日内", []),
    ],
)
async def test_words_that_name_no_one_day_are_asked_about_and_nothing_is_written(client, it, text, candidates):
    draft, answer = await issued(client, it, due_text=text)
    refusal = make.problem(answer)
    assert (refusal["status"], refusal["code"], refusal["field"]) == (422, "due_unclear", "due_on")
    assert refusal["details"]["candidates"] == candidates and text in refusal["detail"]
    assert (await row(draft))["status"] == "draft"
    headers = await make.signed_in(it.staff)
    body = {"due_text": text, "due_on": candidates[0] if candidates else "2026-12-20"}
    chosen = (await client.post(f"/api/rectifications/{draft}/issue", json=body, headers=headers)).json()
    assert (chosen["due_on"], chosen["deadline_text"], chosen["due_rule"]) == (body["due_on"], text, "given")


async def test_the_day_of_the_event_makes_a_date_of_its_words(client, it):
    told = (await issued(client, it, due_text="资金下达后30日内", due_event_on="2026-12-01"))[1].json()
    assert (told["due_on"], told["due_rule"], told["due_from"]) == ("2026-12-31", "days:30", "2026-12-01")


async def test_only_who_may_issue_hears_what_the_words_lack(client, it):
    draft = await make.rectification(it, Status.draft)
    path, body = f"/api/rectifications/{draft}/issue", {"due_text": "不定期"}
    refused = await client.post(path, json=body, headers=await make.signed_in(it.inspector))
    assert make.problem(refused)["status"] == 403
    refused = await client.post(path, json=body, headers=await make.signed_in(it.handler))
    assert make.problem(refused)["status"] == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"due_text": "今天"}, "due_text"),
        ({"due_text": "2026年6月底前"}, "due_text"),
        ({"due_text": "年" * 201}, "due_text"),
        ({"due_time": "25:00"}, "due_time"),
        ({"due_time": "18:00"}, "due_time"),  # not an item to be fixed now
        ({"due_event_on": "yesterday"}, "due_event_on"),
        ({"due_text": "资金下达后30日内", "due_event_on": "0001-01-01"}, "due_event_on"),
        ({"due_text": "资金下达后6个月内", "due_event_on": "9999-12-31"}, "due_event_on"),
    ],
)
async def test_a_malformed_date_is_refused_at_its_field(client, it, body, field):
    refusal = make.problem((await issued(client, it, **body))[1])
    assert (refusal["status"], refusal["field"]) == (400, field)


async def test_tomorrow_at_six_is_a_moment(client, it):
    body = {"due_on": "2026-11-25", "due_time": "18:00"}
    told = (await issued(client, it, ClosingClass.fix_now, **body))[1].json()
    assert (told["due_on"], told["due_at"]) == ("2026-11-25", "2026-11-25T10:00:00Z")
    for moment, late in (("2026-11-25T17:59:59", False), ("2026-11-25T18:00:00", True)):
        with at(moment):
            headers = await make.signed_in(it.staff)
            assert (await client.get(f"/api/rectifications/{told['id']}", headers=headers)).json()["overdue"] is late


async def test_a_long_term_item_shows_its_milestones(client, it):
    told = (await issued(client, it, ClosingClass.long_term, due_text="2027年2月底前"))[1].json()
    assert told["milestones"] == ["2026-12-24", "2027-01-23", "2027-02-22"]
    assert (await issued(client, it))[1].json()["milestones"] == []


# ── moved by the calendar ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_settled_day_moves_what_was_counted_and_tells_why(client, it, settle):
    id = await to_fix_now(it)
    await off(it, WEDNESDAY)
    assert await jobs.count_dates_again() == 1
    found = await row(id)
    assert (found["due_on"], found["due_at"]) == (MONDAY, workdays.end_of_day(MONDAY))
    assert (found["original_due_on"], found["due_rule"], found["due_from"]) == (MONDAY, "workdays:3", clock.today())
    (event,) = await told()
    assert (event["before"], event["due_on"], event["rule"]) == ("2026-11-27", "2026-11-30", "workdays:3")
    assert event["why"] == f"工作日历调整：11月25日定为休息日（{NOTICE}）。"
    await settle()
    heard = await raw("SELECT person FROM notice WHERE verb = 'rectification.rescheduled'")
    assert {row["person"] for row in heard} == {it.handler.person, it.principal.person, it.reviewer.person}
    headers = await make.signed_in(it.handler)
    story = (await client.get(f"/api/rectifications/{id}/timeline", headers=headers)).json()["items"]
    assert [line["sentence"] for line in story if "rescheduled" in line["verb"]] == ["期限随工作日历调整"]
    await complete(id)


async def test_counting_again_tells_nothing_twice(it):
    await to_fix_now(it)
    await off(it, WEDNESDAY)
    assert [await jobs.count_dates_again() for _ in range(3)] == [1, 0, 0]
    await off(it, date(2026, 12, 24))
    assert await jobs.count_dates_again() == 0 and len(await told()) == 1


async def test_two_workers_at_once_move_an_item_once(it):
    for _ in range(3):
        await to_fix_now(it)
    await off(it, WEDNESDAY)
    moved = await asyncio.gather(jobs.count_dates_again(), jobs.count_dates_again())
    assert sum(moved) == 3 and len(await told()) == 3


async def test_items_are_taken_in_batches_and_a_run_that_died_is_made_again(it, monkeypatch):
    monkeypatch.setattr(rescheduling, "BATCH", 2)
    for _ in range(5):
        await to_fix_now(it)
    await off(it, WEDNESDAY)
    overrides = await calendar_queries.overrides()
    first = await rescheduling.count_again(rescheduling.NONE_YET, overrides, await calendar_queries.load())
    assert (first.looked_at, first.moved) == (2, 2) and first.last is not None  # and then the power fails
    assert await jobs.count_dates_again() == 3
    assert len(await told()) == 5
    (run,) = await raw("SELECT looked_at, moved FROM calendar_run")
    assert (run["looked_at"], run["moved"]) == (5, 3)


async def test_a_run_is_made_once_a_day_and_whenever_the_calendar_is_another(it):
    async def ran() -> bool:
        before = await raw("SELECT * FROM calendar_run")
        await jobs.count_dates_again()
        return before != await raw("SELECT * FROM calendar_run")

    assert [await ran(), await ran()] == [True, False]
    await off(it, WEDNESDAY)
    assert [await ran(), await ran()] == [True, False]
    await off(it, WEDNESDAY)
    assert not await ran()
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert [await ran(), await ran()] == [True, False]


async def test_what_a_person_gave_and_what_is_over_stays(it):
    day = date(2026, 12, 3)
    given = await make.rectification(it, Status.draft, closing_class=ClosingClass.fix_now)
    await commands.issue(given, SYSTEM, due=Wanted(on=day))
    written = await make.rectification(it, Status.draft)
    await commands.issue(written, SYSTEM, due=Wanted(text="12月3日前"))
    counted = await make.rectification(it)  # fifteen calendar days
    closed, voided = await to_fix_now(it, Status.closed), await to_fix_now(it, Status.voided)
    before = {id: await row(id) for id in (given, written, counted, closed, voided)}
    await off(it, WEDNESDAY)
    assert await jobs.count_dates_again() == 0
    assert {id: await row(id) for id in before} == before


async def test_a_date_that_a_procedure_gave_stays(it):
    """More time, another unit with another date, and the clock running again: a person chose the day."""
    longer = await to_fix_now(it, Status.working)
    await extensions.grant(longer, await make.extension(it, longer), it.staff, opinion="同意。")
    redirected, to_unit = await to_fix_now(it), await make.unit("新宾县住建局")
    objection = await make.objection(it, redirected)
    await objections.redirect(
        redirected, objection, it.staff, to_unit=to_unit, note="归住建局管。", due_on=date(2026, 12, 8)
    )
    resumed = await to_fix_now(it, Status.hung)
    await hanging.resume(resumed, it.staff, id=uuid7(), note="已解冻。", due_on=date(2026, 12, 10))
    before = {id: await row(id) for id in (longer, redirected, resumed)}
    assert {(found["due_rule"], found["due_from"], found["due_certainty"]) for found in before.values()} == {
        ("given", None, "known")
    }
    await off(it, WEDNESDAY)
    assert await jobs.count_dates_again() == 0
    assert {id: await row(id) for id in before} == before


async def test_what_hangs_waits_for_the_date_it_is_given_when_it_goes_on(it):
    id = await to_fix_now(it, Status.hung)
    await off(it, WEDNESDAY)
    assert await jobs.count_dates_again() == 0 and (await row(id))["due_on"] == FRIDAY


async def test_more_time_is_later_than_the_date_as_it_is_when_it_is_granted(it):
    id = await to_fix_now(it, Status.working)
    asked = await make.extension(it, id, days=6)  # for Monday; then the calendar moves the item to Monday itself
    await off(it, WEDNESDAY)
    await jobs.count_dates_again()
    with pytest.raises(BadRequest) as refusal:
        await extensions.grant(id, asked, it.staff, opinion="同意。")
    assert refusal.value.code == "not_later"
    await extensions.grant(id, asked, it.staff, opinion="同意。", due_on=date(2026, 12, 4))
    found = await row(id)
    assert (found["due_on"], found["original_due_on"], found["due_rule"]) == (date(2026, 12, 4), MONDAY, "given")


async def test_an_item_past_its_date_stays_late(it):
    id = await to_fix_now(it)
    with at("2026-11-28T00:00:00"):
        await off(it, WEDNESDAY)
        assert await jobs.count_dates_again() == 0
        assert (await row(id))["due_on"] == FRIDAY


@pytest.mark.parametrize("status", [Status.issued, Status.working, Status.handed_in, Status.passed])
async def test_every_item_that_ticks_moves_and_keeps_its_status(it, status):
    id = await to_fix_now(it, status)
    await off(it, WEDNESDAY)
    assert await jobs.count_dates_again() == 1
    assert ((await row(id))["status"], (await row(id))["due_on"]) == (status, MONDAY)


async def test_a_time_of_day_stays_the_time_of_the_new_day(client, it):
    told = (await issued(client, it, ClosingClass.fix_now, due_time="18:00"))[1].json()
    assert told["due_at"] == "2026-11-27T10:00:00Z"
    await off(it, WEDNESDAY)
    await jobs.count_dates_again()
    assert (await row(UUID(told["id"])))["due_at"] == datetime.fromisoformat("2026-11-30T18:00:00+08:00")


async def test_the_date_that_counts_for_on_time_follows_only_while_it_is_the_same(it):
    id = await to_fix_now(it)
    earlier = date(2026, 11, 26)
    await raw("UPDATE rectification SET original_due_on = $2 WHERE id = $1", id, earlier)
    await off(it, WEDNESDAY)
    await jobs.count_dates_again()
    assert ((await row(id))["due_on"], (await row(id))["original_due_on"]) == (MONDAY, earlier)


async def test_a_correction_makes_nobody_overdue(it):
    with at("2026-11-27T09:00:00"):
        id = await to_fix_now(it)
    assert (await row(id))["due_on"] == date(2026, 12, 2)
    with at("2026-11-30T09:00:00"):
        for day in (date(2026, 11, 28), date(2026, 11, 29)):
            await off(it, day, working=True)
        assert await jobs.count_dates_again() == 1
        assert (await row(id))["due_on"] == date(2026, 12, 1)  # tomorrow, although Monday was the third working day
    (event,) = await told()
    assert (event["counted"], event["due_on"]) == ("2026-11-30", "2026-12-01")
    assert "不因更正而逾期" in event["why"]
    with at("2026-12-01T09:00:00"):
        await off(it, date(2026, 12, 24))
        assert await jobs.count_dates_again() == 0


async def test_lists_that_come_out_move_what_was_assumed(it, published):
    with at("2026-12-30T09:00:00"):
        id = await to_fix_now(it)
        assert ((await row(id))["due_on"], (await row(id))["due_certainty"]) == (date(2027, 1, 4), "assumed")
        published({date(2027, 1, day): day > 3 for day in range(1, 32)})
        assert await jobs.count_dates_again() == 1
    found = await row(id)
    assert (found["due_on"], found["due_certainty"]) == (date(2027, 1, 5), "known")
    assert (await told())[0]["why"] == "工作日历调整：放假安排已公布。"


async def test_a_day_that_stays_and_becomes_certain_is_recorded_and_nobody_is_disturbed(it, published, settle):
    with at("2026-12-30T09:00:00"):
        id = await to_fix_now(it)
        published({date(2027, 1, day): day in (1, 4) for day in range(1, 32)})
        assert await jobs.count_dates_again() == 0
    assert ((await row(id))["due_on"], (await row(id))["due_certainty"]) == (date(2027, 1, 4), "known")
    assert await told() == [] and len(await told("recounted")) == 1
    await settle()
    assert await raw("SELECT 1 FROM notice WHERE verb = 'rectification.recounted'") == []


# ── asked before ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_office_sees_what_settling_a_day_would_do(client, it):
    for _ in range(2):
        await to_fix_now(it)
    await make.rectification(it)
    headers = await make.signed_in(it.staff)

    async def effects(day: date, working: bool) -> dict[str, int]:
        query = f"/api/calendar/effects?day={day}&working={str(working).lower()}"
        return (await client.get(query, headers=headers)).json()["due_on"]

    assert await effects(WEDNESDAY, False) == {"later": 2, "earlier": 0}
    assert await effects(WEDNESDAY, True) == {"later": 0, "earlier": 0}
    assert await effects(MONDAY, False) == {"later": 0, "earlier": 0}
    await off(it, WEDNESDAY)
    assert await jobs.count_dates_again() == 2
    assert await effects(WEDNESDAY, True) == {"later": 0, "earlier": 2}
    refused = await client.get(
        "/api/calendar/effects?day=2026-11-25&working=false", headers=await make.signed_in(it.handler)
    )
    assert make.problem(refused)["status"] == 403
