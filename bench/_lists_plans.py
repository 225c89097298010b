"""How the database reads the lists of bench/lists.py: every statement of a page explained, bad signs named."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from bench._lists_scene import Who

MOST_SORTED = 1_000
WATCHED = {"rectification", "rectification_unit", "rectification_search"}


async def show(line: asyncpg.Connection, asked: Sequence[tuple[str, Who, dict[str, str]]]) -> int:
    """Prints them; the exit code is 1 when one of them reads a whole table or sorts more than a thousand rows."""
    from backend import db, wake

    bad = 0
    await db.open_pool(most=1)
    try:
        for label, who, params in asked:
            print(f"\n── {label}")
            for statement in await _statements(who, params):
                plan = json.loads(await line.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement[0]}", *statement[1]))
                bad += _tell(plan[0])
    finally:
        await wake.close()
        await db.close_pool()
    print(f"\n{bad} bad sign(s)")
    return 1 if bad else 0


async def _statements(who: Who, params: dict[str, str]) -> list[tuple[str, Sequence[Any]]]:
    """What a page asks the database, caught on the way."""
    import msgspec

    from backend import db
    from backend.roles import Actor, Grant
    from tasks.rectifications import listing
    from tasks.rectifications.filters import Filter, Sort

    asked = (
        "SELECT person.id, person.unit, unit.region FROM person JOIN unit ON unit.id = person.unit WHERE username = $1"
    )
    row = (await db.raw(asked, who.username))[0]
    actor = Actor(row["id"], "", (Grant(who.role, row["unit"], row["region"]),), home=row["unit"])
    narrowed = {name: value for name, value in params.items() if name not in ("sort", "cursor")}
    wanted = msgspec.convert(narrowed, Filter, strict=False)
    caught: list[tuple[str, Sequence[Any]]] = []

    def note(query: Any) -> None:
        if not query.query.startswith("EXPLAIN"):
            caught.append((query.query, query.args))

    async with db.DB.pool.acquire() as connection:
        connection.add_query_logger(note)
    await listing.page(actor, wanted, sort=Sort(params.get("sort", "urgency")), cursor=params.get("cursor"), most=50)
    async with db.DB.pool.acquire() as connection:
        connection.remove_query_logger(note)
    return caught


def _tell(explained: dict[str, Any]) -> int:
    bad = 0
    for depth, node in _nodes(explained["Plan"], 0):
        name = " ".join(str(node[key]) for key in ("Node Type", "Relation Name", "Index Name") if key in node)
        rows = node["Actual Rows"] * node["Actual Loops"]
        whole = node["Node Type"] == "Seq Scan" and node.get("Relation Name") in WATCHED
        sorted_rows = sum(child["Actual Rows"] * child["Actual Loops"] for child in node.get("Plans", [])[:1])
        great = "Sort" in node["Node Type"] and sorted_rows > MOST_SORTED * node["Actual Loops"]
        mark = "  ← !! whole table" if whole else "  ← !! great sort" if great else ""
        bad += bool(mark)
        print(f"   {'  ' * depth}{name}  rows {rows:.0f}{mark}")
    print(f"   {explained['Execution Time']:.2f} ms, planned in {explained['Planning Time']:.2f} ms")
    return bad


def _nodes(node: dict[str, Any], depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    yield depth, node
    for child in node.get("Plans", []):
        yield from _nodes(child, depth + 1)
