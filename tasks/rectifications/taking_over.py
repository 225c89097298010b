"""承接: the part of a unit that was merged into another goes over to that one, as it is. When: jobs.hand_over_parts."""

from uuid import UUID

from backend import clock, events
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.roles import Actor
from tasks.rectifications import queries, rules
from tasks.rectifications.item import Verb
from tasks.rectifications.words import UnitRole


async def take_over(rectification: UUID, actor: Actor, *, unit: UUID, heir: UUID) -> bool:
    """The heir has the part from now on; the former unit stays in the history. False when it was done before.

    Status and clocks stay: what was signed, reported, planned or asked for is the heir's matter without being said
    again (loading.py). An item in which both have a part keeps one part, the less advanced.
    """
    async with transaction():
        found = await queries.lock(rectification, actor)
        it = found.item
        if not it.of(*UnitRole) & {unit}:
            return False
        move = rules.plan(Verb.take_over, it, actor, found.facts)
        role, status = rules.inherited(it, unit, heir)
        await raw(
            "UPDATE rectification_unit SET ended_at = coalesce(ended_at, $4), taken_over_by = $3 "
            "WHERE rectification = $1 AND (unit = $2 OR taken_over_by = $2)",
            rectification, unit, heir, clock.now(),
        )  # fmt: skip
        await raw(_JOIN, uuid7(), rectification, heir, role.value, status and status.value, unit)
        was = next(one for one in UnitRole if unit in it.of(one))
        told = {"unit": unit, "to_unit": heir, "role": was, "now": role, "beside": heir in it.parts}
        await events.record(move.event, rectification, actor=actor, **told)
        return True


# Where both have a part the later of two clocks is the heir's: nobody loses time by a merger.
_JOIN = """
INSERT INTO rectification_unit AS own (id, rectification, unit, role, status, asked_on, accept_by, object_until)
SELECT $1, $2, $3, $4, $5, asked_on, accept_by, object_until FROM rectification_unit
WHERE rectification = $2 AND unit = $6
ON CONFLICT (rectification, unit) DO UPDATE SET ended_at = NULL, role = excluded.role, status = excluded.status,
    asked_on = CASE WHEN own.ended_at IS NULL THEN greatest(own.asked_on, excluded.asked_on)
                    ELSE excluded.asked_on END,
    accept_by = CASE WHEN own.ended_at IS NULL THEN greatest(own.accept_by, excluded.accept_by)
                     ELSE excluded.accept_by END,
    object_until = CASE WHEN own.ended_at IS NULL THEN greatest(own.object_until, excluded.object_until)
                        ELSE excluded.object_until END
"""
