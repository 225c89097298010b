"""What a check hands over becomes rectifications, within seconds and once (seed 004, 十一.2: 及时解决突出问题)."""

from typing import Any
from uuid import UUID

from backend.errors import Conflict, Problem
from backend.events import Event
from backend.roles import SYSTEM
from inspections.findings.rules import ClosingClass, Severity
from tasks.monthly import queries
from tasks.rectifications import commands, drafting
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.drafting import Draft
from tasks.rectifications.words import Source, UnitRole


async def hand_over(event: Event) -> None:
    """On month.record_filed and month.record_corrected: each problem is drafted, and issued when nothing is missing.

    The lead department is the lead unit; without a photo the check record itself is the reason why there is none.
    """
    for row in await queries.problems(UUID(event.payload["record"])):
        try:
            await drafting.draft(SYSTEM, _draft(row, UUID(event.payload["unit"])), id=row["id"])
        except Conflict:
            continue  # somebody has used the id for another item since; the record goes on saying what was found
        await _issue(row)


async def _issue(row: Any) -> None:
    if row["due_on"]:
        try:
            return await commands.issue(row["id"], SYSTEM, due=Wanted(on=row["due_on"]))
        except Problem:
            pass  # its date has passed, or its unit has ended, since the check: the usual term, or the office
    await commands.issue_or_hold(row["id"], SYSTEM)


def _draft(row: Any, lead: UUID) -> Draft:
    units = {UnitRole.responsible: frozenset({row["responsible"]}), UnitRole.lead: frozenset({lead})}
    if lead == row["responsible"]:
        del units[UnitRole.lead]
    return Draft(
        source=Source.monthly_check,
        topic=row["topic"],
        facts=row["facts"],
        asks=row["asks"],
        region=row["region"],
        units=units,
        severity=Severity(row["severity"]),
        closing_class=ClosingClass(row["closing_class"]),
        found_where=f"{row['month']} 每月检查：{row['lead_name']}检查{row['region_name']}（{row['place']}）",
        no_evidence_reason="" if row["files"] else "见每月检查记录。",
        files=tuple(UUID(file) for file in row["files"]),
    )
