"""What a request for many items, its progress and its rows look like from outside."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from tasks.batches.rules import MOST, BatchState, BulkMove, RowState
from tasks.rectifications.item import Status, Verb

MOST_VERSIONS = 999_999_999  # what If-Match takes


class RowIn(msgspec.Struct, forbid_unknown_fields=True):
    """One item. `content` adds to the common content and wins over it; `record` is the id of what is decided on.

    `version`: of the item as the person saw it, in a dry run for instance; as If-Match of a single request.
    """

    item: UUID
    record: UUID | None = None
    version: Annotated[int, Meta(ge=0, le=MOST_VERSIONS)] | None = None
    content: dict[str, Any] = {}


class BatchIn(msgspec.Struct, forbid_unknown_fields=True):
    """`content` is the body of the single request without its `id`, said once for all items.

    `dry_run`: what would happen to each item, and nothing does.
    """

    id: UUID
    move: BulkMove
    items: Annotated[list[RowIn], Meta(min_length=1, max_length=MOST)]
    content: dict[str, Any] = {}
    dry_run: bool = False


class Refusal(msgspec.Struct):
    """Why nothing was done to an item: what the single request would have been answered."""

    status: int
    code: str
    detail: str
    field: str | None = None
    details: dict[str, Any] = {}


class RowShape(msgspec.Struct):
    """`item_status`, `due_on` and `number` are the item's after the move.

    A dry run gives no number, and `version` instead: sent back with the row, it refuses what has changed meanwhile.
    """

    position: int
    item: UUID
    state: RowState
    item_status: Status | None = None
    due_on: date | None = None
    number: str | None = None
    version: int | None = None
    refusal: Refusal | None = None


class Reason(msgspec.Struct):
    """A reason for refusals, and how many items it stands for."""

    code: str
    detail: str
    count: int


class BatchShape(msgspec.Struct):
    """How far a request is: `total` is `done`, `refused`, `waiting` and `stopped` together.

    `undone_by`: the moves by which a mistake is put right, item by item or in bulk.
    """

    id: UUID
    move: BulkMove
    dry_run: bool
    state: BatchState
    made_at: datetime
    ended_at: datetime | None
    total: int
    done: int
    refused: int
    waiting: int
    stopped: int
    undone_by: list[Verb]


class BatchDetail(BatchShape):
    """`items` in the order of the request, a page of them; `reasons` count all of its refusals, the most first."""

    reasons: list[Reason]
    items: list[RowShape]
    next: int | None


class BatchPage(msgspec.Struct):
    items: list[BatchShape]
    next: UUID | None
