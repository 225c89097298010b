"""Reading checklists: versions for the office, and what stands on a visit for whoever sees the visit."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType
from piccolo.querystring import QueryString

from backend.db import raw, select
from backend.errors import Incomplete, NotFound
from backend.roles import OFFICE, Actor, Role
from inspections.checklists import rules
from inspections.checklists.rules import ChecklistMove, Conformity, Question, Status
from inspections.visits import queries as visits


class QuestionShape(msgspec.Struct):
    code: str
    text: str
    hint: str
    topic: str
    photo_when_fails: bool
    may_not_apply: bool


class VersionShape(msgspec.Struct):
    """One version of a checklist. `moves`: what the asking person may do with it now."""

    id: UUID
    checklist: UUID
    region: str
    code: str
    number: int
    title: str
    topic: str
    topic_name: str
    paper: str
    clause: str
    valid_from: date
    valid_to: date | None
    required: bool
    status: Status
    by_name: str
    at: datetime
    adopted_at: datetime | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    questions: list[QuestionShape]
    moves: list[ChecklistMove]


class VersionPage(msgspec.Struct):
    items: list[VersionShape]
    next: UUID | None


class GivenShape(msgspec.Struct):
    """`phone_at` is what the phone's clock said; `received_at` is ours. `finding_filed`: `finding` is on the visit."""

    id: UUID
    number: int
    question: str
    by: UUID
    by_name: str
    answer: Conformity
    note: str
    finding: UUID | None
    finding_filed: bool
    seen: UUID | None
    phone_at: datetime
    received_at: datetime
    counts_at: datetime
    late: bool


class AskedShape(QuestionShape, kw_only=True):
    """A question on a visit. `stands` is the answer that counts, `last` the one that came in last, for `seen`.

    `differing`: what colleagues said otherwise, unseen by the one that stands. `receipt`: in answers to answering.
    """

    stands: GivenShape | None
    last: UUID | None
    differing: list[GivenShape]
    lacks: bool
    receipt: str | UnsetType = UNSET


class VisitChecklistShape(msgspec.Struct):
    """A checklist on a visit, in the version it was given; that may have been withdrawn since."""

    version: UUID
    checklist: UUID
    code: str
    number: int
    title: str
    topic: str
    paper: str
    clause: str
    required: bool
    status: Status
    answered: int
    questions: list[AskedShape]


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def visible_to(actor: Actor) -> QueryString:
    """The offices of the checklist's region and of those above it; once it was adopted, of those below it as well, who
    look by it. What was never adopted is theirs who may write it. Who is inspected learns nothing of any.
    """
    areas = list(actor.areas(*OFFICE))
    return QueryString(
        "({} OR region.path && {}::text[] "
        "OR version.adopted_at IS NOT NULL "
        "AND checklist.region IN (SELECT unnest(path) FROM region WHERE code = ANY({})))",
        actor.has(Role.system),
        areas,
        areas,
    )


_FROM = (
    "FROM checklist_version AS version JOIN checklist ON checklist.id = version.checklist "
    "JOIN region ON region.code = checklist.region"
)
_VERSION = (
    "SELECT version.*, checklist.region, checklist.code, region.path, topic.name AS topic_name, person.name AS by_name "
    f'{_FROM} JOIN topic ON topic.code = version.topic JOIN person ON person.id = version."by"'
)


async def listed(actor: Actor, *, status: Status | None, cursor: UUID | None, most: int) -> VersionPage:
    """The versions in sight, newest first by id (ids are time-ordered)."""
    rows = await select(
        f"{_VERSION} WHERE {{}} AND ({{}}::text IS NULL OR version.status = {{}}) "
        "AND ({}::uuid IS NULL OR version.id < {}) ORDER BY version.id DESC LIMIT {}",
        visible_to(actor),
        status and status.value,
        status and status.value,
        cursor,
        cursor,
        most,
    )
    items = await _versions(rows, actor)
    return VersionPage(items, items[-1].id if len(items) == most else None)


async def show(version: UUID, actor: Actor) -> VersionShape:
    """Raises NotFound outside the actor's sight."""
    rows = await select(f"{_VERSION} WHERE version.id = {{}} AND {{}}", version, visible_to(actor))
    if not rows:
        raise NotFound()
    return (await _versions(rows, actor))[0]


async def lock(version: UUID, actor: Actor) -> dict[str, Any]:
    """The version with the `path` of its region, locked after its checklist, as draft() does. Raises NotFound."""
    rows = await select(
        f"SELECT version.*, checklist.region, checklist.code, region.path {_FROM} "
        "WHERE version.id = {} AND {} FOR UPDATE OF checklist, version",
        version,
        visible_to(actor),
    )
    if not rows:
        raise NotFound()
    return rows[0]


async def questions(versions: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, Question]]]:
    """The questions of these versions with their ids, in order."""
    rows = await raw(
        "SELECT * FROM checklist_question WHERE version = ANY($1::uuid[]) ORDER BY version, position", list(versions)
    )
    found: dict[UUID, list[tuple[UUID, Question]]] = {version: [] for version in versions}
    for row in rows:
        found[row["version"]].append((row["id"], _question(row)))
    return found


def _question(row: Any) -> Question:
    flags = row["photo_when_fails"], row["may_not_apply"]
    return Question(row["code"], row["wording"], row["hint"], row["topic"], *flags)


async def _versions(rows: Sequence[dict[str, Any]], actor: Actor) -> list[VersionShape]:
    asked = await questions([row["id"] for row in rows])
    return [
        msgspec.convert(
            {
                **row,
                "questions": [question for _, question in asked[row["id"]]],
                "moves": rules.moves(actor, row["path"], Status(row["status"])),
            },
            VersionShape,
            from_attributes=True,
        )
        for row in rows
    ]


# ── on a visit ───────────────────────────────────────────────────────────────────────────────────────────────────


async def of_visit(visit: UUID, actor: Actor) -> list[VisitChecklistShape]:
    """The checklists of a visit the actor sees, with what stands. Raises NotFound."""
    await visits.seen(visit, actor)
    return (await of_visits([visit]))[visit]


async def of_visits(seen: Sequence[UUID]) -> dict[UUID, list[VisitChecklistShape]]:
    """The same of these visits; the caller knows that the actor sees them."""
    rows = await raw(
        "SELECT visit_checklist.visit, version.*, version.id AS version, checklist.code FROM visit_checklist "
        "JOIN checklist_version AS version ON version.id = visit_checklist.version "
        "JOIN checklist ON checklist.id = version.checklist WHERE visit_checklist.visit = ANY($1::uuid[]) "
        "ORDER BY checklist.code, version.id",
        list(seen),
    )
    wordings = await questions(list({row["version"] for row in rows}))
    given = await _answers("given.visit = ANY($1::uuid[])", list(seen))
    found: dict[UUID, list[VisitChecklistShape]] = {visit: [] for visit in seen}
    for row in rows:
        own = [_asked(question, given.get((row["visit"], id), [])) for id, question in wordings[row["version"]]]
        counted = {"questions": own, "answered": sum(question.stands is not None for question in own)}
        found[row["visit"]].append(msgspec.convert({**row, **counted}, VisitChecklistShape))
    return found


async def asked(visit: UUID, version: UUID, code: str) -> tuple[UUID, Question]:
    """The question of this code, where this visit has this version. Raises NotFound, Incomplete for no such code."""
    if version not in (await chosen(visit)).values():
        raise NotFound()
    for id, question in (await questions([version]))[version]:
        if question.code == code:
            return id, question
    raise Incomplete("这一版检查表里没有这个问题。", "unknown_question", field="question")


async def answers_to(visit: UUID, question: UUID) -> list[GivenShape]:
    """In the order they came in; the caller knows that the actor sees the visit."""
    found = await _answers("given.visit = $1 AND given.question = $2", visit, question)
    return found.get((visit, question), [])


async def show_asked(visit: UUID, version: UUID, code: str) -> AskedShape:
    """What stands for one question; the caller knows that the actor sees the visit."""
    id, question = await asked(visit, version, code)
    return _asked(question, await answers_to(visit, id))


async def history(visit: UUID, version: UUID, actor: Actor) -> list[GivenShape]:
    """Every answer that was given, in the order they came in. Raises NotFound."""
    await visits.seen(visit, actor)
    if version not in (await chosen(visit)).values():
        raise NotFound()
    found = await _answers("given.visit = $1 AND asked.version = $2", visit, version)
    return sorted((given for answers in found.values() for given in answers), key=lambda given: given.number)


async def check_complete(visit: UUID) -> None:
    """What the submission of a visit asks. Raises Incomplete for a required checklist that is not answered whole."""
    for checklist in (await of_visits([visit]))[visit]:
        if checklist.required:
            rules.check_complete(checklist.title, [question.code for question in checklist.questions if question.lacks])


async def applicable(visit: UUID, named: Collection[UUID], topics: Collection[str], today: date) -> dict[UUID, UUID]:
    """The checklists named or of these topics, each with its version: the one the visit has, else the one in force."""
    has = await chosen(visit)
    rows = await raw(
        f"SELECT version.checklist, version.id {_FROM} WHERE (version.checklist = ANY($2::uuid[]) "
        "OR version.topic = ANY($3::text[]) OR left(version.topic, 2) = ANY($3::text[])) AND (version.id = ANY($4) "
        "OR version.status = 'in_force' AND $5 BETWEEN version.valid_from AND coalesce(version.valid_to, $5) "
        "AND checklist.region = ANY(SELECT unnest(home.path) FROM visit "
        "JOIN region AS home ON home.code = visit.region WHERE visit.id = $1))",
        visit,
        list(named),
        list(topics),
        list(has.values()),
        today,
    )
    found = {row["checklist"]: row["id"] for row in rows}
    return found | {checklist: version for checklist, version in has.items() if checklist in found}


async def area_of(visit: UUID) -> frozenset[str]:
    """The codes from the province down to where the visit goes."""
    rows = await raw("SELECT path FROM region JOIN visit ON visit.region = region.code WHERE visit.id = $1", visit)
    return frozenset(rows[0]["path"]) if rows else frozenset()


async def received_at(answer: UUID) -> datetime:
    """Of one that is there."""
    return (await raw("SELECT received_at FROM checklist_answer WHERE id = $1", answer))[0]["received_at"]


async def chosen(visit: UUID) -> dict[UUID, UUID]:
    """The checklists a visit has, each with its version."""
    rows = await raw(
        "SELECT version.checklist, version.id FROM visit_checklist AS chosen "
        "JOIN checklist_version AS version ON version.id = chosen.version WHERE chosen.visit = $1",
        visit,
    )
    return {row["checklist"]: row["id"] for row in rows}


Answers = dict[tuple[UUID, UUID], list[GivenShape]]  # by visit and question, in the order they came in


async def _answers(condition: str, *args: Any) -> Answers:
    rows = await raw(
        "SELECT given.*, given.question AS question_id, asked.code AS question, person.name AS by_name, EXISTS ("
        "SELECT 1 FROM finding WHERE finding.id = given.finding AND finding.visit = given.visit) AS finding_filed "
        "FROM checklist_answer AS given JOIN checklist_question AS asked ON asked.id = given.question "
        f'JOIN person ON person.id = given."by" WHERE {condition} ORDER BY given.visit, given.number',
        *args,
    )
    found: Answers = {}
    for row in rows:
        found.setdefault((row["visit"], row["question_id"]), []).append(_given(row))
    return found


def _given(row: Any) -> GivenShape:
    return msgspec.convert(dict(row), GivenShape)


def _asked(question: Question, answers: Sequence[GivenShape]) -> AskedShape:
    stands = rules.standing(answers)
    return AskedShape(
        **asdict(question),
        stands=stands,
        last=answers[-1].id if answers else None,
        differing=rules.differing(answers),
        lacks=rules.lacks(question, stands),
    )
