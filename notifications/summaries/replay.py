"""Where an item stood at an instant, read off its events. No database: steps in, standing out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend.events import Event
from notifications.summaries.words import Stands

# What moves one of the facts below; whose event is not among these is as it was.
_VERBS = "extended rescheduled redirected taken_over hung resumed closed reopened voided objection_upheld"
CHANGES = tuple(f"rectification.{verb}" for verb in _VERBS.split())
TOLD = ("rectification.issued", *CHANGES)


@dataclass(slots=True)
class Standing:
    """An item at an instant. `original_on` counts for "on time", whatever was granted later."""

    stands: Stands = Stands.in_work
    due_on: date | None = None
    original_on: date | None = None
    closed_at: datetime | None = None
    units: set[UUID] = field(default_factory=set[UUID])


def standing(steps: Iterable[Event]) -> Standing:
    """Read off the events of an item, oldest first, that happened before the instant."""
    it = Standing()
    for step in steps:
        said, due_on = step.payload, _day(step.payload.get("due_on"))
        match step.verb.removeprefix("rectification."):
            case "issued":
                it.due_on = it.original_on = due_on
                it.units = {UUID(unit) for unit in said.get("responsible_units", ())}
            case "extended":
                it.due_on = due_on
            case "rescheduled":
                it.original_on = due_on if it.original_on == it.due_on else it.original_on
                it.due_on = due_on
            case "redirected":
                _replace(it, said, responsible=True)
                if due_on:
                    it.due_on = it.original_on = due_on
            case "taken_over":
                _replace(it, said, responsible=said["now"] == "responsible")
            case "hung":
                it.stands = Stands.hung
            case "resumed" | "reopened":
                it.stands, it.closed_at = Stands.in_work, None
                it.due_on = it.original_on = due_on
            case "closed":
                it.stands = Stands.closed
                it.closed_at = datetime.fromisoformat(said["closed_at"]) if said.get("closed_at") else step.at
            case "voided" | "objection_upheld":
                it.stands = Stands.voided
            case _:
                pass
    return it


def _replace(it: Standing, said: dict[str, Any], *, responsible: bool) -> None:
    it.units.discard(UUID(said["unit"]))
    if responsible:
        it.units.add(UUID(said["to_unit"]))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
