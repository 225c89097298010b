"""The households a phone keeps to work from offline: as few as its person can need there, masked, without a number."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import select
from backend.households import cursors
from backend.households import queries as households
from backend.households.rules import Category, Relation
from backend.roles import FIELD, RESPONSIBLE, Actor, Role
from backend.units.queries import within
from inspections.visits import queries as visits
from tasks.rectifications.queries import shows_household, shows_household_at_work

PAGE = 100
OVERLAP_S = 60  # a correction that was committed while the copy before was read is sent once more


class KeptPerson(msgspec.Struct):
    """Somebody who lives there beside the head, masked."""

    id: UUID
    name: str
    relation: Relation


class KeptHousehold(msgspec.Struct):
    """Enough to tell one household from another at its door. `head_name` is masked; empty where it is unreadable.

    `persons`: for who files findings, which may name one of them; units get none.
    """

    id: UUID
    region: str
    village: str
    household_number: str
    category: Category
    head_name: str
    population: int
    version: int
    persons: list[KeptPerson]


class KeptHouseholds(msgspec.Struct):
    """`whole`: what the phone keeps is replaced by these pages; otherwise these are the ones that changed.

    `have` of the first page is what the phone sends next time, once it has them all.
    """

    as_of: datetime
    have: str
    whole: bool
    items: list[KeptHousehold]
    next: str | None


async def page(actor: Actor, have: str | None, cursor: str | None) -> KeptHouseholds:
    """Of an inspector the households where own visits are that are not submitted; of a unit those of its open items.

    `have` is what the phone had from its last copy: as long as it is of the same households, for who files findings or
    does not, only what was corrected since is told. Anything else in it, and another day, gives the whole again.
    """
    scope, now, files_findings = await _scope(actor), clock.now(), actor.has(*FIELD)
    found = await select("SELECT household.id FROM household WHERE {} ORDER BY household.id", scope)
    same = sha256(f"{clock.today()} {files_findings} {[row['id'].hex for row in found]}".encode()).hexdigest()[:16]
    since = _since(have, same)
    changed = QueryString("true")
    if since is not None:
        changed = QueryString(f"extract(epoch FROM greatest({_CHANGES})) >= {{}}", since - OVERLAP_S)
    rows = await select(
        f"{_ROW} WHERE {{}} AND {{}} AND {{}} ORDER BY {cursors.ORDER} LIMIT {{}}",
        scope,
        changed,
        cursors.after(cursor),
        PAGE,
    )
    living = await households.persons_of([row["id"] for row in rows]) if files_findings else {}
    shown = [
        {**households.masked_row(row), "persons": [households.masked_person(one) for one in living.get(row["id"], [])]}
        for row in rows
    ]
    items = msgspec.convert(shown, list[KeptHousehold])
    return KeptHouseholds(now, f"{same}.{int(now.timestamp())}", since is None, items, cursors.next_of(items, PAGE))


# 腰站村: the last part of the full name, which calls a committee by its village.
_ROW = (
    "SELECT household.*, replace(region.full_name, coalesce(above.full_name, ''), '') AS village FROM household "
    "JOIN region ON region.code = household.region LEFT JOIN region AS above ON above.code = region.parent"
)


# Of a household and of who lives there: a person who moved in or out is a correction of the line.
_CHANGES = (
    "household.entered_at, household.corrected_at, (SELECT max(greatest(person.added_at, person.removed_at)) "
    "FROM household_person AS person WHERE person.household = household.id)"
)


async def _scope(actor: Actor) -> QueryString:
    """Of two hats each by itself: a deputy of a unit who also inspects keeps both, and no more of either."""
    in_field, at_unit = actor.as_only(*FIELD), actor.as_only(*RESPONSIBLE, Role.lead_unit_reviewer)
    branches = [households.visible_to(at_unit, shows_household_at_work)]
    if places := await visits.regions_of_team(in_field):
        at_or_below = within("household", places)
        here = QueryString(" OR ".join("{}" for _ in at_or_below), *at_or_below)
        branches.append(QueryString("{} AND ({})", households.visible_to(in_field, shows_household), here))
    return QueryString(" OR ".join("({})" for _ in branches), *branches)


def _since(have: str | None, same: str) -> int | None:
    """When the copy before was made, if it was of the same households."""
    before, _, at = (have or "").partition(".")
    return int(at) if before == same and at.isascii() and at.isdigit() and len(at) < 12 else None
