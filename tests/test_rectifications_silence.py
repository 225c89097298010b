"""Silence is acceptance: the clock starts at issue, ends with the second working day, and nobody has to do anything."""

import asyncio
from datetime import datetime, timedelta

import pytest

from backend import clock
from backend.db import raw
from tasks.rectifications import jobs, queries
from tasks.rectifications.item import Status
from tests import calls, make
from tests.make import happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


THURSDAY = datetime.fromisoformat("2026-11-27T00:00+08:00")  # issued on Tuesday noon: Wednesday, Thursday, over


async def test_a_unit_that_says_nothing_has_accepted_when_the_second_working_day_is_over(it):
    id = await make.rectification(it)
    with clock.frozen(THURSDAY - timedelta(microseconds=1)):
        assert await jobs.sweep_silent() == 0
    with clock.frozen(THURSDAY):
        assert await jobs.sweep_silent() == 1
        assert await jobs.sweep_silent() == 0
        assert (await row(id))["status"] == "working"
        await make.hand_in(it.handler, id)  # silence cannot block, nor be held against the work
    assert [said["unit"] for said in await happened(id, "accepted_silently")] == [str(it.responsible)]
    story = await raw("SELECT actor FROM event WHERE verb = 'rectification.accepted_silently'")
    assert story[0]["actor"] is None


async def test_the_due_date_was_counted_from_the_issue(it):
    id = await make.rectification(it)
    due = (await row(id))["due_at"]
    with clock.frozen(THURSDAY + timedelta(days=4)):
        await jobs.sweep_silent()
        assert (await queries.detail(id, it.handler)).due_at == due


async def test_who_signed_is_left_alone_and_a_draft_too(it):
    signed, draft = await make.rectification(it, Status.working), await make.rectification(it, Status.draft)
    voided = await make.rectification(it, Status.voided)
    before = await calls.snapshot()
    with clock.frozen(THURSDAY + timedelta(days=30)):
        assert await jobs.sweep_silent() == 0
    assert await calls.snapshot() == before and signed and draft and voided


async def test_of_several_units_only_the_silent_one_is_taken_to_have_accepted(it):
    id, other = await make.shared(it), await make.second(it)
    await make.acknowledge(it.handler, id)
    await make.hand_in(it.handler, id)
    with clock.frozen(THURSDAY):
        assert await jobs.sweep_silent() == 1
    assert await parts(id) == {it.responsible: "handed_in", other: "working"}
    assert (await row(id))["status"] == "working"


async def test_a_signature_and_the_sweep_at_once_are_one_acceptance(it):
    for _ in range(3):
        id = await make.rectification(it)
        with clock.frozen(THURSDAY):
            await asyncio.gather(
                jobs.sweep_silent(), jobs.sweep_silent(), make.acknowledge(it.handler, id), return_exceptions=True
            )
        assert len(await happened(id, "acknowledged")) + len(await happened(id, "accepted_silently")) == 1
        assert (await row(id))["status"] == "working"


async def test_hundreds_of_silent_units_are_taken_in_turns_and_none_is_left(it):
    first = await make.rectification(it)
    columns = [
        row["column_name"]
        for row in await raw(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'rectification' "
            "AND is_generated = 'NEVER'"
        )
    ]
    kept = ", ".join(f'"{name}"' for name in columns if name not in ("id", "number", "finding"))
    await raw(
        f"INSERT INTO rectification (id, number, {kept}) SELECT gen_random_uuid(), 'T-' || n, {kept} "
        "FROM rectification, generate_series(1, 599) AS n WHERE id = $1",
        first,
    )
    await raw(
        "INSERT INTO rectification_unit (id, rectification, unit, role, status, accept_by, object_until) "
        "SELECT gen_random_uuid(), item.id, unit, role, part.status, accept_by, object_until "
        "FROM rectification AS item CROSS JOIN rectification_unit AS part "
        "WHERE item.id <> $1 AND part.rectification = $1 AND role = 'responsible'",
        first,
    )
    with clock.frozen(THURSDAY):
        assert [await jobs.sweep_silent() for _ in range(3)] == [jobs.AT_ONCE, 600 - jobs.AT_ONCE, 0]
    assert not await raw("SELECT 1 FROM rectification WHERE status <> 'working'")
