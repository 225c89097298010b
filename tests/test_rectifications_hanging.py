"""挂账 and 解除挂账: not overdue meanwhile, still open, looked at again within half a year (T19, T20)."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, WrongState
from tasks.rectifications import hanging, objections, queries, voiding
from tasks.rectifications.item import Status
from tasks.rectifications.words import Ground, HangReason
from tests import calls, make
from tests.make import happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


SAID: dict[str, Any] = {"reason_code": HangReason.season, "note": "冻土期。", "paper": "抚督〔2026〕9号"}


async def hang(it: make.Cast, id: UUID, /, review_on: date = date(2027, 3, 15), **other: Any) -> None:
    await hanging.hang(id, it.boss, **({"id": uuid7(), "review_on": review_on} | SAID | other))


async def test_what_hangs_is_not_overdue_and_runs_again_towards_a_new_date(it):
    id = await make.rectification(it, Status.working)
    await hang(it, id)
    with clock.frozen(datetime.fromisoformat("2027-03-15T09:00+08:00")):
        told = await queries.detail(id, it.handler)
        assert (told.status, told.overdue, told.review_on) == ("hung", False, date(2027, 3, 15))
        with pytest.raises(WrongState):
            await make.hand_in(it.handler, id)
        await hanging.resume(id, it.staff, id=uuid7(), note="已解冻。", due_on=date(2027, 4, 30))
        told = await queries.detail(id, it.handler)
    assert (told.status, told.due_on, told.original_due_on, told.review_on) == (
        "working", date(2027, 4, 30), date(2027, 4, 30), None,
    )  # fmt: skip
    assert (told.hangings[0].resume_note, told.hangings[0].resumed_by_name) == ("已解冻。", "督查办周")


@pytest.mark.parametrize(
    ("review_on", "code"),
    [(date(2026, 11, 24), "due_in_the_past"), (date(2026, 1, 1), "due_in_the_past"),
     (date(2027, 5, 27), "review_too_far"), (date(2099, 1, 1), "due_too_far")],
)  # fmt: skip
async def test_it_is_looked_at_again_within_half_a_year(it, review_on, code):
    id = await make.rectification(it, Status.working)
    before = await calls.snapshot()
    with pytest.raises(BadRequest) as refusal:
        await hang(it, id, review_on)
    assert (refusal.value.code, refusal.value.field) == (code, "review_on") and await calls.snapshot() == before
    await hang(it, id, date(2027, 5, 26))  # 183 days from now


async def test_what_is_open_beside_it_is_answered_first(it):
    for open_one in (
        lambda id: make.extension(it, id),
        lambda id: make.objection(it, id, Ground.fact),
        lambda id: voiding.ask_void(id, it.boss, id=uuid7(), note="重复。", duplicate_of=None),
    ):
        id = await make.rectification(it, Status.working)
        await open_one(id)
        with pytest.raises(WrongState) as refusal:
            await hang(it, id)
        assert refusal.value.code == "blocked"


async def test_only_what_is_worked_on_hangs_and_only_the_leader_hangs_it(it):
    for status in (Status.issued, Status.handed_in, Status.passed, Status.closed):
        with pytest.raises(WrongState):
            await hang(it, await make.rectification(it, status))
    id = await make.rectification(it, Status.working)
    for nobody in (it.staff, it.leader, it.principal, it.reviewer):
        with pytest.raises(Forbidden):
            await hanging.hang(id, nobody, id=uuid7(), review_on=date(2027, 3, 15), **SAID)


async def test_parts_stay_where_they_were(it, settle):
    id, other = await make.shared(it), await make.second(it)
    for handler in (it.handler, it.handler2):
        await make.acknowledge(handler, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    await settle()
    await raw("DELETE FROM notice")
    await hang(it, id)
    await hanging.resume(id, it.staff, id=uuid7(), note="已解冻。", due_on=date(2027, 1, 30))
    assert await parts(id) == {it.responsible: "passed", other: "working"}
    await settle()
    told = {row["person"] for row in await raw("SELECT person FROM notice WHERE verb = 'rectification.resumed'")}
    assert told == {it.handler2.person, it.principal2.person, it.reviewer.person}  # who is done is left in peace


async def test_it_can_hang_again_and_be_voided_while_it_hangs(it, noon):
    id = await make.rectification(it, Status.hung)
    await hanging.resume(id, it.staff, id=uuid7(), note="可以动工。", due_on=date(2026, 12, 30))
    with clock.frozen(noon + timedelta(days=1)):
        await hang(it, id)
    assert [one.resumed_at is None for one in (await queries.detail(id, it.staff)).hangings] == [False, True]
    await make._void(it, id)
    found = await row(id)
    assert (found["status"], found["review_on"]) == ("voided", None)


async def test_the_same_requests_again_are_the_same_and_two_at_once_have_one_winner(it):
    id, key = await make.rectification(it, Status.working), uuid7()
    done = await asyncio.gather(hang(it, id, id=key), hang(it, id), hang(it, id), return_exceptions=True)
    assert [isinstance(one, WrongState) for one in done].count(True) == 2, done
    again = await make.rectification(it, Status.working)
    await hang(it, again, id=(second := uuid7()))
    back, told = uuid7(), {"note": "已解冻。", "due_on": date(2027, 1, 30)}
    await hanging.resume(again, it.staff, id=back, **told)
    before = await calls.snapshot()
    await hang(it, again, id=second)
    await hanging.resume(again, it.staff, id=back, **told)
    with pytest.raises(Conflict):
        await hang(it, again, id=second, paper="别的文件")
    for other in (it.boss, it.staff):
        with pytest.raises(Conflict):
            await hanging.resume(again, other, id=back, note="别的理由。", due_on=date(2027, 1, 30))
    with pytest.raises(Conflict):
        await hanging.resume(id, it.staff, id=back, **told)
    with pytest.raises(WrongState):
        await hanging.resume(again, it.staff, id=uuid7(), **told)
    assert await calls.snapshot() == before
    assert len(await happened(again, "resumed")) == 1


async def test_an_objection_made_before_can_be_ruled_on_and_then_it_hangs(it):
    id = await make.rectification(it, Status.working)
    await objections.decline(id, await make.objection(it, id), it.staff, note="不成立。")
    await hang(it, id)
    assert (await row(id))["status"] == "hung"
