"""The sweep over real rows: once each, the stage that is due, for as long as it is true, whoever sweeps."""

import asyncio
from datetime import date, timedelta

import pytest

from backend import clock, outbox
from backend.columns import uuid7
from backend.db import raw
from backend.events import VERBS
from backend.roles import Role
from backend.worker import REACTIONS
from notifications.inbox.rules import HEARS
from notifications.reminders import jobs, sweeping
from notifications.reminders.rules import VERBS as REMINDERS
from tasks.rectifications import commands, extensions, hanging, looking_back
from tasks.rectifications.item import Status
from tasks.rectifications.words import LookBackResult
from tests import make, monthly_make
from tests import reminders_make as reminders
from tests.reminders_make import given, settled, swept, told

DUE = date(2026, 12, 4)  # a Friday
TOMORROW = date(2026, 11, 25)  # seven working days before
LATE = date(2026, 12, 7)
TEN_PAST = date(2026, 12, 18)


@pytest.fixture
async def it(fresh, noon):
    await reminders.entered()
    return await make.cast()


async def due(it: make.Cast, status: Status = Status.working, **said):
    return await make.rectification(it, status, due_on=said.pop("due_on", DUE), **said)


def test_every_reminder_has_a_verb_with_a_sentence_an_audience_and_a_reaction():
    assert {verb for verb in VERBS if verb.startswith("reminder.") and "rule" not in verb} == REMINDERS
    assert HEARS.keys() >= REMINDERS and REACTIONS.keys() >= REMINDERS


# ── once ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_month_of_an_item_that_nobody_touches(it):
    """Swept again and again, day by day, for four weeks: each stage once, at its hour, on working days."""
    id = await due(it)
    await raw("UPDATE reminder_rule SET valid_to = '2026-11-24' WHERE anchor <> 'due'")
    day = TOMORROW
    while day < date(2026, 12, 20):
        for at in ("08:59", "09:00", "15:00", "15:01"):
            await swept(day, at)
        day += timedelta(days=1)
    assert await given(id) == [
        ("due", -7, "11-25 09:00", DUE),
        ("due", -3, "12-01 09:00", DUE),
        ("due", -1, "12-03 09:00", DUE),
        ("due", 0, "12-04 09:00", DUE),
        ("due", 0, "12-04 15:00", DUE),
        ("due", 1, "12-07 09:00", DUE),
        ("due", 3, "12-09 09:00", DUE),
        ("due", 10, "12-18 09:00", DUE),
    ]


async def test_what_is_issued_shortly_before_its_day_is_not_reminded_of_a_minute_later(it):
    """Issued on Tuesday at noon, due on Wednesday: the reminder of Tuesday at nine would have come before it."""
    id = await due(it, Status.issued, due_on=TOMORROW)
    await settled(date(2026, 11, 24), "12:01")
    assert (await given(id), await told()) == ([], {})
    await settled(TOMORROW)
    assert await given(id) == [("due", 0, "11-25 09:00", TOMORROW)]
    assert [*await told()] == ["reminder.due_today"]


async def test_what_is_issued_late_already_is_reminded_of_all_the_same(it):
    id = await due(it)
    await raw("UPDATE rectification SET issued_at = $1 WHERE id = $2", reminders.moment(LATE, "12:00"), id)
    await swept(LATE, "12:01")
    assert await given(id) == [("due", 1, "12-07 12:01", DUE)]


async def test_a_clock_that_jumps_back_and_forward_gives_nothing_twice(it):
    id = await due(it)
    for day in (TOMORROW, date(2026, 12, 1), date(2026, 11, 20), TOMORROW, date(2026, 12, 1), date(2026, 12, 1)):
        await swept(day)
    assert [offset for _, offset, _, _ in await given(id)] == [-7, -3]


async def test_two_sweeps_at_once_give_each_once(it, monkeypatch):
    monkeypatch.setattr(sweeping, "AT_ONCE", 3)
    ids = [await due(it) for _ in range(10)]

    async def sweep() -> int:
        with clock.frozen(reminders.moment(TOMORROW)):
            return await jobs.sweep()

    assert sum(await asyncio.gather(*(sweep() for _ in range(4)))) == 10
    assert len(await given()) == 10 and {len(await given(id)) for id in ids} == {1}
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'reminder.due_near'")) == 10


async def test_a_sweep_that_is_cut_off_is_finished_by_the_next(it, monkeypatch):
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    for _ in range(5):
        await due(it)
    asked = sweeping._next
    calls = 0

    async def dies(*args):
        nonlocal calls
        calls += 1
        if calls == 2:
            raise ConnectionError("gone")
        return await asked(*args)

    monkeypatch.setattr(sweeping, "_next", dies)
    with pytest.raises(ConnectionError):
        await swept(TOMORROW)
    assert len(await given()) == 2
    assert await swept(TOMORROW, "09:01") == 3 and await swept(TOMORROW, "09:02") == 0


async def test_a_rule_that_fails_does_not_silence_the_others(it, monkeypatch):
    id = await due(it, Status.issued)
    give = sweeping.give

    async def fails(stage, now, today):
        if stage.rule.anchor == "due":
            raise RuntimeError("not today")
        return await give(stage, now, today)

    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "give", fails)
        with pytest.raises(RuntimeError):
            await swept(TOMORROW, "15:00")
    assert [anchor for anchor, *_ in await given()] == ["signing"]
    await swept(TOMORROW, "15:01")
    assert len(await given(id)) == 1


async def test_three_days_down_bring_the_latest_word_once(it):
    id = await due(it)
    assert await swept(date(2026, 11, 24), "17:00") == 0
    await swept(date(2026, 12, 3), "13:00")  # -7 and -3 were missed
    assert await given(id) == [("due", -1, "12-03 13:00", DUE)]


async def test_after_a_standstill_everybody_who_should_have_heard_hears_once(it):
    """Down until Wednesday noon: +1 (handler, principal) and +3 (principal, lead) are missed."""
    id = await due(it)
    await settled(DUE, "15:00")
    await raw("DELETE FROM notice")
    for at in ("12:00", "12:01", "15:00"):
        await settled(date(2026, 12, 9), at)
    assert await told() == {"reminder.overdue": ["审核李", "局长钱", "经办赵"]}
    assert [offset for _, offset, when, _ in await given(id) if when.startswith("12-09")] == [3]
    await raw("DELETE FROM notice WHERE at < $1", reminders.moment(date(2026, 12, 9)))
    await settled(TEN_PAST)  # nothing was missed since: the handler is left alone
    assert sorted((await told())["reminder.overdue"]) == ["主任吴", "审核李", "审核李", "局长钱", "局长钱", "经办赵"]


async def test_who_was_told_a_step_does_not_hear_it_again_with_the_next(it):
    await due(it)
    await settled(LATE)
    await settled(date(2026, 12, 9))
    assert (await told())["reminder.overdue"].count("经办赵") == 1


async def test_a_step_that_was_given_and_never_handed_over_is_heard_with_the_next(it):
    """The worker died between the sweep and the hand-over, and came back two working days later."""
    await due(it)
    await settled(DUE, "15:00")
    await raw("DELETE FROM notice")
    await swept(LATE)
    await swept(date(2026, 12, 9))
    with clock.frozen(reminders.moment(date(2026, 12, 9), "09:01")):
        await outbox.drain(REACTIONS)
    assert await told() == {"reminder.overdue": ["审核李", "局长钱", "经办赵"]}


async def test_a_step_before_the_item_was_issued_was_not_missed(it):
    """Issued late already, on the 8th: the handler reads so in that notice, and the raised reminder goes up only."""
    id = await due(it)
    await outbox.drain(REACTIONS)
    await raw("UPDATE rectification SET issued_at = $1 WHERE id = $2", reminders.moment(date(2026, 12, 8), "12:00"), id)
    await settled(date(2026, 12, 9))
    assert await told() == {"reminder.overdue": ["审核李", "局长钱"]}


async def test_what_was_raised_says_so_to_whoever_missed_a_step_too(client, it):
    await due(it)
    await settled(DUE, "15:00")
    await settled(date(2026, 12, 9), "12:00")
    page = (await client.get("/api/notices", headers=await make.signed_in(it.handler))).json()["items"]
    assert page[0]["title"].startswith("整改超期 3 个工作日（12月4日到期），已按规则提醒单位负责人、牵头单位：")


@pytest.mark.parametrize(
    ("status", "column", "verb"),
    [(Status.closed, "look_back_on", "look_back_waits"), (Status.hung, "review_on", "hanging_waits")],
)
async def test_a_day_that_was_missed_altogether_is_said_late_and_marked(client, it, status, column, verb):
    """The worker is down on the day itself, a Friday, and back on Saturday."""
    id = await due(it, status, due_on=date(2027, 2, 1))
    await raw(f"UPDATE rectification SET {column} = $1 WHERE id = $2", DUE, id)
    await raw("UPDATE reminder_rule SET valid_to = '2026-11-24' WHERE anchor = 'hanging' AND \"offset\" < 0")
    await settled(date(2026, 12, 5), "10:00")
    [line] = await given(id)
    assert line[1:3] == (0, "12-05 10:00") and (await told())[f"reminder.{verb}"] == ["主任吴", "督查办周"]
    page = (await client.get("/api/notices", headers=await make.signed_in(it.staff))).json()["items"]
    assert [one["title"] for one in page if "已于12月4日到期（补发）：" in one["title"]]
    await settled(date(2026, 12, 7))
    assert len(await given(id)) == 1


async def test_a_day_that_was_missed_is_not_said_when_it_was_looked_at_meanwhile(it):
    id = await due(it, Status.closed, due_on=date(2027, 2, 1))
    await raw("UPDATE rectification SET look_back_on = $1 WHERE id = $2", DUE, id)
    with clock.frozen(reminders.moment(DUE, "08:00")):
        await looking_back.look_back(id, it.staff, id=uuid7(), result=LookBackResult.holds, note="没有反弹。")
    assert await swept(LATE, "10:00") == 0


async def test_what_is_no_longer_true_is_not_made_up_for(it):
    id = await due(it)
    assert await swept(date(2026, 12, 5), "10:00") == 0  # Saturday: neither "today" nor yet "one working day late"
    await swept(date(2026, 12, 7))
    assert await given(id) == [("due", 1, "12-07 09:00", DUE)]


async def test_a_rule_that_is_changed_in_the_middle_says_nothing_twice_and_forgets_nobody(it):
    """The three-day rule becomes a four-day one from the 1st on. Due: the 4th (had -7), the 7th, the 3rd (had -3)."""
    third, fourth, seventh = [await due(it, due_on=date(2026, 12, day)) for day in (3, 4, 7)]
    await swept(date(2026, 11, 30))
    old = (await raw("SELECT * FROM reminder_rule WHERE anchor = 'due' AND \"offset\" = -3"))[0]
    await raw("UPDATE reminder_rule SET valid_to = '2026-11-30' WHERE id = $1", old["id"])
    await raw(
        'INSERT INTO reminder_rule (id, series, replaces, anchor, "offset", unit, at, tells, urgency, valid_from, '
        "added_at) VALUES ($1, $2, $2, 'due', -4, 'workdays', $3, $4, 'normal', '2026-12-01', $5)",
        uuid7(), old["id"], old["at"], old["tells"], clock.now(),
    )  # fmt: skip
    await swept(date(2026, 12, 1))
    said = {id: [offset for _, offset, _, _ in await given(id)] for id in (third, fourth, seventh)}
    assert said == {third: [-3], fourth: [-7, -4], seventh: [-7, -4]}


async def test_a_new_date_is_a_new_target(it):
    id = await due(it)
    await swept(TOMORROW)
    key = await make.extension(it, id, days=31)
    await extensions.grant(id, key, it.staff, opinion="同意。")
    new = date(2026, 12, 25)
    for day in (date(2026, 12, 1), date(2026, 12, 4), date(2026, 12, 7), date(2026, 12, 16)):
        await swept(day)
    assert await given(id) == [("due", -7, "11-25 09:00", DUE), ("due", -7, "12-16 09:00", new)]


# ── it stops when it should ──────────────────────────────────────────────────────────────────────────────────────


async def _hung(it, id):
    await hanging.hang(id, it.boss, id=uuid7(), reason_code=make.HangReason.season, note="冻土期。", paper="9号",
                       review_on=date(2027, 3, 1))  # fmt: skip


async def _handed_in(it, id):
    await make.hand_in(it.handler, id)


async def _voided(it, id):
    await make._void(it, id)


async def _closed(it, id):
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    await make._close(it, id)


@pytest.mark.parametrize("ends", [_hung, _handed_in, _voided, _closed])
@pytest.mark.parametrize("day", [date(2026, 12, 1), TEN_PAST])
async def test_nothing_is_said_of_a_due_date_that_nobody_has_to_keep_any_more(it, ends, day):
    ended, stays = await due(it), await due(it)
    await ends(it, ended)
    await swept(day)
    assert not [said for said in await given(ended) if said[0] == "due"] and len(await given(stays)) == 1


@pytest.mark.parametrize("ends", [_hung, _handed_in, _voided, _closed])
async def test_what_ended_between_sweep_and_hand_over_is_told_to_nobody(it, ends):
    ended, stays = await due(it), await due(it)
    await swept(TOMORROW)
    await ends(it, ended)
    with clock.frozen(reminders.moment(TOMORROW, "09:01")):
        await outbox.drain(REACTIONS)
    rows = await raw("SELECT subject, lapsed_at FROM reminder")
    assert {row["subject"]: row["lapsed_at"] is not None for row in rows} == {ended: True, stays: False}
    notices = await raw("SELECT subject FROM notice WHERE verb LIKE 'reminder.%'")
    assert {row["subject"] for row in notices} == {stays}


async def test_a_reminder_that_was_held_up_until_a_later_one_came_is_told_no_more(it):
    await due(it)
    await swept(TOMORROW)
    await swept(date(2026, 12, 1))
    with clock.frozen(reminders.moment(date(2026, 12, 1), "09:01")):
        await outbox.drain(REACTIONS)
    rows = await raw("SELECT days_left, lapsed_at IS NULL AS stands FROM reminder ORDER BY at")
    assert [tuple(row.values()) for row in rows] == [(7, False), (3, True)]


async def test_sent_back_after_the_date_it_is_reminded_of_again_at_the_next_stage(it):
    id = await due(it)
    await make.hand_in(it.handler, id)
    assert not [said for said in await given(id) if said[0] == "due"]
    with clock.frozen(reminders.moment(date(2026, 12, 8), "16:00")):
        await make.send_back(it.reviewer, id)
    await swept(date(2026, 12, 8), "16:01")
    await swept(date(2026, 12, 9))
    assert [said for said in await given(id) if said[0] == "due"] == [
        ("due", 1, "12-08 16:01", DUE), ("due", 3, "12-09 09:00", DUE),
    ]  # fmt: skip


async def test_only_the_units_whose_part_is_open_are_reminded(it):
    id = await make.shared(it, due_on=DUE)
    await make.acknowledge(it.handler, id)
    await commands.acknowledge(id, it.handler2, id=uuid7(), responsible_person="周", phone="13812345678")
    await make.hand_in(it.handler, id)
    await settled(TOMORROW)
    assert (await told())["reminder.due_near"] == ["局长吕", "经办周"]


# ── whom ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_it_is_raised_step_by_step(it):
    await due(it)
    for day, heard in (
        (date(2026, 12, 4), {"reminder.due_today": ["局长钱", "经办赵"]}),
        (date(2026, 12, 7), {"reminder.overdue": ["局长钱", "经办赵"]}),
        (date(2026, 12, 9), {"reminder.overdue": ["审核李", "局长钱"]}),
        (TEN_PAST, {"reminder.overdue": ["主任吴", "审核李", "局长钱"]}),
    ):
        await raw("DELETE FROM notice")
        await settled(day)
        assert {verb: sorted(names) for verb, names in (await told()).items()} == {
            verb: sorted(names) for verb, names in heard.items()
        }


async def test_where_there_is_no_principal_the_lead_unit_hears_and_where_there_is_none_the_office(it):
    await due(it)
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE role = 'unit_principal'", clock.now())
    await settled(date(2026, 12, 7))
    assert (await told())["reminder.overdue"] == ["审核李", "经办赵"]
    await raw("UPDATE person SET disabled_at = $1 WHERE id = ANY($2)", clock.now(), [it.reviewer.person])
    await raw("DELETE FROM notice")
    await settled(date(2026, 12, 9))
    assert sorted((await told())["reminder.overdue"]) == ["主任吴", "督查办周"]


async def test_an_item_of_a_unit_without_a_single_account_is_raised_from_the_first_reminder_on(it):
    nobody = await make.unit("新宾县教育局")
    id = await make.rectification(it, Status.issued, due_on=DUE, responsible_units=frozenset({nobody}))
    await settled(TOMORROW)
    notices = await raw("SELECT person, reason FROM notice WHERE verb = 'reminder.due_near' AND subject = $1", id)
    assert [(row["person"], row["reason"]) for row in notices] == [(it.reviewer.person, "lead_units")]


async def test_the_nearest_office_is_told_not_every_office_above_it(it):
    await due(it)
    near = await make.unit("新宾县督查办", area=make.XINBIN)
    boss = await make.person("县主任", Role.supervision_leader, at=near)
    await settled(TEN_PAST)
    notices = await raw("SELECT person FROM notice WHERE reason = 'office_leaders'")
    assert [row["person"] for row in notices] == [boss.person]


async def test_nobody_anywhere_is_seen_as_a_reminder_that_reached_nobody(it):
    await due(it)
    await raw("UPDATE person SET disabled_at = $1", clock.now())
    await settled(TOMORROW)
    (row,) = await raw("SELECT lapsed_at FROM reminder")
    assert row["lapsed_at"] and await told() == {} and not await raw("SELECT 1 FROM outbox")


# ── what else waits ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_hand_over_that_is_not_signed_for(it):
    id = await due(it, Status.issued, due_on=date(2027, 2, 1))  # asked on Tuesday the 24th
    await settled(TOMORROW, "15:00")
    assert (await told())["reminder.unsigned"] == ["局长钱", "经办赵"]
    await raw("DELETE FROM notice")
    await settled(date(2026, 11, 26))
    assert (await told())["reminder.unsigned"] == ["局长钱"]
    await make.acknowledge(it.handler, id)
    assert await swept(date(2026, 11, 27)) == 0


async def test_a_unit_that_contests_the_item_is_not_asked_to_sign(it):
    id = await due(it, Status.issued, due_on=date(2027, 2, 1))
    await make.objection(it, id)
    await settled(TOMORROW, "15:00")
    await settled(date(2026, 11, 26))  # the ruling is due on Friday the 27th
    assert await told() == {"reminder.objection_waits": ["主任吴", "督查办周"]}
    await settled(date(2026, 11, 30))
    rows = await raw("SELECT DISTINCT urgency FROM notice WHERE at > $1", reminders.moment(date(2026, 11, 30), "08:00"))
    assert [row["urgency"] for row in rows] == ["at_once"]


async def test_an_extension_that_is_not_decided(it):
    id = await due(it, due_on=date(2027, 2, 1))
    await make.extension(it, id, days=90)  # to be decided within ten working days: by Tuesday the 8th
    for day in (date(2026, 12, 3), date(2026, 12, 8), date(2026, 12, 9)):
        await settled(day)
    assert [(anchor, offset) for anchor, offset, _, _ in await given()] == [
        ("extension", -3), ("extension", 0), ("extension", 1),
    ]  # fmt: skip
    assert (await told())["reminder.extension_waits"] == ["主任吴", "主任吴", "主任吴", "督查办周"]


async def test_a_hand_in_a_site_check_a_look_back_and_a_hung_item_that_wait(it):
    handed = await due(it, Status.handed_in, due_on=date(2027, 2, 1))
    passed = await due(it, Status.passed, due_on=date(2027, 2, 1))
    await make.site_check(it, passed)
    closed = await due(it, Status.closed, due_on=date(2027, 2, 1))
    hung = await due(it, Status.hung, due_on=date(2027, 2, 1))
    looked_on = (await make.row(closed))["look_back_on"]
    for day in (date(2026, 11, 27), looked_on, (await make.row(hung))["review_on"]):
        await settled(day)
    assert {anchor for anchor, *_ in await given()} == {"review", "site_check", "look_back", "hanging"}
    heard = await told()
    assert "审核李" in heard["reminder.review_waits"] and not await given(handed)  # of the hand-in, not of the item
    assert set(heard["reminder.check_waits"]) >= {"督查员王", "组长刘"}
    assert not {"经办赵", "局长钱"} & {name for names in heard.values() for name in names}
    await looking_back.look_back(closed, it.staff, id=uuid7(), result=LookBackResult.holds, note="没有反弹。")
    await hanging.resume(hung, it.staff, id=uuid7(), note="开春。", due_on=date(2027, 6, 1))
    before = len(await given())
    await swept(looked_on + timedelta(days=14))
    assert not [said for said in (await given())[before:] if said[0] in ("look_back", "hanging")]


async def test_who_hangs_an_item_with_a_review_at_hand_is_not_reminded_of_it_a_minute_later(it):
    """The step three working days ahead had spoken before; the next is the day itself."""
    id = await due(it, due_on=date(2027, 2, 1))
    with clock.frozen(reminders.moment(date(2026, 12, 2), "09:30")):
        await hanging.hang(id, it.boss, id=uuid7(), reason_code=make.HangReason.season, note="冻土期。", paper="9号",
                           review_on=DUE)  # fmt: skip
    for day, at in ((date(2026, 12, 2), "09:31"), (date(2026, 12, 3), "09:00"), (DUE, "09:00")):
        await swept(day, at)
    assert await given(id) == [("hanging", 0, "12-04 09:00", DUE)]


async def test_another_kind_is_a_row_no_code(it):
    """The weekly report of listed items: every Thursday, for those who have not reported since Monday."""
    listed = await due(it, due_on=date(2027, 2, 1), listed=True)
    await due(it, due_on=date(2027, 2, 1))
    await raw(
        'INSERT INTO reminder_rule (id, series, anchor, "offset", unit, at, tells, urgency, valid_from, added_at) '
        "VALUES ($1, $1, 'weekly_report', -1, 'days', '09:00', '{responsible_units}', 'normal', '2026-11-01', $2)",
        uuid7(), clock.now(),
    )  # fmt: skip
    await settled(date(2026, 11, 26))
    assert await given() == [("weekly_report", -1, "11-26 09:00", date(2026, 11, 27))]
    assert (await told())["reminder.report_waits"] == ["局长钱", "经办赵"]
    with clock.frozen(reminders.moment(date(2026, 11, 30), "10:00")):
        await commands.report(listed, it.handler, id=uuid7(), note="已开工。", percent=30, lower_reason="")
    await swept(date(2026, 12, 3))
    await swept(date(2026, 12, 10))
    assert [when for _, _, when, _ in await given(listed)] == ["11-26 09:00", "12-10 09:00"]


# ── the month's check ────────────────────────────────────────────────────────────────────────────────────────────


async def _month() -> tuple[monthly_make.Fushun, dict, make.Actor]:
    """November 2026, whose 15th is a Sunday: 56 cells, and the reviewer of one of the eight departments."""
    with clock.frozen(monthly_make.at(11, 2)):
        city = await monthly_make.fushun(valid_from=date(2026, 11, 1))
        cells = await monthly_make.begun(city)
        reviewer = await make.person("教育审核", Role.lead_unit_reviewer, at=city.units["市教育局"])
    return city, cells, reviewer


async def test_the_months_check_is_reminded_of_towards_its_last_working_day_and_raised_after_the_cutoff(fresh):
    await reminders.entered()
    _, cells, reviewer = await _month()
    for day in range(3, 21):
        for at in ("09:00", "15:00"):
            await settled(date(2026, 11, day), at)
    sunday = date(2026, 11, 15)
    said = sorted({(offset, when) for anchor, offset, when, target in await given() if target == sunday})
    assert said == [
        (-7, "11-04 09:00"), (-3, "11-10 09:00"), (-1, "11-12 09:00"), (0, "11-13 09:00"), (0, "11-13 15:00"),
        (1, "11-16 09:00"), (3, "11-18 09:00"),
    ]  # fmt: skip
    # One for each of eight departments, not for each of its seven counties.
    assert len(await given()) == 8 * len(said)
    reminded = "SELECT verb, count(*) AS n FROM notice WHERE person = $1 AND verb LIKE 'reminder.%' GROUP BY verb"
    own = await raw(reminded, reviewer.person)
    assert {row["verb"]: row["n"] for row in own} == {
        "reminder.month_near": 3, "reminder.month_today": 2, "reminder.month_missed": 1,
    }  # fmt: skip
    assert len(cells) == 8 * len(monthly_make.COUNTIES)


async def test_a_month_says_how_many_regions_are_left_and_nothing_when_none_is(client, fresh):
    await reminders.entered()
    city, cells, reviewer = await _month()
    own = [id for (unit, _), id in cells.items() if unit == city.units["市教育局"]]
    with clock.frozen(monthly_make.at(11, 3)):
        await monthly_make.file(reviewer, own[0], clock.now())
    await settled(date(2026, 11, 4))
    with clock.frozen(reminders.moment(date(2026, 11, 4), "10:00")):
        page = (await client.get("/api/notices", headers=await make.signed_in(reviewer))).json()["items"]
        titles = [notice["title"] for notice in page if notice["verb"] == "reminder.month_near"]
        many = len(own) - 1
        assert titles == [f"本月检查指导还剩 7 个工作日，11月15日到期，还有 {many} 个县区没有检查记录"]
        for cell in own[1:]:
            await monthly_make.file(reviewer, cell, clock.now())
    await settled(date(2026, 11, 10))
    rows = await raw("SELECT at FROM notice WHERE person = $1 AND verb LIKE 'reminder.%'", reviewer.person)
    assert len(rows) == 1


async def test_a_department_that_was_merged_away_is_reminded_through_its_successor(fresh):
    await reminders.entered()
    city, _, _ = await _month()
    heir = await make.unit("市教育体育局", area=make.FUSHUN)
    head = await make.person("教体审核", Role.lead_unit_reviewer, at=heir)
    await raw("UPDATE unit SET valid_to = '2026-11-05', successor = $1 WHERE id = $2", heir, city.units["市教育局"])
    await settled(date(2026, 11, 10))
    rows = await raw("SELECT reason FROM notice WHERE person = $1 AND verb = 'reminder.month_near'", head.person)
    assert [row["reason"] for row in rows] == ["lead_units"]


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_a_reminder_says(client, it):
    id = await due(it)
    number = (await make.row(id))["number"]
    handler, head = await make.signed_in(it.handler), await make.signed_in(it.principal)
    await outbox.drain(REACTIONS)
    for day, says, english in (
        (TOMORROW, f"整改期限还剩 7 个工作日，12月4日到期：{number}", "7 working days left, until 2026-12-04"),
        (DUE, f"整改期限12月4日到期：{number}", "2026-12-04 is the last day"),
        (
            date(2026, 12, 7),
            f"整改超期 1 个工作日（12月4日到期），已按规则提醒单位负责人：{number}",
            "late by 1 working days",
        ),
    ):
        await settled(day)
        newest = (await client.get("/api/notices", headers=head)).json()["items"][0]
        assert newest["title"] == says and newest["link"] == f"/api/rectifications/{id}"
        told = (await client.get("/api/notices", headers={**handler, "Accept-Language": "en"})).json()["items"][0]
        assert english in told["title"]


async def test_a_date_that_hangs_on_a_list_not_published_yet_says_so(client, it):
    await due(it, due_on=date(2027, 1, 8))
    await outbox.drain(REACTIONS)
    await settled(date(2026, 12, 30))
    newest = (await client.get("/api/notices", headers=await make.signed_in(it.handler))).json()["items"][0]
    assert "1月8日到期，以国务院公布的放假安排为准" in newest["title"]


async def test_a_reminder_changes_nothing_of_the_item(client, it):
    id, path = await due(it), "/api/rectifications"
    head = await make.signed_in(it.handler)
    before = (await client.get(f"{path}/{id}", headers=head)).json()
    await settled(TOMORROW)
    assert (await client.get(f"{path}/{id}", headers=head)).json() == before
