"""Being let take an original: for ever the record that it was taken, by whom and why."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from backend import clock, events, once
from backend.db import transaction
from backend.evidence.queries import Reader
from backend.originals import queries, rules
from backend.originals.tables import OriginalAccess
from backend.roles import Actor


async def ask(evidence: UUID, actor: Actor, readers: Sequence[Reader], *, id: UUID, reason: str) -> datetime:
    """Opens the original to this person for a while; returns until when. The same again within that time is the same.

    Raises NotFound, Forbidden, WrongState (no bytes yet), Incomplete (reason), Conflict when this access is over.
    """
    content = {"evidence": evidence, "by": actor.person, "reason": reason}
    async with transaction():
        await queries.to_take(evidence, actor, readers)
        await once.one_at_a_time(id)
        now = clock.now()
        if earlier := await once.earlier(OriginalAccess, id, **content):
            rules.check_lasts(earlier.at, now)
            return earlier.at + rules.LASTS
        rules.check_reason(reason)
        await OriginalAccess(id=id, at=now, **content).save()
        await events.record("evidence.original_taken", evidence, actor=actor, access=id, reason=reason)
        return now + rules.LASTS
