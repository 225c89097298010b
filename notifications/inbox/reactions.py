"""Tells people what happened: one notice per event and person, however often the event is handled."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from uuid import UUID

from backend.columns import uuid7s
from backend.db import raw
from backend.events import Event
from notifications.inbox import audiences, handing_over, standing_in
from notifications.inbox.asked import Asked, Heard
from notifications.inbox.handing_over import New
from notifications.inbox.rules import HEARS, Audience, Hearing, Subject, Urgency


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
    await tell(events, heard)


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


async def tell(events: Sequence[Event], heard: Sequence[Heard]) -> None:
    """A notice for each of these people, once, when it is settled who hears: `key` is the event.

    Who is away is told all the same; the deputy too, who may be one of them anyway. What is new in the inbox goes on
    its way out.
    """
    by_id = {event.id: event for event in events}
    urgency = {event.id: _urgency(event) for event in events}
    subject = {event.id: _subject(event) for event in events}
    heard = audiences.once([*heard, *await standing_in.deputies(heard)])
    news = [one for one in heard if _news(one, by_id[one.key])]
    new = [New(id, one, one.key, urgency[one.key]) for id, one in zip(uuid7s(len(news)), news, strict=True)]
    if not new:
        return
    ways = await handing_over.ways(new)
    rows = await raw(
        _WRITTEN,
        [one.id for one in new],
        [one.event for one in new],
        [one.heard.person for one in new],
        [one.heard.audience for one in new],
        [one.heard.unit for one in new],
        [one.heard.role for one in new],
        [one.heard.absence for one in new],
        [ways[one.id].batched for one in new],
        [event.id for event in events],
        [event.verb for event in events],
        [subject[event.id] for event in events],
        [urgency[event.id] for event in events],
        [event.at for event in events],
    )
    await handing_over.hand_over(ways[row["id"]] for row in rows)


# What an event says of all its notices is sent once. In the order of the people: most indexes begin with them, and what
# lies side by side is written side by side.
_WRITTEN = """
    INSERT INTO notice (id, event, person, verb, subject, urgency, reason, unit, role, absence, at, batched)
    SELECT told.id, event, person, verb, subject, urgency, reason, unit, role, absence, at, batched
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::uuid[], $8::bool[])
      AS told (id, event, person, reason, unit, role, absence, batched)
    JOIN unnest($9::uuid[], $10::text[], $11::uuid[], $12::text[], $13::timestamptz[])
      AS said (id, verb, subject, urgency, at) ON said.id = told.event
    ORDER BY person, told.id
    ON CONFLICT (event, person) DO NOTHING RETURNING id
"""


def _news(one: Heard, event: Event) -> bool:
    """Who did it need not be told; who waits for an answer is, though it is given in the own name."""
    return one.person != event.actor or one.audience == Audience.asker


def _urgency(event: Event) -> Urgency:
    """That of its row; where the event names one itself, that."""
    return Urgency(event.payload.get("urgency") or HEARS[event.verb].urgency)


# What a notice is about, where it is not the subject of the event: the record whose files are missing, which may be one
# of several of an item; the item of a reminder.
SUBJECT = {Subject.files: "record", Subject.reminder: "item"}


def _subject(event: Event) -> UUID:
    named = event.payload.get(SUBJECT.get(HEARS[event.verb].about, ""))
    return UUID(named) if named else event.subject
