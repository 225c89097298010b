"""Reading findings and topics. A finding is seen by whoever sees its visit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from backend.db import raw, select
from backend.errors import NotFound
from backend.evidence import queries as evidence
from backend.evidence.queries import EvidenceShape
from backend.evidence.rules import Caption
from backend.geo import Position
from backend.households import queries as households
from backend.households.queries import Shown
from backend.roles import Actor
from backend.trust_reports import queries as trust_reports
from backend.trust_reports.facts import RecordKind, Setting
from backend.trust_reports.loading import Settings
from backend.trust_reports.shapes import SummaryShape
from inspections.findings.rules import ClosingClass, NonImplementation, Severity
from inspections.visits import queries as visits
from inspections.visits.rules import Status


class FindingShape(msgspec.Struct):
    """A finding as filed, the `number`-th of its visit. `arrived` of `declared` files are on the server's disk.
    `household` is null too for who does not see that household. `receipt`: in answers to filing.
    """

    id: UUID
    visit: UUID
    number: int
    by: UUID
    topic: str
    topic_name: str
    severity: Severity
    closing_class: ClosingClass
    non_implementation: NonImplementation | None
    facts: str
    asks: str
    region: str
    household: UUID | None
    person_concerned: UUID | None
    place_note: str
    lat: float | None
    lng: float | None
    accuracy_m: float | None
    danger_to_life: bool
    no_evidence_reason: str
    found_at: datetime
    received_at: datetime
    late: bool
    responsible_units: list[UUID]
    lead_units: list[UUID]
    declared: int
    arrived: int
    evidence: list[EvidenceShape]
    receipt: str | UnsetType = UNSET


class FindingDetail(FindingShape, kw_only=True):
    """One finding; `trust` counts what the trust reports of its files say, for who reads those."""

    trust: SummaryShape | None


class TopicShape(msgspec.Struct):
    code: str
    parent: str | None
    name: str


async def of_visit(visit: UUID, actor: Actor, shown: Shown) -> list[FindingShape]:
    """Everything filed on a visit the actor sees, oldest first. Raises NotFound."""
    await visits.seen(visit, actor)
    return (await of_visits([visit], actor, shown))[visit]


async def of_visits(seen: Sequence[UUID], actor: Actor, shown: Shown) -> dict[UUID, list[FindingShape]]:
    """Everything filed on these visits, oldest first; the caller knows that the actor sees them."""
    filed: dict[UUID, list[FindingShape]] = {visit: [] for visit in seen}
    where = "WHERE finding.visit = ANY($1::uuid[]) ORDER BY finding.received_at, finding.id"
    found = await _shaped(await raw(f"{_SHAPE} {where}", list(seen)))
    for finding in await _without_hidden(found, actor, shown):
        filed[finding.visit].append(finding)
    return filed


async def show(
    finding: UUID, visit: UUID, actor: Actor, shown: Shown, settings: Sequence[Settings], *, english: bool
) -> FindingDetail:
    await visits.seen(visit, actor)
    rows = await select(f"{_SHAPE} WHERE finding.id = {{}} AND finding.visit = {{}}", finding, visit)
    if not rows:
        raise NotFound()
    shape = (await _without_hidden(await _shaped(rows), actor, shown))[0]
    files = {finding: [file.id for file in shape.evidence]}
    summaries = await trust_reports.summaries(files, actor, settings, english=english)
    return FindingDetail(**msgspec.structs.asdict(shape), trust=summaries.get(finding))


async def read(findings: Sequence[UUID], actor: Actor, shown: Shown) -> list[FindingShape]:
    """Findings by id as the actor may read them: for concepts that point at them and guard their own sight."""
    return await _without_hidden(await as_filed(findings), actor, shown)


async def as_filed(findings: Sequence[UUID]) -> list[FindingShape]:
    """Findings by id, whole: for the program, and never for a screen."""
    return await _shaped(await raw(f"{_SHAPE} WHERE finding.id = ANY($1::uuid[])", list(findings)))


async def ids_of_visit(visit: UUID) -> list[UUID]:
    rows = await select("SELECT id FROM finding WHERE visit = {} ORDER BY received_at, id", visit)
    return [row["id"] for row in rows]


async def topics() -> list[TopicShape]:
    rows = await select("SELECT code, parent, name FROM topic ORDER BY code")
    return msgspec.convert(rows, list[TopicShape])


async def shows_evidence(files: Sequence[UUID], actor: Actor) -> set[UUID]:
    """Those of these files that hang on findings of visits the actor sees."""
    rows = await select(
        "SELECT DISTINCT finding_evidence.evidence FROM finding_evidence "
        "JOIN finding ON finding.id = finding_evidence.finding "
        "JOIN visit ON visit.id = finding.visit JOIN region ON region.code = visit.region "
        "WHERE finding_evidence.evidence = ANY({}) AND {}",
        list(files),
        visits.visible_to(actor),
    )
    return {row["evidence"] for row in rows}


async def settings(files: Sequence[UUID], actor: Actor) -> dict[UUID, Setting]:
    """What those of these files hang on that came with findings the actor sees. Secret until the visit is submitted."""
    rows = await select(
        f"SELECT hangs.evidence, finding.id, visit.id AS visit, visit.status, visit.place_name, visit.lat, visit.lng, "
        f"visit.radius_m, {_UNITS.format('responsible')} AS responsible_units, {_ARRIVALS} AS arrivals "
        "FROM finding_evidence AS hangs JOIN finding ON finding.id = hangs.finding "
        "JOIN visit ON visit.id = finding.visit JOIN region ON region.code = visit.region "
        "WHERE hangs.evidence = ANY({}) AND {} ORDER BY visit.status = 'submitted', finding.id DESC",
        list(files),
        visits.visible_to(actor),
    )
    return {row["evidence"]: _setting(row) for row in rows}  # of several: an open one, the first of them


def _setting(row: Any) -> Setting:
    arrivals = ((Position(lat, lng, accuracy_m), at) for lat, lng, accuracy_m, at in row["arrivals"])
    return Setting(
        kind=RecordKind.finding,
        record=row["id"],
        matter=row["id"],
        secret=row["status"] != Status.submitted,
        place=row["place_name"],
        link=f"/api/visits/{row['visit']}/findings/{row['id']}",
        occasion=row["visit"],
        target=(row["lat"], row["lng"]),
        radius_m=row["radius_m"],
        arrivals=tuple(arrivals),
        kept_from=frozenset(row["responsible_units"]),
    )


_ARRIVALS = "ARRAY(SELECT ROW(a.lat, a.lng, a.accuracy_m, a.phone_at) FROM arrival AS a WHERE a.visit = visit.id)"


async def caption(file: UUID) -> Caption | None:
    """What stands below a photo of a finding: region, approval number of the visit and number of the finding, the
    inspector's unit. Not the texts that people wrote: a household may be named in them.
    """
    found = await raw(
        "SELECT region.full_name, visit.approval_number, finding.number, unit.name FROM finding_evidence "
        "JOIN finding ON finding.id = finding_evidence.finding JOIN visit ON visit.id = finding.visit "
        "JOIN region ON region.code = finding.region JOIN person ON person.id = finding.by "
        "JOIN unit ON unit.id = person.unit WHERE finding_evidence.evidence = $1 ORDER BY finding.received_at LIMIT 1",
        file,
    )
    for row in found:
        return Caption(row["full_name"], f"{row['approval_number']} 发现{row['number']}", row["name"])
    return None


_UNITS = "ARRAY(SELECT unit FROM finding_unit AS u WHERE u.finding = finding.id AND u.role = '{}' ORDER BY unit)"
_SHAPE = (
    f"SELECT finding.*, topic.name AS topic_name, {_UNITS.format('responsible')} AS responsible_units, "
    f"{_UNITS.format('lead')} AS lead_units FROM finding JOIN topic ON topic.code = finding.topic"
)


async def _shaped(rows: Sequence[Any]) -> list[FindingShape]:
    ids = [row["id"] for row in rows]
    files = await evidence.shapes("finding_evidence", "finding", ids)
    shaped: list[FindingShape] = []
    for row in rows:
        own = files.get(row["id"], [])
        shaped.append(msgspec.convert({**row, **evidence.counted(own)}, FindingShape))
    return shaped


async def _without_hidden(found: list[FindingShape], actor: Actor, shown: Shown) -> list[FindingShape]:
    """The same, without the households that the actor does not see: not even that there is one is told."""
    if named := {finding.household for finding in found if finding.household}:
        seen = await households.in_sight(list(named), actor, shown)
        for finding in found:
            if finding.household not in seen:
                finding.household = finding.person_concerned = None
    return found
