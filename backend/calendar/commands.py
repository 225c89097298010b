"""Settling a day: the office knows a holiday notice before any library does."""

from datetime import date
from uuid import NAMESPACE_OID, uuid5

from backend import clock, events
from backend.calendar import rules
from backend.db import raw, transaction
from backend.errors import Forbidden
from backend.roles import Actor


async def settle(actor: Actor, day: date, *, working: bool, source: str) -> None:
    """Say that a day is or is not a working day, and on which paper's authority. The last word counts.

    Said again, it changes nothing and is no event. Deadlines that were counted in working days follow
    (tasks/rectifications/jobs.py). Raises Forbidden.
    """
    if refusal := rules.may_settle(actor):
        raise Forbidden(refusal)
    async with transaction():
        changed = await raw(
            "INSERT INTO day_override (day, working, source, set_at) VALUES ($1, $2, $3, $4) ON CONFLICT (day) "
            "DO UPDATE SET working = excluded.working, source = excluded.source, set_at = excluded.set_at "
            "WHERE (day_override.working, day_override.source) <> (excluded.working, excluded.source) RETURNING day",
            day,
            working,
            source,
            clock.now(),
        )
        if changed:
            facts = {"day": day, "working": working, "source": source}
            await events.record("calendar.settled", uuid5(NAMESPACE_OID, day.isoformat()), actor=actor, **facts)
