"""Handing reminders over: asked once more whether they are true, then told to whoever is there today."""

from collections.abc import Sequence

from backend import clock
from backend.db import raw
from backend.events import Event
from notifications.inbox import reactions as inbox
from notifications.reminders import people, queries
from notifications.reminders.sources import HANDING_OVER


async def tell_reminded(events: Sequence[Event]) -> None:
    """One notice per reminder and person. What is true no longer, or is nobody's, is marked as lapsed instead."""
    await raw(HANDING_OVER)
    now, today = clock.now(), clock.today()
    reminders = [event.subject for event in events]
    heard = await people.told(await queries.standing(reminders, now, today), today)
    await inbox.tell(events, heard)
    if gone := set(reminders) - {one.key for one in heard}:
        await raw("UPDATE reminder SET lapsed_at = coalesce(lapsed_at, $2) WHERE id = ANY($1::uuid[])", list(gone), now)
