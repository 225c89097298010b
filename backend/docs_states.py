"""Prints docs/states.md from the table of moves. Who may do what is asked of the rules, not copied."""

import inspect
import re
from collections.abc import Callable
from enum import StrEnum
from itertools import product
from uuid import UUID

from backend.roles import Actor, Grant, Role
from tasks.rectifications import item as items
from tasks.rectifications import who as who_may
from tasks.rectifications.item import Item, Status, Verb
from tasks.rectifications.rules import MOVES, Move, Moved
from tasks.rectifications.words import UnitRole

AREA = "210422000000"
RESPONSIBLE, LEAD, OFFICE, ME = (UUID(int=number) for number in range(1, 5))
HOME = {
    Role.unit_handler: RESPONSIBLE,
    Role.unit_principal: RESPONSIBLE,
    Role.lead_unit_reviewer: LEAD,
}
BARRED: dict[Callable[..., str | None], str] = {
    who_may.own_unit: "anyone of a responsible unit, present or former",
    who_may.who_inspected: "who inspected",
    who_may.who_handed_in: "who handed it in",
    who_may.who_passed: "who passed it first",
    who_may.who_asked: "who asked for it",
    who_may.recused: "recused",
}
# Where a role alone does not say it.
NAMED: dict[Callable[..., str | None], str] = {
    who_may.checker: "the assigned checkers",
    who_may.looker_back: "`supervision_staff`; `supervision_leader`; who inspected or checked it",
    who_may.extension_decider: "`supervision_staff` (the first); `supervision_leader`",
    who_may.second_key: "`supervision_leader`; `contract_leader` for listed items",
}
OF = {Moved.item: "", Moved.part: " (the unit's part)", Moved.parts: " (the units named, or all)"}
GROUPS = ("OPEN", "WAITING_FOR_UNIT", "WAITING_FOR_REVIEW", "COUNTED", "TICKING", "VOIDABLE")


def page(note: str) -> str:
    """The whole page."""
    words = words_of(Status) | words_of(Verb)
    lines = ["# States of a rectification", "", note, "", INTRODUCTION, "", "## Statuses", ""]
    lines += ["| Status | 中文 | In the groups |", "|---|---|---|"]
    for status in Status:
        groups = ", ".join(f"`{name}`" for name in GROUPS if status in getattr(items, name))
        lines.append(f"| `{status}` | {words[status]} | {groups} |")
    lines += [
        "",
        "## Moves",
        "",
        "| Verb | 中文 | From | To | Who | Never | In the way | Needs | Event |",
        "|" + "---|" * 9,
    ]
    lines += [_line(move, words) for move in MOVES.values()]
    return "\n".join([*lines, "", "## Picture", "", "```mermaid", *_picture(words), "```", "", *_unreached(), ""])


INTRODUCTION = """\
`tasks/rectifications/rules.py` is the source; `./duban docs` prints this page from it.

A role counts where it is held: a unit's role at a unit named on the item, an office's role where
its area holds the place, a team lead's on the own team. Refusals come in a fixed order: out of
sight (404), not yours to do (403), wrong state or blocked (409), something missing (422). Overdue
and returned are computed or counted, never statuses.

Where several units are responsible each has a part of its own, with its own signature, hand-in and
review; the date is shared. The item stands where its least advanced part stands. Objection, extension,
site check, publicity and look-back are records: they block or allow a move and are never statuses."""


def _unreached() -> list[str]:
    """Statuses that no move leads to yet."""
    reached = {move.end for move in MOVES.values()}
    missing = [f"`{status}`" for status in Status if status not in reached and status != Status.draft]
    return [f"No move leads to {', '.join(missing)} yet."] if missing else []


def words_of(members: type[StrEnum]) -> dict[str, str]:
    """The Chinese word beside each member in the source."""
    found = re.findall(r'= "(\w+)"\s+# (\S+)', inspect.getsource(members))
    return dict(found)


def _line(move: Move, words: dict[str, str]) -> str:
    start = ", ".join(f"`{status}`" for status in Status if status in move.start)
    needs = "; ".join(f"{need.sentence.replace('{n}', 'n')} (`{need.field}`)" for need in move.needs)
    cells = (
        f"`{move.verb}`",
        words[move.verb],
        start,
        (f"`{move.end}`" if move.end else "unchanged") + OF[move.of],
        "; ".join(who(move)),
        "; ".join(never(move)),
        " ".join(block.sentence for block in move.blocks),
        needs,
        f"`{move.event}`",
    )
    return "| " + " | ".join(cells) + " |"


def who(move: Move) -> list[str]:
    """Every role that may, with the condition where it may only sometimes."""
    if move.by in NAMED:
        return [NAMED[move.by]]
    cases = list(product((s for s in Status if s in move.start), (True, False)))
    said = []
    for role in Role:
        allowed = {case for case in cases if move.by(_actor(role), _item(*case)) is None}
        if allowed:
            said.append(f"`{role}`{_when(allowed, cases)}")
    return said


def _when(allowed: set[tuple[Status, bool]], cases: list[tuple[Status, bool]]) -> str:
    if len(allowed) == len(cases):
        return ""
    if allowed == {case for case in cases if case[1]}:
        return " of the lead unit"
    without_lead = {case for case in cases if not case[1]}
    always = sorted({status for status, _ in allowed if {(status, True), (status, False)} <= allowed})
    conditions = [f"from `{status}`" for status in always]
    conditions += ["where no lead unit is named"] if without_lead <= allowed else []
    return f" ({' or '.join(conditions)})"


def never(move: Move) -> list[str]:
    """Whom the move refuses although the role would do."""
    return [BARRED[bar] for bar in (*move.never, who_may.recused)]


def _actor(role: Role) -> Actor:
    if role == Role.system:
        return Actor(None, "", (Grant(role, OFFICE, ""),))
    return Actor(ME, "", (Grant(role, HOME.get(role, OFFICE), AREA),))


def _item(status: Status, lead: bool) -> Item:
    units = {UnitRole.responsible: frozenset({RESPONSIBLE}), UnitRole.lead: frozenset({LEAD} if lead else ())}
    return Item(
        id=UUID(int=8), status=status, units=units, focus=RESPONSIBLE, area=frozenset({AREA}), team=frozenset({ME})
    )


def _picture(words: dict[str, str]) -> list[str]:
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    lines += [f"    {status} : {status} {words[status]}" for status in Status]
    for move in MOVES.values():
        if move.verb == Verb.void:
            continue
        for status in (s for s in Status if s in move.start):
            if move.end:
                lines.append(f"    {status} --> {move.end} : {words[move.verb]}")
    lines.append("    note right of voided : 作废: from draft and every open status")
    return lines
