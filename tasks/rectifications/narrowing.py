"""What narrows a list beyond scope, status and date, as SQL on rectification_search: all of it in one narrow row.

Triggers write that table (docs/decisions/0018); nothing else does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from backend.roles import Actor
from tasks.rectifications import filters, queries
from tasks.rectifications.drivers import Args
from tasks.rectifications.filters import Filter, Span
from tasks.rectifications.item import OPEN, Status
from tasks.rectifications.words import UnitRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Marks a row must have and must not have, words its text must hold, and what is asked of other tables."""

    marks: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    look_back_due: bool | None = None
    unit: UUID | None = None
    unit_role: UnitRole | None = None
    areas: tuple[str, ...] = ()  # in one of these
    seen_by: Actor | None = None

    def __bool__(self) -> bool:
        return self != Rest()


def marks(wanted: Filter) -> tuple[str, ...]:
    named = {"topic": wanted.topic, "source": wanted.source, "severity": wanted.severity}
    named |= {"household": wanted.household}
    return (
        *(f"{name}:{value}" for name, value in named.items() if value is not None),
        *(flag for flag in FLAGS if getattr(wanted, flag)),
    )


def never(wanted: Filter) -> tuple[str, ...]:
    return tuple(flag for flag in FLAGS if getattr(wanted, flag) is False)


FLAGS = ("listed", "returned", "rebounded")


def condition(rest: Rest, args: Args, today: date) -> str:
    """SQL about `it`, a row of rectification_search."""
    parts = ["true"]
    if rest.marks:
        parts.append(f"it.marks @> {args.put(rest.marks)}::text[]")
    if rest.never:
        parts.append(f"NOT it.marks && {args.put(rest.never)}::text[]")
    parts += [f"it.text LIKE {args.put(f'%{_literal(word)}%')}" for word in rest.words]
    if rest.look_back_due is not None:
        due = f"(it.look_back_on <= {args.put(today)} AND it.status = '{Status.closed}')"
        parts.append(due if rest.look_back_due else f"NOT coalesce({due}, false)")
    if rest.unit:
        role = f" AND part.role = {args.put(rest.unit_role.value)}" if rest.unit_role else ""
        parts.append(
            "EXISTS (SELECT FROM rectification_unit AS part WHERE part.rectification = it.rectification "
            f"AND part.unit = {args.put(rest.unit)} AND part.ended_at IS NULL{role} OFFSET 0)"
        )
    if rest.areas:
        parts.append(f"it.marks && {args.put(rest.areas)}::text[]")
    if rest.seen_by:
        parts.append(_seen(rest.seen_by, args))
    return " AND ".join(parts)


def pieces(rest: Rest, spans: Sequence[Span]) -> list[str]:
    """What the inverted index is asked for. Empty: it knows nothing that would help."""
    found = {piece for word in rest.words for piece in filters.pieces(word)} | set(rest.marks)
    if found and all(span.status in OPEN for span in spans):
        found.add("open")
    if found and len(rest.areas) == 1:
        found.add(rest.areas[0])
    return sorted(found)


def _seen(actor: Actor, args: Args) -> str:
    """OFFSET 0: asked of each find. Joined instead, a plan made for any arguments begins with all parts of the unit."""
    seen, args[:] = queries.placed(*queries.visible_to(actor).compile_string(), args)
    return f"EXISTS (SELECT FROM rectification WHERE rectification.id = it.rectification AND {seen} OFFSET 0)"


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
