"""The whole story of one rectification, read from its events and those of the visit it comes from. Words: told.py."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend import events
from backend.db import raw, select
from backend.errors import BadRequest
from backend.events import Event, Held
from backend.evidence.rules import State
from backend.roles import Actor
from tasks.rectifications import queries, replay, shapes, who
from tasks.rectifications.item import Status
from tasks.rectifications.told import LABELS, NAMED_UNITS, ORDER, PER_UNIT, TOLD, Files
from tasks.rectifications.words import UnitRole

SECRET = frozenset({"rectification.check_assigned"})  # as long as site checks are (who.checks_hidden)
Known = dict[tuple[str, str | None], object]


async def page(rectification: UUID, actor: Actor, cursor: UUID | None, most: int) -> shapes.Timeline:
    """One page, oldest first, behind the step `cursor`. Raises NotFound outside the actor's sight, BadRequest.

    The steps before the page are read too, without their people and files: what a step changed is only known from
    what was there until then.
    """
    told = await _told(rectification, actor)
    begin = 0
    if cursor is not None:
        begin = next((place for place, event in enumerate(told, 1) if event.id == cursor), 0)
        if not begin:
            raise BadRequest("翻页标记无效，请从第一页重新打开。", "bad_cursor", field="cursor")
    items = await _entries(rectification, told, begin, begin + most)
    return shapes.Timeline(items, str(items[-1].id) if begin + most < len(told) else None)


async def whole(rectification: UUID, actor: Actor) -> list[shapes.TimelineEntry]:
    """All of it, for a case file. Raises NotFound outside the actor's sight."""
    told = await _told(rectification, actor)
    return await _entries(rectification, told, 0, len(told))


async def _told(rectification: UUID, actor: Actor) -> list[Event]:
    await queries.seen(rectification, actor)
    hidden = SECRET if who.checks_hidden(actor, await queries.parties(rectification)) else frozenset[str]()
    told = await events.of_subjects(await _subjects(rectification), [verb for verb in TOLD if verb not in hidden])
    return sorted(told, key=lambda event: (event.at, ORDER[event.verb], event.id))


async def _subjects(rectification: UUID) -> list[UUID]:
    """Everything whose events belong to the story: the item, its finding and visit, the files of both."""
    rows = await select(
        "SELECT unnest(ARRAY[id, finding, visit]) AS subject FROM rectification WHERE id = {} "
        "UNION SELECT evidence FROM finding_evidence JOIN rectification ON rectification.finding = "
        "finding_evidence.finding WHERE rectification.id = {} "
        "UNION SELECT evidence FROM hand_in_evidence JOIN hand_in ON hand_in.id = hand_in_evidence.hand_in "
        "WHERE hand_in.rectification = {} "
        "UNION SELECT evidence FROM record_evidence WHERE rectification = {}",
        rectification,
        rectification,
        rectification,
        rectification,
    )
    return [row["subject"] for row in rows if row["subject"]]


async def _entries(rectification: UUID, told: Sequence[Event], begin: int, end: int) -> list[shapes.TimelineEntry]:
    shown = told[begin:end]
    item = await queries.parties(rectification)
    statuses = replay.statuses(told, item.of(UnitRole.responsible))
    acting = {event.id: _acting(event, item.of(*UnitRole) | item.former | item.gone) for event in shown}
    names = await _unit_names({*(held.unit for held in acting.values() if held), *_named_units(told[:end])})
    homes = await _homes([event.actor for event in shown if event.actor])
    files = await _files(shown)
    entries: list[shapes.TimelineEntry] = []
    known: Known = {}
    for place, (event, status) in enumerate(zip(told[:end], statuses, strict=False)):
        changes = _changes(event, status, known, names)
        if place < begin:
            continue
        held = acting[event.id]
        entries.append(
            shapes.TimelineEntry(
                id=event.id,
                at=event.at,
                verb=event.verb,
                sentence=TOLD[event.verb].sentence,
                by=event.actor,
                by_name=event.actor_name,
                role=held.role if held else None,
                unit_name=names.get(str(held.unit), "") if held else homes.get(event.actor, ""),
                changes=changes,
                evidence=files.get(event.id, []),
                facts={key: _worded(key, it, names) for key, it in _given(event, TOLD[event.verb].says).items()},
            )
        )
    return entries


def _acting(event: Event, parts: frozenset[UUID]) -> Held | None:
    """The role this was done in: one that allows it, rather at a unit that has a part in the item."""
    by = TOLD[event.verb].by
    able = [held for held in event.held if not by or held.role in by]
    return next((held for held in able if held.unit in parts), able[0] if able else None)


def _changes(event: Event, status: Status | None, known: Known, names: dict[str, str]) -> list[shapes.Change]:
    """What the step set; `known`, what was told so far, is brought up to date."""
    sets = _given(event, TOLD[event.verb].sets)
    if status:
        sets = {"status": status.value, **sets}
    changes: list[shapes.Change] = []
    for field, value in sets.items():
        key = field, event.payload.get("unit") if field in PER_UNIT else None
        before, after = known.get(key), _worded(field, value, names)
        if after != before:
            changes.append(shapes.Change(field, LABELS[field], before, after))
        known[key] = after
    return changes


def _given(event: Event, keys: Sequence[str]) -> dict[str, object]:
    """What the payload says under these keys; where it says null or nothing at all, nothing was said."""
    return {key: event.payload[key] for key in keys if event.payload.get(key) not in (None, "", [])}


def _worded(field: str, value: Any, names: dict[str, str]) -> object:
    """Units by their names, everything else as it is."""
    if field not in NAMED_UNITS:
        return value
    return sorted(names.get(it, str(it)) for it in value) if isinstance(value, list) else names.get(value, value)


def _named_units(told: Sequence[Event]) -> set[UUID]:
    named = [event.payload[key] for event in told for key in NAMED_UNITS if event.payload.get(key)]
    return {UUID(unit) for units in named for unit in (units if isinstance(units, list) else [units])}


async def _unit_names(units: set[UUID]) -> dict[str, str]:
    rows = await raw("SELECT id, short_name FROM unit WHERE id = ANY($1::uuid[])", list(units))
    return {str(row["id"]): row["short_name"] for row in rows}


async def _homes(people: Sequence[UUID]) -> dict[UUID | None, str]:
    rows = await raw(
        "SELECT person.id, unit.short_name FROM person JOIN unit ON unit.id = person.unit "
        "WHERE person.id = ANY($1::uuid[])",
        list(people),
    )
    return {row["id"]: row["short_name"] for row in rows}


async def _files(shown: Sequence[Event]) -> dict[UUID, list[shapes.FileOfStep]]:
    """The files each step brought, in their order; one statement for each kind of link."""
    owners: dict[tuple[str, str], dict[UUID, UUID]] = {}
    for event in shown:
        if link := TOLD[event.verb].files:
            owners.setdefault(link[:2], {})[event.id] = _owner(event, link)
    files: dict[UUID, list[shapes.FileOfStep]] = {}
    for (table, column), of_event in owners.items():
        found = await _hanging(table, column, set(of_event.values()))
        files |= {event: found.get(owner, []) for event, owner in of_event.items()}
    return files


def _owner(event: Event, link: Files) -> UUID:
    named = event.payload.get(link[2])
    return UUID(named) if named else event.subject


async def _hanging(table: str, column: str, owners: set[UUID]) -> dict[UUID, list[shapes.FileOfStep]]:
    """By owner. `table` and `column` are our own words (told.py)."""
    link = f'JOIN "{table}" AS link ON link.evidence = evidence.id' if table != "evidence" else ""
    owner, order = (f'link."{column}"', "link.position") if link else ("evidence.id", "evidence.id")
    rows = await raw(
        f"SELECT {owner} AS owner, evidence.id, evidence.state FROM evidence {link} "
        f"WHERE {owner} = ANY($1::uuid[]) ORDER BY {order}",
        list(owners),
    )
    found: dict[UUID, list[shapes.FileOfStep]] = {}
    for row in rows:
        found.setdefault(row["owner"], []).append(shapes.FileOfStep(row["id"], State(row["state"])))
    return found
