"""One document for a phone to work from offline: visits, findings on them, open items, topics, unread."""

from datetime import date, datetime, timedelta

import msgspec

from backend import clock
from backend.roles import RESPONSIBLE, Actor
from inspections.findings import queries as findings
from inspections.findings.queries import FindingShape, TopicShape
from inspections.visits import queries as visits
from inspections.visits.queries import VisitShape
from notifications.inbox import queries as inbox
from tasks.rectifications import queries as rectifications
from tasks.rectifications import shapes
from tasks.rectifications.rules import WAITING_FOR_UNIT

MOST_ITEMS = 200
SOON = timedelta(days=7)


class Assignment(msgspec.Struct):
    """A visit of the person's team with what is filed on it so far."""

    visit: VisitShape
    findings: list[FindingShape]


class Mine(msgspec.Struct):
    """Items the person's units must work on, the most urgent first."""

    overdue: int
    due_soon: int
    items: list[shapes.Row]


class Today(msgspec.Struct):
    """`as_of` is server time: the phone shows how old its copy is."""

    as_of: datetime
    today: date
    person: str
    assignments: list[Assignment]
    rectifications: Mine
    unread: int
    topics: list[TopicShape]


async def today(actor: Actor) -> Today:
    """Nothing here that the person could not also fetch piece by piece; nothing sealed."""
    assignments = [
        Assignment(visit, await findings.of_visit(visit.id, actor))
        for visit in (await visits.of_team(actor.person) if actor.person else [])
    ]
    return Today(
        clock.now(),
        clock.today(),
        actor.name,
        assignments,
        await _mine(actor),
        await inbox.unread(actor),
        await findings.topics(),
    )


async def _mine(actor: Actor) -> Mine:
    rows = await rectifications.rows(
        "WHERE rectification.status = ANY({}) AND rectification.id IN (SELECT rectification "
        "FROM rectification_unit WHERE unit = ANY({}) AND role <> 'lead') "
        "ORDER BY rectification.due_at, rectification.id LIMIT {}",
        [status.value for status in WAITING_FOR_UNIT],
        list(actor.units(*RESPONSIBLE)),
        MOST_ITEMS,
    )
    items = msgspec.convert(rows, list[shapes.Row])
    soon = clock.now() + SOON
    return Mine(
        sum(item.overdue for item in items),
        sum(not item.overdue and item.due_at is not None and item.due_at <= soon for item in items),
        items,
    )
