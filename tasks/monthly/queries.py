"""Reading the monthly check: periods, the matrix as of an instant, what is missing. People's own sight is below.

`matrix` and `missing` answer for everybody's cells: they are for the summary and for reminders, which guard their own
readers. Screens ask `seen_matrix`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.calendar import queries as calendar
from backend.db import raw, select
from backend.errors import NotFound
from backend.roles import READS_AREA, RESPONSIBLE, SYSTEM, Actor, Role
from backend.units import queries as units
from backend.workdays import Calendar
from tasks.monthly import rules, shapes
from tasks.monthly.who import Around
from tasks.monthly.words import CellState, Roll

OWED = (CellState.not_started, CellState.missing)


def visible_to(actor: Actor) -> QueryString:
    """Offices and leaders their area, a lead unit (or its successor) its line, units of a region their column."""
    if actor.has(Role.system):
        return QueryString("true")
    branches = units.within("monthly_cell", actor.areas(*READS_AREA))
    if own := actor.units(Role.lead_unit_reviewer, *RESPONSIBLE):
        branches.append(QueryString(f"monthly_cell.lead_unit IN ({_ANCESTRY})", list(own)))
    if areas := actor.areas(*RESPONSIBLE):
        columns = "monthly_cell.region IN (SELECT unnest(path) FROM region WHERE code = ANY({}))"
        branches.append(QueryString(columns, list(areas)))
    if not branches:
        return QueryString("false")
    return QueryString("(" + " OR ".join("({})" for _ in branches) + ")", *branches)


async def periods_due(now: datetime) -> list[shapes.Period]:
    """Every period whose cutoff has passed, oldest first: each of them is summarised once."""
    return await _periods("cutoff_at <= $1", now)


async def periods_open(now: datetime) -> list[shapes.Period]:
    """Every period that has begun and whose cutoff has not passed."""
    return await _periods("starts_at <= $1 AND cutoff_at > $1", now)


async def periods_since(since: datetime, now: datetime) -> list[shapes.Period]:
    """Every period that has begun and whose cutoff is later than `since`."""
    return await _periods("starts_at <= $1 AND cutoff_at > $2", now, since)


async def periods_of(month: str) -> list[shapes.Period]:
    return await _periods("month = $1", month)


async def period(id: UUID) -> shapes.Period:
    """Raises NotFound."""
    found = await _periods("monthly_period.id = $1", id)
    if not found:
        raise NotFound()
    return found[0]


@dataclass(frozen=True, slots=True)
class Approved:
    """A rule that counts, as the sweep needs it."""

    id: UUID
    terms: rules.Terms
    approved_at: datetime


async def approved_rules() -> list[Approved]:
    """By validity, also those that are over: a month may still have to be made."""
    rows = await raw("SELECT * FROM monthly_rule WHERE answer = 'upheld' ORDER BY valid_from, id")
    return [Approved(row["id"], terms(row), row["decided_at"]) for row in rows]


def terms(row: Any) -> rules.Terms:
    """What a row of `monthly_rule` says of its months."""
    said = {name: row[name] for name in ("window_start_day", "cutoff_day", "inclusive", "valid_from", "valid_to")}
    return rules.Terms(**said, roll=Roll(row["roll"]))


async def months_of(rule: UUID) -> set[str]:
    """The months of a rule that have their period."""
    return {row["month"] for row in await raw("SELECT month FROM monthly_period WHERE rule = $1", rule)}


@dataclass(frozen=True, slots=True)
class Held:
    """A cell for a command: whose it is, and when its month begins and ends."""

    id: UUID
    month: str
    row: Any
    around: Around
    starts_at: datetime
    cutoff_at: datetime

    def told(self) -> dict[str, Any]:
        """What every event about a cell says: whose audience it has, and which cell it was."""
        names = {"lead_name": self.row["lead_name"], "region_name": self.row["region_name"]}
        return {"month": self.month, "unit": self.around.keeper, "region": self.row["region"], **names}


async def lock(cell: UUID, actor: Actor) -> Held:
    """The cell, locked for the running transaction. Raises NotFound outside the actor's sight."""
    if not await select("SELECT 1 FROM monthly_cell WHERE id = {} AND {} FOR NO KEY UPDATE", cell, visible_to(actor)):
        raise NotFound()
    return (await held([cell]))[cell]


async def held(cells: Sequence[UUID]) -> dict[UUID, Held]:
    rows = await raw(
        "SELECT monthly_cell.*, month, starts_at, cutoff_at, path FROM monthly_cell "
        "JOIN monthly_period ON monthly_period.id = period JOIN region ON region.code = monthly_cell.region "
        "WHERE monthly_cell.id = ANY($1::uuid[])",
        cells,
    )
    heirs = await _heirs({row["lead_unit"] for row in rows}, clock.now())
    return {row["id"]: _held(row, heirs) for row in rows}


def _held(row: Any, heirs: Mapping[UUID, tuple[UUID, str]]) -> Held:
    keeper = heirs.get(row["lead_unit"], (row["lead_unit"], ""))[0]
    around = Around(keeper, row["lead_unit"], row["target"], frozenset(row["path"]))
    return Held(row["id"], row["month"], row, around, row["starts_at"], row["cutoff_at"])


async def record(id: UUID) -> Any:
    """A check record as it is stored, with `corrected`, and `root_withdrawn_at` of its first version. Raises NotFound.

    For commands, which lock its cell and ask for sight there.
    """
    rows = await raw(
        "SELECT record.*, root.withdrawn_at AS root_withdrawn_at, EXISTS (SELECT FROM monthly_record AS heir "
        "WHERE heir.corrects = record.id) AS corrected FROM monthly_record AS record "
        "JOIN monthly_record AS root ON root.id = record.first WHERE record.id = $1",
        id,
    )
    if not rows:
        raise NotFound()
    return rows[0]


async def problems(record: UUID) -> Sequence[Any]:
    """What a record handed over, with where and by whom it was found."""
    return await raw(
        "SELECT handed.*, month, lead_name, region_name, place FROM monthly_hand_over AS handed "
        "JOIN monthly_record ON monthly_record.id = handed.record JOIN monthly_cell ON monthly_cell.id = cell "
        "JOIN monthly_period ON monthly_period.id = period WHERE handed.record = $1 ORDER BY position",
        record,
    )


async def stands(cell: UUID, as_of: datetime) -> CellState:
    """How one cell stands."""
    rows = await raw(
        "SELECT cutoff_at FROM monthly_cell JOIN monthly_period ON monthly_period.id = period "
        "WHERE monthly_cell.id = $1",
        cell,
    )
    said = (await said_of([cell]))[cell]
    return rules.state(known(said), rows[0]["cutoff_at"], as_of)


async def cell_of_exemption(exemption: UUID) -> UUID:
    return (await raw("SELECT cell FROM monthly_exemption WHERE id = $1", exemption))[0]["cell"]


async def received_at(record: UUID) -> datetime:
    return (await raw("SELECT received_at FROM monthly_record WHERE id = $1", record))[0]["received_at"]


async def shows_evidence(files: Sequence[UUID], actor: Actor) -> set[UUID]:
    """Those of these files that came with check records of cells the actor sees."""
    rows = await select(
        "SELECT DISTINCT hangs.evidence FROM monthly_record_evidence AS hangs "
        "JOIN monthly_record ON monthly_record.id = hangs.record JOIN monthly_cell ON monthly_cell.id = cell "
        "WHERE hangs.evidence = ANY({}) AND {}",
        list(files),
        visible_to(actor),
    )
    return {row["evidence"] for row in rows}


async def handed_over(first: UUID) -> int:
    """How many problems the versions of a record handed over."""
    rows = await raw(
        "SELECT count(*) AS n FROM monthly_hand_over AS handed "
        "JOIN monthly_record AS past ON past.id = handed.record WHERE past.first = $1",
        first,
    )
    return rows[0]["n"]


async def matrix(period: UUID, as_of: datetime) -> shapes.Matrix:
    """The whole period as it was known at `as_of`. Raises NotFound.

    Give an instant a minute past before you keep the answer: what the server heard at the last instant may be a
    moment on its way to the disk.
    """
    return await seen_matrix(period, as_of, SYSTEM)


async def seen_matrix(id: UUID, as_of: datetime, actor: Actor, *, only: UUID | None = None) -> shapes.Matrix:
    """The lines and columns that the actor sees (of them `only` this cell), counted from these alone.

    Raises NotFound when there are none.
    """
    wanted = QueryString("monthly_cell.id = {}", only) if only else QueryString("true")
    cells = await select(f"{_CELLS} WHERE period = {{}} AND {{}} AND {{}} {_ORDER}", id, wanted, visible_to(actor))
    if not cells:
        raise NotFound()
    said, heirs = await said_of([row["id"] for row in cells]), await _heirs({row["lead_unit"] for row in cells}, as_of)
    it = await period(id)
    shaped = [(row, _cell(row, said[row["id"]], it.cutoff_at, as_of)) for row in cells]
    leads = {row["lead_unit"]: _lead(row, heirs) for row, _ in shaped}
    regions = {row["region"]: shapes.Region(row["region"], row["region_name"], row["target"], shapes.Counts())
               for row, _ in sorted(shaped, key=lambda pair: pair[0]["region"])}  # fmt: skip
    counts = shapes.Counts()
    for _, cell in shaped:
        for counted in (counts, leads[cell.lead_unit].counts, regions[cell.region].counts):
            _count(counted, cell)
    return shapes.Matrix(it, as_of, counts, [*leads.values()], [*regions.values()], [cell for _, cell in shaped])


async def seen_cell(id: UUID, actor: Actor) -> Mapping[str, Any]:
    """A cell with its month. Raises NotFound outside the actor's sight."""
    rows = await select(
        "SELECT monthly_cell.*, month FROM monthly_cell JOIN monthly_period ON monthly_period.id = period "
        "WHERE monthly_cell.id = {} AND {}",
        id,
        visible_to(actor),
    )
    if not rows:
        raise NotFound()
    return rows[0]


async def missing(period: UUID, as_of: datetime) -> list[shapes.Missing]:
    """The cells for which nothing counts yet, line by line, each with the unit that owes it."""
    it = await matrix(period, as_of)
    leads = {lead.unit: lead for lead in it.leads}
    names = {region.code: region.name for region in it.regions}
    return [
        shapes.Missing(
            cell=cell.id,
            unit=leads[cell.lead_unit].taken_over_by or cell.lead_unit,
            lead_unit=cell.lead_unit,
            lead_name=leads[cell.lead_unit].name,
            region=cell.region,
            region_name=names[cell.region],
            state=cell.state,
        )
        for cell in it.cells
        if cell.state in OWED
    ]


# The units whose work these ones have: themselves, and what was merged into them, however often.
_ANCESTRY = (
    "WITH RECURSIVE line (unit) AS (SELECT unnest({}::uuid[]) "
    "UNION SELECT unit.id FROM unit JOIN line ON unit.successor = line.unit) SELECT unit FROM line"
)
_CELLS = "SELECT monthly_cell.* FROM monthly_cell"
_ORDER = "ORDER BY lead_position, lead_unit, region"


async def _periods(condition: str, *args: object) -> list[shapes.Period]:
    rows = await raw(
        "SELECT monthly_period.*, title, clause FROM monthly_period JOIN monthly_rule ON monthly_rule.id = rule "
        f"WHERE {condition} ORDER BY cutoff_at, title, monthly_period.id",
        *args,
    )
    days = await calendar.load()
    return [_period(row, days) for row in rows]


def _period(row: Any, days: Calendar) -> shapes.Period:
    day, certainty = rules.target_on(row["last_on"], days)
    return msgspec.convert({**row, "target_on": day, "target_certainty": certainty}, shapes.Period)


async def said_of(cells: Sequence[UUID]) -> dict[UUID, dict[str, list[Any]]]:
    """Of each cell: its records with the instant until which they hold and what they handed over, its exemptions."""
    said: dict[UUID, dict[str, list[Any]]] = {id: {"records": [], "exemptions": []} for id in cells}
    for row in await raw(_RECORDS, cells):
        said[row["cell"]]["records"].append(row)
    for row in await raw(_EXEMPTIONS, cells):
        said[row["cell"]]["exemptions"].append(row)
    return said


# A record holds until it was corrected, or its first version withdrawn; what versions before it handed over stays.
_RECORDS = (
    "SELECT record.id, record.cell, record.first, record.first_received_at, record.received_at, record.finished_at, "
    "record.found_count, record.solved_count, least("
    "(SELECT heir.received_at FROM monthly_record AS heir WHERE heir.corrects = record.id), "
    "(SELECT root.withdrawn_at FROM monthly_record AS root WHERE root.id = record.first)) AS until, "
    "ARRAY(SELECT past.received_at FROM monthly_hand_over AS handed JOIN monthly_record AS past "
    "ON past.id = handed.record WHERE past.first = record.first) AS handed_over "
    "FROM monthly_record AS record WHERE record.cell = ANY($1::uuid[]) ORDER BY record.received_at, record.id"
)
_EXEMPTIONS = (
    "SELECT cell, decided_at, revoked_at, reason, person.name FROM monthly_exemption "
    "JOIN person ON person.id = decided_by WHERE cell = ANY($1::uuid[]) AND answer = 'upheld' ORDER BY decided_at"
)


def filed(row: Any) -> rules.Filed:
    return rules.Filed(row["first_received_at"], row["received_at"], row["finished_at"], row["until"])


def known(said: Mapping[str, list[Any]]) -> rules.Cell:
    """What was ever said of a cell, as the rules read it."""
    exempted = (rules.Exempted(it["decided_at"], it["revoked_at"]) for it in said["exemptions"])
    return rules.Cell(tuple(filed(it) for it in said["records"]), tuple(exempted))


def _cell(row: Any, said: Mapping[str, list[Any]], cutoff: datetime, as_of: datetime) -> shapes.Cell:
    records = [(it, filed(it)) for it in said["records"]]
    current = [(it, record) for it, record in records if record.holds(as_of)]
    exemptions = [(it, rules.Exempted(it["decided_at"], it["revoked_at"])) for it in said["exemptions"]]
    counting = min(current, key=lambda pair: (not rules.on_time(pair[1], cutoff), pair[1].received_at), default=None)
    exempt = next((it for it, exempted in exemptions if exempted.holds(as_of)), None)
    return shapes.Cell(
        id=row["id"],
        lead_unit=row["lead_unit"],
        region=row["region"],
        state=rules.state(known(said), cutoff, as_of),
        checks=len(current),
        found=sum(it["found_count"] for it, _ in current),
        solved=sum(it["solved_count"] for it, _ in current),
        handed_over=sum(at <= as_of for it, _ in current for at in it["handed_over"]),
        checked_at=counting[1].finished_at if counting else None,
        received_at=counting[1].first_received_at if counting else None,
        late_says=rules.late_says(counting[1], cutoff) if counting else None,
        exempt_reason=exempt["reason"] if exempt else None,
        exempt_by_name=exempt["name"] if exempt else None,
    )


def _lead(row: Any, heirs: Mapping[UUID, tuple[UUID, str]]) -> shapes.Lead:
    heir, name = heirs.get(row["lead_unit"], (None, None))
    return shapes.Lead(row["lead_unit"], row["lead_name"], heir, name, shapes.Counts())


def _count(counted: shapes.Counts, cell: shapes.Cell) -> None:
    counted.cells += 1
    setattr(counted, cell.state.value, getattr(counted, cell.state.value) + 1)
    for name in ("checks", "found", "solved", "handed_over"):
        setattr(counted, name, getattr(counted, name) + getattr(cell, name))


async def _heirs(leads: Iterable[UUID], as_of: datetime) -> dict[UUID, tuple[UUID, str]]:
    """Who has the work of these units at `as_of`, as far as the system had been told by then."""
    rows = await raw(
        "WITH RECURSIVE line (unit, heir) AS (SELECT id, id FROM unit WHERE id = ANY($1::uuid[]) "
        "UNION SELECT line.unit, gone.successor FROM line JOIN unit AS gone ON gone.id = line.heir "
        "WHERE gone.successor IS NOT NULL AND gone.valid_to < ($2 AT TIME ZONE 'Asia/Shanghai')::date "
        "AND NOT EXISTS (SELECT FROM event WHERE subject = gone.id AND verb = 'unit.ended' AND at > $2)) "
        "SELECT line.unit, line.heir, heir.name FROM line JOIN unit AS heir ON heir.id = line.heir "
        "WHERE line.heir <> line.unit AND NOT EXISTS ("
        "SELECT FROM line AS later JOIN unit AS gone ON gone.id = line.heir "
        "WHERE later.unit = line.unit AND later.heir = gone.successor)",
        list(leads),
        as_of,
    )
    return {row["unit"]: (row["heir"], row["name"]) for row in rows}
