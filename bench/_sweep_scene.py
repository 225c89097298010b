"""What bench/sweep.py needs around it: the lists' province with everything open, people at every unit."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from backend import settings
from bench import _lists_scene as lists

LONG_AGO = date(2020, 1, 1)


@contextmanager
def province(items: int, due: int, today: date) -> Iterator[None]:
    """The database, named in the environment meanwhile, dropped afterwards. `due` items speak today."""
    with lists.province(items):
        where, before = dict(settings.load().database), dict(os.environ)
        name = f"duban_bench_sweep_{items}"
        asyncio.run(_copied(where, name))
        os.environ["DUBAN_DATABASE_URL"] = lists._url({**where, "database": name})
        from piccolo_conf import DB  # made for the lists' database, when that was migrated

        DB.config = {**DB.config, "database": name}
        try:
            asyncio.run(_prepared(items, due, today))
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            asyncio.run(_dropped(where, name))


async def _copied(where: dict[str, Any], name: str) -> None:
    await _dropped(where, name)
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    print(f"copying {where['database']} …", flush=True)
    await line.execute(f'CREATE DATABASE "{name}" TEMPLATE "{where["database"]}"')
    await line.close()


async def _dropped(where: dict[str, Any], name: str) -> None:
    line = await asyncpg.connect(**{**where, "database": "postgres"})
    await line.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await line.close()


async def _prepared(items: int, due: int, today: date) -> None:
    """All items at work, issued long ago, most due far ahead; the rest late, today, in one, three or seven days."""
    line = await lists.connected()
    print("everything open, people everywhere …", flush=True)
    await line.execute("SET session_replication_role = replica")
    await line.execute(
        "UPDATE rectification SET status = 'working', "
        "issued_at = least(issued_at, drafted_at, ($2::date - 60)::timestamp AT TIME ZONE 'Asia/Shanghai'), "
        "due_on = new.due_on, "
        "due_at = ((new.due_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai'), due_certainty = 'known', "
        "number = coalesce(number, rectification.id::text) FROM ("
        "SELECT id, CASE WHEN place > $1 THEN $2::date + 90 + (place % 200)::integer "
        "ELSE $2::date + ($3::integer[])[1 + place % 5] END AS due_on "
        "FROM (SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS place FROM rectification) AS shuffled"
        ") AS new WHERE new.id = rectification.id",
        due,
        today,
        _days(today),
    )
    await line.execute(
        "UPDATE rectification_unit SET status = CASE WHEN role = 'responsible' THEN 'working' END, ended_at = NULL, "
        "item_status = 'working'"
    )
    await line.execute("UPDATE rectification_search SET look_back_on = NULL WHERE look_back_on IS NOT NULL")
    await _people(line)
    await line.execute("RESET session_replication_role")
    await line.execute("UPDATE reminder_rule SET valid_from = $1", LONG_AGO)
    await line.execute("TRUNCATE outbox")
    await line.execute("VACUUM ANALYZE")
    counted = await line.fetchval("SELECT count(*) FROM rectification WHERE due_on < $1::date + 60", today)
    assert counted == due, (counted, due)
    await line.close()


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
