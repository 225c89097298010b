"""What came after the numbers were frozen: a supplement for each day on which something came."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw, snapshot
from notifications.summaries import paragraphs
from notifications.summaries.kept import Stored
from notifications.summaries.shapes import Items, LateLine, Summary, Supplement
from notifications.summaries.words import Kind, Late
from tasks.monthly import queries as monthly
from tasks.monthly import rules
from tasks.monthly.shapes import Matrix, Period


async def told_at(period: Period, earlier: Sequence[Stored]) -> list[datetime]:
    """The instants at which something came that stands in nothing of what was kept; none before the cutoff."""
    return [max(row["at"], period.cutoff_at) for row in await _unknown(period.id, earlier)]


async def made(period: Period, as_of: datetime, earlier: Sequence[Stored]) -> Summary:
    """`earlier` is what was kept of the period before this one, the frozen numbers first of it."""
    frozen, last = earlier[0], earlier[-1]
    async with snapshot():
        was, now = await monthly.matrix(period.id, last.as_of), await monthly.matrix(period.id, as_of)
        came = [row for row in await _unknown(period.id, earlier) if row["at"] < as_of]
    lines = [_line(row, was, now, period.cutoff_at) for row in came]
    number = last.number + 1
    before = last.summary.counts
    late = [it.late for it in lines]
    text = paragraphs.of_supplement(period.month, number, late, before=before, now=now.counts, as_of=as_of)
    return msgspec.structs.replace(
        frozen.summary,
        kind=Kind.supplement, number=number, as_of=as_of, counts=now.counts, leads=[], regions=[], items=Items(),
        cells=[], topics=[], text=text, previous=None, candidates=[], candidates_more=0, handed_over=[],
        carried_over=[], carried_over_more=0,
        supplement=Supplement(
            of=frozen.sha256, after=last.sha256, counts_before=before, counts=now.counts, lines=lines, text=text,
        ),
    )  # fmt: skip


async def _unknown(period: UUID, earlier: Sequence[Stored]) -> Sequence[Any]:
    """Check records that nothing kept has, and withdrawals since: by record, never by time, so that what came before
    the cutoff and was frozen too early by a wrong clock is told of, too.
    """
    cells = earlier[0].summary.cells
    told = {record for cell in cells for record in cell.records}
    gone = {record for cell in cells for record in cell.withdrawn}
    for it in earlier:
        for line in it.summary.supplement.lines if it.summary.supplement else ():
            (gone if line.late == Late.withdrawn else told).add(line.record)
    return await raw(
        "SELECT record.id, record.cell, record.corrects, what, CASE what WHEN 'came' THEN record.received_at "
        "ELSE record.withdrawn_at END AS at, record.first_received_at, record.received_at, record.finished_at, "
        "record.found_count, record.solved_count "
        "FROM monthly_record AS record JOIN monthly_cell ON monthly_cell.id = record.cell, "
        "(VALUES ('came'), ('withdrawn')) AS fact (what) WHERE period = $1 AND CASE what WHEN 'came' "
        "THEN record.id <> ALL($2::uuid[]) ELSE withdrawn_at IS NOT NULL AND record.id <> ALL($3::uuid[]) END "
        "ORDER BY at, record.id, what",
        period,
        list(told),
        list(gone),
    )


def _line(row: Any, was: Matrix, now: Matrix, cutoff: datetime) -> LateLine:
    """Why it is late is said of this record; the cell may count by another."""
    before = next(cell for cell in was.cells if cell.id == row["cell"])
    cell = next(cell for cell in now.cells if cell.id == row["cell"])
    withdrawn = row["what"] == "withdrawn"
    filed = rules.Filed(row["first_received_at"], row["received_at"], row["finished_at"])
    late = Late.withdrawn if withdrawn else Late.corrected if row["corrects"] else Late.filed
    return LateLine(
        record=row["id"],
        late=late,
        lead_unit=cell.lead_unit,
        lead_name=next(lead.name for lead in now.leads if lead.unit == cell.lead_unit),
        region=cell.region,
        region_name=next(region.name for region in now.regions if region.code == cell.region),
        at=row["at"],
        finished_at=row["finished_at"],
        says=(rules.late_says(filed, cutoff) or "") if not withdrawn else "",
        found=row["found_count"],
        solved=row["solved_count"],
        was=before.state,
        state=cell.state,
    )
