"""Reading feeds: one's own addresses, and for an address whose it is and what stands in that calendar."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from backend import clock, protected, settings
from backend.db import raw
from backend.errors import Forbidden, NotFound
from backend.people import queries as people
from backend.roles import RESPONSIBLE, Actor, Role
from notifications.feeds.rules import Day, Entry
from tasks.decisions import queries as decisions
from tasks.monthly import queries as monthly
from tasks.rectifications import listing
from tasks.rectifications.shapes import Row

MOST = 200  # items of a person's units, the most urgent
FOLDER = "/calendar"
INSTANT = timedelta(microseconds=1)  # a term ends with its last day, at the midnight after it


class FeedShape(msgspec.Struct):
    """`path` is the address on this server. Whoever has it reads the calendar until it is revoked."""

    id: UUID
    path: str
    made_at: datetime
    read_at: datetime | None


class FeedList(msgspec.Struct):
    items: list[FeedShape]
    next: None = None


async def own(actor: Actor) -> FeedList:
    """Those that were not revoked, newest first."""
    rows = await raw(
        "SELECT * FROM calendar_feed WHERE person = $1 AND revoked_at IS NULL ORDER BY made_at DESC, id DESC",
        actor.person,
    )
    return FeedList([shape(row) for row in rows])


async def one(feed: UUID, actor: Actor) -> FeedShape:
    """Raises NotFound for anybody else's."""
    rows = await raw("SELECT * FROM calendar_feed WHERE id = $1 AND person = $2", feed, actor.person)
    if not rows:
        raise NotFound()
    return shape(rows[0])


def shape(row: Any) -> FeedShape:
    secret = protected.decrypt(row["secret"], "calendar_feed.secret", row["id"])
    return FeedShape(row["id"], f"{FOLDER}/{secret}.ics", row["made_at"], row["read_at"])


async def find(secret: str) -> tuple[UUID, Actor]:
    """The feed and its person as they are now. Raises NotFound for what was revoked, never was, or may not read any
    more: which of them is not told."""
    rows = await raw(
        "SELECT id, person FROM calendar_feed WHERE secret_index = ANY($1::text[]) AND revoked_at IS NULL",
        protected.indexes(secret, "secret"),
    )
    if not rows:
        raise NotFound()
    try:
        enforced = settings.load().totp == settings.ENFORCED
        return rows[0]["id"], await people.acting(rows[0]["person"], clock.now(), totp_enforced=enforced)
    except Forbidden as closed:
        raise NotFound() from closed


async def days(actor: Actor) -> list[Day]:
    """What is due of this person's units, waits for them, or is owed by their department: in the order of the days."""
    due = await listing.waiting_for(actor, MOST)
    known = {row.id for row in due.items}
    found = [_of_item(Entry.due, row, row.due_at) for row in due.items]
    for it in (await decisions.waiting(actor, decisions_only=True, most=MOST)).items:
        if it.item.id not in known:
            found.append(_of_item(Entry.decide, it.item, it.decide_by or it.item.due_at, own=bool(it.decide_by)))
    return sorted([*filter(None, found), *await _months(actor)], key=lambda day: (day.on, day.key))


def _of_item(entry: Entry, row: Row, until: datetime | None, *, own: bool = True) -> Day | None:
    """None for what has no date. `own`: the date is that of what is asked for, not of the item around it."""
    if until is None or row.issued_at is None:
        return None
    on = row.due_on if until == row.due_at and row.due_on else clock.local(until - INSTANT).date()
    return Day(
        key=f"{entry}-{row.id}",
        entry=entry,
        on=on,
        until=on if own else None,
        what=f"{row.number or ''} {row.topic_name}".strip(),
        where=row.region_name,
        since=row.issued_at,
        path=f"/phone/#/items/{row.id}",
        late=until <= clock.now(),
        certainty=row.due_certainty if entry == Entry.due else None,
    )


async def _months(actor: Actor) -> Iterable[Day]:
    """Of the months that run: the working day that reminders aim at, where a record is missing still."""
    mine = actor.units(Role.lead_unit_reviewer, *RESPONSIBLE)
    found: list[Day] = []
    for period in await monthly.periods_open(clock.now()) if mine else ():
        owed = [cell for cell in await monthly.missing(period.id, clock.now()) if cell.unit in mine]
        if owed:
            found.append(
                Day(
                    key=f"{Entry.month}-{period.id}",
                    entry=Entry.month,
                    on=period.target_on,
                    until=period.last_on,
                    what=str(len(owed)),
                    where="、".join(cell.region_name for cell in owed),
                    since=period.starts_at,
                    path=f"/phone/#/months/{period.month}",
                    certainty=period.target_certainty,
                )
            )
    return found
