"""Asking for many items, doing one row after the other, stopping. The moves themselves are tasks/rectifications'.

A row is one transaction: the move and the note that it is done are committed together or not at all, so that a batch
that broke off goes on where it stopped and does nothing twice (docs/decisions/0016).
"""

import hashlib
import logging
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from backend import clock, events, once, outbox, settings, wake
from backend.db import LOST, after_commit, insert, raw, savepoint, transaction
from backend.errors import Busy, Problem
from backend.people import queries as people
from backend.roles import SYSTEM, Actor
from tasks.batches import doing, queries, rules
from tasks.batches.doing import Asked
from tasks.batches.rules import BatchState, BulkMove, RowState
from tasks.batches.shapes import BatchIn, Refusal, RowIn, RowShape
from tasks.batches.tables import Batch
from tasks.rectifications.item import Status

JOB = "run_batch"

log = logging.getLogger("duban.batches")


class _Undone(Exception):
    """Ends a dry run's transaction, with the version it began from and what would have come of it."""

    def __init__(self, seen: int, row: RowShape) -> None:
        self.seen, self.row = seen, row


async def ask(wanted: BatchIn, actor: Actor) -> None:
    """Write down what is asked for. The same again changes nothing; a parked one goes on.

    Raises BadRequest for what is wrong with the request as a whole, TooMany when too many are not through.
    """
    _check(wanted)
    now, total = clock.now(), len(wanted.items)
    async with transaction():
        await once.one_at_a_time(wanted.id)
        if before := await once.earlier(Batch, wanted.id, by=actor.person, digest=_digest(wanted)):
            await _unpark(before.id)
            return
        rules.check_room(await queries.running(actor))
        await Batch(
            id=wanted.id, by=actor.person, move=wanted.move.value, content=_text(wanted.content),
            digest=_digest(wanted), request=events.request_id.get(), made_at=now, state=BatchState.running.value,
            total=total, done=0, refused=0, tries=0,
            next_try_at=now + (rules.PATIENCE if total <= rules.AT_ONCE else timedelta(0)),
        ).save()  # fmt: skip
        await insert("batch_row", [_new(wanted, place, row) for place, row in enumerate(wanted.items)])
        await events.record("batch.asked", wanted.id, actor=actor, move=wanted.move, total=total)
        if total > rules.AT_ONCE:
            after_commit(partial(wake.job, JOB, wanted.id))


async def rehearse(wanted: BatchIn, actor: Actor) -> list[RowShape]:
    """What asking for it now would bring, row by row; each is done and undone, and nothing is left of it.

    A row holds its locks no longer than a single request does. No number is told: who asks first gets the next one.
    """
    _check(wanted)
    return [await _tried(wanted, place, actor) for place in range(len(wanted.items))]


async def step(batch: UUID, *, waited_for: bool = False) -> bool:
    """Do the next row that waits; False when none does any more, or when somebody else is at it.

    The asker's account, roles and recusals are read anew for each row, as for each single request. `waited_for`: the
    asker still waits for the answer and needs no notice.
    """
    async with transaction(joinable=True):
        held = await raw(_HELD, batch)
        if not held:
            return False
        waiting = await raw(_NEXT, batch)
        if not waiting:
            await _end(held[0], waited_for=waited_for)
            return False
        row = waiting[0]
        content = msgspec.json.decode(held[0]["content"]) | msgspec.json.decode(row["content"])
        asked = Asked(
            batch=batch, move=BulkMove(held[0]["move"]), item=row["item"], record=row["record"],
            version=row["version"], content=content,
        )  # fmt: skip
        await _write(batch, row["id"], await _outcome(row["position"], asked, held[0]["by"]))
        return True


async def stop(batch: UUID, actor: Actor) -> None:
    """What has not begun does not begin. What is done stays done; stopping again changes nothing."""
    async with transaction():
        row = await queries.lock(batch, actor)
        if row["state"] not in (BatchState.running, BatchState.parked):
            return
        await raw(
            "UPDATE batch_row SET state = 'stopped', content = NULL WHERE batch = $1 AND state = 'waiting'", batch
        )
        await raw("UPDATE batch SET state = 'stopped', content = NULL, ended_at = $2 WHERE id = $1", batch, clock.now())
        left = row["total"] - row["done"] - row["refused"]
        told = {"done": row["done"], "refused": row["refused"], "stopped": left}
        await events.record("batch.stopped", batch, actor=actor, **told)


async def put_off(batch: UUID, failure: Exception) -> None:
    """A turn broke off for a reason that is no row's: later again, and parked when that never helps."""
    async with transaction():
        rows = await raw("SELECT tries FROM batch WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE", batch)
        if not rows:
            return
        tries, now = rows[0]["tries"] + 1, clock.now()
        state = BatchState.parked if tries >= rules.TRIES else BatchState.running
        await raw(
            "UPDATE batch SET tries = $2, next_try_at = $3, last_error = $4, state = $5 WHERE id = $1",
            batch,
            tries,
            now + outbox.delay(tries),
            f"{type(failure).__name__}: {failure}"[:500],
            state.value,
        )
        if state == BatchState.parked:
            log.error("batch %s parked after %s turns that got nowhere", batch, tries)
            await events.record("batch.parked", batch, actor=SYSTEM, tries=tries)


_HELD = "SELECT * FROM batch WHERE id = $1 AND state = 'running' FOR NO KEY UPDATE SKIP LOCKED"
_NEXT = "SELECT * FROM batch_row WHERE batch = $1 AND state = 'waiting' ORDER BY position LIMIT 1"


def _check(wanted: BatchIn) -> None:
    rules.check_items(row.item for row in wanted.items)
    doing.check_common(wanted.move, wanted.content)


def _digest(wanted: BatchIn) -> bytes:
    said = (wanted.move, wanted.content, wanted.items)
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).digest()


def _text(content: dict[str, Any]) -> str:
    return msgspec.json.encode(content).decode()


def _new(wanted: BatchIn, place: int, row: RowIn) -> dict[str, Any]:
    return {
        "id": rules.row_id(wanted.id, row.item),
        "batch": wanted.id,
        "position": place,
        "item": row.item,
        "record": row.record,
        "version": row.version,
        "content": _text(row.content),
        "state": RowState.waiting.value,
    }


async def _unpark(batch: UUID) -> None:
    await raw(
        "UPDATE batch SET state = 'running', tries = 0, next_try_at = $2 WHERE id = $1 AND state = 'parked'",
        batch,
        clock.now(),
    )


async def _outcome(place: int, asked: Asked, who: Actor | UUID) -> RowShape:
    """The row after its move was done, or with the refusal. Raises what is no row's fault: the database, mostly."""
    try:
        async with savepoint():  # so that a refusal leaves nothing behind, wherever it comes from
            await doing.do(asked, who if isinstance(who, Actor) else await _asker(who))
    except (Busy, *LOST):
        raise
    except Problem as problem:
        return _refused(place, asked.item, problem)
    except Exception as bug:  # one row's bug must not stop the others
        log.error("%s of %s in batch %s failed", asked.move, asked.item, asked.batch, exc_info=bug)
        return _refused(place, asked.item, Problem("系统出错，已记录。请单独办理这一项。", "bug"))
    after = (await raw("SELECT status, due_on, number FROM rectification WHERE id = $1", asked.item))[0]
    return RowShape(place, asked.item, RowState.done, Status(after["status"]), after["due_on"], after["number"])


async def _tried(wanted: BatchIn, place: int, actor: Actor) -> RowShape:
    row = wanted.items[place]
    asked = Asked(
        batch=wanted.id, move=wanted.move, item=row.item, record=row.record, version=row.version,
        content=wanted.content | row.content,
    )  # fmt: skip
    try:
        async with transaction(joinable=True):
            seen = await queries.version(row.item)
            raise _Undone(seen, await _outcome(place, asked, actor))
    except _Undone as undone:
        told = undone.row
        return msgspec.structs.replace(told, number=None, version=None if told.refusal else undone.seen)
    raise RuntimeError("a dry run must not end without being undone")


async def _asker(person: UUID) -> Actor:
    enforced = settings.load().totp == settings.ENFORCED
    return await people.acting(person, clock.now(), totp_enforced=enforced)


def _refused(place: int, item: UUID, problem: Problem) -> RowShape:
    details = msgspec.json.decode(msgspec.json.encode(problem.details, enc_hook=str))
    refusal = Refusal(problem.status, problem.code, problem.message, problem.field, details)
    return RowShape(place, item, RowState.refused, refusal=refusal)


async def _write(batch: UUID, row: UUID, told: RowShape) -> None:
    """The row is through: what was said of it is forgotten, what came of it stays."""
    no = told.refusal
    await raw(
        "WITH counted AS (UPDATE batch SET done = done + $11, refused = refused + 1 - $11, tries = 0 WHERE id = $1) "
        "UPDATE batch_row SET content = NULL, state = $3, item_status = $4, due_on = $5, number = $6, answer = $7, "
        "code = $8, sentence = $9, field = $10, details = $12 WHERE id = $2",
        batch,
        row,
        told.state.value,
        told.item_status and told.item_status.value,
        told.due_on,
        told.number,
        no and no.status,
        no and no.code,
        no and no.detail,
        no and no.field,
        int(no is None),
        no and msgspec.json.encode(no.details).decode(),
    )


async def _end(batch: Any, *, waited_for: bool) -> None:
    await raw("UPDATE batch SET state = 'done', content = NULL, ended_at = $2 WHERE id = $1", batch["id"], clock.now())
    name = (await raw("SELECT name FROM person WHERE id = $1", batch["by"]))[0]["name"]
    told = {"total": batch["total"], "done": batch["done"], "refused": batch["refused"], "waited_for": waited_for}
    await events.record("batch.finished", batch["id"], actor=Actor(batch["by"], name), **told)
