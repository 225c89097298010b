"""What bench/sweep.py needs around it: a million open items in the lists' province, people at every unit. No history.

Written with a few statements, past triggers, indexes made afterwards; kept for the next run where that is asked for.
"""

import asyncio
import hashlib
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from backend import protected, settings
from bench import _lists_data as data
from bench import _lists_scene as lists

LONG_AGO = date(2020, 1, 1)
PLACES = 24_000  # villages, each with a department of its county and of its prefecture


@contextmanager
def province(items: int, due: int, *, keep: bool) -> Iterator[date]:
    """The database, named in the environment meanwhile; gives its day, on which `due` items speak."""
    server, before = settings.load(), dict(os.environ)
    where, name = dict(server.database), f"duban_bench_sweep_{items}_{due}"
    asyncio.run(lists._if_missing(where, name))
    os.environ |= {
        "DUBAN_DATABASE_URL": lists._url({**where, "database": name}),
        "DUBAN_REDIS_URL": server.redis_url,
        "DUBAN_PROTECTED_KEYS": protected.new_key(),  # nothing in it is encrypted
        "DUBAN_SIGNING_KEYS": protected.new_key(),
    }
    try:
        today = asyncio.run(_day())
        if today is None:
            asyncio.run(lists._anew(where, name))
            lists._migrate()
            today = datetime.now().astimezone().date()  # noqa: DTZ005
            asyncio.run(_filled(items, due, today))
        else:
            lists._migrate()
        yield today
    finally:
        os.environ.clear()
        os.environ.update(before)
        if not keep:
            asyncio.run(_dropped(where, name))


async def _day() -> date | None:
    """The day for which the database was made; None where it was not, or of something else."""
    line = await lists.connected()
    try:
        if not await line.fetchval("SELECT to_regclass('bench_sweep')"):
            return None
        return await line.fetchval("SELECT day FROM bench_sweep WHERE fingerprint = $1", _fingerprint())
    finally:
        await line.close()


def _fingerprint() -> str:
    return hashlib.sha256(Path(data.__file__).read_bytes() + Path(__file__).read_bytes()).hexdigest()


async def _dropped(where: dict[str, Any], name: str) -> None:
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    await line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await line.close()


async def _filled(items: int, due: int, today: date) -> None:
    """All items at work, issued long ago, most due far ahead; the rest late, today, in one, three or seven days."""
    line, began = await lists.connected(), time.monotonic()
    print(f"making {items:,} open items …", end="", flush=True)
    await _places(line)
    indexes = await data._drop_indexes(line)
    await line.execute("SET session_replication_role = replica")  # our own rows: no trigger, no link to check
    await line.execute(
        _DRAWN.replace("$1", str(items))
        .replace("$2", str(due))
        .replace("$3", f"'{today}'")
        .replace("$4", f"'{{{','.join(map(str, _days(today)))}}}'")
    )
    await line.execute(_ITEMS)
    await line.execute(_PARTS)
    await line.execute(
        "INSERT INTO rectification_search SELECT made.* FROM rectification AS it, LATERAL search_row(it) AS made"
    )
    await _people(line)
    await line.execute("RESET session_replication_role")
    print(f" {time.monotonic() - began:.0f} s; indexes …", end="", flush=True)
    await line.execute("SET maintenance_work_mem = '1GB'")
    for statement in indexes:
        if "USING gin" not in statement:  # of words: no sweep reads them
            await line.execute(statement)
    await line.execute("UPDATE reminder_rule SET valid_from = $1", LONG_AGO)
    await line.execute("VACUUM ANALYZE")
    await line.execute("CREATE TABLE bench_sweep (fingerprint text, day date)")
    await line.execute("INSERT INTO bench_sweep VALUES ($1, $2)", _fingerprint(), today)
    print(f" {time.monotonic() - began:.0f} s")
    await line.close()


async def _places(line: asyncpg.Connection) -> None:
    """Where items lie and whose they are, as rows to draw from."""
    it, made = data.tree(), random.Random(5)
    await line.copy_records_to_table("region", columns=data.REGION, records=it.regions)
    await line.copy_records_to_table("unit", columns=data.UNIT, records=it.unit_rows)
    await line.execute(
        "CREATE TEMP TABLE place (n integer PRIMARY KEY, prefecture text, county text, township text, village text, "
        "responsible uuid, lead uuid)"
    )
    rows = []
    for n in range(PLACES):
        place, department = made.choice(it.villages), made.choice(data.DEPARTMENTS)
        units = (it.units[f"{place[1][:10]} {department}"], it.units[f"{place[0][:10]} {department}"])
        rows.append((n, *place, *units))
    await line.copy_records_to_table("place", records=rows)


_DRAWN = f"""
CREATE TEMP TABLE drawn AS SELECT n, gen_random_uuid() AS id, (hashint8(n) & 1073741823) % {PLACES} AS place,
  ($3::date - 60 - (n % 1000)::integer)::timestamp AT TIME ZONE 'Asia/Shanghai' AS issued,
  CASE WHEN n * 7919 % $1 >= $2 THEN $3::date + 90 + (n % 200)::integer
       ELSE $3::date + ($4::integer[])[1 + n % 5] END AS due_on
FROM generate_series(0::bigint, $1::bigint - 1) AS n
"""
_ITEMS = f"""
INSERT INTO rectification (id, number, source, topic, severity, closing_class, facts, asks, region, province,
  prefecture, county, township, status, drafted_at, issued_at, due_on, due_at, due_certainty, original_due_on, listed,
  public, sampled, returned, reopened, extended)
SELECT drawn.id, 'ZG-' || substr(county, 1, 6) || '-' || drawn.n, 'unannounced', '0101', 'ordinary', 'by_date',
  '饮水管网冻裂漏水未修复，涉及农户三户。', '修复并回访。', village, '{data.ROOT}', prefecture, county, township,
  'working', issued, issued, due_on, (due_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai', 'known', due_on, false,
  false, false, 0, 0, 0
FROM drawn JOIN place ON place.n = drawn.place
"""
_PARTS = """
INSERT INTO rectification_unit (id, rectification, unit, role, status, item_status, item_urgency, item_issued_at,
  item_returned, item_number)
SELECT gen_random_uuid(), drawn.id, part.unit, part.role, part.status, 'working',
  (due_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai', issued, 0, 'ZG-' || substr(county, 1, 6) || '-' || drawn.n
FROM drawn JOIN place ON place.n = drawn.place CROSS JOIN LATERAL (VALUES
  (place.responsible, 'responsible', 'working'), (place.lead, 'lead', NULL)) AS part (unit, role, status)
"""


def _days(today: date) -> list[int]:
    """Days from today whose items are late, due today, and before three stages: the calendar of whatever day it is."""
    from backend.workdays import Calendar

    calendar = Calendar()

    def ahead(n: int) -> int:
        return (calendar.add_workdays(today, n)[0] - today).days

    return [-40, 0, ahead(1), ahead(3), ahead(7)]


async def _people(line: asyncpg.Connection) -> None:
    """A handler and a principal at each unit, reviewers in the prefectures, staff and a leader in each office."""
    for role, units in (
        ("unit_handler", "name NOT LIKE '%督查办'"),
        ("unit_principal", "name NOT LIKE '%督查办'"),
        ("lead_unit_reviewer", "region LIKE '____00000000' AND name NOT LIKE '%督查办'"),
        ("supervision_staff", "name LIKE '%督查办'"),
        ("supervision_leader", "name LIKE '%督查办'"),
    ):
        await line.execute(
            "WITH made AS (INSERT INTO person (id, username, name, unit, password_hash, added_at) "
            f"SELECT gen_random_uuid(), $1 || id, '某人', id, '!', $2 FROM unit WHERE {units} RETURNING id, unit) "
            "INSERT INTO role_grant (id, person, unit, role, granted_at) "
            "SELECT gen_random_uuid(), id, unit, $1, $2 FROM made",
            role,
            datetime.now().astimezone() - timedelta(days=100),  # noqa: DTZ005
        )
