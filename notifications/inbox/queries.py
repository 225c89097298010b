"""Reading one's own notices."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend.db import select
from backend.roles import Actor
from notifications.inbox import spoken, wording
from notifications.inbox.rules import HEARS, Audience, Subject, Urgency
from notifications.inbox.spoken import STANDS


class NoticeShape(msgspec.Struct):
    """`why` says which audience the reader belonged to; `link` is where it leads, `phone` and `desk` on a screen."""

    id: UUID
    at: datetime
    verb: str
    about: Subject
    title: str
    urgency: Urgency
    why: Audience
    subject: UUID
    link: str
    phone: str
    desk: str
    read_at: datetime | None


class NoticePage(msgspec.Struct):
    items: list[NoticeShape]
    next: UUID | None
    unread: int


async def of_person(actor: Actor, *, unread_only: bool, cursor: UUID | None, most: int, english: bool) -> NoticePage:
    """Newest first. What has lapsed is left out."""
    where = [QueryString("notice.person = {}", actor.person), QueryString(STANDS)]
    if cursor:
        where.append(QueryString("notice.id < {}", cursor))
    if unread_only:
        where.append(QueryString("read_at IS NULL"))
    rows = await select(
        "SELECT * FROM notice WHERE {} ORDER BY notice.id DESC LIMIT {}",
        QueryString(" AND ".join("{}" for _ in where), *where),
        most,
    )
    said = await spoken.facts(rows)
    items = [_shape(row, said[row["id"]], english) for row in rows]
    return NoticePage(items, items[-1].id if len(items) == most else None, await unread(actor))


async def unread(actor: Actor) -> int:
    rows = await select(
        f"SELECT count(*) AS n FROM notice WHERE person = {{}} AND read_at IS NULL AND {STANDS}", actor.person
    )
    return rows[0]["n"]


def _shape(row: Mapping[str, Any], said: Mapping[str, Any], english: bool) -> NoticeShape:
    to = wording.paths(row["verb"], said)
    return NoticeShape(
        row["id"],
        row["at"],
        row["verb"],
        HEARS[row["verb"]].about,
        wording.title(row["verb"], said, english),
        Urgency(row["urgency"]),
        Audience(row["reason"]),
        row["subject"],
        to.link,
        to.phone,
        to.desk,
        row["read_at"],
    )
