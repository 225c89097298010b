"""One document for a phone to work from offline: visits, what is on them, open items, topics, unread."""

from datetime import date, datetime

import msgspec

from backend import clock, time_tokens
from backend.roles import Actor
from backend.time_tokens import ServerTime
from inspections.checklists import queries as checklists
from inspections.checklists.queries import VisitChecklistShape
from inspections.findings import queries as findings
from inspections.findings.queries import FindingShape, TopicShape
from inspections.visits import queries as visits
from inspections.visits.queries import VisitShape
from notifications.inbox import queries as inbox
from tasks.rectifications import listing
from tasks.rectifications.queries import shows_household

MOST_ITEMS = 200


class Assignment(msgspec.Struct):
    """A visit of the person's team with what is filed on it so far, and the checklists it answers."""

    visit: VisitShape
    findings: list[FindingShape]
    checklists: list[VisitChecklistShape]


class Today(msgspec.Struct):
    """`as_of` is server time: the phone shows how old its copy is. `time` goes into what it captures from now on.

    After `keep_until`, the end of the sign-in, a phone that heard nothing more from us shows its copy no longer.
    """

    as_of: datetime
    keep_until: datetime
    today: date
    person: str
    assignments: list[Assignment]
    rectifications: listing.Waiting
    unread: int
    topics: list[TopicShape]
    time: ServerTime


async def today(actor: Actor, keep_until: datetime) -> Today:
    """Nothing here that the person could not also fetch piece by piece; nothing sealed."""
    own = await visits.of_team(actor)
    ids = [visit.id for visit in own]
    filed = await findings.of_visits(ids, actor, shows_household)
    asked = await checklists.of_visits(ids)
    return Today(
        clock.now(),
        keep_until,
        clock.today(),
        actor.name,
        [Assignment(visit, filed[visit.id], asked[visit.id]) for visit in own],
        await listing.waiting_for(actor, MOST_ITEMS),
        (await inbox.unread(actor)).unread,
        await findings.topics(),
        time_tokens.issue(actor, clock.now()),
    )
