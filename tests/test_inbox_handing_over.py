"""From the inbox on the way out: which channels and from when, one digest a day, and deputies of those who are away."""

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from backend import clock
from backend.calendar import commands as calendar
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor, Role
from notifications.deliveries.rules import ChannelKind
from notifications.inbox import jobs, outside
from notifications.preferences import commands as preferences
from notifications.preferences.rules import Wishes
from tasks.rectifications.item import Status
from tests import make
from tests import reminders_make as reminders

ISSUED = "rectification.issued"  # at once
ACKNOWLEDGED = "rectification.acknowledged"  # to the office; not urgent


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def at(day: int, clock_: str) -> datetime:
    """A moment of November 2026 as people in China read it."""
    return datetime.combine(date(2026, 11, day), time.fromisoformat(clock_), clock.SHANGHAI)


async def deliveries(who: Actor) -> list[dict[str, Any]]:
    rows = await raw("SELECT * FROM delivery WHERE person = $1 ORDER BY planned_at, id", who.person)
    return [dict(row) for row in rows]


async def digests(who: Actor) -> list[tuple[date, int]]:
    """The day of each, and how many notices are in it."""
    rows = await raw(
        "SELECT day, (SELECT count(*) FROM notice WHERE notice.digest = digest.id) AS n FROM digest "
        "WHERE person = $1 ORDER BY day",
        who.person,
    )
    return [(row["day"], row["n"]) for row in rows]


async def news(it: make.Cast, settle, when: datetime, n: int = 1) -> None:
    """So many items are issued and signed for: the unit is told at once, the office when there is time."""
    with clock.frozen(when):
        for _ in range(n):
            await make.rectification(it, Status.working)
        await settle()


async def swept(when: datetime) -> int:
    with clock.frozen(when):
        return await jobs.sweep_digests()


# ── one by one ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_urgent_goes_out_by_itself_in_the_readers_order(it, settle, noon):
    await news(it, settle, noon)
    (sent,) = await deliveries(it.handler)
    assert sent["chain"] == ["web_push", "wecom", "dingtalk", "feishu", "mail", "sms"]
    assert (sent["due_at"], sent["at_once"], sent["event"] is not None) == (noon, True, True)
    assert await deliveries(it.staff) == []  # not urgent: with the digest


async def test_at_night_it_waits_for_the_morning_unless_life_is_in_danger(it, settle):
    await news(it, settle, at(24, "22:00"))
    assert [sent["due_at"] for sent in await deliveries(it.handler)] == [at(25, "07:30")]
    with clock.frozen(at(24, "23:00")):
        await make.finding(it, danger_to_life=True)
        await settle()
    assert [sent["due_at"] for sent in await deliveries(it.handler)] == [at(25, "07:30"), at(24, "23:00")]


async def test_who_wants_no_digest_is_told_one_by_one_outside_of_the_quiet(it, settle, noon):
    wishes = Wishes(digest=False, normal=(ChannelKind.mail,), quiet_from=time(18, 0))
    await preferences.choose(it.staff, wishes)
    for when in (noon, at(27, "18:30")):  # Friday evening
        await news(it, settle, when)
    assert [(sent["chain"], sent["due_at"]) for sent in await deliveries(it.staff)] == [
        (["mail"], noon), (["mail"], at(30, "07:30")),
    ]  # fmt: skip
    assert await swept(at(30, "09:10")) == 1  # the head of the office has a digest
    assert await digests(it.staff) == []


async def test_who_wants_nothing_but_the_app_is_sent_nothing(it, settle, noon):
    for person in (it.staff, it.handler):
        await preferences.choose(person, Wishes(at_once=(), normal=()))
    await news(it, settle, noon)
    assert await deliveries(it.staff) == await deliveries(it.handler) == []
    assert await swept(at(25, "09:10")) == 1  # the head of the office alone
    assert await digests(it.staff) == []
    assert len(await raw("SELECT 1 FROM notice WHERE person = ANY($1)", [it.staff.person, it.handler.person])) == 2


async def test_a_group_chat_never_learns_who_is_sent_where(it, settle, noon):
    """What concerns a person as one of a team goes to that person alone."""
    await preferences.choose(it.inspector, Wishes(digest=False))
    await make.rectification(it, Status.voided)
    await settle()
    for sent in await deliveries(it.inspector):
        assert not {"wecom", "dingtalk", "feishu"} & set(sent["chain"])


async def test_an_event_handled_twice_is_sent_once(it, settle, noon):
    await news(it, settle, noon)
    before = await raw("SELECT id FROM delivery ORDER BY id")
    await raw("INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM event")
    await settle()
    assert await raw("SELECT id FROM delivery ORDER BY id") == before and len(before) > 0


# ── the digest ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_digest_comes_once_a_day_with_all_that_waits(it, settle, noon):
    await news(it, settle, noon, 3)
    assert await swept(at(24, "20:00")) == 2 and await digests(it.staff) == [(date(2026, 11, 24), 3)]
    (sent,) = await deliveries(it.staff)
    assert (sent["chain"], sent["at_once"]) == (["web_push", "mail"], False)
    await news(it, settle, at(24, "20:10"), 2)
    assert await swept(at(24, "20:30")) == 0  # today's was sent
    assert await swept(at(25, "09:09")) == 0
    assert await swept(at(25, "09:10")) == 2
    assert await digests(it.staff) == [(date(2026, 11, 24), 3), (date(2026, 11, 25), 2)]
    assert await swept(at(26, "09:10")) == 0  # nothing to say


async def test_the_days_reminders_are_in_the_days_digest(it, settle):
    """Due on Friday the 4th: the seven-day reminder is given on Wednesday at nine, and is not urgent."""
    await reminders.entered()
    with clock.frozen(at(24, "12:00")):
        await make.rectification(it, Status.working, due_on=date(2026, 12, 4))
        await settle()
    await swept(at(24, "20:00"))
    for minute in ("09:00", "09:05", "09:10"):
        await reminders.settled(date(2026, 11, 25), minute)
        await swept(at(25, minute))
    rows = await raw(
        "SELECT day FROM notice JOIN digest ON digest.id = notice.digest WHERE verb = 'reminder.due_near' "
        "AND notice.person = $1",
        it.handler.person,
    )
    assert [row["day"] for row in rows] == [date(2026, 11, 25)]


@pytest.mark.parametrize("restart", [at(25, "09:10"), at(25, "20:59"), at(27, "10:00")])
async def test_a_worker_that_was_down_makes_up_for_it_with_one(it, settle, noon, restart):
    await news(it, settle, noon, 4)
    assert await swept(restart) == 2
    assert await digests(it.staff) == [(restart.date(), 4)]


async def test_none_is_made_at_night_or_on_rest_days(it, settle):
    await news(it, settle, at(27, "16:00"))  # a Friday
    for when in (at(27, "21:00"), at(27, "23:59"), at(28, "09:10"), at(29, "12:00"), at(30, "07:29")):
        assert await swept(when) == 0, when
    assert await swept(at(30, "09:10")) == 2


async def test_the_offices_calendar_decides_what_a_working_day_is(it, settle):
    await news(it, settle, at(27, "16:00"))
    await calendar.settle(it.staff, date(2026, 11, 28), working=True, source="调休通知")
    assert await swept(at(28, "09:10")) == 2


async def test_ones_own_time_of_the_digest(it, settle, noon):
    await preferences.choose(it.staff, Wishes(digest_time=time(17, 0)))
    await news(it, settle, noon)
    assert await swept(at(24, "16:59")) == 1 and await digests(it.staff) == []
    assert await swept(at(24, "17:00")) == 1 and await digests(it.boss) == await digests(it.staff)


async def test_what_was_read_in_the_app_is_in_no_digest(it, settle, noon):
    await news(it, settle, noon, 2)
    await raw("UPDATE notice SET read_at = $1 WHERE person = $2", noon, it.staff.person)
    assert await swept(at(25, "09:10")) == 1 and await digests(it.staff) == []


async def test_however_many_workers_and_clocks_that_jump_one_a_day(it, settle, noon):
    await news(it, settle, noon, 3)
    for when in (at(25, "09:10"), at(25, "12:00"), at(25, "09:10")):
        with clock.frozen(when):
            await asyncio.gather(*(jobs.sweep_digests() for _ in range(5)))
        await news(it, settle, when)
    assert await digests(it.staff) == [(date(2026, 11, 25), 3)]
    assert len(await deliveries(it.staff)) == 1


async def test_what_is_too_much_for_one_comes_with_the_next(it, settle, noon, monkeypatch):
    monkeypatch.setattr(jobs, "MOST", 2)
    await news(it, settle, noon, 3)
    for day in (25, 26, 27):
        await swept(at(day, "09:10"))
    assert await digests(it.staff) == [(date(2026, 11, 25), 2), (date(2026, 11, 26), 1)]


async def test_a_closed_account_gets_none(it, settle, noon):
    await news(it, settle, noon)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", noon, it.staff.person)
    assert await swept(at(25, "09:10")) == 1


# ── deputies ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def told(who: Actor, verb: str = ISSUED) -> int:
    return len(await raw("SELECT 1 FROM notice WHERE person = $1 AND verb = $2", who.person, verb))


async def test_who_is_away_is_told_and_the_deputy_too_who_reads_in_whose_stead(client, it, settle, noon):
    colleague = await make.person("审核孙", Role.lead_unit_reviewer, at=it.lead_unit)
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", noon, it.principal.person)
    await make.absence(it.reviewer, colleague)
    await news(it, settle, noon)
    assert await told(it.reviewer) == await told(colleague) == 1
    page = (await client.get("/api/notices", headers=await make.signed_in(colleague))).json()
    assert page["items"][0]["in_place_of"] is None  # a reviewer of this unit anyway: in the own name


async def test_a_deputy_with_another_role_is_told_in_the_others_stead(client, it, settle, noon):
    """The handler stands in for the principal: what only principals hear."""
    await make.absence(it.principal, it.handler)
    with clock.frozen(noon):
        await make.rectification(it, Status.handed_in)
        await settle()
    assert await told(it.handler, "rectification.handed_in") == 0  # who did it need not be told
    other = await make.person("经办孙", Role.unit_handler, at=it.responsible)
    await preferences.end_absence((await raw("SELECT id FROM absence"))[0]["id"], it.principal)
    await make.absence(it.principal, other)
    await make.rectification(it, Status.handed_in)
    await settle()
    headers = await make.signed_in(other)
    (notice,) = (await client.get("/api/notices?verb=rectification.handed_in", headers=headers)).json()["items"]
    assert notice["in_place_of"] == "局长钱" and notice["title"].startswith("（代局长钱）责任单位申请销号，待审核：ZG-")
    assert notice["because"] == "局长钱不在，您代为收到。新宾县水务局是责任单位，局长钱是负责人。"
    assert (await client.get(notice["link"], headers=headers)).status_code == 200


async def test_before_and_after_the_days_the_deputy_is_not_told(it, settle):
    other = await make.person("经办孙", Role.unit_handler, at=it.responsible)
    await make.absence(it.principal, other, first=date(2026, 11, 25), last=date(2026, 11, 26))
    heard = []
    for day, when in ((24, "23:59"), (25, "00:00"), (26, "23:59"), (27, "00:00")):
        with clock.frozen(at(day, when)):
            await make.rectification(it, Status.handed_in)
            await settle()
        heard.append(await told(other, "rectification.handed_in"))
    assert heard == [0, 1, 2, 2]


async def test_a_deputy_who_is_away_too_has_a_deputy_and_circles_end(it, settle, noon):
    second, third = [await make.person(name, Role.unit_handler, at=it.responsible) for name in ("经办孙", "经办周")]
    await make.absence(it.principal, second)
    await make.absence(second, third)
    await make.absence(third, it.principal)
    await make.rectification(it, Status.handed_in)
    await settle()
    assert [await told(who, "rectification.handed_in") for who in (it.principal, second, third)] == [1, 1, 1]


async def test_who_lost_the_role_meanwhile_is_not_told_and_nobody_hears_for_a_team(it, settle, noon):
    other = await make.person("经办孙", Role.unit_handler, at=it.responsible)
    await make.absence(it.principal, other)
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", noon, other.person)
    # entered by hand: no team member can have a deputy
    await raw(
        "INSERT INTO absence (id, person, deputy, first_day, last_day, entered_by, entered_at) "
        "VALUES ($1, $2, $3, $4, $4, $2, $5)",
        uuid7(), it.lead.person, it.stranger.person, clock.today(), noon,
    )  # fmt: skip
    await make.rectification(it, Status.voided)
    await settle()
    assert await raw("SELECT 1 FROM notice WHERE absence IS NOT NULL") == []
    assert not await raw("SELECT 1 FROM notice WHERE person = $1", it.stranger.person)


async def test_a_unit_that_is_away_has_somebody_on_duty(client, it, settle, noon):
    duty = await make.person("值班孙", Role.unit_handler, at=it.responsible)
    days = (clock.today(), clock.today() + timedelta(days=6))
    await preferences.enter_absence(
        uuid7(), it.principal, person=None, unit=it.responsible, deputy=duty.person, days=days
    )
    await make.rectification(it, Status.handed_in)
    await settle()
    rows = await raw(
        "SELECT role FROM notice WHERE person = $1 AND verb = 'rectification.handed_in' AND absence IS NOT NULL",
        duty.person,
    )
    assert [row["role"] for row in rows] == ["unit_principal"]
    path, headers = "/api/notices?verb=rectification.handed_in", {**await make.signed_in(duty), "Accept-Language": "en"}
    (notice,) = (await client.get(path, headers=headers)).json()["items"]
    assert notice["because"] == "新宾县水务局 is away; you are on duty and told in its place."


# ── what is said outside ─────────────────────────────────────────────────────────────────────────────────────────


async def said(who: Actor) -> list[tuple[str, str, str]]:
    """What is said in each delivery of this person, if it were sent now."""
    sent = [row["notice"] for row in await deliveries(who)]
    words = await outside.words_of(sent)
    return [(words[id].title, words[id].line, words[id].link) for id in sent if id in words]


async def test_outside_it_says_what_happened_to_which_number_and_names_nobody(it, settle, noon):
    id = await make.rectification(it)
    await settle()
    assert await said(it.handler) == [("新交办整改事项", "ZG-210422-20261124-0001", f"/phone/#/items/{id}")]


async def test_a_digest_says_how_many_of_what(it, settle, noon):
    await news(it, settle, noon, 3)
    await make.rectification(it, Status.handed_in)
    await settle()
    await swept(at(25, "09:10"))
    assert await said(it.staff) == [
        ("5 条通知待查看", "责任单位已签收（4 条）、责任单位申请销号，待审核（1 条）", "/phone/#/inbox")
    ]


async def test_what_was_read_meanwhile_is_not_said_any_more(it, settle, noon):
    await news(it, settle, noon, 2)
    await swept(at(25, "09:10"))
    await raw("UPDATE notice SET read_at = $1", noon)
    assert await said(it.staff) == await said(it.handler) == []


async def test_a_deputy_is_told_in_whose_stead(it, settle, noon):
    other = await make.person("主任孙", Role.supervision_staff, at=(it.boss.home or it.boss.units().pop()))
    await make.absence(it.boss, other)
    await preferences.choose(other, Wishes(digest=False))
    await make.rectification(it, Status.passed)
    await settle()
    assert ("初审通过，待复核销号", "ZG-210422-20261124-0001，代主任吴") in [words[:2] for words in await said(other)]
