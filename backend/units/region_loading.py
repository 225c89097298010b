"""Bringing regions in: one transaction, in batches, so that the whole country fits. Files: region_file.py."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from backend import clock, events
from backend.db import raw, transaction
from backend.roles import Actor
from backend.units.commands import check_may
from backend.units.region_rows import Level, RegionRow
from piccolo_conf import DB

BATCH = 20_000
# Levels that the statistical codes put in where a place has none of its own; nobody says them.
STAND_INS = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})
MUNICIPALITIES = frozenset({"北京市", "天津市", "上海市", "重庆市"})

# Parents of the rows to come: codes from the province down, and the names along them.
Known = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]


@dataclass(slots=True)
class Loaded:
    """How many rows were new, had another name or parent or came back, were as before, and were ended."""

    new: int = 0
    changed: int = 0
    same: int = 0
    ended: int = 0


async def load_regions(actor: Actor, rows: Iterable[RegionRow], source: str, *, complete: bool = False) -> Loaded:
    """Add and rename regions; parents come before their children. All of it or, when `rows` raises, nothing.

    New rows hold from today. `complete` says that the rows are all there is in their provinces: what is
    missing there ends today. Raises Forbidden.
    """
    check_may(actor)
    counts, renamed = Loaded(), list[str]()
    async with transaction():
        # One load at a time: two would wait for each other's rows.
        await raw("LOCK TABLE region IN SHARE ROW EXCLUSIVE MODE")
        await raw(_INCOMING)
        await raw("CREATE TEMP TABLE region_seen (code text PRIMARY KEY) ON COMMIT DROP")
        known, stream = await _known(), iter(rows)
        while batch := list(islice(stream, BATCH)):
            await _copy(_records(batch, known))
            await _merge(source, counts, renamed)
            if complete:
                await raw("INSERT INTO region_seen SELECT code FROM region_incoming")
            await raw("TRUNCATE region_incoming")
        if renamed:
            await _refresh_below(renamed)
        if complete:
            counts.ended = len(await raw(_END, clock.today()))
        subject = uuid5(NAMESPACE_OID, source)
        await events.record("regions.loaded", subject, actor=actor, source=source, complete=complete, **asdict(counts))
    return counts


def full_name(names: tuple[str, ...]) -> str:
    """How people call a place, given the names from its province down: 抚顺市新宾满族自治县上夹河镇腰站村.

    The province is left out, except before a municipality's own parts and for itself.
    """
    *above, own = names
    return (_above(tuple(above)) + _own(own) if above else own) or names[0]


def spoken_name(name: str) -> str:
    """腰站村民委员会 is 腰站村, 民主路社区居委会 is 民主路社区; a committee that is neither stays one."""
    for committee in ("村民委员会", "村委会"):
        if name.endswith(committee) and name != committee:
            village = name.removesuffix(committee)
            return village if village.endswith("村") else f"{village}村"
    for committee in ("居民委员会", "居委会"):
        if name.endswith(committee) and name != committee:
            place = name.removesuffix(committee)
            return place if place.endswith("社区") else f"{place}居委会"
    return name


@lru_cache(maxsize=1024)
def _above(names: tuple[str, ...]) -> str:
    """What stands before the last name; the villages of a township share it."""
    province, *below = names
    return (province if province in MUNICIPALITIES else "") + "".join(_own(name) for name in below)


def _own(name: str) -> str:
    return "" if name in STAND_INS else spoken_name(name)


_INCOMING = (
    "CREATE TEMP TABLE region_incoming "
    "(code text, parent text, level text, name text, full_name text, path text) ON COMMIT DROP"
)
# The key decides row by row: a join would have to be planned over a table nobody has analysed yet.
_MERGE = (
    "WITH merged AS (INSERT INTO region (code, parent, level, name, full_name, path, valid_from, source) "
    "SELECT code, parent, level, name, full_name, string_to_array(path, '/'), $1::date, $2::text "
    "FROM region_incoming "
    "ON CONFLICT (code) DO UPDATE SET parent = excluded.parent, name = excluded.name, "
    "full_name = excluded.full_name, path = excluded.path, valid_to = NULL, source = excluded.source "
    "WHERE (region.parent, region.name, region.full_name, region.valid_to) IS DISTINCT FROM "
    "(excluded.parent, excluded.name, excluded.full_name, NULL::date) RETURNING code, xmax = 0 AS new) "
    "SELECT (SELECT count(*) FROM region_incoming) AS came, count(*) FILTER (WHERE new) AS new, "
    "array_agg(code) FILTER (WHERE NOT new) AS changed FROM merged"
)
_LINES = (
    "WITH RECURSIVE up AS (SELECT code AS leaf, parent, code, name, 0 AS steps FROM region "
    "WHERE path && $1::text[] OR ($1::text[] IS NULL AND level <> $2) "
    "UNION ALL SELECT up.leaf, region.parent, region.code, region.name, steps + 1 "
    "FROM up JOIN region ON region.code = up.parent) "
    "SELECT leaf, array_agg(code ORDER BY steps DESC) AS path, array_agg(name ORDER BY steps DESC) AS names "
    "FROM up GROUP BY leaf"
)
_REFRESH = (
    "UPDATE region SET full_name = fresh.full_name, path = string_to_array(fresh.path, '/') "
    "FROM unnest($1::text[], $2::text[], $3::text[]) AS fresh (code, full_name, path) "
    "WHERE region.code = fresh.code AND (region.full_name <> fresh.full_name "
    "OR region.path <> string_to_array(fresh.path, '/'))"
)
_END = (
    "UPDATE region SET valid_to = $1 WHERE valid_to IS NULL AND left(code, 2) IN "
    "(SELECT DISTINCT left(code, 2) FROM region_seen) "
    "AND NOT EXISTS (SELECT FROM region_seen WHERE region_seen.code = region.code) RETURNING code"
)


async def _known() -> Known:
    rows = await raw(_LINES, None, Level.village.value)
    return {row["leaf"]: (tuple(row["path"]), tuple(row["names"])) for row in rows}


def _records(batch: Iterable[RegionRow], known: Known) -> Iterator[tuple[Any, ...]]:
    for row in batch:
        codes, names = known[row.parent] if row.parent else ((), ())
        codes, names = (*codes, row.code), (*names, row.name)
        if row.level is not Level.village:  # six hundred thousand villages are nobody's parent
            known[row.code] = codes, names
        yield row.code, row.parent, row.level.value, row.name, full_name(names), "/".join(codes)


async def _copy(records: Iterator[tuple[Any, ...]]) -> None:
    running = DB.current_transaction.get()
    assert running is not None  # load_regions has opened it
    await running.connection.copy_records_to_table("region_incoming", records=records)


async def _merge(source: str, counts: Loaded, renamed: list[str]) -> None:
    row = (await raw(_MERGE, clock.today(), source))[0]
    changed = row["changed"] or []
    counts.new += row["new"]
    counts.changed += len(changed)
    counts.same += row["came"] - row["new"] - len(changed)
    renamed += changed


async def _refresh_below(changed: list[str]) -> None:
    """Names and paths of what lies below a changed region and was not itself in the file."""
    rows = await raw(_LINES, changed, None)
    await raw(
        _REFRESH,
        [row["leaf"] for row in rows],
        [full_name(tuple(row["names"])) for row in rows],
        ["/".join(row["path"]) for row in rows],
    )
