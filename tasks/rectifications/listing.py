"""Lists of rectifications: filters, order, keyset cursor. Reading one item is in queries.py."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import select
from backend.errors import BadRequest
from backend.roles import RESPONSIBLE, Actor
from tasks.rectifications import queries, shapes
from tasks.rectifications.item import TICKING, WAITING_FOR_UNIT, Status

SOON = timedelta(days=7)
# Items without a date come after all that have one.
NEVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; None means not narrowed."""

    status: Status | None = None
    unit: UUID | None = None
    region: str | None = None
    overdue: bool | None = None
    q: str | None = None
    household: UUID | None = None


class Waiting(msgspec.Struct):
    """What a person's units must work on: how much of it is late or soon late, and the most urgent of it."""

    overdue: int
    due_soon: int
    items: list[shapes.Row]


async def page(actor: Actor, wanted: Filter, cursor: str | None, most: int) -> shapes.Page:
    """One page, the most urgent first (by due date, then id)."""
    after_due, after_id = _opened(cursor)
    found = await queries.rows(
        "WHERE {} AND {} AND ({}::timestamptz IS NULL OR "
        "(coalesce(rectification.due_at, {}), rectification.id) > ({}, {})) "
        "ORDER BY coalesce(rectification.due_at, {}), rectification.id LIMIT {}",
        queries.visible_to(actor),
        _condition(wanted),
        after_due,
        NEVER,
        after_due,
        after_id,
        NEVER,
        most,
    )
    items = msgspec.convert(found, list[shapes.Row])
    return shapes.Page(items, _cursor(items[-1]) if len(items) == most else None)


async def waiting_for(actor: Actor, most: int) -> Waiting:
    """Items that wait for the actor's units, the most urgent first; the numbers count all of them.

    A unit that handed in its part, or lost it, waits for others, whatever the item waits for.
    """
    waiting = [status.value for status in WAITING_FOR_UNIT]
    mine = QueryString(
        "rectification.status = ANY({}) AND rectification.id IN (SELECT part.rectification FROM rectification_unit "
        "AS part WHERE part.unit = ANY({}) AND part.role <> 'lead' AND part.ended_at IS NULL "
        "AND coalesce(part.status, rectification.status) = ANY({}))",
        waiting,
        list(actor.units(*RESPONSIBLE)),
        waiting,
    )
    counted = await select(
        "SELECT count(*) FILTER (WHERE due_at <= {}) AS overdue, "
        "count(*) FILTER (WHERE due_at > {} AND due_at <= {}) AS due_soon FROM rectification WHERE {}",
        clock.now(),
        clock.now(),
        clock.now() + SOON,
        mine,
    )
    found = await queries.rows("WHERE {} ORDER BY rectification.due_at, rectification.id LIMIT {}", mine, most)
    return Waiting(counted[0]["overdue"], counted[0]["due_soon"], msgspec.convert(found, list[shapes.Row]))


def _condition(wanted: Filter) -> QueryString:
    parts = [QueryString("true")]
    if wanted.status:
        parts.append(QueryString("rectification.status = {}", wanted.status.value))
    if wanted.unit:
        parts.append(
            QueryString(
                "rectification.id IN (SELECT rectification FROM rectification_unit WHERE unit = {})",
                wanted.unit,
            )
        )
    if wanted.household:
        parts.append(QueryString("rectification.household = {}", wanted.household))
    if wanted.region:
        parts.append(
            QueryString(
                "{} IN (rectification.region, rectification.township, rectification.county, "
                "rectification.prefecture, rectification.province)",
                wanted.region,
            )
        )
    if wanted.overdue is not None:
        late = QueryString(
            "(rectification.status = ANY({}) AND rectification.due_at <= {})",
            [status.value for status in TICKING],
            clock.now(),
        )
        parts.append(late if wanted.overdue else QueryString("NOT coalesce({}, false)", late))
    if wanted.q:
        pattern = f"%{_literal(wanted.q)}%"
        parts.append(QueryString("(rectification.facts ILIKE {} OR rectification.number ILIKE {})", pattern, pattern))
    return QueryString(" AND ".join("{}" for _ in parts), *parts)


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _cursor(row: shapes.Row) -> str:
    return urlsafe_b64encode(f"{(row.due_at or NEVER).isoformat()}|{row.id}".encode()).decode()


def _opened(cursor: str | None) -> tuple[datetime | None, UUID | None]:
    if cursor is None:
        return None, None
    try:
        due, id = urlsafe_b64decode(cursor.encode()).decode().split("|")
        return datetime.fromisoformat(due).astimezone(clock.SHANGHAI), UUID(id)
    except (ValueError, OverflowError) as wrong:
        raise BadRequest("翻页标记无效，请从第一页重新打开。", "bad_cursor", field="cursor") from wrong
