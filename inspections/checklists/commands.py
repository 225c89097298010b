"""Writing checklists (draft, adopt, withdraw), giving them to a visit, answering their questions."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete
from backend.roles import Actor
from inspections.checklists import queries, rules
from inspections.checklists.rules import ChecklistMove, Conformity, Content, Question, Status
from inspections.checklists.tables import ChecklistAnswer
from inspections.visits import queries as visits
from inspections.visits.rules import check_open, may_open, may_record


@dataclass(frozen=True, slots=True)
class Reply:
    """What an inspector answers. `seen`: the last answer to this question that the phone knew of."""

    question: str
    answer: Conformity
    note: str
    finding: UUID | None
    seen: UUID | None
    phone_at: datetime


async def draft(version: UUID, actor: Actor, content: Content, *, region: str, code: str) -> None:
    """Write a draft, or write it anew: the next version of the checklist of that code, which begins with its first.

    Raises Forbidden outside the office's area, WrongState for what was adopted, Conflict where another draft is open.
    """
    async with transaction():
        area = await visits.area(region)
        if not area:
            raise BadRequest("没有这个区划代码。", "unknown_reference", field="region")
        if refusal := rules.may_edit(actor, area):
            raise Forbidden(refusal)
        rules.check_content(content)
        await once.one_at_a_time(version)
        checklist = await _checklist(region, code)
        before = await raw("SELECT checklist FROM checklist_version WHERE id = $1", version)
        if before and before[0]["checklist"] != checklist:
            raise once.different()
        if before and not await _changed(version, actor, content):
            return
        await _write(version, checklist, actor, content)
        await events.record("checklist.drafted", checklist, actor=actor, version=version, code=code)


async def adopt(version: UUID, actor: Actor) -> None:
    """启用: visits get this version from now on; the one before it is withdrawn. The same again changes nothing."""
    async with transaction():
        it = await queries.lock(version, actor)
        if it["status"] == Status.in_force and it["adopted_by"] == actor.person:
            return
        rules.check_move(actor, it["path"], Status(it["status"]), ChecklistMove.adopt)
        rules.check_adoption(it["valid_to"], clock.today())
        before = await raw(
            "UPDATE checklist_version SET status = 'withdrawn', withdrawn_by = $2, withdrawn_at = $3, "
            "withdrawal_reason = $4 WHERE checklist = $1 AND status = 'in_force' RETURNING id",
            it["checklist"],
            actor.person,
            clock.now(),
            f"由第 {it['number']} 版替代",
        )
        await raw(
            "UPDATE checklist_version SET status = 'in_force', adopted_by = $2, adopted_at = $3 WHERE id = $1",
            version,
            actor.person,
            clock.now(),
        )
        told = {"version": version, "code": it["code"], "replaces": before[0]["id"] if before else None}
        await events.record("checklist.adopted", it["checklist"], actor=actor, **told)


async def withdraw(version: UUID, actor: Actor, *, reason: str) -> None:
    """停用, also a draft. Visits that have it go on with it. The same again changes nothing."""
    async with transaction():
        it = await queries.lock(version, actor)
        if (it["withdrawn_by"], it["withdrawal_reason"]) == (actor.person, reason):
            return
        rules.check_move(actor, it["path"], Status(it["status"]), ChecklistMove.withdraw)
        await raw(
            "UPDATE checklist_version SET status = 'withdrawn', withdrawn_by = $2, withdrawn_at = $3, "
            "withdrawal_reason = $4 WHERE id = $1",
            version,
            actor.person,
            clock.now(),
            reason,
        )
        told = {"version": version, "code": it["code"]}
        await events.record("checklist.withdrawn", it["checklist"], actor=actor, **told)


async def choose(visit: UUID, actor: Actor, *, named: Collection[UUID], topics: Collection[str]) -> None:
    """Say which checklists a visit answers: these, and all of these topics, each in the version in force today.

    What the visit has already stays in its version. Raises Incomplete for a named one that is not in force there,
    Conflict after the submission and for taking away one with answers.
    """
    async with transaction():
        seen = await visits.lock(visit, actor)
        if refusal := may_open(actor, await queries.area_of(visit)):
            raise Forbidden(refusal)
        has = await queries.chosen(visit)
        wanted = await queries.applicable(visit, named, topics, clock.today())
        if missing := sorted(str(one) for one in named if one not in wanted):
            said = "没有这份检查表，或它没有启用、不在有效期内、不适用于检查地点。"
            raise Incomplete(said, "checklist.not_in_force", field="checklists", checklists=missing)
        if wanted == has:
            return
        check_open(seen)
        await _take_away(visit, set(has.values()) - set(wanted.values()))
        rows = [
            {"id": uuid7(), "visit": visit, "version": version, "by": actor.person, "at": clock.now()}
            for version in sorted(set(wanted.values()) - set(has.values()))
        ]
        if rows:
            await insert("visit_checklist", rows)
        await events.record("visit.checklists_chosen", visit, actor=actor, versions=sorted(wanted.values()))


async def answer(visit: UUID, version: UUID, actor: Actor, said: Reply, *, id: UUID) -> None:
    """Keep one answer. What was answered before stays as it was; rules.standing() says which one counts.

    Raises Forbidden outside the team, Conflict for what was answered after the submission.
    """
    async with transaction():
        seen = await visits.lock(visit, actor)
        question_id, question = await queries.asked(visit, version, said.question)
        content: dict[str, Any] = {**asdict(said), "visit": visit, "question": question_id, "by": actor.person}
        content["answer"] = said.answer.value
        if await once.earlier(ChecklistAnswer, id, **content):
            return
        if refusal := may_record(actor, seen):
            raise Forbidden(refusal)
        rules.check_answer(question, said.answer, said.finding)
        rules.check_in_time(said.phone_at, seen.submitted_at)
        now, before = clock.now(), await queries.answers_to(visit, question_id)
        known = [given.counts_at for given in rules.known_to(said.seen, before)]
        ours = {
            "number": await _next_number(visit),
            "received_at": now,
            "counts_at": rules.counts_at(said.phone_at, now, known),
            "late": seen.submitted_at is not None,
        }
        await insert("checklist_answer", [{"id": id, **content, **ours}])
        told = {"version": version, "question": question.code, "finding": said.finding, "late": ours["late"]}
        await events.record("visit.question_answered", visit, actor=actor, given=id, answer=said.answer, **told)


async def _checklist(region: str, code: str) -> UUID:
    """The checklist of this code, locked; made when there is none."""
    await raw(
        "INSERT INTO checklist (id, region, code) VALUES ($1, $2, $3) ON CONFLICT (region, code) DO NOTHING",
        uuid7(),
        region,
        code,
    )
    return (await raw("SELECT id FROM checklist WHERE region = $1 AND code = $2 FOR UPDATE", region, code))[0]["id"]


async def _changed(version: UUID, actor: Actor, content: Content) -> bool:
    """Whether the draft says something else. Raises WrongState for a version that is none any more."""
    it = await queries.lock(version, actor)
    asked = tuple(question for _, question in (await queries.questions([version]))[version])
    columns = {name: value for name, value in asdict(content).items() if name != "questions"}
    if asked == content.questions and all(it[name] == value for name, value in columns.items()):
        return False
    rules.check_move(actor, it["path"], Status(it["status"]), ChecklistMove.write)
    return True


async def _write(version: UUID, checklist: UUID, actor: Actor, content: Content) -> None:
    columns = {name: value for name, value in asdict(content).items() if name != "questions"}
    if await raw("SELECT 1 FROM checklist_version WHERE id = $1", version):
        await raw("DELETE FROM checklist_question WHERE version = $1", version)
        await raw(
            "UPDATE checklist_version SET title = $2, topic = $3, paper = $4, clause = $5, valid_from = $6, "
            'valid_to = $7, required = $8, "by" = $9, at = $10 WHERE id = $1',
            version,
            *columns.values(),
            actor.person,
            clock.now(),
        )
    else:
        if await raw("SELECT 1 FROM checklist_version WHERE checklist = $1 AND status = 'draft'", checklist):
            raise Conflict("这份检查表已有一版草稿，请在那一版上修改。", "checklist.draft_open")
        last = await raw("SELECT max(number) AS n FROM checklist_version WHERE checklist = $1", checklist)
        ours = {"number": (last[0]["n"] or 0) + 1, "status": Status.draft.value, "by": actor.person, "at": clock.now()}
        await insert("checklist_version", [{"id": version, "checklist": checklist, **columns, **ours}])
    await insert("checklist_question", [_row(version, n, one) for n, one in enumerate(content.questions)])


def _row(version: UUID, position: int, question: Question) -> dict[str, Any]:
    said = asdict(question)
    return {"id": uuid7(), "version": version, "position": position, "wording": said.pop("text"), **said}


async def _take_away(visit: UUID, versions: Collection[UUID]) -> None:
    """Raises Conflict when one of them has been answered."""
    answered = await raw(
        "SELECT 1 FROM checklist_answer AS given JOIN checklist_question AS asked ON asked.id = given.question "
        "WHERE given.visit = $1 AND asked.version = ANY($2::uuid[]) LIMIT 1",
        visit,
        list(versions),
    )
    if answered:
        raise Conflict("检查组已经作答的检查表不能拿掉。", "checklist.answered", field="checklists")
    await raw("DELETE FROM visit_checklist WHERE visit = $1 AND version = ANY($2::uuid[])", visit, list(versions))


async def _next_number(visit: UUID) -> int:
    """Of the visit, which is locked, so that none is given twice."""
    rows = await raw("SELECT coalesce(max(number), 0) + 1 AS n FROM checklist_answer WHERE visit = $1", visit)
    return rows[0]["n"]
