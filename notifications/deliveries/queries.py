"""Reading deliveries: one's own, those of the office's area, what a lane has claimed, and what failed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from piccolo.querystring import QueryString

from backend import clock, protected
from backend.db import raw, select
from backend.errors import NotFound, Unreadable
from backend.roles import OFFICE, Actor, Role
from notifications.deliveries.rules import ChannelKind, DeliveryState, Outcome, Purpose, Standing
from notifications.deliveries.sending import Address
from notifications.deliveries.shapes import AttemptShape, Counts, DeliveryDetail, DeliveryPage, DeliveryShape

COUNTED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker has taken up. `token` is its lease."""

    id: UUID
    token: UUID
    notice: UUID
    event: UUID | None
    person: UUID
    unit: UUID | None
    purpose: Purpose
    address: UUID | None
    at_once: bool
    standing: Standing


def claimed(row: asyncpg.Record) -> Claimed:
    standing = Standing(
        tuple(ChannelKind(kind) for kind in row["chain"]), ChannelKind(row["channel"]), row["tries"], row["due_at"]
    )
    return Claimed(
        row["id"], row["attempt"], row["notice"], row["event"], row["person"], row["unit"], Purpose(row["purpose"]),
        row["address"], row["at_once"], standing,
    )  # fmt: skip


def visible_to(actor: Actor) -> QueryString:
    """One's own; those of people of the office's area; all for administrators: no delivery says what it is about."""
    if actor.has(Role.sys_admin):
        return QueryString("TRUE")
    if not (areas := sorted(actor.areas(*OFFICE))):
        return QueryString("delivery.person = {}", actor.person)
    return QueryString(
        "(delivery.person = {} OR home.region IN (SELECT code FROM region WHERE path && {}))", actor.person, areas
    )


async def lock(delivery: UUID, actor: Actor) -> dict[str, Any]:
    """Held until the transaction ends. Raises NotFound outside the actor's sight."""
    rows = await select(f"{_WHOLE} WHERE delivery.id = {{}} AND {{}} {_HELD}", delivery, visible_to(actor))
    if not rows:
        raise NotFound()
    return rows[0]


async def page(
    actor: Actor, *, state: DeliveryState | None, mine: bool, cursor: UUID | None, most: int
) -> DeliveryPage:
    """Newest first."""
    rows = await select(
        f"{_WHOLE} WHERE {{}} AND (NOT {{}} OR delivery.person = {{}}) AND ({{}}::text IS NULL OR state = {{}}) "
        "AND ({}::uuid IS NULL OR delivery.id < {}) ORDER BY delivery.id DESC LIMIT {}",
        visible_to(actor),
        mine,
        actor.person,
        state and state.value,
        state and state.value,
        cursor,
        cursor,
        most,
    )
    return DeliveryPage([_shape(row) for row in rows], rows[-1]["id"] if len(rows) == most else None)


async def detail(delivery: UUID, actor: Actor) -> DeliveryDetail:
    """With its attempts, in their order. Raises NotFound outside the actor's sight."""
    rows = await select(f"{_WHOLE} WHERE delivery.id = {{}} AND {{}}", delivery, visible_to(actor))
    if not rows:
        raise NotFound()
    attempts = await raw(
        "SELECT it.* FROM delivery_attempt AS it JOIN delivery ON delivery.id = it.delivery WHERE delivery.id = $1 "
        "ORDER BY at, array_position(chain, it.channel), it.id",
        delivery,
    )
    told = [
        AttemptShape(ChannelKind(row["channel"]), row["at"], row["ended_at"], Outcome(row["outcome"]), row["said"])
        for row in attempts
    ]
    return DeliveryDetail(_shape(rows[0]), told)


async def counts(actor: Actor) -> Counts:
    """How many of those seen stand where, of the last day; `waiting` and `sending` of all days."""
    since = clock.now() - COUNTED_FOR
    rows = await select(
        "SELECT state, count(*) AS n FROM delivery JOIN person ON person.id = delivery.person "
        "JOIN unit AS home ON home.id = person.unit "
        "WHERE {} AND (state IN ('waiting', 'sending') OR delivery.id >= {}) GROUP BY state",
        visible_to(actor),
        _first_id(since),
    )
    found = {DeliveryState(row["state"]): row["n"] for row in rows}
    return Counts(since, {state: found.get(state, 0) for state in DeliveryState})


async def failed(since: datetime) -> int:
    """How many deliveries were given up since then, of anybody: for those who watch the machine."""
    rows = await raw(
        "SELECT count(*) AS n FROM delivery WHERE state = 'gave_up' AND ended_at >= $1 AND purpose = 'notice'", since
    )
    return rows[0]["n"]


async def behind(now: datetime) -> float:
    """For how many seconds the oldest delivery that is due has been waiting; 0 when none is."""
    rows = await raw(
        "SELECT extract(epoch FROM $1 - min(next_try_at))::float8 AS late FROM delivery "
        "WHERE state IN ('waiting', 'sending') AND next_try_at <= $1",
        now,
    )
    return max(0.0, rows[0]["late"] or 0.0)


async def addresses(it: Claimed) -> list[Address]:
    """Where to reach the person in this channel now: own confirmed addresses, or the group of the unit on whose behalf.

    A code or a test goes to its own address, confirmed or not. None of a closed account.
    """
    rows = await raw(
        "SELECT channel.* FROM channel WHERE removed_at IS NULL AND kind = $1 "
        "AND EXISTS (SELECT 1 FROM person WHERE person.id = $2 AND disabled_at IS NULL) AND CASE "
        "WHEN $3::uuid IS NOT NULL THEN channel.id = $3 WHEN confirmed_at IS NULL OR refused_at IS NOT NULL THEN false "
        "ELSE channel.person = $2 OR channel.unit = $4 END ORDER BY added_at DESC, id LIMIT 20",
        it.standing.channel.value,
        it.person,
        it.address,
        it.unit,
    )
    return [address for row in rows if (address := _address(row))]


async def group_has(it: Claimed, groups: Sequence[UUID]) -> bool:
    """Whether one of these chats has been told of the delivery's event."""
    rows = await raw(
        "SELECT 1 FROM delivery_attempt WHERE address = ANY($1::uuid[]) AND event = $2 "
        "AND outcome IN ('sent', 'recorded') LIMIT 1",
        groups,
        it.event,
    )
    return bool(rows)


async def code_of(address: UUID, now: datetime) -> str | None:
    """The code that was asked for last, while it is good."""
    rows = await raw("SELECT code FROM channel WHERE id = $1 AND code_ends_at > $2", address, now)
    try:
        return protected.decrypt(rows[0]["code"], "channel.code", address) if rows and rows[0]["code"] else None
    except Unreadable:  # it is in the log; a new code may be asked for
        return None


def _address(row: asyncpg.Record) -> Address | None:
    """In clear; None for a value that cannot be read, which is in the log."""
    try:
        text = protected.decrypt(row["address"], "channel.address", row["id"])
        secret = row["secret"] and protected.decrypt(row["secret"], "channel.secret", row["id"])
    except Unreadable:
        return None
    return Address(row["id"], ChannelKind(row["kind"]), text, secret or "")


_WHOLE = (
    "SELECT delivery.*, person.name AS person_name, home.name AS unit_name FROM delivery "
    "JOIN person ON person.id = delivery.person JOIN unit AS home ON home.id = person.unit"
)
_HELD = "FOR NO KEY UPDATE OF delivery"


def _first_id(since: datetime) -> UUID:
    """The smallest id of a delivery planned at that moment: ids begin with their milliseconds (columns.uuid7)."""
    return UUID(int=int(since.timestamp() * 1000) << 80)


def _shape(row: dict[str, Any]) -> DeliveryShape:
    return DeliveryShape(
        id=row["id"], notice=row["notice"], person=row["person"], person_name=row["person_name"],
        unit_name=row["unit_name"], purpose=Purpose(row["purpose"]), chain=_kinds(row["chain"]),
        channel=ChannelKind(row["channel"]), state=DeliveryState(row["state"]), planned_at=row["planned_at"],
        next_try_at=row["next_try_at"] if row["ended_at"] is None else None, ended_at=row["ended_at"],
    )  # fmt: skip


def _kinds(chain: Sequence[str]) -> list[ChannelKind]:
    return [ChannelKind(kind) for kind in chain]
