"""What the files of rectifications hang on: for their trust reports. Files of a finding are told by the finding too."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw, select
from backend.geo import SITE_RADIUS_M, LatLng
from backend.roles import Actor
from backend.trust_reports import queries as trust_reports
from backend.trust_reports.facts import AFTER, RecordKind, Setting
from backend.trust_reports.loading import Settings
from backend.trust_reports.shapes import SummaryShape
from tasks.rectifications.queries import seen, visible_to

# (evidence, item, record, kind), one row for each place where a file hangs on an item.
_HANGS = """(
    SELECT evidence, rectification.id AS item, rectification.finding AS record, 'finding' AS kind
    FROM finding_evidence JOIN rectification ON rectification.finding = finding_evidence.finding
    UNION ALL SELECT evidence, rectification, hand_in.id, 'hand_in'
    FROM hand_in_evidence JOIN hand_in ON hand_in.id = hand_in_evidence.hand_in
    UNION ALL SELECT evidence, rectification, record, CASE
        WHEN record = rectification THEN 'entry'
        WHEN EXISTS (SELECT FROM objection WHERE id = record) THEN 'objection'
        WHEN EXISTS (SELECT FROM site_check WHERE id = record) THEN 'site_check'
        WHEN EXISTS (SELECT FROM look_back WHERE id = record) THEN 'look_back'
        ELSE 'reopening' END
    FROM record_evidence
) AS hangs"""

_SETTINGS = f"""
    SELECT hangs.*, rectification.number, rectification.issued_at, rectification.visit, visit.lat AS visit_lat,
        visit.lng AS visit_lng, visit.radius_m, finding.lat, finding.lng, region.full_name,
        least(finding.found_at, finding.received_at) AS found_at,
        ARRAY(SELECT evidence FROM finding_evidence AS f WHERE f.finding = rectification.finding
            UNION ALL SELECT evidence FROM record_evidence AS r WHERE r.record = rectification.id) AS before,
        ARRAY(SELECT unit FROM rectification_unit AS part
            WHERE part.rectification = rectification.id AND part.role = 'responsible') AS responsible
    FROM {_HANGS} JOIN rectification ON rectification.id = hangs.item
    JOIN region ON region.code = rectification.region LEFT JOIN finding ON finding.id = rectification.finding
    LEFT JOIN visit ON visit.id = rectification.visit
    WHERE hangs.evidence = ANY({{}}) AND {{}} ORDER BY rectification.issued_at IS NOT NULL, hangs.record DESC
"""


class RecordFiles(msgspec.Struct):
    """Files that came together. `record` is the id of that finding, hand-in, objection, check, look-back, reopening.

    `trust` counts what their trust reports say, for who reads those.
    """

    kind: RecordKind
    record: UUID
    files: list[UUID]
    trust: SummaryShape | None


async def settings(files: Sequence[UUID], actor: Actor) -> dict[UUID, Setting]:
    """What those of these files hang on that belong to items the actor sees. A draft is a secret of the office."""
    rows = await select(_SETTINGS, list(files), visible_to(actor))
    return {row["evidence"]: _setting(row) for row in rows}  # of several: an issued one, the first of them


async def records(item: UUID, actor: Actor, offered: Sequence[Settings], *, english: bool) -> list[RecordFiles]:
    """The files of an item by what they came with, with what their trust reports say. Raises NotFound out of sight."""
    await seen(item, actor)
    rows = await raw(
        f"SELECT kind, record, array_agg(evidence ORDER BY evidence) AS files FROM {_HANGS} WHERE item = $1 "
        "GROUP BY kind, record ORDER BY kind <> 'finding', kind <> 'entry', record",
        item,
    )
    files = {row["record"]: row["files"] for row in rows}
    summaries = await trust_reports.summaries(files, actor, offered, english=english)
    return [
        RecordFiles(RecordKind(row["kind"]), row["record"], row["files"], summaries.get(row["record"])) for row in rows
    ]


def _setting(row: Any) -> Setting:
    kind = RecordKind(row["kind"])
    target, radius_m = _target(row, kind)
    return Setting(
        kind=kind,
        record=row["record"],
        matter=row["item"],
        secret=row["issued_at"] is None,
        place=f"{row['number'] or '未编号'} {row['full_name']}",
        link=f"/api/rectifications/{row['item']}",
        occasion=row["visit"] if kind == RecordKind.finding else None,
        target=target,
        radius_m=radius_m,
        found_at=row["found_at"] if kind in AFTER else None,
        before=frozenset(row["before"]) if kind in AFTER else frozenset(),
        kept_from=frozenset(row["responsible"]),
    )


def _target(row: Any, kind: RecordKind) -> tuple[LatLng | None, float]:
    """A finding is looked for where the visit went; what comes after it, where the finding was made, if it says so."""
    if kind in AFTER and row["lat"] is not None:
        return (row["lat"], row["lng"]), SITE_RADIUS_M
    if (kind in AFTER or kind == RecordKind.finding) and row["visit_lat"] is not None:
        return (row["visit_lat"], row["visit_lng"]), row["radius_m"]
    return None, 0.0
