"""Reading households: who sees which, the locked row for commands, masked and full shapes. Lists are above."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import masks, protected
from backend.db import select
from backend.errors import Incomplete, NotFound, Unreadable
from backend.households import rules, shapes
from backend.roles import FIELD, READS_AREA, RESPONSIBLE, Actor, Role
from backend.units.queries import AREA_COLUMNS, within

# Which households an actor sees through something that concerns them: the concepts above know (see backend/app.py).
Shown = Callable[[Actor], QueryString]

ID_NUMBER = "id_number"  # what the index beside an ID number is for, of heads and of others alike


@dataclass(frozen=True, slots=True)
class Locked:
    """A household fetched for a command: its row as stored, and the codes of the village and everything above it."""

    row: dict[str, Any]
    area: frozenset[str]

    def plain(self, column: str) -> str | None:
        """A protected value, read. Raises Unreadable."""
        return opened("household", column, self.row)


def nothing(actor: Actor) -> QueryString:
    return QueryString("false")


def visible_to(actor: Actor, shown: Shown = nothing) -> QueryString:
    """Offices, leaders and inspectors see their area; units and teams what `shown` says, such as their own items'."""
    if actor.has(Role.system):
        return QueryString("true")
    branches = within("household", actor.areas(*READS_AREA, *FIELD))
    if actor.has(*RESPONSIBLE, Role.lead_unit_reviewer, *FIELD):
        branches.append(shown(actor))
    if not branches:
        return QueryString("false")
    return QueryString("(" + " OR ".join("({})" for _ in branches) + ")", *branches)


async def seen(household: UUID, actor: Actor, shown: Shown = nothing) -> frozenset[str]:
    """The codes of the household's village and everything above. Raises NotFound outside the actor's sight."""
    rows = await select("SELECT * FROM household WHERE id = {} AND {}", household, visible_to(actor, shown))
    if not rows:
        raise NotFound()
    return area_of(rows[0])


async def in_sight(households: Sequence[UUID], actor: Actor, shown: Shown = nothing) -> set[UUID]:
    """Those of these households that the actor sees."""
    sight = visible_to(actor, shown)
    rows = await select("SELECT id FROM household WHERE id = ANY({}) AND {}", list(households), sight)
    return {row["id"] for row in rows}


async def check_concerned(household: UUID | None, person: UUID | None, county: str, actor: Actor, shown: Shown) -> None:
    """Asked of a record of this county (or larger place) before it names a household, and somebody of it.

    Raises NotFound for a household out of sight, Incomplete for one of another county, where an office that knows
    nothing of the record would have it in its ledger, and for somebody who does not live there.
    """
    area = await seen(household, actor, shown) if household else None
    living = {one["id"] for one in await persons(household)} if household and person else set()
    if person and person not in living:
        raise Incomplete("这个人不在这一户里。", "not_of_the_household", field="person")
    if area is not None and county not in area:
        raise Incomplete("所选农户不在问题所在的县区内。", "household_elsewhere", field="household")


async def lock(household: UUID, actor: Actor, shown: Shown = nothing) -> Locked:
    """The row, locked for the running transaction. Raises NotFound outside the actor's sight.

    The lock comes first and alone: what is read by a statement that had to wait may be older than the wait.
    """
    sight = visible_to(actor, shown)
    await select("SELECT 1 FROM household WHERE id = {} AND {} FOR NO KEY UPDATE", household, sight)
    rows = await select("SELECT * FROM household WHERE id = {} AND {}", household, sight)
    if not rows:
        raise NotFound()
    return Locked(rows[0], area_of(rows[0]))


async def masked(household: UUID, actor: Actor, shown: Shown = nothing) -> shapes.Household:
    """One household for a screen. Raises NotFound outside the actor's sight."""
    rows = await select(f"{ROW} WHERE household.id = {{}} AND {{}}", household, visible_to(actor, shown))
    if not rows:
        raise NotFound()
    row = rows[0]
    counted = await select("SELECT count(*) AS n FROM household_view WHERE household = {}", household)
    return msgspec.convert(
        {
            **masked_row(row),
            "persons": [masked_person(one) for one in await persons(household)],
            "views": counted[0]["n"],
            "moves": rules.open_verbs(actor, area_of(row)),
        },
        shapes.Household,
    )


async def found_by_id_number(number: str, actor: Actor, shown: Shown) -> list[shapes.HouseholdRow]:
    """Households in sight where the head or somebody living there has this ID number; no other value is read for it.

    Raises BadRequest for a number with a wrong check sign.
    """
    wanted = protected.indexes(rules.checked_id_number(number) or "", ID_NUMBER)
    rows = await select(
        f"{ROW} WHERE {{}} AND (household.id_number_index = ANY({{}}) OR household.id IN (SELECT household "
        "FROM household_person WHERE id_number_index = ANY({}) AND removed_at IS NULL)) "
        "ORDER BY household.region, household.id LIMIT 100",
        visible_to(actor, shown),
        wanted,
        wanted,
    )
    return msgspec.convert([masked_row(row) for row in rows], list[shapes.HouseholdRow])


async def full(household: UUID) -> shapes.FullHousehold:
    """The values themselves: only for commands.view, which records it first. Raises Unreadable."""
    row = (await select("SELECT * FROM household WHERE id = {}", household))[0]
    return shapes.FullHousehold(
        id=household,
        household_number=row["household_number"],
        version=row["version"],
        head_name=opened("household", "head_name", row) or "",
        id_number=opened("household", "id_number", row),
        phone=opened("household", "phone", row),
        persons=[
            shapes.FullPerson(
                one["id"],
                opened("household_person", "name", one) or "",
                opened("household_person", "id_number", one),
                rules.Relation(one["relation"]),
            )
            for one in await persons(household)
        ],
    )


async def persons(household: UUID) -> Sequence[dict[str, Any]]:
    """Who lives there beside the head, as stored."""
    return (await persons_of([household]))[household]


async def persons_of(households: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    found: dict[UUID, list[dict[str, Any]]] = {household: [] for household in households}
    for row in await select(
        "SELECT * FROM household_person WHERE household = ANY({}) AND removed_at IS NULL ORDER BY added_at, id",
        list(households),
    ):
        found[row["household"]].append(row)
    return found


def opened(table: str, column: str, row: dict[str, Any]) -> str | None:
    """A protected value of a row. Raises Unreadable."""
    return None if row[column] is None else protected.decrypt(row[column], f"{table}.{column}", row["id"])


def masked_row(row: dict[str, Any]) -> dict[str, Any]:
    """What a HouseholdRow is made of. A damaged value hides itself and no other row of the list."""
    return {**row, **_masked("household", row, MASKS)}


def area_of(row: dict[str, Any]) -> frozenset[str]:
    return frozenset(row[column] for column in AREA_COLUMNS.values() if row[column])


MASKS = {"head_name": masks.name, "id_number": masks.id_number, "phone": masks.phone}
ROW = "SELECT household.*, region.full_name AS region_name FROM household JOIN region ON region.code = household.region"


def masked_person(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **_masked("household_person", row, {"name": masks.name, "id_number": masks.id_number})}


def _masked(table: str, row: dict[str, Any], columns: dict[str, Callable[[str], str]]) -> dict[str, Any]:
    shown: dict[str, Any] = {"readable": True}
    for column, mask in columns.items():
        try:
            text = opened(table, column, row)
            shown[column] = None if text is None else mask(text)
        except Unreadable:
            shown |= {column: "", "readable": False}
    return shown
