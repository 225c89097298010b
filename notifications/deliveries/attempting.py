"""Attempts in the database: taking up what is due, writing an attempt down before it is made, and what came of it.

An attempt is a row before it is a message. So a worker that dies in between leaves behind what it was doing, and the
next one knows that a message may have gone out twice (at least once; docs/decisions/0029).
"""

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from backend import clock
from backend.columns import uuid7
from backend.db import raw, transaction
from notifications.deliveries import queries, rules
from notifications.deliveries.queries import Claimed
from notifications.deliveries.rules import ChannelKind, DeliveryState, Next, Outcome, Purpose
from notifications.deliveries.sending import Address, Answer


async def claim(kind: ChannelKind, most: int) -> list[Claimed]:
    """Take up what is due in this lane, the urgent first; until the lease ends no other worker does.

    What was cut off in an attempt is taken up again, and that attempt written down as lost.
    """
    now = clock.now()
    async with transaction():
        rows = await _take(kind, True, most, now)
        if len(rows) < most:
            rows += await _take(kind, False, most - len(rows), now)
        if cut_off := [row["id"] for row in rows if row["was"] == DeliveryState.sending]:
            await raw(
                "UPDATE delivery_attempt SET outcome = 'lost', ended_at = $2 "
                "WHERE delivery = ANY($1::uuid[]) AND outcome = 'sending'",
                cut_off,
                now,
            )
        return [queries.claimed(row) for row in rows]


async def begin(it: Claimed, addresses: Sequence[Address]) -> dict[UUID, UUID]:
    """Write down the attempts that are about to be made: address → attempt.

    A group chat that is being told of the same event, or was, is not among them.
    """
    rows = await raw(
        "INSERT INTO delivery_attempt (id, delivery, channel, address, event, at, outcome) "
        "SELECT id, $3, $4, address, $5, $6, 'sending' FROM unnest($1::uuid[], $2::uuid[]) AS to_be (id, address) "
        "ON CONFLICT (address, event) WHERE event IS NOT NULL AND outcome IN ('sending', 'sent', 'recorded') "
        "DO NOTHING RETURNING id, address",
        [uuid7() for _ in addresses],
        [address.id for address in addresses],
        it.id,
        it.standing.channel.value,
        it.event if it.standing.channel in rules.ROBOTS else None,
        clock.now(),
    )
    return {row["address"]: row["id"] for row in rows}


async def settle(it: Claimed, attempts: Mapping[UUID, UUID], answers: Mapping[UUID, Answer]) -> DeliveryState:
    """What the attempts (address → attempt, address → answer) came to, and how the chain goes on."""
    now = clock.now()
    afters = [answer.after for answer in answers.values() if answer.after]
    async with transaction():
        await raw(
            "UPDATE delivery_attempt AS it SET outcome = told.outcome, said = nullif(told.said, ''), ended_at = $4 "
            "FROM unnest($1::uuid[], $2::text[], $3::text[]) AS told (id, outcome, said) WHERE it.id = told.id",
            [attempts[address] for address in answers],
            [answer.outcome.value for answer in answers.values()],
            [answer.said for answer in answers.values()],
            now,
        )
        await _give_up_addresses([id for id, told in answers.items() if told.outcome is Outcome.unknown_address], now)
        if it.purpose is Purpose.test and {told.outcome for told in answers.values()} & rules.ARRIVED:
            await raw(
                "UPDATE channel SET confirmed_at = coalesce(confirmed_at, $2), refused_at = NULL "
                "WHERE id = $1 AND unit IS NOT NULL",
                it.address,
                now,
            )
        outcomes = [answer.outcome for answer in answers.values()]
        return await _go_on(it, outcomes, now, now + max(afters) if afters else None)


async def skip(it: Claimed, outcome: Outcome, *, until: datetime | None = None) -> DeliveryState:
    """Nothing was tried in this channel: why, said once however often in a row, and how the chain goes on."""
    now = clock.now()
    async with transaction():
        await raw(
            "INSERT INTO delivery_attempt (id, delivery, channel, at, ended_at, outcome) SELECT $1, $2, $3, $4, $4, $5 "
            "WHERE NOT EXISTS (SELECT FROM (SELECT channel, outcome FROM delivery_attempt WHERE delivery = $2 "
            "ORDER BY at DESC, id DESC LIMIT 1) AS last WHERE (last.channel, last.outcome) = ($3, $5))",
            uuid7(),
            it.id,
            it.standing.channel.value,
            now,
            outcome.value,
        )
        return await _go_on(it, [outcome], now, until)


async def put_off(it: Claimed, until: datetime) -> None:
    """Later, without a word about it: somebody else is telling the same group this very moment."""
    await _write(it, Next(DeliveryState.waiting, it.standing.channel, it.standing.tries, until))


async def lapse(it: Claimed) -> DeliveryState:
    """Nothing is left to say, or nobody to say it to."""
    await _write(it, Next(DeliveryState.lapsed, it.standing.channel))
    return DeliveryState.lapsed


async def _take(kind: ChannelKind, at_once: bool, most: int, now: datetime) -> list[asyncpg.Record]:
    # Materialized: a plan that loops over the deliveries would ask a subquery anew for each, and take up all there is.
    return list(
        await raw(
            "WITH taken AS MATERIALIZED ("
            "SELECT id, state AS was, gen_random_uuid() AS token FROM delivery WHERE channel = $2 AND at_once = $5 "
            "AND state IN ('waiting', 'sending') AND next_try_at <= $3 ORDER BY next_try_at LIMIT $4 "
            "FOR UPDATE SKIP LOCKED) UPDATE delivery SET state = 'sending', next_try_at = $1, attempt = taken.token "
            "FROM taken WHERE delivery.id = taken.id RETURNING delivery.*, taken.was",
            now + rules.LEASE,
            kind.value,
            now,
            most,
            at_once,
        )
    )


async def _go_on(it: Claimed, outcomes: Collection[Outcome], now: datetime, until: datetime | None) -> DeliveryState:
    then = rules.onward(it.standing, outcomes, now, not_before=until, luck=random.random())
    await _write(it, then)
    return then.state


async def _write(it: Claimed, then: Next) -> None:
    """Only while the lease is ours: whoever took it up after us has the word."""
    now = clock.now()
    await raw(
        "UPDATE delivery SET state = $3, channel = $4, tries = $5, next_try_at = coalesce($6, next_try_at), "
        "ended_at = CASE WHEN $7 THEN $8::timestamptz END WHERE id = $1 AND attempt = $2 AND state = 'sending'",
        it.id,
        it.token,
        then.state.value,
        then.channel.value,
        then.tries,
        then.at,
        then.state in rules.OVER,
        now,
    )


async def _give_up_addresses(gone: list[UUID], now: datetime) -> None:
    """The provider says that nobody is there: not used any more. A browser that unsubscribed is removed."""
    if gone:
        await raw(
            "UPDATE channel SET refused_at = coalesce(refused_at, $2), "
            "removed_at = CASE WHEN kind = 'web_push' THEN coalesce(removed_at, $2) ELSE removed_at END "
            "WHERE id = ANY($1::uuid[])",
            gone,
            now,
        )
