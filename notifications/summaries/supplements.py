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
    facts = [*await _unknown(period.id, earlier), *await _exemptions(period.id, earlier[-1], None)]
    return [max(row["at"], period.cutoff_at) for row in facts]


async def made(period: Period, as_of: datetime, earlier: Sequence[Stored]) -> Summary:
    """`earlier` is what was kept of the period before this one, the frozen numbers first of it."""
    frozen, last = earlier[0], earlier[-1]
    async with snapshot():
        was, now = await monthly.matrix(period.id, last.as_of), await monthly.matrix(period.id, as_of)
        came = [row for row in await _unknown(period.id, earlier) if row["at"] < as_of]
        exemptions = await _exemptions(period.id, last, as_of)
    lines = [_line(row, was, now, period.cutoff_at) for row in came]
    lines = sorted([*lines, *(_of_exemption(row, was, now) for row in exemptions)], key=lambda line: line.at)
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


async def exempt(period: UUID, as_of: datetime) -> list[str]:
    """The exemptions in force at the instant."""
    rows = await raw(
        "SELECT it.id::text FROM monthly_exemption AS it JOIN monthly_cell AS cell ON cell.id = it.cell "
        "WHERE period = $1 AND answer = 'upheld' AND decided_at <= $2 AND (revoked_at IS NULL OR revoked_at > $2)",
        period,
        as_of,
    )
    return sorted(row["id"] for row in rows)


def exempt_since(known: Sequence[str] | None, lines: Sequence[LateLine]) -> list[str] | None:
    """Those in force once these lines were told; nothing is known where nothing was written down before."""
    if known is None:
        return None
    given, gone = (
        {str(line.record) for line in lines if line.late == late} for late in (Late.exempted, Late.exemption_revoked)
    )
    return sorted({*known} - gone | given)


async def _exemptions(period: UUID, last: Stored, as_of: datetime | None) -> Sequence[Any]:
    """What was granted and is in force at the instant (None: at any) and not known, and what was known and is revoked.

    They are compared with those known, never by time, as a wrong clock may have frozen before they were decided on.
    """
    if last.exempt is None:
        return ()
    return await raw(
        "SELECT it.id, it.cell, what, CASE what WHEN 'exempted' THEN decided_at ELSE revoked_at END AS at, "
        "CASE what WHEN 'exempted' THEN reason ELSE revoke_reason END AS says FROM monthly_exemption AS it "
        "JOIN monthly_cell AS cell ON cell.id = it.cell, coalesce($3::timestamptz, 'infinity') AS instant, "
        "(VALUES ('exempted', false), ('exemption_revoked', true)) AS fact (what, known) "
        "WHERE period = $1 AND answer = 'upheld' AND (it.id::text = ANY($2::text[])) = known AND CASE what "
        "WHEN 'exempted' THEN decided_at < instant AND (revoked_at IS NULL OR revoked_at >= instant) "
        "ELSE revoked_at < instant END ORDER BY at, it.id",
        period,
        list(last.exempt),
        as_of,
    )


def _of_exemption(row: Any, was: Matrix, now: Matrix) -> LateLine:
    return LateLine(
        record=row["id"], late=Late(row["what"]), at=row["at"], finished_at=None, says=row["says"], found=0, solved=0,
        **_where(row["cell"], was, now),
    )  # fmt: skip


def _where(id: UUID, was: Matrix, now: Matrix) -> dict[str, Any]:
    """Which cell it is, how it stood and how it stands."""
    before = next(cell for cell in was.cells if cell.id == id)
    cell = next(cell for cell in now.cells if cell.id == id)
    return {
        "lead_unit": cell.lead_unit,
        "lead_name": next(lead.name for lead in now.leads if lead.unit == cell.lead_unit),
        "region": cell.region,
        "region_name": next(region.name for region in now.regions if region.code == cell.region),
        "was": before.state,
        "state": cell.state,
    }


def _line(row: Any, was: Matrix, now: Matrix, cutoff: datetime) -> LateLine:
    """Why it is late is said of this record; the cell may count by another."""
    withdrawn = row["what"] == "withdrawn"
    filed = rules.Filed(row["first_received_at"], row["received_at"], row["finished_at"])
    late = Late.withdrawn if withdrawn else Late.corrected if row["corrects"] else Late.filed
    return LateLine(
        record=row["id"],
        late=late,
        at=row["at"],
        finished_at=row["finished_at"],
        says=(rules.late_says(filed, cutoff) or "") if not withdrawn else "",
        found=row["found_count"],
        solved=row["solved_count"],
        **_where(row["cell"], was, now),
    )
