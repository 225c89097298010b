"""Tells people what happened: one notice per event and person, however often the event is handled."""

from uuid import UUID

from backend.columns import uuid7
from backend.db import raw
from backend.events import Event
from backend.feedback import queries as feedback
from notifications.inbox import queries
from notifications.inbox.rules import HEARS, Audience, Urgency
from tasks.batches import queries as batches
from tasks.rectifications import queries as rectifications


async def tell_people(event: Event) -> None:
    """Everyone of the event's audience but the one who did it; of the units, those whose part it is about."""
    hearing = HEARS[event.verb]
    it = await rectifications.parties(event.subject)
    why: dict[UUID, Audience] = {}
    about = queries.about(event.payload)
    for audience in hearing.audience:
        for person in await queries.people(audience, it, about):
            why.setdefault(person, audience)
    if event.actor:
        why.pop(event.actor, None)
    if not why:
        return
    await raw(
        "INSERT INTO notice (id, event, person, verb, subject, urgency, reason, at) "
        "SELECT id, $3, person, $4, $5, $6, reason, $7 "
        "FROM unnest($1::uuid[], $2::uuid[], $8::text[]) AS told (id, person, reason) "
        "ON CONFLICT (event, person) DO NOTHING",
        [uuid7() for _ in why],
        list(why),
        event.id,
        event.verb,
        event.subject,
        hearing.urgency.value,
        event.at,
        [audience.value for audience in why.values()],
    )


async def tell_sender(event: Event) -> None:
    """Who has to send the files of a record, under the record: it may be one of several of an item."""
    await raw(
        "INSERT INTO notice (id, event, person, verb, subject, urgency, reason, at) "
        "SELECT $1, $2, person.id, $4, $5, $6, $7, $8 FROM person WHERE person.id = $3 AND disabled_at IS NULL "
        "ON CONFLICT (event, person) DO NOTHING",
        uuid7(),
        event.id,
        UUID(event.payload["sender"]),
        event.verb,
        UUID(event.payload["record"]),
        Urgency.normal.value,
        Audience.sender.value,
        event.at,
    )


async def tell_asker(event: Event) -> None:
    """Who asked for a batch, unless the answer said it all."""
    if event.payload.get("waited_for"):
        return
    await raw(
        "INSERT INTO notice (id, event, person, verb, subject, urgency, reason, at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (event, person) DO NOTHING",
        uuid7(),
        event.id,
        await batches.asker_of(event.subject),
        event.verb,
        event.subject,
        Urgency.normal.value,
        Audience.asker.value,
        event.at,
    )


async def tell_giver(event: Event) -> None:
    """Who gave the feedback that was answered or closed."""
    await _tell(event, {UUID(event.payload["giver"])}, Audience.asker)


async def tell_office(event: Event) -> None:
    """The offices that may answer feedback; its giver is not told of it."""
    told = await queries.office_of(await feedback.places(event.subject))
    await _tell(event, told - {event.actor}, Audience.office)


async def _tell(event: Event, people: set[UUID], audience: Audience) -> None:
    """Of something that is no rectification. Closed accounts are not told."""
    await raw(
        "INSERT INTO notice (id, event, person, verb, subject, urgency, reason, at) "
        "SELECT told.id, $3, person.id, $4, $5, $6, $7, $8 FROM unnest($1::uuid[], $2::uuid[]) AS told (id, person) "
        "JOIN person ON person.id = told.person WHERE disabled_at IS NULL ON CONFLICT (event, person) DO NOTHING",
        [uuid7() for _ in people],
        list(people),
        event.id,
        event.verb,
        event.subject,
        Urgency.normal.value,
        audience.value,
        event.at,
    )
