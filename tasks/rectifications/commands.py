"""The main path: from draft to closed. One function per verb, one transaction each; what may happen is in rules.py."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from backend import clock, events, once, settings
from backend.calendar import queries as calendar
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import Incomplete
from backend.evidence import commands as evidence
from backend.evidence.queries import Missing
from backend.evidence.rules import Declaration, photos
from backend.once import different
from backend.roles import SYSTEM, Actor
from backend.units import queries as unit_queries
from inspections.findings.queries import FindingShape
from tasks.rectifications import confirming, deadlines, moving, queries, rules, sampling
from tasks.rectifications.deadlines import NOTHING, Deadline, Wanted
from tasks.rectifications.item import Status, Units, Verb
from tasks.rectifications.loading import Loaded
from tasks.rectifications.numbering import next_number
from tasks.rectifications.rules import Move
from tasks.rectifications.tables import Acknowledgement, HandIn, HandInEvidence, Progress, Rectification, Review
from tasks.rectifications.words import ReturnReason, Source, UnitRole

LOOK_BACK_AFTER = timedelta(days=90)  # domain.md b.3, T16


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
            household=finding.household,
            person_concerned=finding.person_concerned,
            **await _ancestors(finding.region),
            status=Status.draft.value,
            drafted_at=clock.now(),
        ).save()
        named = {
            UnitRole.responsible: frozenset(finding.responsible_units),
            UnitRole.lead: frozenset(finding.lead_units),
        }
        await moving.add_units(finding.id, named)
        about = {"household": finding.household, "person": finding.person_concerned} if finding.household else {}
        await events.record("rectification.drafted", finding.id, actor=actor, finding=finding.id, **about)
        return True


async def issue(
    rectification: UUID,
    actor: Actor,
    *,
    units: Units | None = None,
    due: Wanted = NOTHING,
    asks: str = "",
    without: frozenset[UUID] = frozenset(),
    public: bool = False,
    listed: bool = False,
) -> None:
    """交办: give it a number, a date and its units. The clock starts now.

    Raises BadRequest for a past date and Incomplete for words that name no one day.

    `units` join those the inspector named, `without` leave. `public`: it is shown in public before it is closed.
    `listed`: it belongs to listed supervision (挂牌督战).
    """
    async with transaction():
        found = await queries.lock(rectification, actor)
        it = replace(found.item, units=rules.joined(rules.left(found.item.units, without), units or {}))
        move = rules.plan(Verb.issue, it, actor, replace(found.facts, due=found.facts.due or due.said))
        deadline = await _deadline(found, due)
        await moving.check_live(it.of(*UnitRole), "responsible_units")
        await moving.leave_out(it.id, without)
        await moving.add_units(it.id, {role: it.of(role) - found.item.of(role) for role in UnitRole})
        flags = {"public": public, "listed": listed} | ({"asks": asks} if asks else {})
        await _start(replace(found, item=it), move, actor, deadline, **flags)


async def issue_or_hold(rectification: UUID, actor: Actor) -> None:
    """Issue a draft that needs nothing more, or call the office to complete it."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        missing = rules.why_not(Verb.issue, found.item, actor, found.facts)
        ended = await unit_queries.ended(found.item.of(*UnitRole), clock.today())
        if isinstance(missing, Incomplete):
            await events.record("rectification.held", rectification, actor=actor, **missing.details)
        elif missing:
            raise missing
        elif ended:
            await events.record("rectification.held", rectification, actor=actor, needs=["responsible_units"])
        else:
            await _start(found, rules.MOVES[Verb.issue], actor, await _deadline(found, NOTHING))


async def drop(rectification: UUID, actor: Actor, *, note: str) -> None:
    """撤销草稿: a draft that should not have been one. The row stays."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        move = rules.plan(Verb.drop, found.item, actor, replace(found.facts, note=note))
        await moving.advance(found, move)
        await events.record(move.event, rectification, actor=actor, note=note)


async def acknowledge(
    rectification: UUID, actor: Actor, *, id: UUID, responsible_person: str, phone: str, unit: UUID | None = None
) -> None:
    """签收: the unit names who answers for it."""
    content = {"by": actor.person, "responsible_person": responsible_person, "phone": phone, **moving.named(unit)}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Acknowledgement, id, rectification=rectification, **content):
            return
        it = rules.focused(Verb.acknowledge, found.item, actor, unit)
        facts = replace(found.facts, responsible_person=responsible_person)
        move = rules.plan(Verb.acknowledge, it, actor, facts)
        row = {**content, "unit": it.focus}
        await Acknowledgement(id=id, rectification=rectification, at=clock.now(), **row).save()
        await moving.advance(found, move, [it.focus])
        await events.record(
            move.event, rectification, actor=actor, unit=it.focus, responsible_person=responsible_person
        )


async def accept_silently(rectification: UUID, actor: Actor, *, unit: UUID) -> None:
    """默认签收: the unit said nothing in time, and that is acceptance (T3)."""
    async with transaction():
        found = await queries.lock(rectification, actor)
        it = rules.focused(Verb.accept_silently, found.item, actor, unit)
        move = rules.plan(Verb.accept_silently, it, actor, found.facts)
        await moving.advance(found, move, [unit])
        await events.record(move.event, rectification, actor=actor, unit=unit)


async def report(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    note: str,
    percent: int,
    lower_reason: str = "",
    unit: UUID | None = None,
) -> None:
    """报进展. Less than the last time needs a reason (T7)."""
    content = {
        "by": actor.person,
        "note": note,
        "percent": percent,
        "lower_reason": lower_reason,
        **moving.named(unit),
    }
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Progress, id, rectification=rectification, **content):
            return
        it = rules.focused(Verb.report, found.item, actor, unit)
        facts = replace(found.facts, note=note, percent=percent, lower_reason=lower_reason)
        move = rules.plan(Verb.report, it, actor, facts)
        row = {**content, "unit": it.focus}
        await Progress(id=id, rectification=rectification, at=clock.now(), **row).save()
        await events.record(move.event, rectification, actor=actor, unit=it.focus, note=note, percent=percent)


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
    unit: UUID | None = None,
) -> None:
    """申请销号: say what was done and make room for the after-photos, which follow in any order.

    A principal who hands in confirms by doing so; whoever else does names who confirmed (confirming.py).
    """
    content = {"by": actor.person, "note": note, "finished_on": finished_on, **moving.named(unit)}
    content |= {"similar_sweep": similar_sweep} | ({"confirmed_by": confirmed_by} if confirmed_by else {})
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(HandIn, id, rectification=rectification, **content):
            await _check_files(id, manifest)
            return await evidence.declare(manifest, actor)
        it = rules.focused(Verb.hand_in, found.item, actor, unit)
        word = confirming.own_word(actor, it.focus)
        confirmed_by = confirmed_by or (actor.name if word else "")
        facts = replace(found.facts, note=note, after_photos=photos(manifest), principal=confirmed_by)
        move = rules.plan(Verb.hand_in, it, actor, facts)
        await moving.check_fresh(manifest)
        row = {**content, "unit": it.focus, "confirmed_by": confirmed_by, **word}
        await HandIn(id=id, rectification=rectification, at=clock.now(), **row).save()
        await evidence.declare(manifest, actor)
        await _attach(id, manifest)
        await moving.advance(found, move, [it.focus])
        told = {"hand_in": id, "files": len(manifest), "confirmed_by": confirmed_by, "confirmed": bool(word)}
        await events.record(move.event, rectification, actor=actor, unit=it.focus, **told)


async def remind(missing: Missing) -> bool:
    """Its sender is told that files of a hand-in or another record have not come; False when they came meanwhile."""
    async with transaction():
        count = await evidence.remind(missing.files)
        if count:
            told = {"record": missing.record, "sender": missing.sender, "missing": count}
            item = await queries.of_record(missing.record)
            await events.record("rectification.files_missing", item, actor=SYSTEM, **told)
        return bool(count)


async def pass_first(rectification: UUID, actor: Actor, *, id: UUID, opinion: str, unit: UUID | None = None) -> None:
    """初审通过: of one responsible unit's hand-in. When the last one passed, the sample is drawn (T12)."""
    await _review(Verb.pass_first, rectification, actor, id=id, note=opinion, unit=unit)


async def send_back(
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    reason_code: ReturnReason | None,
    note: str,
    unit: UUID | None = None,
) -> None:
    """退回: back to one unit, with a reason that is counted. The date does not move, the other units' parts stay."""
    await _review(Verb.send_back, rectification, actor, id=id, note=note, reason=reason_code, unit=unit)


async def close_out(rectification: UUID, actor: Actor, *, id: UUID, opinion: str) -> None:
    """销号: the second key."""
    await _review(Verb.close_out, rectification, actor, id=id, note=opinion)


async def _review(
    verb: Verb,
    rectification: UUID,
    actor: Actor,
    *,
    id: UUID,
    note: str,
    reason: ReturnReason | None = None,
    unit: UUID | None = None,
) -> None:
    """The three decisions of a reviewer differ in the row of MOVES they use, and in what else is written."""
    content = {"by": actor.person, "verb": verb.value, "note": note, "reason_code": reason and reason.value}
    async with transaction():
        found = await queries.lock(rectification, actor)
        if await once.earlier(Review, id, rectification=rectification, **content, **moving.named(unit)):
            return
        it = rules.focused(verb, found.item, actor, unit)
        move = rules.plan(verb, it, actor, replace(found.facts, note=note, reason_code=reason or ""))
        row = {**content, "unit": it.focus, "hand_in": found.hand_in(it.focus)}
        await Review(id=id, rectification=rectification, at=clock.now(), **row).save()
        units = [it.focus] if it.focus else []
        stands = await moving.advance(found, move, units)
        told = {"note": note, "reason_code": reason, "units": units, **await _written(verb, found, stands)}
        await events.record(move.event, rectification, actor=actor, stands=stands, **told)


async def _written(verb: Verb, found: Loaded, stands: Status) -> dict[str, Any]:
    """What a review changes beside the status, and what its event tells of that."""
    id = found.item.id
    if verb == Verb.close_out:
        back_on = clock.today() + LOOK_BACK_AFTER
        closed: dict[Any, Any] = {"closed_at": clock.now(), "look_back_on": back_on}
        await Rectification.update(closed).where(Rectification.id == id)
        await moving.lapse(id)
        return closed
    if stands == Status.passed and rules.sampled(found.item):
        await _draw(id)
    return {}


async def _draw(rectification: UUID) -> None:
    """Told in an event of its own: whether an item was drawn is as secret to its units as the check (T12)."""
    today = clock.today()
    seed = await moving.seed_of(today)
    drawn = sampling.draw(seed, rectification, percent := settings.load().sample_percent)
    await Rectification.update({"sampled": drawn.drawn}).where(Rectification.id == rectification)
    told = {"day": today, "percent": percent, "lot": drawn.lot, "drawn": drawn.drawn}
    await events.record("rectification.sampled", rectification, actor=SYSTEM, **told)


async def _start(found: Loaded, move: Move, actor: Actor, deadline: Deadline | None, **columns: Any) -> None:
    if deadline is None:
        raise ValueError("DUE is among the needs of the move")
    today = clock.today()
    number = await next_number(found.row["region"], today)
    await moving.ask(found.item.id, frozenset(), today, await calendar.load())
    due = {**deadline.columns(), "original_due_on": deadline.on, "deadline_text": deadline.text or None}
    await moving.advance(found, move, number=number, issued_at=clock.now(), **due, **columns)
    told = {"due_on": deadline.on, "certainty": deadline.certainty, "rule": deadline.rule, "words": deadline.text}
    told |= {f"{role}_units": sorted(units) for role, units in found.item.units.items()}
    told |= {flag: bool(columns.get(flag)) for flag in ("public", "listed")}
    await events.record(move.event, found.item.id, actor=actor, number=number, **told)


async def _deadline(found: Loaded, wanted: Wanted) -> Deadline | None:
    return deadlines.deadline(found.closing_class, wanted, clock.today(), await calendar.load())


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


async def _attach(hand_in: UUID, manifest: Sequence[Declaration]) -> None:
    if manifest:
        await HandInEvidence.insert(
            *(
                HandInEvidence(id=uuid7(), hand_in=hand_in, evidence=line.id, position=position)
                for position, line in enumerate(manifest)
            )
        )
