"""Where an item stood at an instant, read off its events. No database: steps in, standing out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from notifications.summaries.words import Stands

# What moves one of the facts below; whose event is not among these is as it was.
_VERBS = "extended rescheduled redirected taken_over hung resumed closed reopened voided objection_upheld"
CHANGES = tuple(f"rectification.{verb}" for verb in _VERBS.split())
TOLD = ("rectification.issued", *CHANGES)


class Said(msgspec.Struct):
    """Of what an event says, that which a summary counts by."""

    due_on: date | None = None
    responsible_units: tuple[UUID, ...] = ()
    unit: UUID | None = None
    to_unit: UUID | None = None
    now: str = ""
    closed_at: datetime | None = None


class Step(NamedTuple):
    """One of `TOLD`; `payload` as it was recorded."""

    verb: str
    at: datetime
    payload: bytes


@dataclass(slots=True)
class Standing:
    """An item at an instant. `original_on` counts for "on time", whatever was granted later."""

    stands: Stands = Stands.in_work
    due_on: date | None = None
    original_on: date | None = None
    closed_at: datetime | None = None
    units: set[UUID] = field(default_factory=set[UUID])


_read = msgspec.json.Decoder(Said).decode


def standing(steps: Iterable[Step]) -> Standing:
    """Read off the events of an item, oldest first, that happened before the instant."""
    it = Standing()
    for step in steps:
        hear(it, *step)
    return it


def hear(it: Standing, verb: str, at: datetime, payload: bytes) -> None:
    """The next step of an item."""
    said = _read(payload)
    match verb.removeprefix("rectification."):
        case "issued":
            it.due_on = it.original_on = said.due_on
            it.units = set(said.responsible_units)
        case "extended":
            it.due_on = said.due_on
        case "rescheduled":
            it.original_on = said.due_on if it.original_on == it.due_on else it.original_on
            it.due_on = said.due_on
        case "redirected":
            _replace(it, said, responsible=True)
            if said.due_on:
                it.due_on = it.original_on = said.due_on
        case "taken_over":
            _replace(it, said, responsible=said.now == "responsible")
        case "hung":
            it.stands = Stands.hung
        case "resumed" | "reopened":
            it.stands, it.closed_at = Stands.in_work, None
            it.due_on = it.original_on = said.due_on
        case "closed":
            it.stands, it.closed_at = Stands.closed, said.closed_at or at
        case "voided" | "objection_upheld":
            it.stands = Stands.voided
        case _:
            pass


def _replace(it: Standing, said: Said, *, responsible: bool) -> None:
    it.units -= {said.unit}
    if responsible and said.to_unit:
        it.units.add(said.to_unit)
