"""Where an item stood after each of its steps, read off the table of moves. No database: steps in, statuses out."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from backend.events import Event
from tasks.rectifications.item import IN_WORK, Part, Status, least
from tasks.rectifications.rules import MOVES, Moved
from tasks.rectifications.words import UnitRole

MOVE_OF = {move.event: move for move in MOVES.values()}
DRAFTED, REDIRECTED = "rectification.drafted", "rectification.redirected"
TAKEN_OVER = "rectification.taken_over"


def statuses(steps: Sequence[Event], responsible: Iterable[UUID]) -> list[Status | None]:
    """One for each step, None before there is an item. `responsible` are the units it is with after the last step."""
    parts = dict.fromkeys(_first(steps, responsible), Status.issued)
    stands: Status | None = None
    told: list[Status | None] = []
    for step in steps:
        move = MOVE_OF.get(step.verb)
        if step.verb == DRAFTED:
            stands = Status.draft
        elif step.verb == REDIRECTED:
            parts.pop(UUID(step.payload["unit"]), None)
            parts[UUID(step.payload["to_unit"])] = stands = Status.issued
        elif step.verb == TAKEN_OVER and step.payload["role"] == UnitRole.responsible:
            given, heir = parts.pop(UUID(step.payload["unit"])), UUID(step.payload["to_unit"])
            parts[heir] = min(given, parts.get(heir, given), key=IN_WORK.index)
        elif move and move.end and (move.of == Moved.item or move.end not in IN_WORK):
            stands = move.end
        elif move and move.end:
            parts |= dict.fromkeys(_moved(step) or parts, move.end)
            stands = least({unit: Part(status=status) for unit, status in parts.items()}) if parts else move.end
        told.append(stands)
    return told


def _first(steps: Sequence[Event], responsible: Iterable[UUID]) -> set[UUID]:
    """The units it was issued to: those it is with now, with every redirection and merger taken back."""
    units = set(responsible)
    for step in reversed(steps):
        if step.verb == REDIRECTED or (step.verb == TAKEN_OVER and step.payload["role"] == UnitRole.responsible):
            if not step.payload.get("beside"):
                units.discard(UUID(step.payload["to_unit"]))
            units.add(UUID(step.payload["unit"]))
    return units


def _moved(step: Event) -> list[UUID]:
    """Whose parts moved; none named: all."""
    named = [*(step.payload.get("units") or ()), *([step.payload["unit"]] if step.payload.get("unit") else [])]
    return [UUID(unit) for unit in named]
