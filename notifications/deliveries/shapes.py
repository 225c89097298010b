"""What deliveries and addresses look like in answers and requests. No answer holds a whole address or a secret."""

from datetime import datetime
from uuid import UUID

import msgspec

from notifications.deliveries.rules import ChannelKind, DeliveryState, Outcome, Purpose


class DeliveryShape(msgspec.Struct):
    """One notice on its way to one person. `channel` is where it is, or where it ended."""

    id: UUID
    notice: UUID
    person: UUID
    person_name: str
    unit_name: str
    purpose: Purpose
    chain: list[ChannelKind]
    channel: ChannelKind
    state: DeliveryState
    planned_at: datetime
    next_try_at: datetime | None
    ended_at: datetime | None


class AttemptShape(msgspec.Struct):
    channel: ChannelKind
    at: datetime
    ended_at: datetime | None
    outcome: Outcome
    said: str | None


class DeliveryDetail(msgspec.Struct):
    delivery: DeliveryShape
    attempts: list[AttemptShape]


class DeliveryPage(msgspec.Struct):
    items: list[DeliveryShape]
    next: UUID | None


class Counts(msgspec.Struct):
    """`sent`, `gave_up` and `lapsed` since that moment; `waiting` and `sending` of all days."""

    since: datetime
    states: dict[DeliveryState, int]
