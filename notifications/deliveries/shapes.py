"""What deliveries and addresses look like in answers and requests. No answer holds a whole address or a secret."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from notifications.deliveries.rules import ChannelKind, ChannelState, DeliveryState, Outcome, Purpose

Label = Annotated[str, Meta(min_length=1, max_length=60)]


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


class ChannelShape(msgspec.Struct):
    """An address. `address` is masked; `last_sent` says what came of the last code or test."""

    id: UUID
    kind: ChannelKind
    unit: UUID | None
    address: str
    label: str | None
    state: ChannelState
    connected: bool
    added_at: datetime
    confirmed_at: datetime | None
    refused_at: datetime | None
    last_sent: DeliveryState | None


class KindShape(msgspec.Struct):
    """`connected`: messages leave this machine. `usable`: addresses may be entered, if only to be recorded."""

    kind: ChannelKind
    connected: bool
    usable: bool


class ChannelPage(msgspec.Struct):
    """All there are: of a kind there are few."""

    items: list[ChannelShape]
    next: UUID | None
    kinds: list[KindShape]


class PushKey(msgspec.Struct):
    """What a browser needs to subscribe (applicationServerKey); null where there is no Web Push here."""

    public_key: str | None


class ChannelIn(msgspec.Struct, forbid_unknown_fields=True):
    """`address`: a mail address, a mobile number, or a robot's webhook as its provider shows it, with the unit.

    `secret`: of a DingTalk robot that wants signatures.
    """

    id: UUID
    kind: ChannelKind
    address: Annotated[str, Meta(min_length=1, max_length=500)]
    unit: UUID | None = None
    secret: Annotated[str, Meta(max_length=200)] | None = None
    label: Label | None = None


class BrowserKeys(msgspec.Struct, forbid_unknown_fields=True):
    p256dh: Annotated[str, Meta(max_length=200)]
    auth: Annotated[str, Meta(max_length=100)]


class BrowserIn(msgspec.Struct, forbid_unknown_fields=True):
    """What PushSubscription.toJSON() gives, and a name for the device."""

    id: UUID
    endpoint: Annotated[str, Meta(min_length=1, max_length=2000)]
    keys: BrowserKeys
    label: Label | None = None


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=20)]


class SendingIn(msgspec.Struct, forbid_unknown_fields=True):
    id: UUID
