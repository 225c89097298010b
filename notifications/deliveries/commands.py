"""Planning deliveries, and trying again what was given up. How they are attempted is in attempting.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend import clock, events, settings
from backend.columns import uuid7, uuid7s
from backend.db import must_be_inside, raw, transaction
from backend.errors import WrongState
from backend.roles import Actor
from notifications.deliveries import queries, rules
from notifications.deliveries.rules import ChannelKind, DeliveryState, Purpose


@dataclass(frozen=True, slots=True)
class Planned:
    """A notice (or a digest) that is to reach a person outside of the app, from a moment on.

    `channels` in order of trying; `in_app` among them changes nothing. `urgency` is that of the notice: what is
    `at_once` is asked of the provider as urgent. `unit`: on whose behalf the person is
    told; without it no group chat is. Where several share an `event`, a group chat is told of
    it once.
    """

    notice: UUID
    person: UUID
    channels: tuple[ChannelKind, ...]
    not_before: datetime
    urgency: str
    event: UUID | None = None
    unit: UUID | None = None


async def plan_many(planned: Sequence[Planned]) -> int:
    """Plan them inside the running transaction, in one statement; returns how many are new.

    Once per notice and person: what is planned already stays as it is. Without a channel but the app there is no
    delivery; where the person has no address in any of them, it is over before it began (`lapsed`). Nobody is rung:
    the worker looks every two seconds.
    """
    must_be_inside("plan_many")
    chains = {channels: _chain(channels) for channels in {plan.channels for plan in planned}}
    kept = [(plan, chain) for plan in planned if (chain := chains[plan.channels])]
    if not kept:
        return 0
    sends = settings.load().outgoing.sends
    rows = await raw(
        _PLAN,
        uuid7s(len(kept)),
        [plan.notice for plan, _ in kept],
        [plan.event for plan, _ in kept],
        [plan.person for plan, _ in kept],
        [plan.unit for plan, _ in kept],
        [chain for _, chain in kept],
        [plan.urgency == "at_once" for plan, _ in kept],
        [plan.not_before for plan, _ in kept],
        [kind.value for kind in rules.LANES if not sends or kind.value in sends],
        clock.now(),
    )
    return len(rows)


def _chain(channels: Sequence[ChannelKind]) -> str:
    """Each once, in order, without the app: as the statement takes them."""
    return ",".join(dict.fromkeys(kind.value for kind in channels if kind is not ChannelKind.in_app))


# The first channel of each chain in which there is somebody to reach; without one it is over.
_PLAN = """
    WITH told AS (
        SELECT id, notice, event, person, unit, string_to_array(chain, ',') AS chain, at_once, due_at FROM unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bool[], $8::timestamptz[]
        ) AS told (id, notice, event, person, unit, chain, at_once, due_at)
    ), usable AS (
        SELECT person, unit, kind FROM channel WHERE confirmed_at IS NOT NULL AND refused_at IS NULL
        AND removed_at IS NULL AND kind = ANY($9)
        AND (person IN (SELECT person FROM told) OR unit IN (SELECT unit FROM told))
    ), own AS (SELECT person, array_agg(kind) AS kinds FROM usable WHERE person IS NOT NULL GROUP BY person),
    chats AS (SELECT unit, array_agg(kind) AS kinds FROM usable WHERE unit IS NOT NULL GROUP BY unit)
    INSERT INTO delivery (id, notice, event, person, unit, purpose, chain, channel, at_once, state, tries, planned_at,
        due_at, next_try_at, ended_at)
    SELECT id, notice, event, person, unit, 'notice', chain, coalesce(first.kind, chain[1]), at_once,
        CASE WHEN first.kind IS NULL THEN 'lapsed' ELSE 'waiting' END, 0, $10, due_at, due_at,
        CASE WHEN first.kind IS NULL THEN $10::timestamptz END
    FROM told LEFT JOIN own USING (person) LEFT JOIN chats USING (unit) LEFT JOIN LATERAL (
        SELECT kind FROM unnest(chain) WITH ORDINALITY AS wished (kind, place)
        WHERE kind = ANY(own.kinds) OR kind = ANY(chats.kinds) ORDER BY place LIMIT 1
    ) AS first ON true
    ON CONFLICT (notice, person) DO NOTHING RETURNING id
"""


async def plan_message(purpose: Purpose, address: UUID, kind: ChannelKind, person: UUID, id: UUID) -> None:
    """A code or a test to one address, asked for by a person, inside the running transaction. Once per id."""
    must_be_inside("plan_message")
    now = clock.now()
    await raw(
        "INSERT INTO delivery (id, notice, person, purpose, address, chain, channel, at_once, state, tries, "
        "planned_at, due_at, next_try_at) VALUES ($1, $2, $3, $4, $5, ARRAY[$6], $6, true, 'waiting', 0, $7, $7, $7) "
        "ON CONFLICT (notice, person) DO NOTHING",
        uuid7(),
        id,
        person,
        purpose.value,
        address,
        kind.value,
        now,
    )


async def retry(delivery: UUID, actor: Actor) -> None:
    """Begin the chain anew, now, after it was given up. What is on its way already stays as it is.

    Raises NotFound; WrongState for what has arrived or has nothing left to say, and for a code, which is out of date.
    """
    now = clock.now()
    async with transaction():
        it = await queries.lock(delivery, actor)
        state = DeliveryState(it["state"])
        if state not in rules.OVER:
            return
        if reason := rules.why_not_retry(state, Purpose(it["purpose"])):
            raise WrongState(reason)
        await raw(
            "UPDATE delivery SET state = 'waiting', channel = chain[1], tries = 0, attempt = NULL, ended_at = NULL, "
            "due_at = $2, next_try_at = $2 WHERE id = $1",
            delivery,
            now,
        )
        await events.record("delivery.retried", delivery, actor=actor)
