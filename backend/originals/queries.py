"""Reading: whether an original may be taken now, and the records of who took which."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import raw, select
from backend.errors import BadRequest, Forbidden, WrongState
from backend.evidence import queries as evidence_queries
from backend.evidence.queries import Reader
from backend.evidence.rules import MediaType, State
from backend.evidence.tables import Evidence
from backend.originals import rules
from backend.roles import Actor, Role


class AccessShape(msgspec.Struct):
    """One record: who was let take the original of which file, for which unit, when and why."""

    id: UUID
    evidence: UUID
    media_type: MediaType
    at: datetime
    by: UUID
    by_name: str
    unit_name: str
    reason: str


class Accesses(msgspec.Struct):
    items: list[AccessShape]
    next: str | None


def visible_to(actor: Actor) -> QueryString:
    """Records of people whose unit lies in the area; the auditor sees them without seeing the file."""
    return QueryString("region.path && {}::text[]", list(actor.areas(*rules.READS_RECORDS)))


async def to_take(evidence: UUID, actor: Actor, readers: Sequence[Reader]) -> Evidence:
    """The row, if the actor sees it by a role that takes originals. Raises NotFound, Forbidden, WrongState."""
    row = await evidence_queries.find(evidence, actor, readers)
    seen = await evidence_queries.shown([evidence], actor.as_only(*rules.TAKES), readers)
    if refusal := rules.may_take(bool(seen)):
        raise Forbidden(refusal)
    if row.state == State.declared:
        raise WrongState("文件还没有送达。", "evidence.not_received", state=row.state)
    return row


async def let(evidence: UUID, actor: Actor, readers: Sequence[Reader]) -> Evidence:
    """The same, within the time of a recorded reason. Raises Forbidden without one."""
    row = await to_take(evidence, actor, readers)
    found = await raw(
        'SELECT max(at) AS at FROM original_access WHERE evidence = $1 AND "by" = $2', evidence, actor.person
    )
    rules.check_asked(found[0]["at"], clock.now())
    return row


async def of_evidence(
    evidence: UUID, actor: Actor, readers: Sequence[Reader], *, cursor: UUID | None, most: int
) -> Accesses:
    """One file's records, newest first: all for the office leader who sees the file, those of the area for the auditor.

    Raises NotFound outside the sight of both the records and the file, Forbidden where only the latter is seen.
    """
    sight = QueryString("true")
    if not await evidence_queries.shown([evidence], actor.as_only(Role.supervision_leader), readers):
        sight = visible_to(actor)
        if not (await _page(QueryString("access.evidence = {} AND {}", evidence, sight), None, 1)).items:
            await evidence_queries.find(evidence, actor, readers)
            raise Forbidden(rules.may_read_records(False) or "")
    return await _page(QueryString("access.evidence = {} AND {}", evidence, sight), cursor, most)


async def listed(actor: Actor, *, by: UUID | None, cursor: UUID | None, most: int) -> Accesses:
    """All of the area, newest first; of one person when `by` is given. Raises Forbidden."""
    if refusal := rules.may_read_records(actor.has(*rules.READS_RECORDS)):
        raise Forbidden(refusal)
    mine = QueryString("({}::uuid IS NULL OR access.by = {})", by, by)
    return await _page(QueryString("{} AND {}", visible_to(actor), mine), cursor, most)


async def _page(condition: QueryString, cursor: UUID | None, most: int) -> Accesses:
    after = QueryString("true")
    if cursor:
        rows = await select("SELECT at FROM original_access WHERE id = {}", cursor)
        if not rows:
            raise BadRequest("翻页标记无效，请从第一页重新打开。", "bad_cursor", field="cursor")
        after = QueryString("(access.at, access.id) < ({}, {})", rows[0]["at"], cursor)
    found: list[dict[str, Any]] = await select(
        "SELECT access.*, evidence.media_type, person.name AS by_name, unit.short_name AS unit_name "
        "FROM original_access AS access JOIN evidence ON evidence.id = access.evidence "
        "JOIN person ON person.id = access.by JOIN unit ON unit.id = person.unit "
        "JOIN region ON region.code = unit.region "
        "WHERE {} AND {} ORDER BY access.at DESC, access.id DESC LIMIT {}",
        condition,
        after,
        most,
    )
    items = msgspec.convert(found, list[AccessShape])
    return Accesses(items, str(items[-1].id) if len(items) == most else None)
