"""发现问题立即通报: what inspections report becomes rectifications, within seconds and exactly once."""

from uuid import UUID

from backend.events import Event
from backend.roles import SYSTEM
from inspections.findings import queries as findings
from tasks.rectifications import commands
from tasks.rectifications.words import Source


async def issue_findings(event: Event) -> None:
    """On visit.submitted: every finding becomes an item."""
    for finding in await findings.ids_of_visit(event.subject):
        await _issue(finding)


async def issue_urgent(event: Event) -> None:
    """On finding.filed: danger to life does not wait for the submission, and what came after it waits no more (T1)."""
    if event.payload.get("danger") or event.payload.get("late"):
        await _issue(event.subject)


async def _issue(finding: UUID) -> None:
    """Draft the item, once; issue it when nothing is missing. Otherwise it waits as a draft for the office."""
    filed = (await findings.as_filed([finding]))[0]
    if await commands.draft_from_finding(filed, SYSTEM, source=Source.unannounced):
        await commands.issue_or_hold(finding, SYSTEM)
