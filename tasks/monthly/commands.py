"""Check records: told, corrected by another, withdrawn. Never edited; what comes late is marked, not refused."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend import clock, events, geo, once
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.errors import BadRequest, Forbidden, Incomplete
from backend.evidence import commands as evidence
from backend.evidence.queries import Missing
from backend.evidence.rules import Declaration
from backend.geo import Place
from backend.roles import SYSTEM, Actor
from inspections.findings.rules import ClosingClass, Severity
from tasks.monthly import queries, rules, who
from tasks.monthly.queries import Held
from tasks.monthly.tables import MonthlyRecord
from tasks.rectifications import deadlines, moving


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """A problem that becomes a rectification under this id. Without `responsible` the region's own unit is."""

    id: UUID
    topic: str
    facts: str
    asks: str = ""
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    due_on: date | None = None
    region: str | None = None
    responsible: UUID | None = None
    files: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is told of a check. `corrects`: the record this one stands in for, and `reason` why."""

    cell: UUID
    finished_at: datetime
    place: str
    went: tuple[str, ...]
    found: str = ""
    found_count: int = 0
    solved_count: int = 0
    guidance: str = ""
    region: str | None = None
    position: Place | None = None
    handed_over: tuple[HandOver, ...] = ()
    manifest: tuple[Declaration, ...] = field(default=())
    corrects: UUID | None = None
    reason: str = ""


async def file(actor: Actor, said: Check, *, id: UUID) -> None:
    """填报检查记录, or its correction. What it hands over becomes rectifications in a reaction.

    Raises Forbidden, WrongState before the month begins, Conflict for what was corrected or withdrawn, Incomplete for a
    check of an earlier month, without names, and for numbers that do not fit; BadRequest for an unknown place.
    """
    content = _content(said, actor)
    async with transaction():
        await once.one_at_a_time(id)
        held = await queries.lock(said.cell, actor)
        if await once.earlier(MonthlyRecord, id, **content):
            return await _same(id, said, actor)
        if reason := who.may_file(actor, held.around):
            raise Forbidden(reason)
        now = clock.now()
        rules.check_begun(held.starts_at, now)
        before = await _before(said, held)
        await _check(said, held, before)
        first = {"first": before["first"], "first_received_at": before["first_received_at"]} if before else {}
        await MonthlyRecord(**row(said, actor, id=id, now=now) | first).save()
        await _attach(id, said, held, actor)
        verb = "month.record_corrected" if before else "month.record_filed"
        late = now >= held.cutoff_at
        await events.record(verb, said.cell, actor=actor, **held.told(), **told(said, id, late=late))


async def withdraw(record: UUID, actor: Actor, *, reason: str) -> None:
    """撤回: it counts no more, and stays. Rectifications that came of it go on as they are; the office may void them.

    The same again by the same person changes nothing. Raises Conflict for what was corrected or withdrawn otherwise.
    """
    async with transaction():
        held = await queries.lock((await queries.record(record))["cell"], actor)
        it = await queries.record(record)  # again: it may have been waited for
        root = await queries.record(it["first"])
        if (root["withdrawn_by"], root["withdraw_reason"]) == (actor.person, reason) and not it["corrected"]:
            return
        if refusal := who.may_file(actor, held.around):
            raise Forbidden(refusal)
        rules.check_stands(it["corrected"], it["root_withdrawn_at"] is not None)
        if not reason.strip():
            raise Incomplete("要写明撤回理由。", field="reason")
        now = clock.now()
        await raw(
            "UPDATE monthly_record SET withdrawn_by = $2, withdrawn_at = $3, withdraw_reason = $4 WHERE id = $1",
            it["first"],
            actor.person,
            now,
            reason,
        )
        facts = {"record": record, "late": now >= held.cutoff_at, "note": reason}
        await events.record("month.record_withdrawn", held.id, actor=actor, **held.told(), **facts)


async def remind(missing: Missing) -> bool:
    """Its sender is told that files of a check record have not come; False when they came or it was told before."""
    async with transaction():
        count = await evidence.remind(missing.files)
        if count:
            facts = {"record": missing.record, "sender": missing.sender, "missing": count}
            cell = (await queries.record(missing.record))["cell"]
            await events.record("month.files_missing", cell, actor=SYSTEM, **facts)
        return bool(count)


def row(said: Check, actor: Actor, *, id: UUID, now: datetime) -> dict[str, Any]:
    """The record as it is stored, when it is the first of its kind."""
    ours = {"id": id, "first": id, "received_at": now, "first_received_at": now}
    return ours | _content(said, actor) | geo.columns(said.position)


def told(said: Check, record: UUID, *, late: bool) -> dict[str, Any]:
    """What its event says of it. Of what comes in time nobody is told: it is what everybody expects."""
    counts = {"found": said.found_count, "solved": said.solved_count, "handed_over": len(said.handed_over)}
    why = {"corrects": said.corrects, "note": said.reason or None}
    return {"record": record, "late": late, "audience": ["office"] if late else [], **counts, **why}


def _content(said: Check, actor: Actor) -> dict[str, Any]:
    return {
        "cell": said.cell,
        "corrects": said.corrects,
        "by": actor.person,
        "finished_at": said.finished_at,
        "place": said.place,
        "region": said.region,
        **geo.reported(said.position),
        "went": list(said.went),
        "found": said.found,
        "found_count": said.found_count,
        "solved_count": said.solved_count,
        "guidance": said.guidance,
        "correction_reason": said.reason or None,
    }


async def _before(said: Check, held: Held) -> Any:
    """The record that is corrected, if one is. Raises BadRequest for one of another cell."""
    if said.corrects is None:
        return None
    rows = await raw("SELECT 1 FROM monthly_record WHERE id = $1 AND cell = $2", said.corrects, held.id)
    if not rows:
        raise BadRequest("本格没有要更正的这条记录。", "unknown_reference", field="corrects")
    it = await queries.record(said.corrects)
    rules.check_stands(it["corrected"], it["root_withdrawn_at"] is not None)
    if not said.reason.strip():
        raise Incomplete("要写明更正理由。", field="reason")
    return it


async def _check(said: Check, held: Held, before: Any) -> None:
    rules.check_finished(said.finished_at, held.starts_at)
    handed = len(said.handed_over) + (await queries.handed_over(before["first"]) if before else 0)
    rules.check_counts(said.found_count, said.solved_count, handed)
    if not any(name.strip() for name in said.went):
        raise Incomplete("要写明参加检查的人员。", field="went")
    if said.found_count and not said.found.strip():
        raise Incomplete("要写明发现的问题。", field="found")
    if said.position:
        geo.position(said.position.lat, said.position.lng, said.position.accuracy_m, said.position.datum)
    await _check_place(said.region, held, "region")
    known = {line.id for line in said.manifest}
    for place, handed_over in enumerate(said.handed_over):
        at = f"handed_over.{place}"
        await _check_place(handed_over.region, held, f"{at}.region")
        if not known.issuperset(handed_over.files):
            raise BadRequest("交办的问题引用了清单以外的照片。", "unknown_reference", field=f"{at}.files")
        if handed_over.due_on:
            deadlines.check_ahead(handed_over.due_on, clock.today(), f"{at}.due_on")
    await moving.check_live(
        {handed_over.responsible or held.around.target for handed_over in said.handed_over}, "handed_over"
    )


async def _check_place(code: str | None, held: Held, field: str) -> None:
    if code is None:
        return
    if not await raw("SELECT 1 FROM region WHERE code = $1 AND $2 = ANY(path)", code, held.row["region"]):
        raise BadRequest("地点不在本格的县区内。", "unknown_reference", field=field)


async def _attach(id: UUID, said: Check, held: Held, actor: Actor) -> None:
    await evidence.declare(said.manifest, actor)
    if said.manifest:
        lines = enumerate(said.manifest)
        rows = [{"id": uuid7(), "record": id, "evidence": line.id, "position": place} for place, line in lines]
        await insert("monthly_record_evidence", rows)
    if said.handed_over:
        ids = [it.id for it in said.handed_over]
        if len(set(ids)) < len(ids) or await raw("SELECT 1 FROM rectification WHERE id = ANY($1::uuid[])", ids):
            raise once.different()
        rows = [_row(it, place, id, held) for place, it in enumerate(said.handed_over)]
        await insert("monthly_hand_over", rows)


def _row(it: HandOver, place: int, record: UUID, held: Held) -> dict[str, Any]:
    return {
        "id": it.id,
        "record": record,
        "position": place,
        "topic": it.topic,
        "severity": it.severity.value,
        "facts": it.facts,
        "asks": it.asks,
        "region": it.region or held.row["region"],
        "responsible": it.responsible or held.around.target,
        "closing_class": it.closing_class.value,
        "due_on": it.due_on,
        "files": [str(file) for file in it.files],
    }


async def _same(id: UUID, said: Check, actor: Actor) -> None:
    """The request came before: the same files and the same problems handed over, or Conflict."""
    files = await raw("SELECT evidence FROM monthly_record_evidence WHERE record = $1", id)
    if {row["evidence"] for row in files} != {line.id for line in said.manifest}:
        raise once.different()
    held = (await queries.held([said.cell]))[said.cell]
    stored = await raw("SELECT * FROM monthly_hand_over WHERE record = $1 ORDER BY position", id)
    wanted = [_row(it, place, id, held) for place, it in enumerate(said.handed_over)]
    if [dict(row) for row in stored] != wanted:
        raise once.different()
    await evidence.declare(said.manifest, actor)
