"""Reading kept summaries whole, for the program: who may read which is in queries.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw
from notifications.summaries.shapes import Summary
from notifications.summaries.words import Kind
from tasks.monthly.shapes import Period


@dataclass(frozen=True, slots=True)
class Stored:
    """A kept summary: its bytes as they were written, and what they say."""

    id: UUID
    period: UUID
    kind: Kind
    number: int
    as_of: datetime
    made_at: datetime
    told: int
    exempt: Sequence[str] | None
    body: bytes
    sha256: str
    summary: Summary


async def of_period(period: UUID) -> Sequence[Stored]:
    """Preview, frozen numbers and supplements, in this order."""
    return await _stored("period = $1", period)


async def before(period: Period) -> Stored | None:
    """The frozen numbers of the month before, of the same rule or the one it stands in for."""
    year, month = divmod(int(period.month[:4]) * 12 + int(period.month[5:]) - 2, 12)
    found = await _stored(
        "kind = 'frozen' AND period IN (SELECT id FROM monthly_period WHERE month = $2 AND (rule = $1 "
        "OR rule = (SELECT replaces FROM monthly_rule WHERE id = $1)))",
        period.rule,
        f"{year:04}-{month + 1:02}",
    )
    return found[0] if found else None


async def there(period: UUID, kind: Kind) -> bool:
    found = await raw("SELECT 1 FROM monthly_summary WHERE period = $1 AND kind = $2", period, kind.value)
    return bool(found)


async def unfinished() -> set[UUID]:
    """Periods without frozen numbers, and those with check records or exemptions that came or went and stand in nothing
    kept.

    Records are counted, exemptions named: a wrong clock cannot hide one. A period without cells has nothing to tell.
    """
    rows = await raw(
        "SELECT cell.period AS id FROM monthly_cell AS cell LEFT JOIN monthly_record AS record "
        "ON record.cell = cell.id GROUP BY cell.period HAVING count(record.id) + count(record.withdrawn_at) "
        "IS DISTINCT FROM (SELECT told FROM monthly_summary AS kept WHERE kept.period = cell.period "
        "AND kind <> 'preview' ORDER BY number DESC LIMIT 1) "
        "UNION SELECT period FROM (SELECT DISTINCT ON (period) period, exempt FROM monthly_summary "
        "WHERE kind <> 'preview' ORDER BY period, number DESC) AS last WHERE exempt <> ARRAY("
        "SELECT it.id::text FROM monthly_exemption AS it JOIN monthly_cell AS cell ON cell.id = it.cell "
        "WHERE cell.period = last.period AND answer = 'upheld' AND revoked_at IS NULL ORDER BY it.id)"
    )
    return {row["id"] for row in rows}


async def one(id: UUID) -> Stored:
    return (await _stored("id = $1", id))[0]


async def _stored(condition: str, *args: object) -> list[Stored]:
    rows = await raw(
        f"SELECT * FROM monthly_summary WHERE {condition} "
        "ORDER BY array_position(ARRAY['preview', 'frozen', 'supplement'], kind), number",
        *args,
    )
    return [stored(row) for row in rows]


def stored(row: Any) -> Stored:
    return Stored(
        row["id"],
        row["period"],
        Kind(row["kind"]),
        row["number"],
        row["as_of"],
        row["made_at"],
        row["told"],
        row["exempt"],
        row["body"],
        row["sha256"],
        msgspec.json.decode(row["body"], type=Summary),
    )
