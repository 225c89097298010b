"""公示: which items are shown, for how long by the days of Shanghai, and what the public's objections do (T15, T17)."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.roles import Role
from inspections.findings.rules import ClosingClass
from tasks.rectifications import commands, publicity, queries
from tasks.rectifications.item import Status
from tests import calls, make
from tests.make import happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def close(it: make.Cast, id) -> None:
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意销号。")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+08:00")


async def test_seven_days_are_counted_in_shanghai_and_the_last_one_is_whole(it):
    id = await make.rectification(it, Status.passed, public=True)
    with pytest.raises(WrongState) as refusal:
        await close(it, id)
    assert refusal.value.message == "要先公示。"
    await make.publicity(it, id)
    told = (await queries.detail(id, it.handler)).publicity[0]
    assert (told.starts_on, told.ends_on) == (date(2026, 11, 24), date(2026, 11, 30))
    with clock.frozen(moment("2026-11-30T23:59:59.999")), pytest.raises(WrongState) as refusal:
        await close(it, id)
    assert refusal.value.message == "公示期未满。"
    with clock.frozen(moment("2026-12-01T00:00")):  # still the 30th in UTC
        await close(it, id)
    assert (await row(id))["status"] == "closed"


async def test_what_was_shown_although_nobody_had_to_runs_its_time_too(it):
    id = await make.rectification(it, Status.passed)
    await publicity.publish(id, it.staff, id=uuid7(), text="已修复。", days=1)
    with pytest.raises(WrongState):
        await close(it, id)
    with clock.frozen(moment("2026-11-25T00:00")):
        await close(it, id)


async def test_a_long_term_item_is_shown_before_it_is_closed(it):
    id = await make.rectification(
        it, Status.passed, closing_class=ClosingClass.long_term, due_on=clock.today() + timedelta(days=300)
    )
    await make.checked(it, id)
    with pytest.raises(WrongState) as refusal:
        await close(it, id)
    assert refusal.value.message == "要先公示。"


@pytest.mark.parametrize(
    ("starts_on", "code"),
    [(date(2026, 11, 23), "starts_in_the_past"), (date(2020, 1, 1), "starts_in_the_past"),
     (date(2026, 12, 25), "starts_too_far")],
)  # fmt: skip
async def test_it_starts_today_or_soon(it, starts_on, code):
    id = await make.rectification(it, Status.passed)
    before = await calls.snapshot()
    with pytest.raises(BadRequest) as refusal:
        await publicity.publish(id, it.staff, id=uuid7(), text="已修复。", starts_on=starts_on)
    assert (refusal.value.code, refusal.value.field) == (code, "starts_on") and await calls.snapshot() == before
    await publicity.publish(id, it.staff, id=uuid7(), text="已修复。", starts_on=date(2026, 12, 24))
    with clock.frozen(moment("2026-12-30T23:59")), pytest.raises(WrongState):
        await close(it, id)


async def test_an_objection_holds_up_the_closing_until_it_is_declined(it):
    id = await make.rectification(it, Status.passed, public=True)
    key = await make.public_objection(it, id)
    with clock.frozen(moment("2026-12-02T09:00")):
        with pytest.raises(WrongState) as refusal:
            await close(it, id)
        assert refusal.value.message == "公示异议还没有处理。"
        for _ in range(2):
            await publicity.decline_objection(id, key, it.staff, note="现场复核，水压正常。")
        await close(it, id)
    assert len(await happened(id, "public_objection_declined")) == 1


async def test_an_upheld_objection_sends_back_the_units_named_and_the_next_round_is_shown_anew(it):
    id = await make.shared(it, public=True)
    for handler in (it.handler, it.handler2):
        await make.acknowledge(handler, id)
        await make.hand_in(handler, id)
    for unit in await parts(id):
        await make.pass_first(it, id, unit)
    other = await make.second(it)
    key = await make.public_objection(it, id)
    with pytest.raises(BadRequest):
        await publicity.uphold_objection(id, key, it.staff, note="属实。", units=frozenset({it.lead_unit}))
    await publicity.uphold_objection(id, key, it.staff, note="属实。", units=frozenset({other}))
    assert await parts(id) == {it.responsible: "passed", other: "working"}
    assert ((await row(id))["status"], (await row(id))["returned"]) == ("working", 1)
    with clock.frozen(moment("2026-12-10T09:00")):
        await make.hand_in(it.handler2, id)
        await make.pass_first(it, id, other)
        await make.checked(it, id)  # returned once
        with pytest.raises(WrongState) as refusal:
            await close(it, id)
        assert refusal.value.message == "要先公示。"
        await make.publicity(it, id)
    with clock.frozen(moment("2026-12-17T00:00")):
        await close(it, id)


async def test_what_was_sent_back_meanwhile_waits_for_no_ruling_and_takes_no_objection(it):
    id = await make.rectification(it, Status.passed, public=True)
    shown = await make.publicity(it, id)
    key = uuid7()
    await publicity.take_objection(id, shown, it.staff, id=key, note="水压不足。")
    await make.send_back(it.staff, id)
    told = (await queries.detail(id, it.staff)).publicity[0].objections[0]
    assert (told.id, told.answer, told.decided_by_name) == (key, "lapsed", None)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    before = await calls.snapshot()
    with pytest.raises(WrongState):
        await publicity.uphold_objection(id, key, it.staff, note="属实。")
    with pytest.raises(WrongState) as refusal:
        await publicity.take_objection(id, shown, it.staff, id=uuid7(), note="还是不足。")
    assert refusal.value.message == "还没有公示。"
    assert await calls.snapshot() == before


async def test_it_is_shown_once_a_round(it):
    id = await make.rectification(it, Status.passed)
    done = await asyncio.gather(*(make.publicity(it, id) for _ in range(3)), return_exceptions=True)
    assert [isinstance(one, WrongState) for one in done].count(True) == 2, done
    assert len(await raw("SELECT 1 FROM publicity")) == 1


async def test_two_rulings_at_once_have_one_winner(it):
    id = await make.rectification(it, Status.passed)
    key = await make.public_objection(it, id)
    done = await asyncio.gather(
        publicity.decline_objection(id, key, it.staff, note="不属实。"),
        publicity.uphold_objection(id, key, it.boss, note="属实。"),
        return_exceptions=True,
    )
    assert None in done and [isinstance(one, WrongState) for one in done].count(True) == 1, done
    assert (await row(id))["returned"] == (done[1] is None)


async def test_only_the_office_shows_and_rules_and_nobody_of_the_unit(it):
    id = await make.rectification(it, Status.passed)
    own = await make.person("本单位督查", Role.supervision_leader, at=it.responsible)
    for nobody in (own, it.handler, it.reviewer, it.inspector, it.leader):
        with pytest.raises(Forbidden):
            await publicity.publish(id, nobody, id=uuid7(), text="已修复。")
    key = await make.public_objection(it, id)
    for nobody in (own, it.principal, it.reviewer):
        with pytest.raises(Forbidden):
            await publicity.decline_objection(id, key, nobody, note="不属实。")


async def test_the_same_requests_again_are_the_same_also_when_the_item_went_on(it):
    id, key, objection = await make.rectification(it, Status.passed), uuid7(), uuid7()
    said = {"text": "已修复。", "starts_on": date(2026, 11, 25)}
    await publicity.publish(id, it.staff, id=key, **said)
    await publicity.take_objection(id, key, it.staff, id=objection, note="水压不足。")
    await publicity.uphold_objection(id, objection, it.staff, note="属实。")
    with clock.frozen(moment("2026-11-29T09:00")):  # its first day lies behind by now
        before = await calls.snapshot()
        await publicity.publish(id, it.staff, id=key, **said)
        await publicity.take_objection(id, key, it.staff, id=objection, note="水压不足。")
        await publicity.uphold_objection(id, objection, it.staff, note="属实。")
        with pytest.raises(Conflict):
            await publicity.publish(id, it.staff, id=key, **said, days=5)
        with pytest.raises(Conflict):
            await publicity.take_objection(id, key, it.staff, id=objection, note="别的。")
        with pytest.raises(NotFound):
            await publicity.take_objection(id, uuid7(), it.staff, id=uuid7(), note="别的。")
        assert await calls.snapshot() == before


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("户主身份证 11010519491231002X 已领取。", "id_number"),
        ("联系电话１３８ １２３４ ５６７８。", "mobile_number"),
        ("打入 6222 0210 0101 0102 033 账户。", "bank_card"),
    ],
)
async def test_a_text_with_personal_data_is_not_shown(it, text, kind):
    id = await make.rectification(it, Status.passed)
    before = await calls.snapshot()
    with pytest.raises(Incomplete) as refusal:
        await publicity.publish(id, it.staff, id=uuid7(), text=text)
    assert (refusal.value.code, refusal.value.field) == ("personal_data", "text")
    assert kind in [found["kind"] for found in refusal.value.details["found"]]
    assert await calls.snapshot() == before
