"""Who reads which summary: leaders and offices of the rule's area and its lead units the whole, a region its column."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import select
from backend.errors import BadRequest, NotFound
from backend.roles import READS_AREA, RESPONSIBLE, Actor, Role
from backend.units import queries as units
from notifications.summaries import kept, live, making, paragraphs
from notifications.summaries.shapes import ItemLine, Summary
from notifications.summaries.words import Kind
from tasks.monthly import queries as monthly
from tasks.monthly.shapes import Counts, Period
from tasks.rectifications import queries as rectifications


class Told(msgspec.Struct, kw_only=True):
    """A summary as somebody reads it. `sha256` is of the whole as it was kept, None of what was made for reading.

    `whole` is False where the reader sees only the own columns: then the numbers are those of these columns.
    """

    summary: Summary
    whole: bool
    sha256: str | None
    made_at: datetime
    supplements: list[Summary]


class SummaryLine(msgspec.Struct, kw_only=True):
    id: UUID
    kind: Kind
    number: int
    month: str
    rule: UUID
    title: str
    as_of: datetime
    made_at: datetime
    sha256: str


class SummaryList(msgspec.Struct, kw_only=True):
    items: list[SummaryLine]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class Sight:
    """Of one period: all of it, or the columns of these regions."""

    period: Period
    whole: bool
    regions: Collection[str]


def visible_to(actor: Actor) -> QueryString:
    """Of rows of `monthly_period`: those of which the actor sees a cell."""
    return QueryString("monthly_period.id IN (SELECT period FROM monthly_cell WHERE {})", monthly.visible_to(actor))


async def sight(month: str, actor: Actor, rule: UUID | None = None) -> Sight:
    """The month of the rule, or of the only one in sight. Raises NotFound, BadRequest where there are several."""
    rows = await _periods(actor, "month = {} AND ({}::uuid IS NULL OR monthly_period.rule = {})", month, rule, rule)
    if len(rows) > 1:
        rules = [{"rule": str(row["rule"]), "title": row["title"]} for row in rows]
        raise BadRequest("这个月有多项检查任务，请指明是哪一项。", "rule_wanted", field="rule", rules=rules)
    return await _sight(rows[0], actor)


async def _periods(actor: Actor, condition: str, *args: object) -> list[dict[str, Any]]:
    """Raises NotFound when none of them is in sight."""
    rows = await select(
        "SELECT monthly_period.id, monthly_period.rule, title, region.path FROM monthly_period "
        "JOIN monthly_rule ON monthly_rule.id = monthly_period.rule JOIN region ON region.code = monthly_rule.region "
        f"WHERE {condition} AND {{}} ORDER BY title, monthly_period.id",
        *args,
        visible_to(actor),
    )
    if not rows:
        raise NotFound()
    return rows


async def _sight(row: dict[str, Any], actor: Actor) -> Sight:
    period = await monthly.period(row["id"])
    whole, regions = await _reach(period, row["path"], actor)
    return Sight(period, whole, regions)


async def one(summary: UUID, actor: Actor) -> Told:
    """A kept summary by itself. Raises NotFound, also for a supplement that has nothing for the actor."""
    own = "monthly_period.id = (SELECT period FROM monthly_summary WHERE id = {})"
    at = await _sight((await _periods(actor, own, summary))[0], actor)
    it = await kept.one(summary)
    found = await narrowed(it.summary, at, actor)
    if it.kind == Kind.supplement and not _tells(found):
        raise NotFound()
    return Told(summary=found, whole=at.whole, sha256=it.sha256, made_at=it.made_at, supplements=[])


async def _reach(period: Period, path: Sequence[str], actor: Actor) -> tuple[bool, set[str]]:
    """Whether the actor reads the whole, otherwise whose columns."""
    if actor.has(Role.system) or actor.areas(*READS_AREA) & set(path):
        return True, set()
    cells = await select(
        "SELECT lead_unit, region, {} AS seen FROM monthly_cell WHERE period = {}",
        monthly.visible_to(actor),
        period.id,
    )
    own, heirs = actor.units(Role.lead_unit_reviewer, *RESPONSIBLE), await units.heirs(clock.today())
    leads = {heirs.get(cell["lead_unit"], cell["lead_unit"]) for cell in cells}
    return bool(leads & own), {cell["region"] for cell in cells if cell["seen"]}


async def told(sight: Sight, actor: Actor, of: Kind | None = None) -> Told:
    """The frozen month with its supplements; before that, or when asked for, the look ahead.

    Raises NotFound for a frozen month that is not frozen yet.
    """
    stored = await kept.of_period(sight.period.id)
    all = [it for it in stored if it.kind != Kind.preview]
    if of == Kind.preview or (of is None and not all):
        return await _ahead(sight, actor, stored)
    if not all:
        raise NotFound()
    frozen, *supplements = all
    return Told(
        summary=await narrowed(frozen.summary, sight, actor),
        whole=sight.whole,
        sha256=frozen.sha256,
        made_at=frozen.made_at,
        supplements=[it for it in [await narrowed(it.summary, sight, actor) for it in supplements] if _tells(it)],
    )


async def _ahead(sight: Sight, actor: Actor, stored: Sequence[kept.Stored]) -> Told:
    """The one that was kept on the last day; until it is there, and its instant has come, the month as it stands."""
    come = [it for it in stored if it.kind == Kind.preview and it.as_of <= clock.now()]  # our clock may have run ahead
    if come:
        summary, sha256, made_at = come[0].summary, come[0].sha256, come[0].made_at
    else:
        (summary, made_at), sha256 = await live.now(sight.period), None
    told = await narrowed(summary, sight, actor)
    return Told(summary=told, whole=sight.whole, sha256=sha256, made_at=made_at, supplements=[])


async def listed(actor: Actor, *, cursor: UUID | None, most: int) -> SummaryList:
    """What was kept of every month in sight, newest first; of supplements those that have anything for the actor."""
    rows = await select(
        "SELECT kept.id, kept.kind, kept.number, kept.as_of, kept.made_at, kept.sha256, month, monthly_period.rule, "
        "title FROM monthly_summary AS kept JOIN monthly_period ON monthly_period.id = kept.period "
        "JOIN monthly_rule ON monthly_rule.id = monthly_period.rule WHERE {} "
        f"AND ({{}}::uuid IS NULL OR kept.id < {{}}) AND (kept.kind <> 'supplement' OR EXISTS ({_LATE})) "
        "ORDER BY kept.id DESC LIMIT {}",
        visible_to(actor), cursor, cursor, monthly.visible_to(actor), most + 1,
    )  # fmt: skip
    items = msgspec.convert(rows[:most], list[SummaryLine])
    return SummaryList(items=items, next=items[-1].id if len(rows) > most else None)


# The regions that a supplement tells of, among the cells that the reader sees.
_LATE = (
    "SELECT FROM jsonb_array_elements(convert_from(kept.body, 'UTF8')::jsonb -> 'supplement' -> 'lines') AS line "
    "JOIN monthly_cell ON monthly_cell.period = kept.period AND monthly_cell.region = line ->> 'region' WHERE {}"
)


async def narrowed(it: Summary, sight: Sight, actor: Actor) -> Summary:
    """What the actor reads of it. What stood in an item is told to those who see the item."""
    if not sight.whole:
        it = _columns(it, sight.regions)
    listed = [*it.handed_over, *it.carried_over]
    seen = await _seen([line.id for line in listed], actor)

    def told(lines: list[ItemLine]) -> list[ItemLine]:
        return [line if line.id in seen else msgspec.structs.replace(line, facts=None) for line in lines]

    return msgspec.structs.replace(it, handed_over=told(it.handed_over), carried_over=told(it.carried_over))


async def _seen(items: Sequence[UUID], actor: Actor) -> set[UUID]:
    rows = await select(
        "SELECT id FROM rectification WHERE id = ANY({}) AND {}", list(items), rectifications.visible_to(actor)
    )
    return {row["id"] for row in rows}


def _columns(it: Summary, regions: Collection[str]) -> Summary:
    """The columns of these regions, the numbers counted from them alone; nothing about anybody else."""
    own = [region for region in it.regions if region.code in regions]
    cells = [cell for cell in it.cells if cell.region in regions]
    items = making.added([region.items for region in own])
    carried = [line for line in it.carried_over if line.region in regions]
    leads = [
        msgspec.structs.replace(
            lead, counts=_counted([cell for cell in cells if cell.lead_unit == lead.unit]), text="",
            **_handed(it, lead.name, regions),
        )
        for lead in it.leads
    ]  # fmt: skip
    supplement = it.supplement
    if supplement:
        lines = [line for line in supplement.lines if line.region in regions]
        said = "".join(paragraphs.of_late(line) for line in lines)
        supplement = msgspec.structs.replace(supplement, lines=lines, counts=None, counts_before=None, text=said)
    return msgspec.structs.replace(
        it,
        counts=_counted(cells), leads=leads, regions=own, cells=cells, items=items, topics=[], previous=None,
        text=supplement.text if supplement else "".join(region.text for region in own),
        candidates=[], candidates_more=0,
        handed_over=[line for line in it.handed_over if line.region in regions],
        carried_over=carried, carried_over_more=items.carried_over - len(carried), supplement=supplement,
        inputs=msgspec.structs.replace(it.inputs, names={}),
    )  # fmt: skip


def _tells(it: Summary) -> bool:
    """Whether a supplement has anything for the reader: those of other regions are no matter of theirs."""
    return it.supplement is not None and bool(it.supplement.lines)


def _handed(it: Summary, lead: str, regions: Collection[str]) -> dict[str, int]:
    own = [line for line in it.handed_over if line.lead == lead and line.region in regions]
    return {
        "handed_over": len(own),
        "handed_over_cleared": sum(line.stands == "closed" for line in own),
        "handed_over_overdue": sum(line.overdue for line in own),
    }


def _counted(cells: Sequence[Any]) -> Counts:
    counts = Counts(cells=len(cells))
    for cell in cells:
        setattr(counts, cell.state.value, getattr(counts, cell.state.value) + 1)
        for name in ("checks", "found", "solved", "handed_over"):
            setattr(counts, name, getattr(counts, name) + getattr(cell, name))
    return counts
