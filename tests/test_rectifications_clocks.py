"""Short clocks follow the calendar: to sign, to object, to rule, to decide; told to whom they run for, once."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.calendar import commands as calendar
from backend.columns import uuid7
from backend.db import raw
from backend.errors import WrongState
from backend.roles import SYSTEM, Actor, Role
from backend.units import commands as units
from backend.workdays import Calendar, end_of_day
from tasks.rectifications import clocks, commands, jobs, objections
from tasks.rectifications.item import Status
from tasks.rectifications.words import Ground
from tests import make
from tests.make import happened
from tests.rectification_proofs import complete

WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (25, 26, 27))
SATURDAY, MONDAY, TUESDAY = date(2026, 11, 28), date(2026, 11, 30), date(2026, 12, 1)
NOTICE = "抚政办〔2026〕9号"
ANSWER, DECISION = "answer_time_moved", "decision_time_moved"


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def settled(it: make.Cast, day: date, *, working: bool = False) -> None:
    await calendar.settle(it.staff, day, working=working, source=NOTICE)
    await jobs.count_dates_again()


async def part(id: UUID) -> dict[str, Any]:
    rows = await raw(
        "SELECT * FROM rectification_unit WHERE rectification = $1 AND role = 'responsible' AND ended_at IS NULL", id
    )
    return dict(rows[0])


def at(text: str):
    return clock.frozen(datetime.fromisoformat(f"{text}+08:00"))


async def test_a_day_off_gives_the_unit_that_day_more_to_sign_and_to_object(it):
    id = await make.rectification(it, Status.issued)
    before = await part(id)
    assert (before["accept_by"], before["object_until"]) == (end_of_day(THURSDAY), end_of_day(FRIDAY))
    await settled(it, WEDNESDAY)
    after = await part(id)
    assert (after["accept_by"], after["object_until"]) == (end_of_day(FRIDAY), end_of_day(MONDAY))
    told = (await happened(id, ANSWER))[0]
    assert (told["unit"], told["accept_on"], told["object_on"]) == (str(it.responsible), "2026-11-27", "2026-11-30")
    assert told["why"] == f"工作日历调整：11月25日定为休息日（{NOTICE}）。"
    with at("2026-11-27T09:00"):
        assert await jobs.sweep_silent() == 0, "silence is acceptance a day later"
    with at("2026-11-30T09:00"):
        assert await jobs.sweep_silent() == 1
        await objections.object_to(id, it.principal, id=uuid7(), ground=Ground.fact, note="不属实。")
    await complete(id)


async def test_a_made_up_working_day_takes_a_day_but_never_ends_a_clock_at_once(it):
    with at("2026-11-27T09:00"):
        id = await make.rectification(it, Status.issued)
        assert (await part(id))["accept_by"] == end_of_day(TUESDAY)
        await settled(it, SATURDAY, working=True)
        assert (await part(id))["accept_by"] == end_of_day(MONDAY)
    with at("2026-11-30T09:00"):  # Sunday the 29th was working too, it turns out: the second day is over already
        await settled(it, date(2026, 11, 29), working=True)
        assert (await part(id))["accept_by"] == end_of_day(MONDAY)
        assert await jobs.sweep_silent() == 0
        assert (await part(id))["object_until"] == end_of_day(TUESDAY)  # would be today; tomorrow is the least


async def test_the_office_has_longer_to_rule_and_to_decide_and_both_sides_are_told(it, settle):
    contested = await make.rectification(it, Status.issued)
    objection = await make.objection(it, contested)
    late = await make.rectification(it, Status.working)
    extension = await make.extension(it, late)
    await calendar.settle(it.boss, WEDNESDAY, working=False, source=NOTICE)
    await jobs.count_dates_again()
    rows = await raw(
        "SELECT rule_by AS until FROM objection WHERE id = $1 UNION ALL SELECT decide_by FROM extension WHERE id = $2",
        objection,
        extension,
    )
    assert {row["until"] for row in rows} == {end_of_day(MONDAY), end_of_day(date(2026, 12, 9))}
    assert [(told["rule_on"], told["unit"]) for told in await happened(contested, DECISION)] == [
        ("2026-11-30", str(it.responsible))
    ]
    assert [told["decide_on"] for told in await happened(late, DECISION)] == ["2026-12-09"]
    assert [sorted(told.keys() & {"accept_on", "object_on"}) for told in await happened(contested, ANSWER)] == [
        ["accept_on"]
    ], "who objected has nothing left to object"
    await settle()
    people = {row["person"] for row in await raw(f"SELECT person FROM notice WHERE verb = 'rectification.{DECISION}'")}
    assert people == {one.person for one in (it.handler, it.principal, it.staff, it.boss)}


async def test_what_is_foretold_of_each_clock_happens_and_is_told_to_who_sees_the_item(client, it):
    await make.objection(it, await make.rectification(it, Status.issued))
    await make.extension(it, await make.rectification(it, Status.working))
    await make.rectification(it, Status.issued)
    await make.rectification(it, Status.closed)
    elsewhere = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))

    async def foretold(who: Actor) -> dict[str, int]:
        query = f"/api/calendar/effects?day={WEDNESDAY}&working=false"
        told = (await client.get(query, headers=await make.signed_in(who))).json()
        assert not any(shift["earlier"] for shift in told.values())
        return {name: told[name]["later"] for name in clocks.CLOCKS}

    async def running() -> dict[str, dict[UUID, datetime]]:
        return {
            name: {row["id"]: row[name] for row in await raw(f"SELECT id, {name} FROM {kind.table}")}
            for name, kind in clocks.CLOCKS.items()
        }

    told, before = await foretold(it.staff), await running()
    assert not any((await foretold(elsewhere)).values())
    await settled(it, WEDNESDAY)
    after = await running()
    assert told == {name: sum(after[name][id] != until for id, until in before[name].items()) for name in before}
    assert all(told.values())


async def test_counted_twice_nothing_changes_and_what_is_answered_or_over_is_left_alone(it):
    id = await make.rectification(it, Status.issued)
    answered = await make.rectification(it, Status.issued)
    await objections.decline(answered, await make.objection(it, answered), it.staff, note="不成立。")
    closed = await make.rectification(it, Status.closed)
    signed = await make.rectification(it, Status.working)
    await settled(it, WEDNESDAY)
    assert len(await happened(id, ANSWER)) == 1 and await happened(closed, ANSWER) == []
    assert await happened(answered, DECISION) == []
    assert (await happened(signed, ANSWER))[0].keys() & {"accept_on", "object_on"} == {"object_on"}
    again = await clocks.count_again(UUID(int=0), [], Calendar({WEDNESDAY: False}))
    assert again.moved == 0
    with at("2026-12-07T09:00"):
        await settled(it, THURSDAY)
    assert len(await happened(id, ANSWER)) == 1


async def test_a_part_that_was_taken_over_keeps_its_count(it):
    id = await make.rectification(it, Status.issued)
    objection = await make.objection(it, id)
    heir = await make.unit("新宾县水利局")
    await units.end_unit(SYSTEM, unit=it.responsible, on=date(2026, 11, 23), successor=heir)
    await jobs.hand_over_parts()
    await settled(it, WEDNESDAY)
    assert (await part(id))["accept_by"] == end_of_day(FRIDAY)
    assert [told["unit"] for told in await happened(id, DECISION)] == [str(heir)]
    await objections.decline(id, objection, it.staff, note="不成立。")
    await complete(id)


async def test_a_clock_from_before_days_were_kept_stays_where_it_was_put(it):
    id = await make.rectification(it, Status.issued)
    week = clock.now() + timedelta(days=7)
    await raw("UPDATE rectification_unit SET asked_on = NULL, accept_by = $1, object_until = $1", week)
    await settled(it, WEDNESDAY)
    assert (await part(id))["accept_by"] == week and await happened(id, ANSWER) == []
    with pytest.raises(WrongState), clock.frozen(week):
        await objections.object_to(id, it.principal, id=uuid7(), ground=Ground.fact, note="迟了。")


async def test_many_items_are_counted_batch_by_batch(it, monkeypatch):
    monkeypatch.setattr(clocks, "_ITEMS", clocks._ITEMS.replace("LIMIT 500", "LIMIT 2"))
    monkeypatch.setattr(clocks, "BATCH", 2)
    ids = [await make.rectification(it, Status.issued) for _ in range(5)]
    await commands.acknowledge(ids[0], it.handler, id=uuid7(), responsible_person="赵", phone="")
    await settled(it, WEDNESDAY)
    assert [len(await happened(id, ANSWER)) for id in ids] == [1] * 5
