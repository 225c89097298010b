"""整改措施: planned by the unit itself, done or dropped before it hands in; asked for where the matter is long (T9)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from inspections.findings.rules import ClosingClass
from tasks.rectifications import commands, measures, objections, queries
from tasks.rectifications.item import Status
from tests import calls, make
from tests.make import happened, parts, row

LONG: dict[str, Any] = {"closing_class": ClosingClass.long_term, "due_on": clock.today() + timedelta(days=300)}


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def hand_in(it: make.Cast, id: UUID) -> None:
    """As it is: nothing is planned or done for it."""
    line = make.declaration(make.photo(1))
    said: dict[str, Any] = {"note": "管网已修复。", "finished_on": None, "similar_sweep": "", "confirmed_by": "钱局长"}
    await commands.hand_in(id, it.handler, id=uuid7(), manifest=[line], **said)
    await make.receive(line)


async def test_every_measure_is_done_or_dropped_before_the_unit_hands_in(it):
    id = await make.rectification(it, Status.working)
    first, second = await make.measure(it.handler, id, "更换管段。"), await make.measure(it.handler, id, "逐户回访。")
    with pytest.raises(Incomplete) as refusal:
        await hand_in(it, id)
    assert (refusal.value.message, refusal.value.details["needs"]) == ("还有 2 项措施未完成。", ["measures"])
    await measures.finish(id, first, it.handler, note="已更换 60 米。")
    with pytest.raises(Incomplete) as refusal:
        await hand_in(it, id)
    assert refusal.value.message == "还有 1 项措施未完成。"
    await measures.drop(id, second, it.principal, note="三户已搬迁。")
    await hand_in(it, id)
    told = await queries.detail(id, it.reviewer)
    assert {(one.text, one.state, one.settled_by_name, one.settled_note) for one in told.measures} == {
        ("更换管段。", "done", "经办赵", "已更换 60 米。"), ("逐户回访。", "dropped", "局长钱", "三户已搬迁。"),
    }  # fmt: skip
    assert told.status == "handed_in"


@pytest.mark.parametrize("said", [LONG, {"listed": True}], ids=["long-term", "listed"])
async def test_a_long_or_listed_matter_is_not_handed_in_without_a_plan(it, said):
    id = await make.rectification(it, Status.working, **said)
    with pytest.raises(Incomplete) as refusal:
        await hand_in(it, id)
    assert (refusal.value.message, refusal.value.field) == ("要先拟定整改措施。", "measures")
    given_up = await make.measure(it.handler, id)
    await measures.drop(id, given_up, it.handler, note="改用别的办法。")
    with pytest.raises(Incomplete) as refusal:
        await hand_in(it, id)
    assert refusal.value.message == "要先拟定整改措施。", "a plan that was given up is none"
    await measures.finish(id, await make.measure(it.handler, id), it.handler, note="已完成。")
    await hand_in(it, id)
    assert (await row(id))["status"] == "handed_in"


async def test_elsewhere_a_plan_is_the_units_own_choice(it):
    id = await make.rectification(it, Status.working)
    await hand_in(it, id)
    assert await happened(id, "measure_planned") == []


async def test_each_unit_has_its_own_and_waits_for_no_other(it):
    id = await make.shared(it)
    await make.acknowledge(it.handler, id)
    await make.acknowledge(it.handler2, id)
    mine, theirs = await make.measure(it.handler, id), await make.measure(it.handler2, id)
    for by in (it.handler, it.principal, it.reviewer, it.staff):
        with pytest.raises(Forbidden):
            await measures.finish(id, theirs, by, note="不是我的。")
    await measures.finish(id, mine, it.handler, note="已完成。")
    await hand_in(it, id)
    assert await parts(id) == {it.responsible: "handed_in", await make.second(it): "working"}
    with pytest.raises(Incomplete):
        await make.hand_in(it.handler2, id)


async def test_what_came_back_keeps_its_measures_and_gets_more(it):
    id = await make.rectification(it, Status.working)
    done = await make.measure(it.handler, id)
    await measures.finish(id, done, it.handler, note="已更换。")
    await hand_in(it, id)
    with pytest.raises(WrongState):
        await make.measure(it.handler, id)
    await make.send_back(it.reviewer, id)
    more = await make.measure(it.handler, id, "补做水压试验。")
    shown = {one.id: one.state for one in (await queries.detail(id, it.handler)).measures}
    assert shown == {done: "done", more: "planned"}
    with pytest.raises(Incomplete):
        await hand_in(it, id)
    await measures.finish(id, more, it.handler, note="合格。")
    await hand_in(it, id)


async def test_what_was_done_or_dropped_is_settled(it):
    id = await make.rectification(it, Status.working)
    done, open_one = await make.measure(it.handler, id), await make.measure(it.handler, id)
    await measures.finish(id, done, it.handler, note="已更换。")
    before = await calls.snapshot()
    await measures.finish(id, done, it.handler, note="已更换。")  # the phone tried twice
    for again in (
        measures.finish(id, done, it.handler, note="又说一遍。"),
        measures.finish(id, done, it.principal, note="已更换。"),
        measures.drop(id, done, it.handler, note="不做了。"),
    ):
        with pytest.raises(WrongState) as refusal:
            await again
        assert refusal.value.message == "没有待完成的措施：已完成，或已取消。"
    assert await calls.snapshot() == before
    await measures.drop(id, open_one, it.handler, note="不做了。")
    told = [len(await happened(id, f"measure_{what}")) for what in ("planned", "done", "dropped")]
    assert told == [2, 1, 1]


async def test_the_same_id_for_another_measure_is_a_conflict(it):
    id, key = await make.rectification(it, Status.working), uuid7()
    said: dict[str, Any] = {"text": "更换管段。", "due_on": date(2026, 12, 1), "responsible_person": "赵"}
    for _ in range(2):
        await measures.plan(id, it.handler, id=key, **said)
    for change in ({"text": "别的。"}, {"due_on": None}, {"responsible_person": "钱"}):
        with pytest.raises(Conflict):
            await measures.plan(id, it.handler, id=key, **(said | change))
    assert len(await happened(id, "measure_planned")) == 1


async def test_an_own_date_may_be_over_when_it_comes_in_and_is_shown_late(it):
    id = await make.rectification(it, Status.working)
    late = {date(2026, 11, 23): True, date(2026, 11, 24): False, None: False}
    for day in late:
        await measures.plan(id, it.handler, id=uuid7(), text="更换管段。", due_on=day)
    shown = (await queries.detail(id, it.staff)).measures
    assert {one.due_on: one.late for one in shown} == late
    await measures.finish(id, next(one.id for one in shown if one.late), it.handler, note="已更换。")
    assert not any(one.late for one in (await queries.detail(id, it.staff)).measures)
    for day in (date(1926, 12, 1), date(2126, 12, 1)):
        with pytest.raises(BadRequest) as refusal:
            await measures.plan(id, it.handler, id=uuid7(), text="更换管段。", due_on=day)
        assert (refusal.value.code, refusal.value.field) == ("bad_date", "due_on")


async def test_fifty_measures_are_enough(it):
    id = await make.rectification(it, Status.working)
    planned = [await make.measure(it.handler, id, f"第 {number} 项。") for number in range(50)]
    with pytest.raises(WrongState):
        await make.measure(it.handler, id)
    await measures.drop(id, planned[0], it.handler, note="合并到第 1 项。")
    await make.measure(it.handler, id)


async def test_a_unit_that_got_the_part_begins_a_plan_of_its_own(it):
    id = await make.rectification(it, Status.working)
    left = await make.measure(it.handler, id)
    objection = await make.objection(it, id)
    successor = await make.second(it)
    await objections.redirect(id, objection, it.staff, to_unit=successor, note="改派。")
    await make.acknowledge(it.handler2, id)
    await make.hand_in(it.handler2, id)
    assert await parts(id) == {successor: "handed_in"}
    with pytest.raises(Forbidden):
        await measures.finish(id, left, it.handler, note="已完成。")


async def test_who_does_not_see_the_item_learns_nothing_of_its_measures(it):
    id = await make.rectification(it, Status.working)
    measure = await make.measure(it.handler, id)
    for missing in (measures.plan(id, it.stranger, id=uuid7(), text="措施。"),
                    measures.finish(id, measure, it.stranger, note="完成。"),
                    measures.finish(id, uuid7(), it.handler, note="完成。")):  # fmt: skip
        with pytest.raises(NotFound):
            await missing


async def test_the_button_says_how_many_are_open(client, it):
    id = await make.rectification(it, Status.working)
    await make.measure(it.handler, id)
    answer = await client.get(f"/api/rectifications/{id}", headers=await make.signed_in(it.handler))
    moves = {move["verb"]: move for move in answer.json()["moves"]}
    assert {"field": "measures", "sentence": "还有 1 项措施未完成"} in moves["hand_in"]["needs"]
    assert {"plan_measure", "finish_measure", "drop_measure"} <= moves.keys()


async def test_the_timeline_tells_each_measure_with_its_words(client, it):
    id = await make.rectification(it, Status.working)
    await measures.plan(
        id, it.handler, id=(key := uuid7()), text="更换管段。", due_on=date(2026, 12, 1), responsible_person="赵经办"
    )
    await measures.finish(id, key, it.handler, note="已更换 60 米。")
    headers = await make.signed_in(it.leader)
    story = (await client.get(f"/api/rectifications/{id}/timeline", headers=headers)).json()["items"]
    told = {entry["verb"].split(".")[1]: (entry["sentence"], entry["facts"]) for entry in story}
    unit = "新宾县水务局"
    assert told["measure_planned"] == (
        "拟定整改措施", {"unit": unit, "text": "更换管段。", "planned_on": "2026-12-01", "charged": "赵经办"}
    )  # fmt: skip
    assert told["measure_done"] == ("完成整改措施", {"unit": unit, "text": "更换管段。", "note": "已更换 60 米。"})
