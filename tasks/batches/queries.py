"""Reading batches: one's own, whole or as a list; what the worker must look after."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import raw, select
from backend.errors import NotFound
from backend.roles import Actor
from tasks.batches import shapes
from tasks.batches.rules import AT_ONCE, UNDONE_BY, BatchState, BulkMove, RowState
from tasks.batches.shapes import BatchDetail, BatchPage, BatchShape, Reason, Refusal, RowShape
from tasks.rectifications.loading import SECRET

LOOKED_AFTER_AT_ONCE = 20


def visible_to(actor: Actor) -> QueryString:
    """Who asked, and nobody else: what was done to an item stands in the item's own history, for all who see it."""
    return QueryString("batch.by = {}", actor.person)


async def lock(batch: UUID, actor: Actor) -> dict[str, Any]:
    """The batch, locked for the running transaction. Raises NotFound for another person's."""
    rows = await select("SELECT * FROM batch WHERE id = {} AND {} FOR NO KEY UPDATE", batch, visible_to(actor))
    if not rows:
        raise NotFound()
    return rows[0]


async def detail(
    batch: UUID, actor: Actor, *, state: RowState | None = None, cursor: int | None = None, most: int = AT_ONCE
) -> BatchDetail:
    """Counts, reasons, and a page of rows (of one state, after one position). Raises NotFound for another person's."""
    found = await select("SELECT * FROM batch WHERE id = {} AND {}", batch, visible_to(actor))
    if not found:
        raise NotFound()
    rows = await raw(
        "SELECT * FROM batch_row WHERE batch = $1 AND ($2::text IS NULL OR state = $2) AND position > $3 "
        "ORDER BY position LIMIT $4",
        batch,
        state and state.value,
        -1 if cursor is None else cursor,
        most,
    )
    reasons = await raw(
        "SELECT code, sentence AS detail, count(*) AS count FROM batch_row WHERE batch = $1 AND state = 'refused' "
        "GROUP BY code, sentence ORDER BY count(*) DESC, code, sentence",
        batch,
    )
    return BatchDetail(
        **msgspec.structs.asdict(_shape(found[0])),
        reasons=[Reason(**dict(reason)) for reason in reasons],
        items=[_row(row) for row in rows],
        next=rows[-1]["position"] if len(rows) == most else None,
    )


async def page(actor: Actor, cursor: UUID | None, most: int) -> BatchPage:
    """One's own, newest first."""
    rows = await select(
        "SELECT * FROM batch WHERE {} AND ({}::uuid IS NULL OR "
        "(made_at, id) < (SELECT last.made_at, last.id FROM batch AS last WHERE last.id = {} AND last.by = batch.by)) "
        "ORDER BY made_at DESC, id DESC LIMIT {}",
        visible_to(actor),
        cursor,
        cursor,
        most,
    )
    return BatchPage([_shape(row) for row in rows], rows[-1]["id"] if len(rows) == most else None)


async def running(actor: Actor) -> int:
    """How many of one's own are not through."""
    rows = await select("SELECT count(*) AS n FROM batch WHERE {} AND state = 'running'", visible_to(actor))
    return rows[0]["n"]


async def due(now: datetime) -> list[UUID]:
    """Batches that nobody seems to be working on, longest first."""
    rows = await raw(
        "SELECT id FROM batch WHERE state = 'running' AND next_try_at <= $1 ORDER BY next_try_at LIMIT $2",
        now,
        LOOKED_AFTER_AT_ONCE,
    )
    return [row["id"] for row in rows]


async def version(item: UUID) -> int:
    """The `version` of a single answer, read before the item is locked: who was faster in between makes it too low,
    which refuses and never lets pass.
    """
    rows = await raw(f"SELECT count(*) AS n FROM event WHERE subject = $1 AND verb <> ALL({SECRET})", item)
    return rows[0]["n"]


async def asker_of(batch: UUID) -> UUID:
    """The person who asked for it."""
    return (await raw("SELECT by FROM batch WHERE id = $1", batch))[0]["by"]


async def request_of(batch: UUID) -> str | None:
    """The id of the HTTP request that asked for it."""
    rows = await raw("SELECT request FROM batch WHERE id = $1", batch)
    return rows[0]["request"] if rows else None


def tried(id: UUID, move: BulkMove, rows: list[RowShape]) -> BatchDetail:
    """The answer to a dry run: of nothing that was stored."""
    done = sum(row.state == RowState.done for row in rows)
    counted: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.refusal:
            reason = (row.refusal.code, row.refusal.detail)
            counted[reason] = counted.get(reason, 0) + 1
    now = clock.now()
    return BatchDetail(
        id=id, move=move, dry_run=True, state=BatchState.done, made_at=now, ended_at=now, total=len(rows), done=done,
        refused=len(rows) - done, waiting=0, stopped=0, undone_by=list(UNDONE_BY[move]),
        reasons=[Reason(*said, count) for said, count in sorted(counted.items(), key=lambda it: (-it[1], it[0]))],
        items=rows, next=None,
    )  # fmt: skip


def _shape(row: Any) -> BatchShape:
    state, move = BatchState(row["state"]), BulkMove(row["move"])
    left = row["total"] - row["done"] - row["refused"]
    return BatchShape(
        id=row["id"], move=move, dry_run=False, state=state, made_at=row["made_at"], ended_at=row["ended_at"],
        total=row["total"], done=row["done"], refused=row["refused"],
        waiting=0 if state == BatchState.stopped else left, stopped=left if state == BatchState.stopped else 0,
        undone_by=list(UNDONE_BY[move]),
    )  # fmt: skip


def _row(row: Any) -> RowShape:
    refusal = None
    if row["state"] == RowState.refused:
        details = msgspec.json.decode(row["details"])
        refusal = Refusal(row["answer"], row["code"], row["sentence"], row["field"], details)
    return shapes.RowShape(
        row["position"],
        row["item"],
        RowState(row["state"]),
        row["item_status"] and shapes.Status(row["item_status"]),
        row["due_on"],
        row["number"],
        None,
        refusal,
    )
