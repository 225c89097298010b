"""What happens to a rectification: one function per verb, one transaction each. What may happen stands in rules.py."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.calendar import queries as calendar
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import BadRequest, Incomplete
from backend.evidence import commands as evidence
from backend.evidence.rules import Declaration
from backend.once import different
from backend.roles import Actor, Role
from inspections.findings.queries import FindingShape
from tasks.rectifications import queries, rules
from tasks.rectifications.numbering import next_number
from tasks.rectifications.queries import Locked
from tasks.rectifications.rules import Answer, Deadline, Move, ReturnReason, Source, Status, UnitRole, Units, Verb
from tasks.rectifications.tables import (
    Acknowledgement,
    HandIn,
    HandInEvidence,
    Progress,
    Rectification,
    RectificationUnit,
    Review,
    Voiding,
)


async def draft_from_finding(finding: FindingShape, actor: Actor, *, source: Source) -> bool:
    """Make the item of a finding, under the finding's own id; False when it was made before."""
    async with transaction():
        if await queries.of_finding(finding.id):
            return False
        await Rectification(
            id=finding.id,
            source=source.value,
            finding=finding.id,
            visit=finding.visit,
            topic=finding.topic,
            severity=finding.severity.value,
            closing_class=finding.closing_class.value,
            facts=finding.facts,
            asks=finding.asks,
            region=finding.region,
            **await _ancestors(finding.region),
            status=Status.draft.value,
            drafted_at=clock.now(),
        ).save()
        await _add_units(
            finding.id,
            {
                UnitRole.responsible: frozenset(finding.responsible_units),
                UnitRole.lead: frozenset(finding.lead_units),
            },
        )
        await events.record("rectification.drafted", finding.id, actor=actor, finding=finding.id)
        return True


async def issue(
    rectification: UUID,
    actor: Actor,
    *,
    units: Units | None = None,
    due_on: date | None = None,
    asks: str = "",
) -> None:
    """交办: give it a number, a date and its units. The clock starts now. Raises BadRequest for a past date."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        it = replace(found.item, units=rules.joined(found.item.units, units or {}))
        deadline = await _deadline(found, due_on)
        move = rules.plan(Verb.issue, it, actor, replace(found.facts, due=deadline is not None))
        await _add_units(it.id, {role: it.of(role) - found.item.of(role) for role in UnitRole})
        await _start(found, move, actor, deadline, asks)


async def issue_or_hold(rectification: UUID, actor: Actor) -> None:
    """Issue a draft that needs nothing more, or call the office to complete it."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        deadline = await _deadline(found, None)
        missing = rules.why_not(Verb.issue, found.item, actor, replace(found.facts, due=deadline is not None))
        if isinstance(missing, Incomplete):
            await events.record("rectification.held", rectification, actor=actor, **missing.details)
        elif missing:
            raise missing
        else:
            await _start(found, rules.MOVES[Verb.issue], actor, deadline, "")


async def acknowledge(rectification: UUID, actor: Actor, *, id: UUID, responsible_person: str, phone: str) -> None:
    """签收: the unit names who answers for it."""
    content = {"by": actor.person, "responsible_person": responsible_person, "phone": phone}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Acknowledgement, id, rectification=rectification, **content):
            return
        facts = replace(found.facts, responsible_person=responsible_person)
        move = rules.plan(Verb.acknowledge, found.item, actor, facts)
        await Acknowledgement(id=id, rectification=rectification, at=clock.now(), **content).save()
        await _set(rectification, move)
        await events.record(move.event, rectification, actor=actor, responsible_person=responsible_person)


async def report(rectification: UUID, actor: Actor, *, id: UUID, note: str, percent: int) -> None:
    """报进展."""
    content = {"by": actor.person, "note": note, "percent": percent}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Progress, id, rectification=rectification, **content):
            return
        move = rules.plan(Verb.report, found.item, actor, replace(found.facts, note=note))
        await Progress(id=id, rectification=rectification, at=clock.now(), **content).save()
        await events.record(move.event, rectification, actor=actor, note=note, percent=percent)


async def hand_in(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    note: str,
    finished_on: date | None,
    similar_sweep: str,
    confirmed_by: str,
    manifest: Sequence[Declaration],
) -> None:
    """申请销号: say what was done and make room for the after-photos, which follow in any order."""
    confirmed_by = confirmed_by or (actor.name if actor.has(Role.unit_principal) else "")
    content = {
        "by": actor.person,
        "note": note,
        "finished_on": finished_on,
        "similar_sweep": similar_sweep,
        "confirmed_by": confirmed_by,
    }
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(HandIn, id, rectification=rectification, **content):
            await _check_files(id, manifest)
            await evidence.declare(manifest, actor)
            return
        facts = replace(found.facts, note=note, after_photos=len(manifest), principal=confirmed_by)
        move = rules.plan(Verb.hand_in, found.item, actor, facts)
        await _check_fresh(manifest)
        await HandIn(id=id, rectification=rectification, at=clock.now(), **content).save()
        await evidence.declare(manifest, actor)
        await _attach(id, manifest)
        await _set(rectification, move)
        await events.record(
            move.event, rectification, actor=actor, hand_in=id, files=len(manifest), confirmed_by=confirmed_by
        )


async def pass_first(rectification: UUID, actor: Actor, *, id: UUID, opinion: str) -> None:
    """初审通过."""
    await _review(Verb.pass_first, rectification, actor, id=id, note=opinion)


async def send_back(
    rectification: UUID, actor: Actor, *, id: UUID, reason_code: ReturnReason | None, note: str
) -> None:
    """退回: back to the unit, with a reason that is counted. The date does not move."""
    await _review(Verb.send_back, rectification, actor, id=id, note=note, reason=reason_code)


async def close_out(rectification: UUID, actor: Actor, *, id: UUID, opinion: str) -> None:
    """销号: the second key."""
    await _review(Verb.close_out, rectification, actor, id=id, note=opinion)


async def ask_void(rectification: UUID, actor: Actor, *, id: UUID, note: str, duplicate_of: UUID | None) -> None:
    """申请作废: an office leader asks; nothing changes until another person confirms."""
    content = {"asked_by": actor.person, "note": note, "duplicate_of": duplicate_of}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Voiding, id, rectification=rectification, **content):
            return
        move = rules.plan(Verb.ask_void, found.item, actor, replace(found.facts, note=note))
        if duplicate_of == rectification:
            raise BadRequest("不能与自己重复。", "duplicate_of_itself", field="duplicate_of")
        if duplicate_of:
            await queries.seen(duplicate_of, actor)
        await Voiding(id=id, rectification=rectification, asked_at=clock.now(), **content).save()
        await events.record(move.event, rectification, actor=actor, note=note, duplicate_of=duplicate_of)


async def void(rectification: UUID, actor: Actor) -> None:
    """作废: the second person confirms. The row stays; confirming again changes nothing."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await _decided(found, actor, Answer.upheld):
            return
        move = rules.plan(Verb.void, found.item, actor, found.facts)
        await _decide(rectification, actor, Answer.upheld)
        await _set(rectification, move)
        await events.record(move.event, rectification, actor=actor)


async def decline_void(rectification: UUID, actor: Actor, *, note: str) -> None:
    """不予作废: the item goes on as it was. Who asked may take it back this way."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        if found.item.void_asked_by is None and await _decided(found, actor, Answer.declined):
            return
        move = rules.plan(Verb.decline_void, found.item, actor, replace(found.facts, note=note))
        await _decide(rectification, actor, Answer.declined)
        await events.record(move.event, rectification, actor=actor, note=note)


async def _review(
    verb: Verb, rectification: UUID, actor: Actor, *, id: UUID, note: str, reason: ReturnReason | None = None
) -> None:
    """The three decisions of a reviewer differ in nothing but the row of MOVES they use."""
    content = {"by": actor.person, "verb": verb.value, "note": note, "reason_code": reason and reason.value}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Review, id, rectification=rectification, **content):
            return
        facts = replace(found.facts, note=note, reason_code=reason or "")
        move = rules.plan(verb, found.item, actor, facts)
        await Review(id=id, rectification=rectification, hand_in=found.last_hand_in, at=clock.now(), **content).save()
        await _set(rectification, move, **({"closed_at": clock.now()} if verb == Verb.close_out else {}))
        await events.record(move.event, rectification, actor=actor, note=note, reason_code=reason)


async def _start(found: Locked, move: Move, actor: Actor, deadline: Deadline | None, asks: str) -> None:
    if deadline is None:
        raise ValueError("DUE is among the needs of the move")
    number = await next_number(found.region, clock.today())
    await _set(
        found.item.id,
        move,
        number=number,
        issued_at=clock.now(),
        due_on=deadline.on,
        due_at=deadline.at,
        due_certainty=deadline.certainty.value,
        **({"asks": asks} if asks else {}),
    )
    due = {"due_on": deadline.on, "certainty": deadline.certainty}
    await events.record(move.event, found.item.id, actor=actor, number=number, **due)


async def _set(rectification: UUID, move: Move, **columns: Any) -> None:
    status = {"status": move.end.value} if move.end else {}
    await Rectification.update({**status, **columns}).where(Rectification.id == rectification)


async def _deadline(found: Locked, wanted: date | None) -> Deadline | None:
    return rules.deadline(found.closing_class, wanted, clock.today(), await calendar.load())


async def _decided(found: Locked, actor: Actor, answer: Answer) -> bool:
    """Whether the latest voiding got this answer from this person already: the request came twice."""
    rows = await raw(
        "SELECT decided_by, answer FROM voiding WHERE rectification = $1 ORDER BY asked_at DESC, id DESC LIMIT 1",
        found.item.id,
    )
    return bool(rows) and (rows[0]["decided_by"], rows[0]["answer"]) == (actor.person, answer)


async def _decide(rectification: UUID, actor: Actor, answer: Answer) -> None:
    open_one = (Voiding.rectification == rectification) & Voiding.decided_at.is_null()
    await Voiding.update(
        {Voiding.decided_by: actor.person, Voiding.decided_at: clock.now(), Voiding.answer: answer.value}
    ).where(open_one)


async def _add_units(rectification: UUID, units: Units) -> None:
    rows = [
        RectificationUnit(id=uuid7(), rectification=rectification, unit=unit, role=role.value)
        for role, named in units.items()
        for unit in sorted(named)
    ]
    if rows:
        await RectificationUnit.insert(*rows)


async def _ancestors(region: str) -> dict[str, Any]:
    """The codes of the levels above and at the place; levels that do not exist there stay empty."""
    rows = await raw(
        "SELECT level, code FROM region WHERE code = ANY((SELECT path FROM region WHERE code = $1)::text[])",
        region,
    )
    return {row["level"]: row["code"] for row in rows if row["level"] != "village"}


async def _check_files(hand_in: UUID, manifest: Sequence[Declaration]) -> None:
    rows = await raw("SELECT evidence FROM hand_in_evidence WHERE hand_in = $1", hand_in)
    if {row["evidence"] for row in rows} != {line.id for line in manifest}:
        raise different()


async def _check_fresh(manifest: Sequence[Declaration]) -> None:
    """Raises Incomplete for a file that hangs on something already: an after-photo is taken after."""
    rows = await raw(
        "SELECT evidence FROM hand_in_evidence WHERE evidence = ANY($1::uuid[]) "
        "UNION ALL SELECT evidence FROM finding_evidence WHERE evidence = ANY($1::uuid[])",
        [line.id for line in manifest],
    )
    if rows:
        used = str(rows[0]["evidence"])
        raise Incomplete("照片已经用过，请重新拍整改后照片。", "evidence.used_before", field="evidence", evidence=used)


async def _attach(hand_in: UUID, manifest: Sequence[Declaration]) -> None:
    if manifest:
        await HandInEvidence.insert(
            *(
                HandInEvidence(id=uuid7(), hand_in=hand_in, evidence=line.id, position=position)
                for position, line in enumerate(manifest)
            )
        )
