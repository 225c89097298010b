"""Filing a finding: the one verb of a record that is never edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend import clock, events, geo, once
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.errors import Forbidden, Incomplete, NotFound
from backend.evidence import commands as evidence
from backend.evidence.queries import Missing
from backend.evidence.rules import Declaration
from backend.geo import Place
from backend.households import queries as households
from backend.households.queries import Shown, nothing
from backend.once import different
from backend.roles import SYSTEM, Actor
from inspections.findings import rules
from inspections.findings.rules import ClosingClass, NamedRole, NonImplementation, Severity
from inspections.findings.tables import Finding, FindingEvidence, FindingUnit
from inspections.visits import queries as visits
from inspections.visits.rules import Status, may_record


@dataclass(frozen=True, slots=True)
class Filing:
    """What the inspector says. Times and places are the phone's claims."""

    topic: str
    severity: Severity
    closing_class: ClosingClass
    non_implementation: NonImplementation | None
    facts: str
    asks: str
    region: str | None
    place_note: str
    place: Place | None
    danger_to_life: bool
    no_evidence_reason: str
    found_at: datetime
    responsible_units: frozenset[UUID]
    lead_units: frozenset[UUID]
    household: UUID | None = None
    person: UUID | None = None


async def file(
    visit: UUID,
    actor: Actor,
    filing: Filing,
    *,
    id: UUID,
    manifest: Sequence[Declaration],
    shown: Shown = nothing,
) -> None:
    """Receive a finding and make room for its files, which follow in any order.

    The same finding again changes nothing; other content under the id is a Conflict. After the visit's submission
    it is accepted and marked late. Raises Incomplete when it has neither a file nor a reason why not, and when it
    names a household that is out of sight or in another county, or somebody who does not live there.
    """
    rules.check_evidence(len(manifest), filing.no_evidence_reason)
    rules.check_units(filing.responsible_units, filing.lead_units)
    async with transaction():
        seen = await visits.lock(visit, actor)
        content = _content(filing, visit, actor)
        refusal = may_record(actor, seen)
        late = seen.status == Status.submitted
        if refusal or not await _write(id, filing, content, late, actor=actor, shown=shown):
            if earlier := await once.earlier(Finding, id, **content):
                await _check_parts(earlier, filing, manifest)
                await evidence.declare(manifest, actor)
                return
            raise Forbidden(refusal) if refusal else different()
        await _name_units(id, filing)
        await evidence.declare(manifest, actor)
        await _attach(id, manifest)
        await events.record(
            "finding.filed",
            id,
            actor=actor,
            visit=visit,
            files=len(manifest),
            late=late,
            danger=filing.danger_to_life,
        )


async def remind(missing: Missing) -> bool:
    """Its sender is told that files of a finding have not come; False when they came or it was told before."""
    async with transaction():
        count = await evidence.remind(missing.files)
        if count:
            told = {"record": missing.record, "sender": missing.sender, "missing": count}
            await events.record("finding.files_missing", missing.record, actor=SYSTEM, **told)
        return bool(count)


def _content(filing: Filing, visit: UUID, actor: Actor) -> dict[str, object]:
    """What makes a second request the same request."""
    return {
        "visit": visit,
        "by": actor.person,
        "topic": filing.topic,
        "severity": filing.severity.value,
        "closing_class": filing.closing_class.value,
        "non_implementation": filing.non_implementation and filing.non_implementation.value,
        "facts": filing.facts,
        "asks": filing.asks,
        "household": filing.household,
        "person_concerned": filing.person,
        "place_note": filing.place_note,
        **geo.reported(filing.place),
        "danger_to_life": filing.danger_to_life,
        "no_evidence_reason": filing.no_evidence_reason,
        "found_at": filing.found_at,
    }


async def _check_concerned(id: UUID, county: str, filing: Filing, actor: Actor, shown: Shown) -> None:
    """The household is in sight and in the county of the visit, and the person lives there.

    Not asked again of a finding that was filed: people move, and what came before is answered as it was then.
    """
    if not (filing.household or filing.person) or await raw("SELECT 1 FROM finding WHERE id = $1", id):
        return
    try:
        await households.check_concerned(filing.household, filing.person, county, actor, shown)
    except NotFound:
        said = "没有这一户，或您看不到这一户，请重新选择农户。"
        raise Incomplete(said, "unknown_household", field="household") from None


async def _write(
    id: UUID, filing: Filing, content: dict[str, object], late: bool, *, actor: Actor, shown: Shown
) -> bool:
    """False when the id is there already: asked with the insert, because nearly every request is a first one."""
    region, county, number = await _place_and_number(filing.region, content["visit"])
    await _check_concerned(id, county, filing, actor, shown)
    ours = {"region": region, "number": number, "received_at": clock.now(), "late": late}
    row = content | geo.columns(filing.place) | ours
    return bool(await insert("finding", [{"id": id, **row}], known_stay=True))


async def _check_parts(earlier: Finding, filing: Filing, manifest: Sequence[Declaration]) -> None:
    id = earlier.id
    files = await FindingEvidence.select(FindingEvidence.evidence).where(FindingEvidence.finding == id)
    units = await FindingUnit.select(FindingUnit.unit, FindingUnit.role).where(FindingUnit.finding == id)
    if filing.region not in (None, earlier.region) or {row["evidence"] for row in files} != {
        line.id for line in manifest
    }:
        raise different()
    if {(row["unit"], row["role"]) for row in units} != _named(filing):
        raise different()


async def _place_and_number(code: str | None, visit: object) -> tuple[str, str, int]:
    """The place named, or that of the visit; the county of the visit, or its place where that is more than a county.

    Raises Incomplete when the place named is none, or in another county.
    Otherwise a slip of the finger would carry the item to an office that knows nothing of the visit. The number is the
    next of the visit, which is locked, so that none is given twice.
    """
    rows = await raw(
        "SELECT place.code, place.path, coalesce(county.code, home.code) AS county, "
        "(SELECT coalesce(max(number), 0) + 1 FROM finding WHERE finding.visit = visit.id) AS number FROM visit "
        "JOIN region AS home ON home.code = visit.region "
        "LEFT JOIN region AS county ON county.code = ANY(home.path) AND county.level = 'county' "
        "LEFT JOIN region AS place ON place.code = coalesce($1, home.code) WHERE visit.id = $2",
        code,
        visit,
    )
    if rows[0]["code"] is None:
        raise Incomplete("没有这个区划代码。", "unknown_region", field="region")
    if rows[0]["county"] not in rows[0]["path"]:
        raise Incomplete("所报地点不在本次检查的县区内。", "region_elsewhere", field="region")
    return rows[0]["code"], rows[0]["county"], rows[0]["number"]


def _named(filing: Filing) -> set[tuple[UUID, str]]:
    responsible = {(unit, NamedRole.responsible.value) for unit in filing.responsible_units}
    return responsible | {(unit, NamedRole.lead.value) for unit in filing.lead_units}


async def _name_units(id: UUID, filing: Filing) -> None:
    rows = [{"id": uuid7(), "finding": id, "unit": unit, "role": role} for unit, role in _named(filing)]
    if rows:
        await insert("finding_unit", rows)


async def _attach(id: UUID, manifest: Sequence[Declaration]) -> None:
    rows = [
        {"id": uuid7(), "finding": id, "evidence": line.id, "position": position}
        for position, line in enumerate(manifest)
    ]
    if rows:
        await insert("finding_evidence", rows)
