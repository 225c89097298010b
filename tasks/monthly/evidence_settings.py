"""What the photos of check records hang on: for their trust reports, and for the line below their display copies."""

from collections.abc import Sequence
from uuid import UUID

from backend.db import raw, select
from backend.evidence.rules import Caption
from backend.roles import Actor
from backend.trust_reports.facts import RecordKind, Setting
from tasks.monthly.queries import visible_to

_HANGS = (
    "FROM monthly_record_evidence AS hangs JOIN monthly_record ON monthly_record.id = hangs.record "
    "JOIN monthly_cell ON monthly_cell.id = cell JOIN monthly_period ON monthly_period.id = period"
)


async def settings(files: Sequence[UUID], actor: Actor) -> dict[UUID, Setting]:
    """What those of these files hang on that came with checks the actor sees. The region's unit is looked at."""
    rows = await select(
        f"SELECT hangs.evidence, hangs.record, first, month, cell, lead_name, region_name, target {_HANGS} "
        "WHERE hangs.evidence = ANY({}) AND {} ORDER BY hangs.record DESC",
        list(files),
        visible_to(actor),
    )
    return {
        row["evidence"]: Setting(
            kind=RecordKind.monthly_check,
            record=row["record"],
            matter=row["first"],
            secret=False,
            place=f"{row['month']} {row['lead_name']}检查{row['region_name']}",
            link=f"/api/monthly/{row['month']}/cells/{row['cell']}",
            kept_from=frozenset({row["target"]}),
        )
        for row in rows  # of several: the first
    }


async def caption(file: UUID) -> Caption | None:
    """What stands below a photo of a check: the region, the month, and the department that checked."""
    rows = await raw(
        f"SELECT region.full_name, month, lead_name {_HANGS} JOIN region ON region.code = monthly_cell.region "
        "WHERE hangs.evidence = $1 ORDER BY hangs.record LIMIT 1",
        file,
    )
    return Caption(rows[0]["full_name"], f"{rows[0]['month']} 每月检查", rows[0]["lead_name"]) if rows else None
