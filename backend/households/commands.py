"""What happens to a household of the ledger: entered, corrected, people added and removed, read in full.

No event says a personal value: only which fields, whose id, and why somebody read them.
"""

from typing import Any
from uuid import UUID

import msgspec

from backend import clock, events, once, protected
from backend.db import raw, transaction
from backend.errors import Conflict, Forbidden, Incomplete, NotFound, Unreadable
from backend.households import queries, rules, shapes
from backend.households.queries import ID_NUMBER, Locked, Shown
from backend.households.rules import Category, Relation, ViewReason
from backend.households.tables import Household, HouseholdPerson, HouseholdView
from backend.roles import Actor
from backend.units import queries as units
from backend.units.queries import AREA_COLUMNS
from backend.units.region_rows import Level

PROTECTED = frozenset({"head_name", "id_number", "phone"})


async def enter(
    actor: Actor,
    *,
    id: UUID,
    region: str,
    household_number: str,
    category: Category,
    head_name: str,
    id_number: str | None,
    phone: str | None,
    population: int,
) -> None:
    """A household of the ledger that exists. The same again changes nothing.

    Raises Forbidden outside the actor's area, Incomplete for a place that is no village, BadRequest for a wrong
    number, Conflict when a household of the county has this ID number.
    """
    said = {"household_number": household_number, "category": category.value, "population": population}
    secret = {"head_name": head_name.strip(), "id_number": rules.checked_id_number(id_number), "phone": phone}
    rules.check_household_number(household_number)
    request = {**said, **secret, "region": region, "by": actor.person}
    async with transaction():
        place = await _place(region, actor)
        await once.one_at_a_time(id)
        if await _came_before(Household, id, request):
            return
        await _check_id_number_free(id, _indexes(secret["id_number"]), place)
        columns = {**said, **place, **_sealed(id, secret), "entered_as": _known_again(request)}
        who = {"entered_by": actor.person, "entered_at": clock.now()}
        await Household(id=id, region=region, **columns, **who, version=1).save()
        await events.record("household.entered", id, actor=actor, region=region)


async def correct(household: UUID, actor: Actor, shown: Shown, *, version: int, changes: dict[str, Any]) -> None:
    """更正: what `changes` names gets its new value. The same again changes nothing.

    Raises NotFound, Forbidden, Conflict (`stale`) when it was made from another version than the current one, and
    what enter() raises.
    """
    wanted = _checked(changes)
    async with transaction():
        found = await queries.lock(household, actor, shown)
        _check_may_keep(actor, found)
        changed = {name: value for name, value in wanted.items() if not _holds(found, name, value)}
        if not changed and found.row["version"] in (version, version + 1):
            return
        rules.check_version(version, found.row["version"])
        place = await _place(changed["region"], actor) if "region" in changed else {}
        if changed.keys() & {"region", ID_NUMBER}:
            known = [found.row["id_number_index"]] if found.row["id_number_index"] else []
            numbers = _indexes(changed[ID_NUMBER]) if ID_NUMBER in changed else known
            await _check_id_number_free(household, numbers, {**found.row, **place})
        secret = {name: value for name, value in changed.items() if name in PROTECTED}
        said = {name: value for name, value in changed.items() if name not in PROTECTED}
        columns: dict[Any, Any] = {**said, **place, **_sealed(household, secret)}
        columns |= {"version": version + 1, "corrected_at": clock.now()}
        await Household.update(columns).where(Household.id == household)
        told = {"fields": sorted(changed), "version": version + 1}
        await events.record("household.corrected", household, actor=actor, **told)


async def add_person(
    household: UUID,
    actor: Actor,
    shown: Shown,
    *,
    id: UUID,
    name: str,
    relation: Relation,
    id_number: str | None,
) -> None:
    """Somebody who lives there beside the head. Raises NotFound, Forbidden, BadRequest, Conflict."""
    said = {"household": household, "relation": relation.value}
    secret = {"name": name.strip(), "id_number": rules.checked_id_number(id_number)}
    request = {**said, **secret, "by": actor.person}
    async with transaction():
        found = await queries.lock(household, actor, shown)
        _check_may_keep(actor, found)
        await once.one_at_a_time(id)
        if await _came_before(HouseholdPerson, id, request):
            return
        await _check_new_here(found, _indexes(secret["id_number"]))
        columns = {**said, **_sealed(id, secret, "household_person"), "entered_as": _known_again(request)}
        await HouseholdPerson(id=id, **columns, added_by=actor.person, added_at=clock.now()).save()
        await events.record("household.person_added", household, actor=actor, person=id)


async def remove_person(household: UUID, person: UUID, actor: Actor, shown: Shown) -> None:
    """They live there no more; the row stays. The same again changes nothing. Raises NotFound, Forbidden."""
    async with transaction():
        found = await queries.lock(household, actor, shown)
        _check_may_keep(actor, found)
        row = await HouseholdPerson.objects().get(
            (HouseholdPerson.id == person) & (HouseholdPerson.household == household)
        )
        if row is None:
            raise NotFound()
        if row.removed_at is not None:
            return
        gone = {HouseholdPerson.removed_at: clock.now(), HouseholdPerson.removed_by: actor.person}
        await HouseholdPerson.update(gone).where(HouseholdPerson.id == person)
        await events.record("household.person_removed", household, actor=actor, person=person)


async def view(
    household: UUID, actor: Actor, shown: Shown, *, id: UUID, reason_code: ViewReason, reason: str
) -> shapes.FullHousehold:
    """查看完整信息: the values, and for ever the record that they were read, by whom and why.

    Raises NotFound, Forbidden, Incomplete (reason), Conflict when this reading is over, Unreadable.
    """
    content = {"household": household, "by": actor.person, "reason_code": reason_code.value, "reason": reason}
    async with transaction():
        area = await queries.seen(household, actor, shown)
        if refusal := rules.may_view(actor, area):
            raise Forbidden(refusal)
        await once.one_at_a_time(id)
        values = await queries.full(household)
        if earlier := await once.earlier(HouseholdView, id, **content):
            rules.check_view_lasts(earlier.at, clock.now())
            return values
        rules.check_reason(reason, [values.head_name, *(person.name for person in values.persons)])
        await HouseholdView(id=id, at=clock.now(), **content).save()
        await events.record("household.viewed", household, actor=actor, view=id, reason_code=reason_code, reason=reason)
        return values


async def _place(region: str, actor: Actor) -> dict[str, str | None]:
    """The columns of the levels above a village. Raises Forbidden before Incomplete, as for visits."""
    codes = await units.ancestors(region)
    if refusal := rules.may_keep(actor, frozenset(codes.values())):
        raise Forbidden(refusal)
    if codes.get(Level.village) != region:
        said = "请选到村（社区）。" if codes else "没有这个区划代码。"
        raise Incomplete(said, "not_a_village" if codes else "unknown_region", field="region")
    return {name: codes.get(level) for level, name in AREA_COLUMNS.items() if level != Level.village}


def _check_may_keep(actor: Actor, found: Locked) -> None:
    if refusal := rules.may_keep(actor, found.area):
        raise Forbidden(refusal)


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    """The values as they are kept. Raises BadRequest."""
    if "household_number" in changes:
        rules.check_household_number(changes["household_number"])
    kept = {"head_name": str.strip, ID_NUMBER: rules.checked_id_number}
    return {name: kept[name](value) if name in kept else value for name, value in changes.items()}


def _holds(found: Locked, name: str, value: Any) -> bool:
    """Whether the field has this value already. A damaged one has none, and may be written anew."""
    try:
        return (found.plain(name) if name in PROTECTED else found.row[name]) == value
    except Unreadable:
        return False


def _sealed(row: UUID, values: dict[str, Any], table: str = "household") -> dict[str, str | None]:
    """The columns as they are stored, with the index beside an ID number."""
    sealed = {
        name: None if value is None else protected.encrypt(value, f"{table}.{name}", row)
        for name, value in values.items()
    }
    if ID_NUMBER in values:
        number = values[ID_NUMBER]
        sealed["id_number_index"] = None if number is None else protected.index(number, ID_NUMBER)
    return sealed


def _known_again(content: dict[str, Any]) -> str:
    """What a request said, as an index: a retry is told from other content without keeping what was said."""
    return protected.index(msgspec.json.encode(content, order="sorted").decode(), "request")


async def _came_before(table: type[Household | HouseholdPerson], id: UUID, content: dict[str, Any]) -> bool:
    """Whether this very request wrote the row. Raises Conflict when the id was used for other content."""
    row = await table.objects().get(table.id == id)
    if row is None:
        return False
    if row.entered_as not in protected.indexes(msgspec.json.encode(content, order="sorted").decode(), "request"):
        raise once.different()
    return True


def _indexes(number: str | None) -> list[str]:
    return [] if number is None else protected.indexes(number, ID_NUMBER)


async def _check_id_number_free(household: UUID, numbers: list[str], place: dict[str, Any]) -> None:
    """Raises Conflict. The unique index holds it too, but knows only one key at a time."""
    rows = await raw(
        "SELECT 1 FROM household WHERE id <> $1 AND id_number_index = ANY($2::text[]) "
        "AND coalesce(county, prefecture, province) = $3",
        household,
        numbers,
        place["county"] or place["prefecture"] or place["province"],
    )
    if rows:
        raise Conflict("本县已有用这个身份证号登记的户。", "id_number_taken", field="id_number")


async def _check_new_here(found: Locked, numbers: list[str]) -> None:
    """Raises Conflict when this ID number is the head's or somebody's who lives there."""
    known = {found.row["id_number_index"], *(one["id_number_index"] for one in await queries.persons(found.row["id"]))}
    if known.intersection(numbers):
        raise Conflict("这一户已有这个身份证号。", "id_number_taken", field="id_number")
