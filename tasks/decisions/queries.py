"""Reading what waits for a person. Where to look comes from the lists; what may be done, from the table of moves.

And how much waits for the office of an area, whoever reads it: the same things, counted.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from uuid import UUID

import msgspec

from backend import clock
from backend.db import raw, select
from backend.roles import FIELD, OFFICE, RESPONSIBLE, Actor, Role
from backend.units.region_rows import level_of
from tasks.decisions.rules import DECISIONS, OF_THE_OFFICE, asked_of
from tasks.rectifications import listing, queries, rules
from tasks.rectifications.counts import Count
from tasks.rectifications.filters import NEVER, Filter
from tasks.rectifications.item import Status, Verb
from tasks.rectifications.loading import COLUMN_OF, load
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
    dates = await _dates(actor)
    kinds = [[*dates], *await _candidates(actor, own_work=not decisions_only)]
    in_turns = (id for turn in zip_longest(*kinds) for id in turn if id)  # no kind keeps another from being looked at
    ids = list(dict.fromkeys(in_turns))
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


async def beside(area: str, of: Sequence[str]) -> Mapping[str, int]:
    """What waits for the office in these areas (the first and what lies in it) beside all that is OF_THE_OFFICE.

    Below zero where some of that waits for others first.
    """
    rows = await raw(_BESIDE.format(column=_column(area)), area, of, [*map(str, OF_THE_OFFICE)], clock.now())
    return {row["code"]: row["waiting"] for row in rows}


def _column(area: str) -> str:
    return COLUMN_OF[level_of(area)]


async def _candidates(actor: Actor, *, own_work: bool) -> list[Sequence[UUID]]:
    """Items at which something may wait for the actor, from what each role looks after; all of them in sight."""
    kinds: list[Sequence[UUID]] = []
    for status, roles in _LOOKED_AFTER.items():
        if actor.has(*roles):  # by these alone: what is seen by another role may be thousands, and others' to do
            found = await listing.page(actor.as_only(*roles), Filter(status=status), cursor=None, most=ONE_TOO_MANY)
            kinds.append([row.id for row in found.items])
    if own_work and actor.has(*RESPONSIBLE):
        kinds.append([row.id for row in (await listing.waiting_for(actor, ONE_TOO_MANY)).items])
    return [*await _open_procedures(actor), *kinds]


_LOOKED_AFTER = {
    Status.handed_in: {Role.lead_unit_reviewer},
    Status.passed: OFFICE | {Role.contract_leader},
    Status.draft: OFFICE | {Role.team_lead},
}


async def _open_procedures(actor: Actor) -> list[Sequence[UUID]]:
    """Items in which something waits for an answer of the actor's kind."""
    kinds: list[Sequence[UUID]] = []
    for area in sorted(actor.areas(*OFFICE)):
        for sql in _UNLED:
            kinds.append([row["id"] for row in await raw(sql.format(column=_column(area)), area, ONE_TOO_MANY)])
    for sql, whose, roles in (
        (_CHECKS, actor.person, FIELD | OFFICE),
        (_UNCONFIRMED, sorted(actor.units(Role.unit_principal)), {Role.unit_principal}),
        (_PARTS, sorted(actor.units(Role.lead_unit_reviewer)), {Role.lead_unit_reviewer}),
    ):
        if actor.has(*roles):
            kinds.append([row["rectification"] for row in await select(sql, whose, ONE_TOO_MANY)])
    return kinds


async def _dates(actor: Actor) -> dict[UUID, datetime | None]:
    """Items in which a small record waits for an answer of the office, and until when it should come."""
    if not actor.has(*OFFICE):
        return {}
    rows = await select(_BY_DATE, queries.visible_to(actor.as_only(*OFFICE)), ONE_TOO_MANY)
    return {row["rectification"]: row["until"] for row in rows}


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
    SELECT rectification, decide_by AS until FROM extension WHERE decided_at IS NULL
    UNION ALL SELECT rectification, rule_by FROM objection WHERE decided_at IS NULL
    UNION ALL SELECT rectification, NULL FROM voiding WHERE decided_at IS NULL
    UNION ALL SELECT publicity.rectification, NULL FROM public_objection
        JOIN publicity ON publicity.id = public_objection.publicity WHERE public_objection.decided_at IS NULL
"""
_BY_DATE = f"""
    SELECT asked.rectification, min(asked.until) AS until FROM ({_ASKED}) AS asked
    JOIN rectification ON rectification.id = asked.rectification
    WHERE {{}} GROUP BY asked.rectification ORDER BY until NULLS LAST LIMIT {{}}
"""
# Handed in where no lead unit is named: the office reviews it itself. By all of its units, or by some.
_NO_LEAD = (
    "it.status = 'handed_in' AND NOT EXISTS (SELECT FROM rectification_unit AS part WHERE part.rectification = it.id "
    "AND part.role = 'lead' AND part.item_status = 'handed_in' AND part.ended_at IS NULL)"
)
_PARTLY_NO_LEAD = (
    "it.id IN (SELECT part.rectification FROM rectification_unit AS part WHERE part.role = 'responsible' "
    "AND part.ended_at IS NULL AND part.status = 'handed_in' AND part.item_status IN ('issued', 'working')) "
    "AND NOT EXISTS (SELECT FROM rectification_unit AS part WHERE part.rectification = it.id "
    "AND part.role = 'lead' AND part.ended_at IS NULL)"
)
_AREAS = "it.province, it.prefecture, it.county, it.township, it.region"
# Materialized: with the limit inside, each item that was handed in is asked by itself whether it has a lead unit.
_UNLED = tuple(
    f"WITH unled AS MATERIALIZED (SELECT it.id, it.urgency FROM rectification AS it WHERE it.{{column}} = $1 "
    f"AND {unled}) SELECT id FROM unled ORDER BY urgency LIMIT $2"
    for unled in (_NO_LEAD, _PARTLY_NO_LEAD)
)
# While people are on their way to it, or it is shown in public, what has passed waits for nobody of the office: unless
# it wants the other of the two as well (rules.asked_of; what must be had says needs.py; a test compares them).
_OTHERS_FIRST = """
    SELECT rectification FROM site_check WHERE concluded_at IS NULL AND called_off_at IS NULL
    UNION SELECT rectification FROM publicity JOIN rectification AS shown ON shown.id = rectification
        WHERE until > $4 AND round = shown.returned + shown.reopened
"""
_ROUND = "it.returned + it.reopened"
_CHECK_WANTED = (
    "(it.severity <> 'ordinary' OR it.listed OR it.returned > 0 OR it.closing_class = 'long_term' OR it.sampled) "
    "AND NOT EXISTS (SELECT FROM site_check WHERE site_check.rectification = it.id AND result = 'passed' "
    f"AND round = {_ROUND})"
)
_CHECK_OPEN = (
    "EXISTS (SELECT FROM site_check WHERE site_check.rectification = it.id AND concluded_at IS NULL "
    "AND called_off_at IS NULL)"
)
_PUBLICITY_WANTED = (
    "(it.public OR it.closing_class = 'long_term') AND NOT EXISTS (SELECT FROM publicity "
    f"WHERE publicity.rectification = it.id AND round = {_ROUND})"
)
_BESIDE = f"""
    WITH asked AS MATERIALIZED (SELECT DISTINCT rectification FROM ({_ASKED}) AS open),
    unled AS MATERIALIZED (SELECT it.id FROM rectification AS it WHERE it.{{column}} = $1 AND {_NO_LEAD}
        UNION SELECT it.id FROM rectification AS it WHERE it.{{column}} = $1 AND {_PARTLY_NO_LEAD}),
    others AS MATERIALIZED ({_OTHERS_FIRST} EXCEPT SELECT rectification FROM asked),
    moved AS (
        SELECT 1 AS one, {_AREAS} FROM asked JOIN rectification AS it ON it.id = rectification
            WHERE it.{{column}} = $1 AND it.status <> ALL($3)
        UNION ALL SELECT 1, {_AREAS} FROM unled JOIN rectification AS it USING (id)
            WHERE id NOT IN (SELECT rectification FROM asked)
        UNION ALL SELECT -1, {_AREAS} FROM others JOIN rectification AS it ON it.id = rectification
            WHERE it.{{column}} = $1 AND it.status = 'passed'
            AND CASE WHEN {_CHECK_WANTED} THEN {_CHECK_OPEN} ELSE NOT ({_PUBLICITY_WANTED}) END
    )
    SELECT area.code, sum(one)::int AS waiting FROM moved AS it JOIN unnest($2::text[]) AS area (code)
        ON area.code IN ({_AREAS}) GROUP BY area.code
"""
