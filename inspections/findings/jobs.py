"""What time brings about: who filed a finding and did not send its files is told so, once."""

from backend.evidence import queries as evidence
from inspections.findings import commands


async def sweep_missing() -> int:
    """Findings with files that were declared a day ago and did not come; of how many their senders were told."""
    found = await evidence.missing("finding_evidence", "finding")
    return sum([await commands.remind(missing) for missing in found])
