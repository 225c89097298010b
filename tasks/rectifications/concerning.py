"""Which household an item is about, and who in it. What a household is, and when it is cleared, is elsewhere."""

from uuid import UUID

from backend import events
from backend.db import transaction
from backend.errors import Forbidden, WrongState
from backend.households import queries as households
from backend.roles import Actor
from tasks.rectifications import queries, who
from tasks.rectifications.item import VOIDABLE
from tasks.rectifications.tables import Rectification


async def concern(rectification: UUID, actor: Actor, household: UUID | None, person: UUID | None = None) -> None:
    """Say which household the item is about, and who in it; None: about none. The same again changes nothing.

    Raises NotFound for an item or household out of sight, Forbidden, WrongState for a finished item (its household was
    counted with it), Incomplete for a household of another county and for somebody who does not live there.
    """
    async with transaction():
        found = await queries.lock(rectification, actor)
        if refusal := who.may_concern(actor, found.item):
            raise Forbidden(refusal)
        if (found.row["household"], found.row["person_concerned"]) == (household, person):
            return
        if found.item.stale:
            raise WrongState("事项已被他人办理过，请刷新后再办。", "stale", status=found.item.status)
        if found.item.status not in VOIDABLE:
            raise WrongState("事项已经办结，不能再改涉及的农户。", status=found.item.status)
        county = found.row["county"] or found.row["region"]
        await households.check_concerned(household, person, county, actor, queries.shows_household)
        await Rectification.update({Rectification.household: household, Rectification.person_concerned: person}).where(
            Rectification.id == rectification
        )
        await events.record("rectification.concerned", rectification, actor=actor, household=household, person=person)
