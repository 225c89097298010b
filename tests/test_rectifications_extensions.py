"""延期: asked for before the due day, decided by the office, the second by its leader; the original date stays (T8)."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from backend import clock
from backend.columns import uuid7
from backend.errors import BadRequest, Conflict, Forbidden, WrongState
from backend.roles import Role
from tasks.rectifications import commands, extensions, objections, queries
from tasks.rectifications.item import Status
from tests import calls, make
from tests.make import happened, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def ask(it: make.Cast, id, due_on: date, **other):
    key = uuid7()
    said = {"note": "管材未到。", "done_so_far": "已开挖。"} | other
    await extensions.ask(id, it.principal, id=key, due_on=due_on, **said)
    return key


async def test_granted_time_moves_the_date_and_the_original_one_still_counts(it):
    id = await make.rectification(it, Status.working)
    key = await ask(it, id, date(2026, 12, 25))
    told = (await queries.detail(id, it.handler)).extensions[0]
    assert (told.due_before, told.wanted_on, told.answer) == (date(2026, 12, 9), date(2026, 12, 25), None)
    assert told.decide_by == datetime.fromisoformat("2026-12-09T00:00+08:00")  # ten working days, T8
    await extensions.grant(id, key, it.staff, opinion="同意。")
    found = await row(id)
    assert (found["due_on"], found["original_due_on"], found["extended"]) == (
        date(2026, 12, 25), date(2026, 12, 9), 1,
    )  # fmt: skip
    assert found["due_at"] == datetime.fromisoformat("2026-12-26T00:00+08:00")


async def test_the_office_may_grant_another_date_than_the_one_asked_for(it):
    id = await make.rectification(it, Status.working)
    key = await ask(it, id, date(2026, 12, 25))
    before = await calls.snapshot()
    for wrong, code in ((date(2026, 12, 9), "not_later"), (date(2026, 11, 24), "due_in_the_past")):
        with pytest.raises(BadRequest) as refusal:
            await extensions.grant(id, key, it.staff, opinion="同意。", due_on=wrong)
        assert (refusal.value.code, refusal.value.field) == (code, "due_on")
    assert await calls.snapshot() == before
    await extensions.grant(id, key, it.staff, opinion="只到20日。", due_on=date(2026, 12, 20))
    assert (await queries.detail(id, it.staff)).extensions[0].granted_on == (await row(id))["due_on"]
    assert (await row(id))["due_on"] == date(2026, 12, 20)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(date(2026, 12, 9), "not_later"), (date(2026, 12, 1), "not_later"), (date(2020, 1, 1), "due_in_the_past"),
     (date(2099, 1, 1), "due_too_far")],
)  # fmt: skip
async def test_a_new_date_is_later_than_the_old_one_and_not_absurd(it, wanted, code):
    id = await make.rectification(it, Status.working)
    before = await calls.snapshot()
    with pytest.raises(BadRequest) as refusal:
        await ask(it, id, wanted)
    assert refusal.value.code == code and await calls.snapshot() == before


async def test_after_the_due_day_it_is_too_late_to_ask_and_not_too_late_to_decide(it):
    late, in_time = [await make.rectification(it, Status.working) for _ in range(2)]
    with clock.frozen(datetime.fromisoformat("2026-12-09T23:59:59+08:00")):
        key = await ask(it, in_time, date(2026, 12, 25))
    with clock.frozen(datetime.fromisoformat("2026-12-10T00:00+08:00")), pytest.raises(WrongState) as refusal:
        await ask(it, late, date(2026, 12, 25))
    assert refusal.value.message == "期限已过，不能再申请延期。"
    with clock.frozen(datetime.fromisoformat("2026-12-14T10:00+08:00")):
        assert (await queries.detail(in_time, it.staff)).overdue
        await extensions.grant(in_time, key, it.staff, opinion="同意。")
        assert not (await queries.detail(in_time, it.staff)).overdue


async def test_a_decision_that_came_after_the_wanted_day_takes_another_day(it):
    id = await make.rectification(it, Status.working)
    key = await ask(it, id, date(2026, 12, 11))
    with clock.frozen(datetime.fromisoformat("2026-12-14T10:00+08:00")):
        with pytest.raises(BadRequest) as refusal:
            await extensions.grant(id, key, it.staff, opinion="同意。")
        assert refusal.value.code == "due_in_the_past"
        await extensions.grant(id, key, it.staff, opinion="同意。", due_on=date(2026, 12, 18))
    assert (await row(id))["due_on"] == date(2026, 12, 18)


async def test_the_second_is_for_the_leader_and_there_is_no_third(it):
    id = await make.rectification(it, Status.working)
    await extensions.grant(id, await ask(it, id, date(2026, 12, 15)), it.staff, opinion="同意。")
    second = await ask(it, id, date(2026, 12, 20))
    for decide in (extensions.grant, extensions.decline):
        with pytest.raises(Forbidden):
            await decide(id, second, it.staff, opinion="好。")
    await extensions.grant(id, second, it.boss, opinion="同意。")
    with pytest.raises(WrongState):
        await ask(it, id, date(2026, 12, 30))
    found = await row(id)
    assert (found["extended"], found["original_due_on"]) == (2, date(2026, 12, 9))
    assert found["extended"] == len(await happened(id, "extended"))


async def test_what_was_declined_does_not_count_and_can_be_asked_again(it):
    id = await make.rectification(it, Status.working)
    for _ in range(3):
        key = await ask(it, id, date(2026, 12, 25))
        with pytest.raises(WrongState):  # one at a time
            await ask(it, id, date(2026, 12, 26))
        for _ in range(2):
            await extensions.decline(id, key, it.staff, opinion="抓紧办。")
    found = await row(id)
    assert (found["extended"], found["due_on"]) == (0, date(2026, 12, 9))
    assert len(await happened(id, "extension_declined")) == 3


async def test_listed_items_ask_twenty_working_days_ahead(it):
    # From the 3rd on twenty working days are left until 2026-12-31, from the 4th on nineteen.
    for day, in_time in (("2026-12-03T08:00+08:00", True), ("2026-12-04T08:00+08:00", False)):
        id = await make.rectification(it, Status.working, listed=True, due_on=date(2026, 12, 31))
        with clock.frozen(datetime.fromisoformat(day)):
            if in_time:
                await ask(it, id, date(2027, 2, 28))
            else:
                with pytest.raises(WrongState) as refusal:
                    await ask(it, id, date(2027, 2, 28))
                assert "20 个工作日" in refusal.value.message


async def test_only_the_principal_asks_and_only_for_the_own_unit(it):
    id = await make.shared(it)
    await make.acknowledge(it.handler, id)
    said = {"note": "来不及。", "done_so_far": "", "due_on": date(2026, 12, 25)}
    with pytest.raises(Forbidden):
        await extensions.ask(id, it.handler, id=uuid7(), **said)
    with pytest.raises(Forbidden):
        await extensions.ask(id, it.principal2, id=uuid7(), unit=it.responsible, **said)
    with pytest.raises(WrongState):  # has not signed for its part
        await extensions.ask(id, it.principal2, id=uuid7(), **said)
    await extensions.ask(id, it.principal, id=uuid7(), **said)


async def test_time_granted_to_one_unit_is_everybodys(it, settle):
    id = await make.shared(it)
    await make.acknowledge(it.handler, id)
    await make.acknowledge(it.handler2, id)
    key = await make.extension(it, id)
    await extensions.grant(id, key, it.staff, opinion="同意。")
    assert (await queries.detail(id, it.handler2)).due_on == clock.today() + timedelta(days=31)


async def test_nobody_of_the_unit_decides_and_nobody_decides_twice(it):
    id = await make.rectification(it, Status.working)
    key = await make.extension(it, id)
    own = await make.person("本单位督查", Role.supervision_leader, at=it.responsible)
    with pytest.raises(Forbidden):
        await extensions.grant(id, key, own, opinion="同意。")
    done = await asyncio.gather(
        extensions.grant(id, key, it.staff, opinion="同意。"),
        extensions.decline(id, key, it.boss, opinion="不同意。"),
        return_exceptions=True,
    )
    assert [isinstance(one, WrongState) for one in done].count(True) == 1 and None in done, done
    assert (await row(id))["extended"] == (done[0] is None)


async def test_the_same_request_again_is_the_same_also_when_the_item_went_on(it):
    id = await make.rectification(it, Status.working)
    key = await ask(it, id, date(2026, 12, 25))
    await extensions.grant(id, key, it.staff, opinion="同意。")
    await make.hand_in(it.handler, id)
    before = await calls.snapshot()
    await extensions.grant(id, key, it.staff, opinion="同意。")
    said = {"note": "管材未到。", "done_so_far": "已开挖。"}
    await extensions.ask(id, it.principal, id=key, due_on=date(2026, 12, 25), **said)
    with pytest.raises(Conflict):
        await extensions.ask(id, it.principal, id=key, due_on=date(2026, 12, 26), **said)
    for other in ({"opinion": "同意！"}, {"opinion": "同意。", "due_on": date(2026, 12, 26)}):
        with pytest.raises(WrongState):
            await extensions.grant(id, key, it.staff, **other)
    assert await calls.snapshot() == before


async def test_what_still_waits_when_the_item_closes_lapses_and_does_not_come_back(it):
    id = await make.rectification(it, Status.working)
    key = await make.extension(it, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    told = (await queries.detail(id, it.staff)).extensions[0]
    assert (told.id, told.answer) == (key, "lapsed")
    with pytest.raises(WrongState):
        await extensions.grant(id, key, it.staff, opinion="同意。")


async def test_a_date_that_moved_meanwhile_is_not_moved_back(it):
    id = await make.shared(it)
    await make.acknowledge(it.handler, id)
    await make.acknowledge(it.handler2, id)
    key = await ask(it, id, date(2026, 12, 15))  # of the first unit
    objection, to_unit = uuid7(), await make.unit("新宾县自来水公司")
    await objections.object_to(id, it.principal2, id=objection, ground=make.Ground.jurisdiction, note="不归我们。")
    await objections.redirect(id, objection, it.staff, to_unit=to_unit, note="改派。", due_on=date(2026, 12, 31))
    with pytest.raises(BadRequest) as refusal:
        await extensions.grant(id, key, it.staff, opinion="同意。")
    assert refusal.value.code == "not_later"
