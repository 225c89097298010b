"""Makes a summary from the facts as they were known at an instant: asked again, it says the same to the letter."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from backend import clock
from backend.calendar import queries as calendar
from backend.db import raw, snapshot
from notifications.summaries import kept, overdue, paragraphs, rules, standing
from notifications.summaries.shapes import (
    Candidate,
    CellLine,
    Change,
    Inputs,
    ItemLine,
    Items,
    LeadLine,
    Previous,
    RegionLine,
    RuleLine,
    Summary,
    TopicLine,
)
from notifications.summaries.standing import FLOW, Scope
from notifications.summaries.words import Ground, Kind, Stands
from tasks.monthly import queries as monthly
from tasks.monthly.shapes import Matrix, Period
from tasks.monthly.words import CellState

MOST_CARRIED = 200
MOST_CANDIDATES = 60
MOST_FACTS = 10
TOPICS = 5
COMPARED = {
    "counts": ("done", "missing", "found", "solved", "handed_over"),
    "items": ("new", "cleared", "open", "overdue", "carried_over"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a summary is made of, gathered: nothing is asked of the database afterwards but names, and facts by name."""

    matrix: Matrix
    scope: Scope
    records: Mapping[UUID, tuple[list[UUID], list[UUID]]]
    flow: Mapping[str, Mapping[str, int]]
    topics: Mapping[str, int]
    handed: Sequence[tuple[standing.Line, UUID]]  # with the lead unit whose check it was
    carried: Sequence[standing.Line]
    late: Set[UUID]
    before: kept.Stored | None
    missed: Set[tuple[UUID, str]]  # lead unit and region of the month before, of which nothing has come since either


async def made(period: Period, as_of: datetime, kind: Kind, inputs: Inputs | None = None) -> Summary:
    """The month as it was known at `as_of`. With the `inputs` of a kept one it comes out byte for byte the same.

    Made of one snapshot: no item moves between two of its statements.
    """
    async with snapshot():
        # Whether ten items have moved or a hundred thousand: each statement is planned for its own arguments.
        await raw("SET LOCAL plan_cache_mode = force_custom_plan")
        if inputs is not None:
            return await _summary(period, as_of, kind, inputs, await _known(period, as_of, inputs))
        red_on, before = rules.red_line(as_of, await calendar.load()), await kept.before(period)
        inputs = Inputs(names={}, since=await _since(period), red_on=red_on, before=before and before.id)
        known = await _known(period, as_of, inputs)
        inputs.names = await _names(known)
        return await _summary(period, as_of, kind, inputs, known)


async def _since(period: Period) -> datetime:
    """The cutoff before: of the same rule or the one it stands in for, otherwise the same day a month earlier."""
    rows = await raw(
        "SELECT max(cutoff_at) AS since FROM monthly_period WHERE cutoff_at < $2 AND (rule = $1 "
        "OR rule = (SELECT replaces FROM monthly_rule WHERE id = $1))",
        period.rule,
        period.cutoff_at,
    )
    since, usual = rows[0]["since"], rules.month_before(period.cutoff_at)
    return since if since and since > usual - timedelta(days=31) else usual


async def _known(period: Period, as_of: datetime, inputs: Inputs) -> Known:
    matrix = await monthly.matrix(period.id, as_of)
    handed = await _handed(period.id, as_of)
    span = rules.span(inputs.since, as_of, inputs.red_on)
    scope = await standing.scope([region.code for region in matrix.regions], span, handed)
    flow, topics = await standing.counted(scope)
    carried = await overdue.carried_over(scope, MOST_CARRIED)
    before = await kept.one(inputs.before) if inputs.before else None
    return Known(
        matrix=matrix,
        scope=scope,
        records=await _records(period.id, as_of),
        flow=flow,
        topics=topics,
        handed=[(line, handed[line.id]) for line in await standing.lines(scope, handed)],
        carried=await standing.lines(scope, carried),
        late=await overdue.units_long_overdue(scope),
        before=before,
        missed=await _missed(before, as_of) if before else set(),
    )


async def _missed(before: kept.Stored, as_of: datetime) -> set[tuple[UUID, str]]:
    matrix = await monthly.matrix(before.period, as_of)
    return {(cell.lead_unit, cell.region) for cell in matrix.cells if cell.state == CellState.missing}


async def _records(period: UUID, as_of: datetime) -> dict[UUID, tuple[list[UUID], list[UUID]]]:
    """By cell: the check records that had come, and those that had been withdrawn."""
    rows = await raw(
        "SELECT record.cell, array_agg(record.id ORDER BY record.received_at, record.id) AS came, "
        "array_agg(record.id ORDER BY record.received_at, record.id) FILTER (WHERE withdrawn_at <= $2) AS gone "
        "FROM monthly_record AS record JOIN monthly_cell ON monthly_cell.id = record.cell "
        "WHERE period = $1 AND record.received_at <= $2 GROUP BY record.cell",
        period,
        as_of,
    )
    return {row["cell"]: (row["came"], row["gone"] or []) for row in rows}


async def _handed(period: UUID, as_of: datetime) -> dict[UUID, UUID]:
    """The rectifications that checks of the period handed over, each with the lead unit of the check."""
    rows = await raw(
        "SELECT handed.id, lead_unit FROM monthly_hand_over AS handed "
        "JOIN monthly_record AS record ON record.id = handed.record JOIN monthly_cell ON monthly_cell.id = record.cell "
        "JOIN monthly_record AS root ON root.id = record.first WHERE period = $1 AND record.received_at <= $2 "
        "AND (root.withdrawn_at IS NULL OR root.withdrawn_at > $2) "
        "ORDER BY lead_position, monthly_cell.region, record.received_at, record.id, position",
        period,
        as_of,
    )
    return {row["id"]: row["lead_unit"] for row in rows}


async def _names(it: Known) -> dict[str, str]:
    """Of every unit, region and topic that the summary names and the matrix does not keep the name of."""
    lines = [*(line for line, _ in it.handed), *it.carried]
    units = {unit for line in lines for unit in line.standing.units} | it.late
    units |= {lead.taken_over_by for lead in it.matrix.leads if lead.taken_over_by}
    rows = await raw(
        "SELECT id::text AS key, name FROM unit WHERE id = ANY($1::uuid[]) "
        "UNION ALL SELECT code, full_name FROM region WHERE code = ANY($2::text[]) "
        "UNION ALL SELECT 'topic:' || code, name FROM topic WHERE code = ANY($3::text[])",
        list(units),
        [line.region for line in lines],
        [*it.topics, *(line.topic for line in lines)],
    )
    return {row["key"]: row["name"] for row in rows}


async def _summary(period: Period, as_of: datetime, kind: Kind, inputs: Inputs, it: Known) -> Summary:
    names, matrix, today = inputs.names, it.matrix, it.scope.span.today
    handed = [_item(line, names, today, lead=_lead_name(matrix, lead)) for line, lead in it.handed]
    regions = [_region(matrix, region, it.flow.get(region.code, {})) for region in matrix.regions]
    items = added([line.items for line in regions])
    twice = [*_missing_twice(it)]
    candidates = [*twice, *await _long_overdue(it, names)][:MOST_CANDIDATES]
    return Summary(
        kind=kind,
        number=0,
        rule=RuleLine(id=period.rule, title=period.title, clause=period.clause),
        month=period.month,
        starts_on=period.starts_on,
        last_on=period.last_on,
        cutoff_at=period.cutoff_at,
        as_of=as_of,
        inputs=inputs,
        counts=matrix.counts,
        leads=[_lead(it, lead, names, today) for lead in matrix.leads],
        regions=regions,
        cells=[_cell(cell, *it.records.get(cell.id, ([], []))) for cell in matrix.cells],
        items=items,
        topics=_topics(it.topics, names),
        text=paragraphs.whole(period.month, (len(matrix.leads), len(regions)), matrix.counts, items, as_of),
        previous=_previous(it.before, matrix, items),
        candidates=candidates,
        candidates_more=len(twice) + len(it.late) - len(candidates),
        handed_over=handed,
        carried_over=[_item(line, names, today) for line in it.carried],
        carried_over_more=items.carried_over - len(it.carried),
    )


def flow(counted: Mapping[str, int]) -> Items:
    due = counted.get("due", 0)
    return Items(
        **counted,
        closing_rate=rules.rate(counted.get("due_closed", 0), due),
        on_time_rate=rules.rate(counted.get("due_on_time", 0), due),
    )


def added(all: Sequence[Items]) -> Items:
    return flow({name: sum(getattr(one, name) for one in all) for name in FLOW})


def _region(matrix: Matrix, region: Any, counted: Mapping[str, int]) -> RegionLine:
    items = flow(counted)
    names = {lead.unit: lead.name for lead in matrix.leads}
    owed = [names[cell.lead_unit] for cell in matrix.cells if cell.region == region.code and cell.state in monthly.OWED]
    text = paragraphs.of_region(region.name, region.counts, items, owed)
    return RegionLine(code=region.code, name=region.name, counts=region.counts, items=items, text=text)


def _lead(it: Known, lead: Any, names: Mapping[str, str], today: Any) -> LeadLine:
    own = [line.standing for line, unit in it.handed if unit == lead.unit]
    cleared = sum(one.stands == Stands.closed for one in own)
    overdue = sum(_overdue(one, today) for one in own)
    regions = {region.code: region.name for region in it.matrix.regions}
    owed = [
        regions[cell.region] for cell in it.matrix.cells if cell.lead_unit == lead.unit and cell.state in monthly.OWED
    ]
    heir = names.get(str(lead.taken_over_by)) if lead.taken_over_by else None
    return LeadLine(
        unit=lead.unit,
        name=lead.name,
        taken_over_by=heir,
        counts=lead.counts,
        handed_over=len(own),
        handed_over_cleared=cleared,
        handed_over_overdue=overdue,
        text=paragraphs.of_lead(lead.name, heir, lead.counts, owed, (len(own), cleared, overdue)),
    )


def _cell(cell: Any, came: list[UUID], gone: list[UUID]) -> CellLine:
    own = [name for name in CellLine.__struct_fields__ if name not in ("records", "withdrawn")]
    return CellLine(**{name: getattr(cell, name) for name in own}, records=came, withdrawn=gone)


def _lead_name(matrix: Matrix, unit: UUID) -> str:
    return next(lead.name for lead in matrix.leads if lead.unit == unit)


def _overdue(it: standing.Standing, today: Any) -> bool:
    return it.stands == Stands.in_work and it.due_on is not None and it.due_on < today


def _item(line: standing.Line, names: Mapping[str, str], today: Any, *, lead: str | None = None) -> ItemLine:
    own = line.standing
    return ItemLine(
        id=line.id,
        number=line.number,
        region=line.place,
        region_name=names.get(line.region, ""),
        topic=names.get(f"topic:{line.topic}", line.topic),
        facts=line.facts,
        stands=own.stands,
        overdue=_overdue(own, today),
        issued_on=standing.issued_on(line),
        due_on=own.due_on,
        closed_on=clock.local(own.closed_at).date() if own.closed_at else None,
        units=sorted(names.get(str(unit), "") for unit in own.units),
        lead=lead,
    )


def _topics(new: Mapping[str, int], names: Mapping[str, str]) -> list[TopicLine]:
    first = sorted(new.items(), key=lambda pair: (-pair[1], pair[0]))[:TOPICS]
    return [TopicLine(code=code, name=names.get(f"topic:{code}", code), new=count) for code, count in first]


def _previous(before: kept.Stored | None, matrix: Matrix, items: Items) -> Previous | None:
    if before is None:
        return None
    now, then = (
        {"counts": matrix.counts, "items": items},
        {"counts": before.summary.counts, "items": before.summary.items},
    )
    changes = [
        Change(
            name=name,
            label=paragraphs.LABELS[name],
            now=getattr(now[where], name),
            before=getattr(then[where], name),
        )
        for where, all in COMPARED.items()
        for name in all
    ]
    return Previous(month=before.summary.month, sha256=before.sha256, changes=changes)


def _missing_twice(it: Known) -> Iterable[Candidate]:
    """By lead unit: the regions it did not check, in this month and the one before."""
    if it.before is None:
        return
    for lead in it.matrix.leads:
        twice = [
            region
            for region in it.matrix.regions
            for cell in it.matrix.cells
            if (cell.lead_unit, cell.region) == (lead.unit, region.code)
            and cell.state == CellState.missing
            and (lead.unit, region.code) in it.missed
        ]
        if twice:
            months = f"{paragraphs.month_of(it.before.summary.month)}、{paragraphs.month_of(it.matrix.period.month)}"
            yield Candidate(
                ground=Ground.missing_twice,
                unit=lead.taken_over_by or lead.unit,
                name=lead.name,
                rule=paragraphs.RULES[Ground.missing_twice],
                facts=[f"{region.name}：{months}均未检查" for region in twice],
                regions=[region.code for region in twice],
            )


async def _long_overdue(it: Known, names: Mapping[str, str]) -> list[Candidate]:
    """By responsible unit, in the order of their names: nobody is ranked. No more than are shown."""
    units = sorted(it.late, key=lambda unit: (names.get(str(unit), ""), unit))[:MOST_CANDIDATES]
    found = await overdue.long_overdue(it.scope, units, MOST_FACTS)
    return [_overdue_of(unit, names.get(str(unit), ""), found[unit]) for unit in units]


def _overdue_of(unit: UUID, name: str, items: overdue.Overdue) -> Candidate:
    told = "、".join(items.numbers)
    more = f"等{items.count}件" if items.count > len(items.numbers) else f"，共{items.count}件"
    return Candidate(
        ground=Ground.long_overdue,
        unit=unit,
        name=name,
        rule=paragraphs.RULES[Ground.long_overdue],
        facts=[told + more],
        regions=sorted(items.places),
    )
