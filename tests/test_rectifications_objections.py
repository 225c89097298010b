"""异议: who may object and when, who rules, where the part goes, and that a unit is never asked twice (T4 to T6)."""

import asyncio
from datetime import date, datetime, timedelta

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, NotFound, WrongState
from backend.roles import SYSTEM, Role
from backend.units import commands as unit_commands
from tasks.rectifications import commands, extensions, jobs, objections, queries, voiding
from tasks.rectifications.item import Status
from tasks.rectifications.words import Ground, UnitRole
from tests import calls, make
from tests.make import Cast, happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def taker(it: Cast):
    """Another unit's handler, whose unit could take the part."""
    return await make.person("自来水公司韩", Role.unit_handler, at=await make.unit("新宾县自来水公司"))


async def said(id) -> dict:
    return dict((await raw("SELECT * FROM objection WHERE rectification = $1", id))[0])


async def test_an_objection_waits_three_working_days_for_a_ruling_while_the_clock_goes_on(it):
    id = await make.rectification(it)
    due = (await row(id))["due_at"]
    await make.objection(it, id)
    found = (await queries.detail(id, it.handler)).objections[0]
    assert (found.ground, found.unit, found.answer) == ("jurisdiction", it.responsible, None)
    assert found.rule_by == datetime.fromisoformat("2026-11-28T00:00+08:00")  # the end of Friday
    assert (await row(id))["due_at"] == due and (await row(id))["status"] == "issued"


async def test_who_signed_may_still_object_in_time_and_nobody_after(it, noon):
    in_time = await make.rectification(it, Status.working)
    with clock.frozen(datetime.fromisoformat("2026-11-27T23:59:59.999+08:00")):
        await make.objection(it, in_time)
    late = await make.rectification(it)
    with clock.frozen(datetime.fromisoformat("2026-11-28T00:00+08:00")), pytest.raises(WrongState) as refusal:
        await make.objection(it, late)
    assert "期限" in refusal.value.message


async def test_a_unit_objects_once_and_its_principal_does_it(it):
    id = await make.rectification(it)
    with pytest.raises(Forbidden):
        await objections.object_to(id, it.handler, id=uuid7(), ground=Ground.fact, note="不符。")
    key = await make.objection(it, id)
    await objections.decline(id, key, it.staff, note="就归你们管。")
    with pytest.raises(WrongState):
        await make.objection(it, id)
    assert await parts(id) == {it.responsible: "issued"}


async def test_while_it_waits_the_unit_neither_hands_in_nor_is_taken_to_have_accepted(it, noon):
    id = await make.rectification(it, Status.working)
    await make.objection(it, id)
    with pytest.raises(WrongState):
        await make.hand_in(it.handler, id)
    silent = await make.rectification(it)
    key = await make.objection(it, silent)
    with clock.frozen(noon + timedelta(days=30)):
        assert await jobs.sweep_silent() == 0
        await objections.decline(silent, key, it.staff, note="不成立。")
        assert await jobs.sweep_silent() == 1
    assert (await row(silent))["status"] == "working"


async def test_a_hand_in_while_the_objection_is_ruled_on_has_an_order(it):
    for _ in range(3):
        id = await make.rectification(it, Status.working)
        key = await make.objection(it, id)
        done = await asyncio.gather(
            make.hand_in(it.handler, id), objections.decline(id, key, it.staff, note="不成立。"), return_exceptions=True
        )
        assert done[1] is None and (done[0] is None or isinstance(done[0], WrongState)), done
        assert (await row(id))["status"] == ("handed_in" if done[0] is None else "working")


async def test_who_inspected_does_not_rule_and_the_unit_does_not_rule_on_itself(it, taker):
    id = await make.rectification(it)
    key = await make.objection(it, id)
    office = await make.unit("市扶贫办")
    inspected = await make.person("也查过的", Role.supervision_leader, at=office)
    await raw(
        "INSERT INTO visit_member (id, visit, person, lead) SELECT $1, $2, $3, false",
        uuid7(),
        it.visit,
        inspected.person,
    )
    own = await make.person("本单位的", Role.supervision_leader, at=it.responsible)
    to_unit = await make.unit("新宾县自来水公司")
    before = await calls.snapshot()
    for judge in (inspected, own, it.reviewer, it.leader):
        for ruling in (
            objections.decline(id, key, judge, note="不成立。"),
            objections.uphold(id, key, judge, note="成立。"),
            objections.redirect(id, key, judge, to_unit=to_unit, note="改派。"),
        ):
            with pytest.raises(Forbidden):
                await ruling
    assert await calls.snapshot() == before


async def test_a_redirected_part_begins_anew_with_the_other_unit_and_stays_in_the_former_ones_sight(it, taker, noon):
    id = await make.rectification(it, Status.working)
    due = (await row(id))["due_on"]
    key = await make.objection(it, id)
    to_unit = await make.unit("新宾县自来水公司")
    with clock.frozen(noon + timedelta(days=1)):
        await objections.redirect(id, key, it.staff, to_unit=to_unit, note="归自来水公司。")
        assert await parts(id) == {to_unit: "issued"}
        assert ((await row(id))["status"], (await row(id))["due_on"]) == ("issued", due)
        told = await queries.detail(id, it.handler)
        assert told.moves == [] and told.status == "issued"
        assert {unit.unit: unit.ended_at for unit in told.units}[it.responsible] == clock.now()
        clocks = await raw("SELECT accept_by, object_until FROM rectification_unit WHERE unit = $1", to_unit)
        assert clocks[0]["accept_by"] == datetime.fromisoformat("2026-11-28T00:00+08:00")
        for nobody in (it.handler, it.principal):
            with pytest.raises(Forbidden):
                await make.acknowledge(nobody, id)
        await make.acknowledge(taker, id)
    assert (await row(id))["status"] == "working"


async def test_a_redirection_may_bring_a_new_date_which_then_counts(it, taker):
    id = await make.rectification(it)
    key, to_unit = await make.objection(it, id), await make.unit("新宾县自来水公司")
    for wrong, code in ((date(2026, 11, 24), "due_in_the_past"), (date(2099, 1, 1), "due_too_far")):
        before = await calls.snapshot()
        with pytest.raises(BadRequest) as refusal:
            await objections.redirect(id, key, it.staff, to_unit=to_unit, note="改派。", due_on=wrong)
        assert refusal.value.code == code and await calls.snapshot() == before
    await objections.redirect(id, key, it.staff, to_unit=to_unit, note="改派。", due_on=date(2026, 12, 31))
    found = await row(id)
    assert found["due_on"] == found["original_due_on"] == date(2026, 12, 31)


async def test_the_part_can_come_back_to_a_unit_it_was_taken_from(it, taker, noon):
    id = await make.rectification(it)
    first = await make.objection(it, id)
    there = await make.unit("新宾县自来水公司")
    head = await make.person("自来水公司经理", Role.unit_principal, at=there)
    await objections.redirect(id, first, it.staff, to_unit=there, note="改派。")
    with clock.frozen(noon + timedelta(days=1)):
        back = uuid7()
        await objections.object_to(id, head, id=back, ground=Ground.jurisdiction, note="也不归我们。")
        await objections.redirect(id, back, it.staff, to_unit=it.responsible, note="仍归水务局。")
        assert await parts(id) == {it.responsible: "issued"}
        with pytest.raises(WrongState):  # it has said its say
            await make.objection(it, id)
        await make.acknowledge(it.handler, id)
        own = await make.person("自来水公司督查", Role.supervision_leader, at=there)
        await make.hand_in(it.handler, id)
        await make.pass_first(it, id)
        with pytest.raises(Forbidden):  # judges nothing on what it once had
            await commands.close_out(id, own, id=uuid7(), opinion="同意。")
    assert (await row(id))["status"] == "passed"


async def test_a_part_goes_to_a_live_unit_that_does_not_judge_it(it, noon):
    id = await make.rectification(it)
    key, gone = await make.objection(it, id), await make.unit("新宾县地震局")
    await unit_commands.end_unit(SYSTEM, unit=gone, on=clock.today(), successor=it.lead_unit)
    with clock.frozen(noon + timedelta(days=1)):
        before = await calls.snapshot()
        for wrong, code in (
            (it.responsible, "unit_in_two_roles"), (it.lead_unit, "unit_in_two_roles"), (gone, "unit_ended"),
            (uuid7(), "unknown_reference"),
        ):  # fmt: skip
            with pytest.raises(BadRequest) as refusal:
                await objections.redirect(id, key, it.staff, to_unit=wrong, note="改派。")
            assert refusal.value.code == code
        assert await calls.snapshot() == before


async def test_a_unit_that_cooperates_can_take_the_part_over(it):
    draft, helper = await make.rectification(it, Status.draft), await make.unit("新宾县财政局")
    await commands.issue(draft, it.staff, units={UnitRole.cooperating: frozenset({helper})})
    await objections.redirect(draft, await make.objection(it, draft), it.staff, to_unit=helper, note="改派。")
    item = await queries.parties(draft)
    assert item.of(UnitRole.responsible) == {helper} and item.of(UnitRole.cooperating) == frozenset()


async def test_what_the_former_unit_asked_for_lapses_with_its_part(it, taker):
    id = await make.rectification(it, Status.working)
    await make.extension(it, id)
    key, to_unit = await make.objection(it, id), await make.unit("新宾县自来水公司")
    await objections.redirect(id, key, it.staff, to_unit=to_unit, note="改派。")
    told = (await queries.detail(id, it.staff)).extensions[0]
    assert (told.answer, told.decided_by_name) == ("lapsed", None)
    with pytest.raises(WrongState):
        await extensions.grant(id, told.id, it.staff, opinion="同意。")


@pytest.mark.parametrize("ground", [Ground.fact, Ground.duplicate])
async def test_a_wrong_fact_or_a_duplicate_makes_the_item_void_by_the_leader(it, ground):
    id = await make.rectification(it)
    key = await make.objection(it, id, ground)
    with pytest.raises(WrongState):
        await objections.redirect(id, key, it.staff, to_unit=it.lead_unit, note="改派。")
    with pytest.raises(Forbidden):
        await objections.uphold(id, key, it.staff, note="属实。")
    for _ in range(2):
        await objections.uphold(id, key, it.boss, note="属实。")
    assert (await row(id))["status"] == "voided"
    assert len(await happened(id, "objection_upheld")) == 1


async def test_where_another_unit_works_the_item_is_not_taken_from_it(it):
    id = await make.shared(it)
    key = await make.objection(it, id, Ground.fact)
    with pytest.raises(WrongState) as refusal:
        await objections.uphold(id, key, it.boss, note="属实。")
    assert "另行申请作废" in refusal.value.message
    await voiding.ask_void(id, it.boss, id=uuid7(), note="事实不符。", duplicate_of=None)
    await voiding.void(id, it.staff)
    assert (await said(id))["answer"] == "lapsed"


async def test_redirecting_one_unit_leaves_the_other_where_it_is(it, taker):
    id = await make.shared(it)
    other, to_unit = await make.second(it), await make.unit("新宾县自来水公司")
    await make.acknowledge(it.handler2, id)
    await objections.redirect(id, await make.objection(it, id), it.staff, to_unit=to_unit, note="改派。")
    assert await parts(id) == {to_unit: "issued", other: "working"}


async def test_two_rulings_at_once_have_one_winner(it, taker):
    for _ in range(3):
        id = await make.rectification(it)
        key, to_unit = await make.objection(it, id), await make.unit("新宾县自来水公司")
        done = await asyncio.gather(
            objections.decline(id, key, it.staff, note="不成立。"),
            objections.redirect(id, key, it.boss, to_unit=to_unit, note="改派。"),
            return_exceptions=True,
        )
        assert [isinstance(one, WrongState) for one in done].count(True) == 1 and None in done, done
        assert len(await happened(id, "redirected")) + len(await happened(id, "objection_declined")) == 1


async def test_the_same_ruling_again_is_the_same_also_when_the_item_went_on(it, taker):
    id = await make.rectification(it)
    key, to_unit = await make.objection(it, id), await make.unit("新宾县自来水公司")
    await objections.redirect(id, key, it.staff, to_unit=to_unit, note="改派。")
    await make.acknowledge(taker, id)
    before = await calls.snapshot()
    await objections.redirect(id, key, it.staff, to_unit=to_unit, note="改派。")
    await objections.object_to(id, it.principal, id=key, ground=Ground.jurisdiction, note="不归我单位管。")
    with pytest.raises(Conflict):
        await objections.object_to(id, it.principal, id=key, ground=Ground.fact, note="不归我单位管。")
    with pytest.raises(WrongState):
        await objections.redirect(id, key, it.boss, to_unit=to_unit, note="改派。")
    assert await calls.snapshot() == before


async def test_a_duplicate_is_of_another_item_that_the_unit_can_see(it):
    id, other = await make.rectification(it), await make.rectification(it)
    hidden = await make.rectification(it, Status.draft)
    told = {"ground": Ground.duplicate, "note": "重复交办。"}
    with pytest.raises(BadRequest):
        await objections.object_to(id, it.principal, id=uuid7(), duplicate_of=id, **told)
    for nothing in (hidden, uuid7()):
        with pytest.raises(NotFound):
            await objections.object_to(id, it.principal, id=uuid7(), duplicate_of=nothing, **told)
    await objections.object_to(id, it.principal, id=uuid7(), duplicate_of=other, **told)
    assert (await said(id))["duplicate_of"] == other


async def test_a_redirection_is_told_to_who_gets_it_and_who_lost_it_and_not_to_earlier_ones(it, taker, settle, noon):
    id = await make.rectification(it)
    first, there = await make.objection(it, id), await make.unit("新宾县自来水公司")
    head = await make.person("自来水公司经理", Role.unit_principal, at=there)
    third = await make.person("住建局周", Role.unit_handler, at=await make.unit("新宾县住建局"))

    async def told() -> dict:
        await settle()
        rows = await raw("SELECT person, reason, urgency FROM notice WHERE verb = 'rectification.redirected'")
        await raw("DELETE FROM notice")
        assert {row["urgency"] for row in rows} == {"at_once"}
        return {row["person"]: row["reason"] for row in rows}

    await objections.redirect(id, first, it.staff, to_unit=there, note="改派。")
    mine = {it.handler.person: "former_units", it.principal.person: "former_units"}
    theirs = {taker.person: "responsible_units", head.person: "responsible_units"}
    assert await told() == mine | theirs | {it.reviewer.person: "lead_units"}
    with clock.frozen(noon + timedelta(hours=1)):
        second = uuid7()
        await objections.object_to(id, head, id=second, ground=Ground.jurisdiction, note="也不归我们。")
        to_unit = await make.unit("新宾县住建局")
        await objections.redirect(id, second, it.staff, to_unit=to_unit, note="改派。")
        assert await told() == {
            taker.person: "former_units", head.person: "former_units", third.person: "responsible_units",
            it.reviewer.person: "lead_units",
        }  # fmt: skip
