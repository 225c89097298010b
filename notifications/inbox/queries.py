"""Reading one's own notices: one by one, and folded by thing or by kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend.db import select
from backend.roles import Actor
from notifications.inbox import reasons, spoken, wording
from notifications.inbox.rules import HEARS, Audience, Subject, Urgency
from notifications.inbox.spoken import STANDS


class NoticeShape(msgspec.Struct):
    """`why` says which audience the reader belonged to, `because` says it in a sentence. `link` is where it leads,
    `phone` and `desk` on a screen. `in_place_of`: who is away, where the reader is the deputy.
    """

    id: UUID
    at: datetime
    verb: str
    about: Subject
    title: str
    urgency: Urgency
    why: Audience
    because: str
    in_place_of: str | None
    subject: UUID
    link: str
    phone: str
    desk: str
    read_at: datetime | None


class Unread(msgspec.Struct):
    """How many are unread, and of each kind of thing that has any."""

    unread: int
    of: dict[Subject, int]


class NoticePage(msgspec.Struct):
    items: list[NoticeShape]
    next: UUID | None
    unread: int
    unread_of: dict[Subject, int]


class Fold(StrEnum):
    """What makes several notices one line."""

    thing = "thing"
    kind = "kind"


class GroupShape(msgspec.Struct):
    """Notices about one thing, or of one kind: open it by `GET /api/notices?subject=` or `?verb=`."""

    title: str
    count: int
    unread: int
    latest: NoticeShape


class GroupPage(msgspec.Struct):
    items: list[GroupShape]
    next: UUID | None
    unread: int
    unread_of: dict[Subject, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which notices: after (older than) `cursor`, about one thing or kind of thing, of one verb, unread only."""

    cursor: UUID | None = None
    most: int = 50
    unread_only: bool = False
    about: Subject | None = None
    verb: str | None = None
    subject: UUID | None = None


async def of_person(actor: Actor, wanted: Wanted, *, english: bool) -> NoticePage:
    """Newest first. What has lapsed is left out: nothing is left to be done about it."""
    rows = await select(_PAGE, _all([_of(actor), *_older(wanted), *_which(wanted), QueryString(STANDS)]), wanted.most)
    count = await unread(actor)
    return NoticePage(await shapes(rows, english), _next(rows, wanted), count.unread, count.of)


async def groups(actor: Actor, wanted: Wanted, fold: Fold, *, english: bool) -> GroupPage:
    """The newest notice of each group, newest first, with how many there are."""
    key = "subject" if fold == Fold.thing else "verb"
    newest = _newest_of_things(actor, wanted) if fold == Fold.thing else _newest_of_kinds(actor, wanted)
    rows = await select(_PAGE, newest, wanted.most)
    sizes = await _sizes(actor, wanted, key, [row[key] for row in rows])
    count = await unread(actor)
    items = [
        GroupShape(
            wording.gathered(row["verb"], size, english) if fold == Fold.kind and size > 1 else shape.title,
            size,
            unread_,
            shape,
        )
        for row, shape in zip(rows, await shapes(rows, english), strict=True)
        for size, unread_ in [sizes[row[key]]]
    ]
    return GroupPage(items, _next(rows, wanted), count.unread, count.of)


async def unread(actor: Actor) -> Unread:
    rows = await select(
        f"SELECT verb, count(*) AS n FROM notice WHERE {{}} AND read_at IS NULL AND {STANDS} GROUP BY verb", _of(actor)
    )
    of: dict[Subject, int] = {}
    for row in rows:
        about = HEARS[row["verb"]].about
        of[about] = of.get(about, 0) + row["n"]
    return Unread(sum(of.values()), of)


async def shapes(rows: Sequence[Mapping[str, Any]], english: bool) -> list[NoticeShape]:
    said = await spoken.facts(rows)
    return [_shape(row, said[row["id"]], english) for row in rows]


# The page first, then what it is joined to: else a large inbox is joined before it is cut.
_PAGE = (
    "SELECT notice.*, unit.name AS unit_name, away.name AS away_person, whole.name AS away_unit FROM "
    "(SELECT * FROM notice WHERE {} ORDER BY notice.id DESC LIMIT {}) AS notice "
    "LEFT JOIN unit ON unit.id = notice.unit LEFT JOIN absence ON absence.id = notice.absence "
    "LEFT JOIN person AS away ON away.id = absence.person LEFT JOIN unit AS whole ON whole.id = absence.unit "
    "ORDER BY notice.id DESC"
)


def _newest_of_things(actor: Actor, wanted: Wanted) -> QueryString:
    """Walked from the newest on: of each thing those that have none newer."""
    newer = QueryString(
        "NOT EXISTS (SELECT 1 FROM notice AS newer WHERE newer.person = notice.person "
        "AND newer.subject = notice.subject AND newer.id > notice.id AND {})",
        _all(_which(wanted, "newer")),
    )
    return _all([_of(actor), *_older(wanted), *_which(wanted), QueryString(STANDS), newer])


def _newest_of_kinds(actor: Actor, wanted: Wanted) -> QueryString:
    """One look into the index for each verb: a kind may have a hundred thousand."""
    newest = QueryString(
        "notice.id IN (SELECT newest.id FROM unnest({}::text[]) AS kind, LATERAL (SELECT id FROM notice "
        "WHERE {} ORDER BY notice.id DESC LIMIT 1) AS newest)",
        list(HEARS),
        _all([_of(actor), QueryString("notice.verb = kind"), *_which(wanted), QueryString(STANDS)]),
    )
    return _all([_of(actor), *_older(wanted), newest])


def _of(actor: Actor) -> QueryString:
    return QueryString("notice.person = {}", actor.person)


def _older(wanted: Wanted) -> list[QueryString]:
    return [QueryString("notice.id < {}", wanted.cursor)] if wanted.cursor else []


def _which(wanted: Wanted, table: str = "notice") -> list[QueryString]:
    """The filters, of `table` (one of our own names)."""
    where = [QueryString(f"{table}.read_at IS NULL")] if wanted.unread_only else []
    if wanted.about:
        verbs = [verb for verb, hearing in HEARS.items() if hearing.about == wanted.about]
        where.append(QueryString(f"{table}.verb = ANY({{}})", verbs))
    if wanted.verb:
        where.append(QueryString(f"{table}.verb = {{}}", wanted.verb))
    if wanted.subject:
        where.append(QueryString(f"{table}.subject = {{}}", wanted.subject))
    return where


def _all(where: Sequence[QueryString]) -> QueryString:
    return QueryString(" AND ".join(["true", *("{}" for _ in where)]), *where)


def _next(rows: Sequence[Mapping[str, Any]], wanted: Wanted) -> UUID | None:
    return rows[-1]["id"] if len(rows) == wanted.most else None


async def _sizes(actor: Actor, wanted: Wanted, key: str, values: Sequence[Any]) -> dict[Any, tuple[int, int]]:
    """Of each group how many there are, and how many unread."""
    rows = await select(
        f"SELECT {key} AS key, count(*) AS n, count(*) FILTER (WHERE read_at IS NULL) AS unread FROM notice "
        f"WHERE {{}} AND notice.{key} = ANY({{}}) AND {STANDS} GROUP BY {key}",
        _all([_of(actor), *_which(wanted)]),
        list(values),
    )
    return {row["key"]: (row["n"], row["unread"]) for row in rows}


def _shape(row: Mapping[str, Any], said: Mapping[str, Any], english: bool) -> NoticeShape:
    to = wording.paths(row["verb"], said)
    return NoticeShape(
        row["id"],
        row["at"],
        row["verb"],
        HEARS[row["verb"]].about,
        reasons.mark(row, english) + wording.title(row["verb"], said, english),
        Urgency(row["urgency"]),
        Audience(row["reason"]),
        reasons.sentence(row, english),
        row["away_person"] or row["away_unit"],
        row["subject"],
        to.link,
        to.phone,
        to.desk,
        row["read_at"],
    )
