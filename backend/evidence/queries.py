"""Reading evidence: by its declarer, or through something the actor sees that shows it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from backend import clock, receipts
from backend.db import raw
from backend.errors import NotFound
from backend.evidence.rules import ARRIVED, REMIND_AFTER, MediaType, Source, State, TokenState, bracket
from backend.evidence.tables import Evidence
from backend.roles import Actor

MOST_REMINDED = 500  # in one round of a sweep

# Of these files, those that hang on something the actor sees.
Reader = Callable[[Sequence[UUID], Actor], Awaitable[set[UUID]]]


class EvidenceShape(msgspec.Struct):
    """One file: what was declared, and how far it has come.

    `not_before` and `not_after`: between what times of this server its capture record was made, `width_s` apart; the
    lower one is not known without a good time token (`token_state`). `receipt`: a signed proof that its bytes are
    stored, only in answers about this one file.
    """

    id: UUID
    state: State
    sha256: str
    size: int
    media_type: MediaType
    source: Source
    captured_at: datetime | None
    received_at: datetime | None
    width: int | None
    height: int | None
    lat: float | None
    lng: float | None
    accuracy_m: float | None
    refusal: str | None
    declared_at: datetime
    token_state: TokenState | None
    not_before: datetime | None
    not_after: datetime
    width_s: float | None
    receipt: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Missing:
    """Files of a record that its sender declared and did not send."""

    record: UUID
    sender: UUID
    files: list[UUID]


async def declared_by(actor: Actor, evidence: UUID) -> EvidenceShape:
    """The actor's own declaration; raises NotFound for anybody else's."""
    rows = await raw("SELECT * FROM evidence WHERE id = $1 AND declared_by = $2", evidence, actor.person)
    if not rows:
        raise NotFound()
    return shape(dict(rows[0]))


async def find(evidence: UUID, actor: Actor, readers: Sequence[Reader]) -> Evidence:
    """The row, if the actor declared it or sees a thing that shows it; raises NotFound otherwise."""
    row = await Evidence.objects().get(Evidence.id == evidence)
    if row is None:
        raise NotFound()
    if row.declared_by != actor.person and not await shown([evidence], actor, readers):
        raise NotFound()
    return row


async def shown(files: Iterable[UUID], actor: Actor, readers: Sequence[Reader]) -> set[UUID]:
    """Which of these files hang on something the actor sees; each reader is asked only for those not found yet."""
    rest, seen = set(files), set[UUID]()
    for reads in readers:
        if left := rest - seen:
            seen |= await reads(sorted(left), actor)
    return seen


async def missing(link_table: str, owner: str) -> list[Missing]:
    """What hangs on a link table (our own names) and did not come within a day; nobody was reminded of it yet."""
    rows = await raw(
        f'SELECT link."{owner}" AS record, declared_by AS sender, array_agg(evidence.id) AS files FROM evidence '
        f'JOIN "{link_table}" AS link ON link.evidence = evidence.id '
        "WHERE state = 'declared' AND reminded_at IS NULL AND declared_at <= $1 "
        "GROUP BY record, sender ORDER BY min(declared_at) LIMIT $2",
        clock.now() - REMIND_AFTER,
        MOST_REMINDED,
    )
    return [Missing(row["record"], row["sender"], row["files"]) for row in rows]


async def shapes(link_table: str, owner: str, ids: Iterable[UUID]) -> dict[UUID, list[EvidenceShape]]:
    """The files that hang on each owner through a link table (our own names, never a client's), in their order."""
    rows = await raw(
        f'SELECT link."{owner}" AS owner, evidence.* FROM "{link_table}" AS link '
        f'JOIN evidence ON evidence.id = link.evidence WHERE link."{owner}" = ANY($1::uuid[]) '
        f"ORDER BY link.position",
        list(ids),
    )
    found: dict[UUID, list[EvidenceShape]] = {}
    for row in rows:
        found.setdefault(row["owner"], []).append(shape(dict(row)))
    return found


def shape(row: dict[str, Any]) -> EvidenceShape:
    made = bracket(row["token_state"], row["token_at"], row["declared_at"], row["received_at"])
    bounds = {"not_before": made.not_before, "not_after": made.not_after, "width_s": made.width_s}
    return msgspec.convert({**row, **bounds}, EvidenceShape, from_attributes=False, strict=False)


def receipted(file: EvidenceShape) -> EvidenceShape:
    """With a receipt, once its bytes are stored; also where they turned out not to be fit for showing."""
    if file.received_at:
        file.receipt = receipts.of_file(file.id, file.sha256, file.size, file.received_at)
    return file


def counted(files: Sequence[EvidenceShape]) -> dict[str, Any]:
    """The members of a record with files: the files, how many were declared, how many of them arrived."""
    return {"evidence": files, "declared": len(files), "arrived": arrived(files)}


def arrived(files: Iterable[EvidenceShape]) -> int:
    """How many of the declared files are on our disk: the k of "k of n arrived"."""
    return sum(file.state in ARRIVED for file in files)
