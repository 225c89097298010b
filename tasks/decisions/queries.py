"""Reading what waits for a person. Where to look comes from the lists; what may be done, from the table of moves."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from backend.db import select
from backend.roles import FIELD, OFFICE, RESPONSIBLE, Actor, Role
from tasks.decisions.rules import DECISIONS, asked_of
from tasks.rectifications import listing, queries, rules
from tasks.rectifications.counts import Count
from tasks.rectifications.filters import NEVER, Filter
from tasks.rectifications.item import Status, Verb
from tasks.rectifications.loading import load
from tasks.rectifications.shapes import Row

MOST_LOOKED_AT = 60  # items that are asked one by one what may be done with them
ONE_TOO_MANY = MOST_LOOKED_AT + 1  # of each kind: so that it is known whether there are others


class Decision(msgspec.Struct):
    """One item that waits for the asking person, and for which moves. `decide_by`: the office's own date, if any."""

    item: Row
    verbs: list[Verb]
    decide_by: datetime | None


class Decisions(msgspec.Struct):
    """The most urgent first. `count`: how many wait in all, whatever is listed; with its `more` at least so many: no
    further ones were looked at. `more`: others wait beyond those listed, or may.
    """

    items: list[Decision]
    count: Count
    more: bool
    next: None = None


async def waiting(actor: Actor, *, decisions_only: bool, most: int) -> Decisions:
    """What waits for this person; with `decisions_only` without a unit's own work."""
    dates = await _open_procedures(actor)
    ids = list(dict.fromkeys([*dates, *await _candidates(actor, own_work=not decisions_only)]))
    seen = msgspec.convert(await queries.rows(ids[:MOST_LOOKED_AT], actor), list[Row]) if ids else []
    found: list[Decision] = []
    for row in seen:
        loaded = await load(row.id)
        verbs = asked_of(actor, loaded.item, rules.open_moves(loaded.item, actor, loaded.facts))
        if decisions_only:
            verbs = [verb for verb in verbs if verb in DECISIONS]
        if verbs:
            found.append(Decision(row, verbs, dates.get(row.id)))
    found.sort(key=_urgency)
    beyond = len(ids) > MOST_LOOKED_AT
    return Decisions(found[:most], Count(len(found), beyond), len(found) > most or beyond)


def _urgency(it: Decision) -> tuple[datetime, UUID]:
    return min(it.decide_by or NEVER, it.item.due_at or NEVER), it.item.id


async def _candidates(actor: Actor, *, own_work: bool) -> Sequence[UUID]:
    """Items at which something may wait for the actor, from what each role looks after; all of them in sight."""
    statuses = [Status.handed_in] if actor.has(Role.lead_unit_reviewer, *OFFICE) else []
    statuses += [Status.passed] if actor.has(*OFFICE, Role.contract_leader) else []
    statuses += [Status.draft] if actor.has(*OFFICE, Role.team_lead) else []
    ids: list[UUID] = []
    for status in statuses:
        found = await listing.page(actor, Filter(status=status), cursor=None, most=ONE_TOO_MANY)
        ids += [row.id for row in found.items]
    if own_work and actor.has(*RESPONSIBLE):
        ids += [row.id for row in (await listing.waiting_for(actor, ONE_TOO_MANY)).items]
    return ids


_PARTS = (
    "SELECT mine.rectification FROM rectification_unit AS mine WHERE mine.unit = ANY({}::uuid[]) "
    "AND mine.role = 'lead' AND mine.ended_at IS NULL AND mine.item_status IN ('issued', 'working') "
    "AND EXISTS (SELECT FROM rectification_unit AS part WHERE part.rectification = mine.rectification "
    "AND part.role = 'responsible' AND part.ended_at IS NULL AND part.status = 'handed_in') LIMIT {}"
)
# The latest hand-in of the part, its own or that of a unit that was merged into it, which nobody has answered.
_UNCONFIRMED = (
    "SELECT DISTINCT part.rectification FROM rectification_unit AS part WHERE part.unit = ANY({}::uuid[]) "
    "AND part.role = 'responsible' AND part.ended_at IS NULL AND part.status IN ('handed_in', 'passed') "
    "AND part.item_status IN ('issued', 'working', 'handed_in', 'passed') "
    "AND (SELECT hand_in.principal_at FROM hand_in WHERE hand_in.rectification = part.rectification "
    "AND hand_in.unit IN (SELECT own.unit FROM rectification_unit AS own WHERE own.rectification = part.rectification "
    "AND part.unit IN (own.unit, own.taken_over_by)) ORDER BY hand_in.at DESC, hand_in.id DESC LIMIT 1) IS NULL "
    "LIMIT {}"
)
_CHECKS = (
    "SELECT DISTINCT rectification FROM site_check JOIN site_checker ON site_checker.site_check = site_check.id "
    "WHERE person = {} AND concluded_at IS NULL AND called_off_at IS NULL LIMIT {}"
)
_ASKED = """
    SELECT asked.rectification, min(asked.until) AS until FROM (
        SELECT rectification, decide_by AS until FROM extension WHERE decided_at IS NULL
        UNION ALL SELECT rectification, rule_by FROM objection WHERE decided_at IS NULL
        UNION ALL SELECT rectification, NULL FROM voiding WHERE decided_at IS NULL
        UNION ALL SELECT publicity.rectification, NULL FROM public_objection
            JOIN publicity ON publicity.id = public_objection.publicity WHERE public_objection.decided_at IS NULL
    ) AS asked JOIN rectification ON rectification.id = asked.rectification
    WHERE {} GROUP BY asked.rectification ORDER BY until NULLS LAST LIMIT {}
"""


async def _open_procedures(actor: Actor) -> dict[UUID, datetime | None]:
    """Items in which a small record waits for an answer of the actor's kind, and until when it should come."""
    found: dict[UUID, datetime | None] = {}
    if actor.has(*OFFICE):
        rows = await select(_ASKED, queries.visible_to(actor), ONE_TOO_MANY)
        found |= {row["rectification"]: row["until"] for row in rows}
    for sql, whose, roles in (
        (_CHECKS, actor.person, FIELD | OFFICE),
        (_UNCONFIRMED, sorted(actor.units(Role.unit_principal)), {Role.unit_principal}),
        (_PARTS, sorted(actor.units(Role.lead_unit_reviewer)), {Role.lead_unit_reviewer}),
    ):
        if actor.has(*roles):
            for row in await select(sql, whose, ONE_TOO_MANY):
                found.setdefault(row["rectification"], None)
    return found
