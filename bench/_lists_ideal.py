"""The queries bench/lists.py is held against: each for its one question, with an index made for it, no permission."""

from typing import Any
from uuid import UUID

import asyncpg

from backend.units.region_rows import level_of
from bench._lists_scene import OPEN

_COLUMNS = (
    "it.id, it.number, it.status, it.source, it.topic, it.severity, it.closing_class, it.facts, it.region, "
    "it.issued_at, it.due_on, it.due_at, it.due_certainty, it.original_due_on, it.deadline_text, it.closed_at, "
    "it.look_back_on, it.review_on, it.listed, it.public, it.returned, it.reopened, it.extended, "
    "topic.name AS topic_name, region.full_name AS region_name, "
    "ARRAY(SELECT ROW(part.unit, unit.name, part.role, part.status, part.ended_at) "
    "FROM rectification_unit AS part JOIN unit ON unit.id = part.unit WHERE part.rectification = it.id) AS units"
)
_NAMES = "JOIN topic ON topic.code = it.topic JOIN region ON region.code = it.region"
_ORDER = "ORDER BY it.urgency, it.id"

Query = tuple[str, list[Any]]


def column(place: str) -> str:
    level = level_of(place).value
    return "region" if level == "village" else level


def of_area(place: str) -> Query:
    return _query(f"SELECT * FROM rectification WHERE {column(place)} = $1 AND status IN {OPEN} "
                  "ORDER BY urgency, id LIMIT 50", place)  # fmt: skip


def of_unit(unit: UUID) -> Query:
    return _query(
        "SELECT rectification.* FROM (SELECT rectification AS id FROM rectification_unit WHERE unit = $1 "
        f"AND item_status IN {OPEN} AND role <> 'lead' ORDER BY item_urgency, rectification LIMIT 50) AS part "
        "JOIN rectification USING (id)",
        unit,
    )


def of_team(person: UUID) -> Query:
    return _query(
        "SELECT * FROM rectification WHERE visit = ANY(ARRAY(SELECT visit FROM visit_member WHERE person = $1)) "
        f"AND status IN {OPEN} ORDER BY urgency, id LIMIT 50",
        person,
    )


def of_text(word: str, place: str, group: str, *, common: bool) -> Query:
    """A common word by reading the list in order until fifty are found, a rare one by the inverted index."""
    narrowed = f" AND rectification.status IN {OPEN}" if group == "open" else ""
    if common:
        return _query(
            f"SELECT * FROM rectification WHERE {column(place)} = $1{narrowed} AND EXISTS (SELECT FROM "
            "rectification_search AS search WHERE search.rectification = rectification.id AND search.text LIKE $2 "
            "OFFSET 0) ORDER BY urgency, id LIMIT 50",
            place,
            f"%{word}%",
        )
    return _query(
        "SELECT rectification.* FROM rectification_search AS search JOIN rectification ON id = search.rectification "
        "WHERE search_pieces(search.text, search.marks) @> $1::text[] AND search.text LIKE $2"
        f"{narrowed} ORDER BY rectification.urgency, id LIMIT 50",
        [place, *(word[at : at + 2] for at in range(len(word) - 1))],
        f"%{word}%",
    )


async def cursor_before(line: asyncpg.Connection, skipped: int) -> str:
    """The cursor a client would hold that has read this many lines of the province's whole list, page by page."""
    from tasks.rectifications import cursors
    from tasks.rectifications.drivers import After
    from tasks.rectifications.filters import Filter, Sort

    last = await line.fetchrow(
        "SELECT urgency, id FROM rectification ORDER BY urgency, id OFFSET $1 LIMIT 1", skipped - 1
    )
    assert last is not None
    return cursors.at(After(last["urgency"], last["id"]), Sort.urgency, Filter())


def _query(found: str, *args: Any) -> Query:
    return f"SELECT {_COLUMNS} FROM ({found}) AS it {_NAMES} {_ORDER}", list(args)
