"""Keeping a month: previewed once, frozen once, supplemented day by day. Whoever comes second finds it done."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from backend import clock, events
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.roles import SYSTEM
from backend.units import queries as units
from notifications.summaries import kept, making, paragraphs, supplements
from notifications.summaries.rules import previewed_at
from notifications.summaries.shapes import Summary, canonical
from notifications.summaries.words import Kind
from tasks.monthly.shapes import Period

EVENT = {Kind.preview: "month.previewed", Kind.frozen: "month.frozen", Kind.supplement: "month.supplemented"}


async def preview(period: Period) -> bool:
    """The look ahead on the last day, as of 17:00 whenever it is made. False when it was kept before."""
    return await _kept(period, previewed_at(period.last_on), Kind.preview)


async def freeze(period: Period) -> bool:
    """The month as of its cutoff, whenever that is done. False when it was frozen before."""
    return await _kept(period, period.cutoff_at, Kind.frozen)


async def supplement(period: Period, as_of: datetime, earlier: Sequence[kept.Stored]) -> bool:
    """What came up to the end of that day and stands in nothing that was kept. False when another worker did it."""
    found = await supplements.made(period, as_of, earlier)
    lines = found.supplement.lines if found.supplement else []
    told = sum(line.late in paragraphs.OF_CHECKS for line in lines)
    exempt = supplements.exempt_since(earlier[-1].exempt, lines)
    return await _keep(period, found, told=earlier[-1].told + told, exempt=exempt)


async def _kept(period: Period, as_of: datetime, kind: Kind) -> bool:
    """The exemptions are read first: one that comes meanwhile is told of rather twice than never."""
    exempt = await supplements.exempt(period.id, as_of)
    it = await making.made(period, as_of, kind)
    told = sum(len(cell.records) + len(cell.withdrawn) for cell in it.cells)
    return await _keep(period, it, told=told, exempt=exempt)


async def _keep(period: Period, it: Summary, *, told: int, exempt: Sequence[str] | None) -> bool:
    """The row and its event, once: the unique key decides between two workers."""
    body = canonical(it)
    digest = sha256(body).hexdigest()
    async with transaction():
        id = uuid7()
        written = await raw(
            "INSERT INTO monthly_summary (id, period, kind, number, as_of, made_at, body, sha256, told, exempt) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
            "ON CONFLICT (period, kind, number) DO NOTHING RETURNING id",
            id, period.id, it.kind.value, it.number, it.as_of, clock.now(), body, digest, told, exempt,
        )  # fmt: skip
        if not written:
            return False
        region = await raw("SELECT region FROM monthly_rule WHERE id = $1", period.rule)
        await events.record(
            EVENT[it.kind], id, actor=SYSTEM, period=period.id, rule=period.rule, title=period.title,
            month=period.month, number=it.number, as_of=it.as_of, sha256=digest, region=region[0]["region"],
            units=await _lead_units(period),
        )  # fmt: skip
        return True


async def _lead_units(period: Period) -> list[UUID]:
    """Who leads today: for a department that was merged away its successor hears."""
    rows = await raw("SELECT DISTINCT lead_unit FROM monthly_cell WHERE period = $1", period.id)
    heirs = await units.heirs(clock.today())
    return sorted({unit for row in rows if (unit := heirs.get(row["lead_unit"], row["lead_unit"]))})
