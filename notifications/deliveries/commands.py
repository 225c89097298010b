"""Planning deliveries. What is sent when, and what comes of it, is in jobs.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import must_be_inside, raw
from notifications.deliveries.rules import ChannelKind, DeliveryState, Purpose


@dataclass(frozen=True, slots=True)
class Planned:
    """A notice (or a digest) that is to reach a person outside of the app, from a moment on.

    `channels` in order of trying; `in_app` among them changes nothing. `urgency` is that of the notice: what is
    `at_once` is asked of the provider as urgent. Where several share an `event`, a group chat is told of
    it once.
    """

    notice: UUID
    person: UUID
    channels: tuple[ChannelKind, ...]
    not_before: datetime
    urgency: str
    event: UUID | None = None


async def plan_many(planned: Sequence[Planned]) -> int:
    """Plan them inside the running transaction, in one statement; returns how many are new.

    Once per notice and person: what is planned already stays as it is. Without a channel but the app there is no
    delivery. Nobody is rung: the worker looks every two seconds.
    """
    must_be_inside("plan_many")
    chains = [tuple(dict.fromkeys(c for c in plan.channels if c is not ChannelKind.in_app)) for plan in planned]
    kept = [(plan, chain) for plan, chain in zip(planned, chains, strict=True) if chain]
    if not kept:
        return 0
    rows = await raw(
        "INSERT INTO delivery (id, notice, event, person, purpose, chain, channel, at_once, state, tries, planned_at, "
        "due_at, next_try_at) SELECT id, notice, event, person, $8, string_to_array(chain, ','), "
        "split_part(chain, ',', 1), at_once, $9, 0, $10, due_at, due_at "
        "FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bool[], $7::timestamptz[]) "
        "AS told (id, notice, event, person, chain, at_once, due_at) "
        "ON CONFLICT (notice, person) DO NOTHING RETURNING id",
        [uuid7() for _ in kept],
        [plan.notice for plan, _ in kept],
        [plan.event for plan, _ in kept],
        [plan.person for plan, _ in kept],
        [",".join(kind.value for kind in chain) for _, chain in kept],
        [plan.urgency == "at_once" for plan, _ in kept],
        [plan.not_before for plan, _ in kept],
        Purpose.notice.value,
        DeliveryState.waiting.value,
        clock.now(),
    )
    return len(rows)
