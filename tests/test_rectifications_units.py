"""Several responsible units: each signs, hands in and is reviewed for itself; one date, one item, one closing."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Forbidden, Incomplete, WrongState
from backend.roles import Role
from backend.units import commands as unit_commands
from tasks.rectifications import commands, queries, voiding
from tasks.rectifications.item import Status
from tasks.rectifications.words import UnitRole
from tests import calls, make
from tests.make import Cast, happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def both_signed(it: Cast, id: UUID) -> None:
    await make.acknowledge(it.handler, id)
    await make.acknowledge(it.handler2, id)


async def both_handed_in(it: Cast, id: UUID) -> None:
    await both_signed(it, id)
    await make.hand_in(it.handler, id)
    await make.hand_in(it.handler2, id)


async def both_passed(it: Cast, id: UUID) -> None:
    await both_handed_in(it, id)
    for unit in await parts(id):
        await make.pass_first(it, id, unit)


async def test_the_item_stands_where_its_slowest_unit_stands(it):
    id = await make.shared(it)
    mine, other = it.responsible, await make.second(it)
    for step, mine_at, other_at, item_at in (
        (make.acknowledge(it.handler, id), "working", "issued", "issued"),
        (make.hand_in(it.handler, id), "handed_in", "issued", "issued"),
        (make.acknowledge(it.handler2, id), "handed_in", "working", "working"),
        (make.pass_first(it, id), "passed", "working", "working"),
        (make.hand_in(it.handler2, id), "passed", "handed_in", "handed_in"),
        (make.pass_first(it, id), "passed", "passed", "passed"),
    ):
        await step
        assert (await parts(id), (await row(id))["status"]) == ({mine: mine_at, other: other_at}, item_at)
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    assert (await row(id))["status"] == "closed"


async def test_the_date_is_shared_and_each_unit_has_a_person_a_hand_in_and_a_review_of_its_own(it):
    id = await make.shared(it, both_passed)
    told = await queries.detail(id, it.boss)
    mine, other = it.responsible, await make.second(it)
    assert {said.unit for said in told.acknowledgements} == {said.unit for said in told.hand_ins} == {mine, other}
    assert told.acknowledgement == told.acknowledgements[-1]
    assert {(review.unit, review.verb) for review in told.reviews} == {(mine, "pass_first"), (other, "pass_first")}
    reviews = await raw("SELECT review.unit, hand_in.unit AS handed FROM review JOIN hand_in ON hand_in.id = hand_in")
    assert all(review["unit"] == review["handed"] for review in reviews) and len(reviews) == 2
    assert {unit.unit: unit.status for unit in told.units if unit.role == UnitRole.responsible} == {
        mine: "passed", other: "passed",
    }  # fmt: skip


async def test_nobody_closes_while_a_unit_is_missing(it):
    id = await make.shared(it, both_signed)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    with pytest.raises(WrongState):
        await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")


async def test_one_unit_sent_back_does_not_reopen_the_other(it):
    id, other = await make.shared(it, both_handed_in), await make.second(it)
    await make.pass_first(it, id, it.responsible)
    await make.send_back(it.reviewer, id, other)
    assert await parts(id) == {it.responsible: "passed", other: "working"}
    found = await row(id)
    assert (found["status"], found["returned"]) == ("working", 1)
    with pytest.raises(WrongState):
        await make.hand_in(it.handler, id)
    await make.hand_in(it.handler2, id)
    await make.pass_first(it, id)
    assert (await row(id))["status"] == "passed"


async def test_the_office_sends_back_one_part_that_passed_while_another_is_still_at_work(it):
    id, other = await make.shared(it, both_handed_in), await make.second(it)
    await make.pass_first(it, id, it.responsible)
    with pytest.raises(Forbidden):
        await make.send_back(it.staff, id, other)  # not looked at by the lead unit yet
    await make.send_back(it.staff, id)
    assert await parts(id) == {it.responsible: "working", other: "handed_in"}


async def test_where_several_units_could_be_meant_the_request_names_one(it):
    id = await make.shared(it, both_handed_in)
    before = await calls.snapshot()
    with pytest.raises(Incomplete) as refusal:
        await make.pass_first(it, id)
    assert (refusal.value.code, set(refusal.value.details["units"])) == (
        "unit_needed",
        {str(u) for u in await parts(id)},
    )
    for wrong in (it.lead_unit, uuid7()):
        with pytest.raises(BadRequest) as refusal:
            await make.pass_first(it, id, wrong)
        assert refusal.value.code == "not_a_responsible_unit"
    assert await calls.snapshot() == before


async def test_a_unit_does_nothing_in_the_name_of_another(it):
    id, other = await make.shared(it), await make.second(it)
    with pytest.raises(Forbidden):
        await commands.acknowledge(id, it.handler, id=uuid7(), responsible_person="赵", phone="", unit=other)
    await make.acknowledge(it.handler2, id)
    with pytest.raises(Forbidden):
        await commands.report(id, it.handler, id=uuid7(), note="好。", percent=1, unit=other)
    with pytest.raises(WrongState):  # hers waits for her signature
        await commands.report(id, it.handler, id=uuid7(), note="好。", percent=1)


async def test_what_one_unit_reports_does_not_bind_the_other(it):
    id = await make.shared(it, both_signed)
    await commands.report(id, it.handler, id=uuid7(), note="快完了。", percent=90)
    await commands.report(id, it.handler2, id=uuid7(), note="刚开始。", percent=10)
    with pytest.raises(Incomplete) as refusal:
        await commands.report(id, it.handler, id=uuid7(), note="又少了。", percent=80)
    assert refusal.value.field == "lower_reason"


async def test_two_units_handing_in_at_once_leave_the_item_handed_in(it):
    for _ in range(3):
        id = await make.shared(it, both_signed)
        await asyncio.gather(make.hand_in(it.handler, id), make.hand_in(it.handler2, id))
        assert (await row(id))["status"] == "handed_in" and set((await parts(id)).values()) == {"handed_in"}


async def test_two_first_passes_at_once_leave_the_item_passed_and_the_sample_drawn_once(it):
    for _ in range(3):
        id = await make.shared(it, both_handed_in)
        await asyncio.gather(*(make.pass_first(it, id, unit) for unit in await parts(id)))
        assert (await row(id))["status"] == "passed"
        assert len(await happened(id, "passed")) == 2 and len(await happened(id, "sampled")) == 1


async def test_a_hand_in_and_a_voiding_at_once_have_an_order(it):
    id = await make.shared(it, both_signed)
    await voiding.ask_void(id, it.boss, id=uuid7(), note="重复。", duplicate_of=None)
    done = await asyncio.gather(make.hand_in(it.handler, id), voiding.void(id, it.staff), return_exceptions=True)
    assert (await row(id))["status"] == "voided"
    assert all(one is None or isinstance(one, WrongState) for one in done), done


async def test_who_is_done_is_not_told_what_the_other_has_to_do(it, settle):
    id = await make.shared(it, both_handed_in)
    await make.pass_first(it, id, it.responsible)
    await settle()
    await raw("DELETE FROM notice")
    await make.send_back(it.reviewer, id, await make.second(it))
    await settle()
    told = {row["person"] for row in await raw("SELECT person FROM notice")}
    assert told == {it.handler2.person, it.principal2.person}


async def test_the_leader_is_called_when_the_last_unit_passed(it, settle):
    id = await make.shared(it, both_handed_in)
    for called, unit in ((False, it.responsible), (True, await make.second(it))):
        await raw("DELETE FROM notice")
        await make.pass_first(it, id, unit)
        await settle()
        told = {row["person"] for row in await raw("SELECT person FROM notice WHERE verb = 'rectification.passed'")}
        assert (it.boss.person in told) is called
        assert (it.handler.person in told) is not called and (it.handler2.person in told) is called


async def test_the_leader_in_charge_is_called_for_what_is_listed(it, settle):
    charge = await make.person("包抓领导孟", Role.contract_leader, at=await make.unit("市扶贫办"))
    for listed in (False, True):
        await make.rectification(it, Status.passed, listed=listed)
        await settle()
        told = await raw("SELECT 1 FROM notice WHERE person = $1", charge.person)
        assert bool(told) is listed


async def test_a_unit_that_was_merged_away_gets_nothing_and_its_successor_is_named(it, noon):
    draft = await make.rectification(it, Status.draft)
    heir = await make.unit("新宾县水利局")
    await unit_commands.end_unit(make.SYSTEM, unit=it.responsible, on=clock.today() + timedelta(days=1), successor=heir)
    with clock.frozen(noon + timedelta(days=2)):
        before = await calls.snapshot()
        with pytest.raises(BadRequest) as refusal:
            await commands.issue(draft, it.staff)
        assert (refusal.value.code, refusal.value.field) == ("unit_ended", "responsible_units")
        assert refusal.value.details == {"unit": str(it.responsible), "successor": str(heir)}
        assert "新宾县水利局" in refusal.value.message
        assert await calls.snapshot() == before
        await commands.issue_or_hold(draft, make.SYSTEM)  # what comes from a visit waits for the office
        assert (await row(draft))["status"] == "draft" and len(await happened(draft, "held")) == 1
        units = {UnitRole.responsible: frozenset({heir})}
        await commands.issue(draft, it.staff, units=units, without=frozenset({it.responsible}))
        assert await parts(draft) == {heir: "issued"}


async def test_counters_are_the_records(it, noon):
    id = await make.shared(it, both_handed_in)
    for unit in await parts(id):
        await make.send_back(it.reviewer, id, unit)
    with clock.frozen(noon + timedelta(hours=1)):
        await make.hand_in(it.handler, id)
        await make.send_back(it.reviewer, id)
    found = await row(id)
    records = await raw("SELECT count(*) AS n FROM review WHERE rectification = $1 AND verb = 'send_back'", id)
    assert found["returned"] == records[0]["n"] == len(await happened(id, "sent_back")) == 3
