"""回头看 and 重开: ninety days after, by whom, and that nothing of the closed round counts in the new one (T18)."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.roles import Actor, Role
from inspections.findings.rules import Severity
from tasks.rectifications import commands, looking_back, queries
from tasks.rectifications.item import Status
from tasks.rectifications.words import LookBackResult
from tests import calls, make
from tests.make import happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def look(by: Actor, id: UUID, /, result: LookBackResult = LookBackResult.rebounded, **other) -> None:
    said = {"id": uuid7(), "note": "又断水。", "manifest": [make.declaration(make.photo(30))]}
    await looking_back.look_back(id, by, result=result, **(said | other))


async def reopen(it: make.Cast, id: UUID, /, **other) -> None:
    said = {"id": uuid7(), "note": "反弹。", "due_on": clock.today() + timedelta(days=20)}
    await looking_back.reopen(id, it.boss, **(said | other))


async def test_a_closed_item_is_due_to_be_looked_at_after_ninety_days(it):
    id = await make.rectification(it, Status.closed)
    assert (await row(id))["look_back_on"] == date(2027, 2, 22)
    await look(it.inspector, id, LookBackResult.holds)
    assert ((await row(id))["look_back_on"], (await row(id))["status"]) == (None, "closed")
    with pytest.raises(Incomplete) as refusal:  # it holds: that is no evidence against it
        await reopen(it, id)
    assert refusal.value.field == "evidence"


async def test_a_relapse_is_found_by_who_was_there_and_decided_by_the_leader(it):
    id = await make.rectification(it, Status.closed)
    number = (await row(id))["number"]
    other = await make.person("别队督查", Role.inspector, at=await make.unit("市扶贫办"))
    with pytest.raises(NotFound):
        await look(other, id)
    for nobody in (it.handler, it.principal, it.reviewer, it.leader):
        with pytest.raises(Forbidden):
            await look(nobody, id)
    await look(it.inspector, id)
    for nobody in (it.inspector, it.staff, it.leader):
        with pytest.raises(Forbidden):
            await looking_back.reopen(id, nobody, id=uuid7(), note="反弹。", due_on=date(2026, 12, 20))
    await reopen(it, id)
    found = await row(id)
    assert (found["status"], found["number"], found["reopened"], found["closed_at"]) == ("working", number, 1, None)
    assert found["due_on"] == found["original_due_on"] == clock.today() + timedelta(days=20)
    assert await parts(id) == {it.responsible: "working"}


async def test_without_a_look_back_the_leader_brings_new_photos(it):
    id = await make.rectification(it, Status.closed)
    used = (await raw("SELECT evidence FROM hand_in_evidence"))[0]["evidence"]
    before = await calls.snapshot()
    with pytest.raises(Incomplete):
        await reopen(it, id)
    old = [make.Declaration(used, "0" * 64, 1, make.MediaType.jpeg, clock.now(), make.Source.camera, None)]
    with pytest.raises(Incomplete) as refusal:
        await reopen(it, id, manifest=old)
    assert refusal.value.code == "evidence.used_before"
    for wrong, code in ((clock.today(), "due_in_the_past"), (date(2099, 1, 1), "due_too_far")):
        with pytest.raises(BadRequest) as refusal:
            await reopen(it, id, manifest=[make.declaration(make.photo(31))], due_on=wrong)
        assert refusal.value.code == code
    assert await calls.snapshot() == before
    await reopen(it, id, manifest=[make.declaration(make.photo(31))])


async def test_one_unit_can_be_taken_up_again_while_the_other_is_left_in_peace(it, settle):
    id, other = await make.shared(it), await make.second(it)
    for handler in (it.handler, it.handler2):
        await make.acknowledge(handler, id)
        await make.hand_in(handler, id)
    for unit in await parts(id):
        await make.pass_first(it, id, unit)
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    await look(it.staff, id)
    await settle()
    await raw("DELETE FROM notice")
    await reopen(it, id, units=frozenset({other}))
    assert await parts(id) == {it.responsible: "passed", other: "working"}
    await settle()
    told = {row["person"] for row in await raw("SELECT person FROM notice")}
    assert told == {it.handler2.person, it.principal2.person, it.reviewer.person}


async def test_nothing_of_the_closed_round_counts_in_the_new_one(it, monkeypatch):
    id = await make.rectification(it, Status.working, severity=Severity.serious, public=True)
    await commands.report(id, it.handler, id=uuid7(), note="完成。", percent=100)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    await make.checked(it, id)
    with clock.frozen(clock.now() - timedelta(days=8)):
        await make.publicity(it, id)
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    await look(it.inspector, id)
    await reopen(it, id)
    told = await queries.detail(id, it.handler)
    assert (told.closed_at, told.look_back_on, told.review_on, told.overdue) == (None, None, None, False)
    await commands.report(id, it.handler, id=uuid7(), note="重新开挖。", percent=10)  # no reason asked: it began anew
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    for wanted, step in (("要先通过现场核查。", make.checked), ("要先公示。", make.publicity)):
        with pytest.raises(WrongState) as refusal:
            await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
        assert refusal.value.message == wanted
        with clock.frozen(clock.now() - timedelta(days=8)):
            await step(it, id)
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    with pytest.raises(Incomplete):  # the relapse that was found was mended; a new one wants new evidence
        await reopen(it, id)


async def test_a_lot_that_was_drawn_is_drawn_anew(it, monkeypatch):
    monkeypatch.setenv("DUBAN_SAMPLE_PERCENT", "100")
    id = await make.rectification(it, Status.passed)
    await make.checked(it, id)
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    monkeypatch.setenv("DUBAN_SAMPLE_PERCENT", "0")
    await look(it.inspector, id)
    await reopen(it, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    assert [said["drawn"] for said in await happened(id, "sampled")] in ([True, False], [False, True])
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")


async def test_who_turned_a_key_in_an_earlier_round_does_not_turn_the_other_in_a_later_one(it):
    id = await make.rectification(it, Status.handed_in)
    both = await make.person("兼职何", Role.lead_unit_reviewer, Role.supervision_leader, at=it.lead_unit)
    await commands.pass_first(id, both, id=uuid7(), opinion="齐全。")
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    await look(it.inspector, id)
    await reopen(it, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    with pytest.raises(Forbidden):
        await commands.close_out(id, both, id=uuid7(), opinion="同意。")


async def test_rebounds_are_counted_and_two_at_once_are_one(it):
    id = await make.rectification(it, Status.closed)
    await look(it.inspector, id)
    done = await asyncio.gather(*(reopen(it, id) for _ in range(3)), return_exceptions=True)
    assert [isinstance(one, WrongState) for one in done].count(True) == 2, done
    found = await row(id)
    assert found["reopened"] == len(await raw("SELECT 1 FROM reopening")) == len(await happened(id, "reopened")) == 1


async def test_the_same_requests_again_are_the_same_also_when_the_item_went_on(it):
    id, key, back = await make.rectification(it, Status.closed), uuid7(), uuid7()
    manifest = [make.declaration(make.photo(32))]
    await look(it.inspector, id, id=key, manifest=manifest)
    await reopen(it, id, id=back)
    await make.hand_in(it.handler, id)
    before = await calls.snapshot()
    await look(it.inspector, id, id=key, manifest=manifest)
    await reopen(it, id, id=back)
    with pytest.raises(Conflict):
        await look(it.inspector, id, LookBackResult.holds, id=key, manifest=manifest)
    with pytest.raises(Conflict):
        await look(it.inspector, id, id=key, manifest=[])
    with pytest.raises(Conflict):
        await reopen(it, id, id=back, note="别的。")
    with pytest.raises(WrongState):
        await look(it.inspector, id)
    assert await calls.snapshot() == before
