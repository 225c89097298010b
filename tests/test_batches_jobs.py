"""Long batches: progress, stopping, rights read anew, what breaks off and goes on, and what a person must look at."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import Busy
from backend.shapes import shaped
from tasks.batches import commands, doing, jobs, rules
from tasks.batches.doing import DOINGS, Doing
from tasks.batches.rules import BulkMove
from tasks.batches.shapes import BatchIn
from tasks.rectifications.item import Status
from tests import calls, make
from tests.batches_make import ask, body, drafts, show, statuses
from tests.make import Cast
from tests.waiting import eventually

LONG = rules.AT_ONCE + 10


@pytest.fixture
async def it(client, noon) -> Cast:
    return await make.cast()


async def asked(client, it: Cast, count: int = LONG) -> tuple[UUID, list[UUID]]:
    """Drafts, and a long batch to issue them that nobody has begun."""
    ids = await drafts(it, count)
    told = await ask(client, it.staff, body("issue", ids, content={"due_on": "2026-12-20"}), 202)
    assert (told["state"], told["waiting"], told["done"]) == ("running", count, 0)
    return UUID(told["id"]), ids


async def to_the_end(batch: UUID) -> None:
    while (await raw("SELECT state FROM batch WHERE id = $1", batch))[0]["state"] == "running":
        await jobs.run(batch)


async def numbers(ids: list[UUID]) -> list[int]:
    rows = await raw("SELECT number FROM rectification WHERE id = ANY($1::uuid[]) AND number IS NOT NULL", ids)
    return sorted(int(row["number"][-4:]) for row in rows)


async def issued(ids: list[UUID]) -> int:
    rows = await raw(
        "SELECT count(*) AS n FROM event WHERE verb = 'rectification.issued' AND subject = ANY($1::uuid[])", ids
    )
    return rows[0]["n"]


async def test_a_long_batch_is_answered_with_its_address_and_tells_its_asker_when_it_is_through(client, it, settle):
    ids = [*await drafts(it, LONG - 3), *(uuid7() for _ in range(3))]
    wanted = body("issue", ids, content={"due_on": "2026-12-20"})
    call = await calls.by(it.staff, "POST", "/api/rectifications/batch", wanted)
    answer = await call.made(client)
    assert answer.status_code == 202 and answer.headers["Location"] == f"/api/rectifications/batches/{wanted['id']}"
    for _ in range(10):
        await commands.step(UUID(wanted["id"]))
    told = (await client.get(answer.headers["Location"], headers=call.headers)).json()
    assert (told["state"], told["total"], told["done"], told["waiting"]) == ("running", LONG, 10, LONG - 10)
    await to_the_end(UUID(wanted["id"]))
    told = (await client.get(answer.headers["Location"] + "?limit=100", headers=call.headers)).json()
    assert (told["state"], told["done"], told["refused"]) == ("done", LONG - 3, 3)
    assert told["reasons"] == [{"code": "not_found", "detail": "找不到，或不在您的查看范围内。", "count": 3}]
    assert [UUID(row["item"]) for row in told["items"]] == ids
    assert [int(row["number"][-4:]) for row in told["items"][:-3]] == list(range(1, LONG - 2))  # in their order
    await settle()
    inbox = (await client.get("/api/notices", headers=call.headers)).json()["items"]
    assert [(n["verb"], n["title"], n["why"], n["link"]) for n in inbox] == [
        (
            "batch.finished",
            f"批量办理完毕：办理 {LONG} 项，成功 {LONG - 3}，未办 3",
            "asker",
            answer.headers["Location"],
        )
    ]
    english = await client.get("/api/notices", headers=call.headers | {"Accept-Language": "en"})
    assert english.json()["items"][0]["title"] == f"A batch is through: {LONG - 3} of {LONG} done, 3 not done"


async def test_events_of_a_long_batch_carry_the_request_that_asked(client, it):
    batch, ids = await asked(client, it)
    await to_the_end(batch)
    rows = await raw("SELECT DISTINCT request FROM event WHERE subject = ANY($1::uuid[]) OR subject = $2", ids, batch)
    said = await raw("SELECT request FROM batch WHERE id = $1", batch)
    assert said[0]["request"] in {row["request"] for row in rows}
    rows = await raw("SELECT DISTINCT request, actor FROM event WHERE verb = 'rectification.issued'")
    assert [tuple(row) for row in rows] == [(said[0]["request"], it.staff.person)]


async def test_what_was_said_is_forgotten_when_it_is_through(client, it):
    told = await ask(client, it.staff, body("issue", await drafts(it, 3), content={"asks": "入冬前完成。"}))
    batch, _ = await asked(client, it)
    await commands.step(batch)
    assert await raw("SELECT 1 FROM batch_row WHERE state <> 'waiting' AND content IS NOT NULL") == []
    assert len(await raw("SELECT 1 FROM batch_row WHERE content IS NOT NULL")) == LONG - 1
    await commands.stop(batch, it.staff)
    assert await raw("SELECT 1 FROM batch WHERE content IS NOT NULL") == []
    assert await raw("SELECT 1 FROM batch_row WHERE content IS NOT NULL") == []
    assert told["state"] == "done"


async def test_stopping_leaves_what_is_done_and_begins_nothing_more(client, it, settle):
    batch, ids = await asked(client, it)
    for _ in range(7):
        await commands.step(batch)
    call = await calls.by(it.staff, "POST", f"/api/rectifications/batches/{batch}/stop")
    first = await call.made(client)
    assert first.status_code == 201 and (first.json()["state"], first.json()["stopped"]) == ("stopped", LONG - 7)
    before = await calls.snapshot()
    assert (await call.made(client)).json() == first.json()
    await jobs.run(batch)
    assert await commands.step(batch) is False and await calls.snapshot() == before
    assert await numbers(ids) == list(range(1, 8))
    told = await show(client, it.staff, str(batch), "?state=stopped&limit=100")
    assert len(told["items"]) == LONG - 7 and (told["done"], told["waiting"]) == (7, 0)
    assert (await settle()) and await raw("SELECT 1 FROM notice WHERE verb LIKE 'batch.%'") == []


async def test_a_role_taken_back_refuses_the_remaining_rows(client, it):
    batch, ids = await asked(client, it)
    for _ in range(5):
        await commands.step(batch)
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", clock.now(), it.staff.person)
    await to_the_end(batch)
    told = await show(client, it.staff, str(batch))
    assert (told["done"], told["refused"]) == (5, LONG - 5)
    assert [reason["code"] for reason in told["reasons"]] == ["not_found"]  # without the role they are out of sight
    assert await numbers(ids) == [1, 2, 3, 4, 5]


async def test_a_closed_account_a_recusal_and_a_missing_second_factor_count_at_once(client, it, monkeypatch):
    batch, _ = await asked(client, it)
    await commands.step(batch)
    monkeypatch.setenv("DUBAN_TOTP", "enforced")
    await commands.step(batch)
    monkeypatch.setenv("DUBAN_TOTP", "optional")
    await commands.step(batch)
    await raw(
        "INSERT INTO recusal (id, person, unit, reason, declared_at) VALUES ($1, $2, $3, '亲属。', $4)",
        uuid7(), it.staff.person, it.responsible, clock.now(),
    )  # fmt: skip
    await commands.step(batch)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), it.staff.person)
    await commands.step(batch)
    rows = await raw("SELECT answer, code FROM batch_row WHERE state <> 'waiting' ORDER BY position")
    assert [(row["answer"], row["code"]) for row in rows] == [
        (None, None), (403, "totp_enrolment_needed"), (None, None), (403, "not_yours_to_do"), (403, "account_closed"),
    ]  # fmt: skip


async def test_the_session_may_have_ended(client, it):
    batch, ids = await asked(client, it)
    await raw("UPDATE session SET revoked_at = $1", clock.now())
    await to_the_end(batch)
    assert await statuses(ids) == ["issued"] * LONG


async def test_a_row_and_the_note_that_it_is_done_are_one(client, it, monkeypatch):
    """Broken off at the worst moment, after the move and before the commit: then neither is there."""
    batch, ids = await asked(client, it)
    await commands.step(batch)
    write = commands._write

    async def cut(*said: Any) -> None:
        await write(*said)
        raise asyncio.CancelledError

    monkeypatch.setattr(commands, "_write", cut)
    before = await calls.snapshot()
    for _ in range(3):
        with pytest.raises(asyncio.CancelledError):
            await jobs.run(batch)
        assert await calls.snapshot() == before
    monkeypatch.undo()
    await to_the_end(batch)
    assert await numbers(ids) == list(range(1, LONG + 1)) and await issued(ids) == LONG


async def test_a_short_batch_that_broke_off_is_finished_by_the_worker_or_by_asking_again(client, it, noon, settle):
    ids = [await drafts(it, 4), await drafts(it, 4)]
    made = []
    for items in ids:
        wanted = body("issue", items, content={"due_on": "2026-12-20"})
        read = shaped(wanted, BatchIn)
        await commands.ask(read, it.staff)  # and the web process dies
        await commands.step(read.id)
        made.append(wanted)
    assert await jobs.sweep_batches() == 0  # its asker may still be waiting for the answer
    told = await ask(client, it.staff, made[0])
    assert (told["state"], told["done"]) == ("done", 4)
    with clock.frozen(noon + rules.PATIENCE + timedelta(seconds=1)):
        assert await jobs.sweep_batches() == 1
        assert await jobs.sweep_batches() == 0
    assert (await show(client, it.staff, made[1]["id"]))["done"] == 4
    assert await numbers([*ids[0], *ids[1]]) == list(range(1, 9))
    with clock.frozen(noon + timedelta(hours=1)):
        await settle()
    assert len(await raw("SELECT 1 FROM notice WHERE verb = 'batch.finished'")) == 1  # who got no answer


async def test_two_workers_on_one_batch_do_every_row_once(client, it):
    batch, ids = await asked(client, it)
    await asyncio.gather(*(to_the_end(batch) for _ in range(4)))
    assert await issued(ids) == LONG and await numbers(ids) == list(range(1, LONG + 1))
    told = await show(client, it.staff, str(batch))
    assert (told["done"], told["refused"]) == (LONG, 0)
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'batch.finished'")) == 1


async def test_a_turn_ends_so_that_others_get_theirs(client, it, monkeypatch):
    monkeypatch.setattr(rules, "TURN", 20)
    one, _ = await asked(client, it)
    other, _ = await asked(client, it)
    await jobs.sweep_batches()
    assert [(await show(client, it.staff, str(batch)))["done"] for batch in (one, other)] == [20, 20]


async def test_a_bug_in_one_row_stops_no_other(client, it, monkeypatch):
    ids = await drafts(it, 3)
    real = DOINGS[BulkMove.issue]

    async def stumbles(item: UUID, *said: Any, **more: Any) -> None:
        await real.command(item, *said, **more)
        if item == ids[1]:
            raise ZeroDivisionError

    monkeypatch.setitem(DOINGS, BulkMove.issue, Doing(real.path, real.wanted, stumbles, real.whole))
    told = await ask(client, it.staff, body("issue", ids, content={"due_on": "2026-12-20"}))
    assert [row["refusal"] and (row["refusal"]["status"], row["refusal"]["code"]) for row in told["items"]] == [
        None, (500, "bug"), None,
    ]  # fmt: skip
    assert await statuses(ids) == ["issued", "draft", "issued"]  # nothing is left of the one that stumbled
    assert await issued(ids) == 2 and await numbers(ids) == [1, 2]


async def test_trouble_that_is_no_rows_puts_it_off_then_parks_it_and_asking_again_revives_it(client, it, noon, settle):
    ids = await drafts(it, LONG)
    wanted = body("issue", ids, content={"due_on": "2026-12-20"})
    batch = UUID((await ask(client, it.staff, wanted, 202))["id"])
    for _ in range(3):
        await commands.step(batch)
    with pytest.MonkeyPatch.context() as broken:

        async def full(*said: Any) -> None:
            raise Busy("系统繁忙，请稍后再试。")

        broken.setattr(doing, "do", full)
        for attempt in range(rules.TRIES):
            with clock.frozen(noon + timedelta(hours=attempt)):
                assert await jobs.sweep_batches() == 1
                assert await jobs.sweep_batches() == 0  # not again at once
    told = await show(client, it.staff, str(batch))
    assert (told["state"], told["done"], told["waiting"]) == ("parked", 3, LONG - 3)
    with clock.frozen(noon + timedelta(days=1)):
        await settle()
    headers = await make.signed_in(it.staff)
    inbox = (await client.get("/api/notices", headers=headers)).json()["items"]
    assert inbox[0]["verb"] == "batch.parked" and "中断" in inbox[0]["title"]
    assert (await ask(client, it.staff, wanted, 202))["state"] == "running"
    await to_the_end(batch)
    assert await numbers(ids) == list(range(1, LONG + 1))


async def test_a_parked_batch_can_be_stopped(client, it):
    batch, _ = await asked(client, it)
    await raw("UPDATE batch SET state = 'parked' WHERE id = $1", batch)
    await commands.stop(batch, it.staff)
    assert (await show(client, it.staff, str(batch)))["stopped"] == LONG


async def test_progress_is_read_while_a_row_waits_for_its_item(client, it):
    """Somebody works on an item: the batch waits for that row only, and who asks for progress does not wait."""
    ids = [await make.rectification(it, Status.passed) for _ in range(2)]
    wanted = body("close_out", [*ids, *(uuid7() for _ in range(LONG))], content={"opinion": "同意。"})
    batch = UUID((await ask(client, it.boss, wanted, 202))["id"])
    held, free = asyncio.Event(), asyncio.Event()

    async def works_on_it() -> None:
        async with transaction():
            await raw("SELECT 1 FROM rectification WHERE id = $1 FOR NO KEY UPDATE", ids[0])
            held.set()
            await free.wait()

    other = asyncio.ensure_future(works_on_it())
    await held.wait()
    step = asyncio.ensure_future(commands.step(batch))
    await eventually(make.held_up)
    assert not step.done() and (await show(client, it.boss, str(batch)))["done"] == 0
    free.set()
    await other
    assert await step is True
    told = await show(client, it.boss, str(batch))
    assert (told["done"], told["waiting"]) == (1, LONG + 1)
