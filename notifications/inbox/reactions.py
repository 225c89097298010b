"""Tells people what happened: one notice per event and person, however often the event is handled."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from backend.columns import uuid7
from backend.db import raw
from backend.events import Event
from notifications.inbox import audiences, handing_over
from notifications.inbox.asked import Asked, Heard
from notifications.inbox.handing_over import New
from notifications.inbox.rules import HEARS, Audience, Hearing, Subject


async def tell_people(event: Event) -> None:
    """Everyone of the event's audience but the one who did it; of the units, those whose part it is about."""
    await tell_many([event])


async def tell_many(events: Sequence[Event]) -> None:
    """The same for many events, in a handful of statements however many they are.

    All or none: the caller's transaction decides. Raises KeyError for a verb that nobody hears.
    """
    about = sorted(events, key=lambda event: HEARS[event.verb].about)
    heard: list[Heard] = []
    for kind, some in groupby(about, key=lambda event: HEARS[event.verb].about):
        heard += await audiences.of(kind, [_asked(event) for event in some])
    by_id = {event.id: event for event in events}
    await _tell(by_id, [one for one in heard if _news(one, by_id[one.key])])


def _asked(event: Event) -> Asked:
    return Asked(
        key=event.id,
        subject=event.subject,
        audience=_named(HEARS[event.verb], event.payload.get("audience")),
        facts=event.payload,
    )


def _named(hearing: Hearing, named: Iterable[str] | None) -> tuple[Audience, ...]:
    """Those of the row; where the event names some itself, those of them."""
    return hearing.audience if named is None else tuple(one for one in hearing.audience if one in named)


def _news(one: Heard, event: Event) -> bool:
    """Who did it need not be told; who waits for an answer is, though it is given in the own name."""
    return one.person != event.actor or one.audience == Audience.asker


async def _tell(events: Mapping[UUID, Event], heard: Sequence[Heard]) -> None:
    """Into the inbox, and what is new there, on its way out."""
    if not heard:
        return
    told = [events[one.key] for one in heard]
    new = [New(uuid7(), one, event.id, HEARS[event.verb].urgency) for one, event in zip(heard, told, strict=True)]
    ways = await handing_over.ways(new)
    rows = await raw(
        "INSERT INTO notice (id, event, person, verb, subject, urgency, reason, unit, role, absence, at, batched) "
        "SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], "
        "$8::uuid[], $9::text[], $10::uuid[], $11::timestamptz[], $12::bool[]) "
        "ON CONFLICT (event, person) DO NOTHING RETURNING id",
        [one.id for one in new],
        [event.id for event in told],
        [one.person for one in heard],
        [event.verb for event in told],
        [_subject(event) for event in told],
        [one.urgency.value for one in new],
        [one.audience.value for one in heard],
        [one.unit for one in heard],
        [one.role and one.role.value for one in heard],
        [one.absence for one in heard],
        [event.at for event in told],
        [ways[one.id].batched for one in new],
    )
    await handing_over.hand_over(ways[row["id"]] for row in rows)


def _subject(event: Event) -> UUID:
    """What a notice is about: of missing files the record, which may be one of several of an item."""
    return UUID(event.payload["record"]) if HEARS[event.verb].about == Subject.files else event.subject
