"""An office that worked with the first tables goes on: its items get parts, counters, clocks, and lose nothing."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend import settings
from backend.columns import uuid7
from tasks.rectifications.item import Verb

FIRST = {
    "backend": "2026-11-22T08:00:01:000000",
    "inspections": "2026-11-22T08:00:00:000000",
    "tasks": "2026-11-22T08:00:01:000000",
    "notifications": "2026-11-22T08:00:01:000000",
}
BEFORE = f"""
import asyncio
from piccolo.apps.migrations.commands.forwards import run_forwards
async def run():
    for app, last in {FIRST}.items():
        await run_forwards(app, migration_id=last)
asyncio.run(run())
"""
AFTER = "from backend import migrate; migrate.run()"
ISSUED, CLOSED = datetime(2026, 11, 2, 1, 0, tzinfo=UTC), datetime(2026, 11, 9, 18, 30, tzinfo=UTC)
DUE = date(2026, 11, 17)
STATUSES = ("draft", "issued", "working", "handed_in", "passed", "closed", "hung", "voided")
NAMES = ("first", "second", "lead", "elsewhere")


@pytest.fixture(scope="module")
async def old() -> AsyncIterator[asyncpg.Connection]:
    """A database as the first migrations left it, with an item in every status, brought up to date."""
    name = f"duban_test_{os.getpid()}_old"
    where = settings.load().database
    server = await asyncpg.connect(**{**where, "database": "postgres"})
    await server.execute(f'CREATE DATABASE "{name}"')
    connection = await asyncpg.connect(**{**where, "database": name})
    url = os.environ["DUBAN_DATABASE_URL"].replace(f"/{where['database']}?", f"/{name}?")
    try:
        await _python(BEFORE, url)
        await _story(connection)
        await _python(AFTER, url)
        yield connection
    finally:
        await connection.close()
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await server.close()


async def _python(code: str, url: str) -> None:
    env = {**os.environ, "DUBAN_DATABASE_URL": url, "PICCOLO_CONF": "piccolo_conf"}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def id_of(name: str) -> UUID:
    return UUID(int=int.from_bytes(name.encode().rjust(16)[-16:]))


async def _insert(to: asyncpg.Connection, table: str, **row: Any) -> None:
    columns = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await to.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({values})', *row.values())


async def _story(to: asyncpg.Connection) -> None:
    await _insert(
        to, "region", code="210400000000", level="prefecture", name="抚顺市", full_name="抚顺市",
        path=["210400000000"], valid_from=date(2020, 1, 1), source="test",
    )  # fmt: skip
    await _insert(to, "topic", code="0304", name="饮水安全")
    for name in NAMES:
        await _insert(
            to, "unit", id=id_of(name), name=name, short_name=name, kind="department", region="210400000000",
            valid_from=date(2020, 1, 1),
        )  # fmt: skip
        await _insert(
            to, "person", id=id_of(f"of {name}"), username=name, name=name, unit=id_of(name), password_hash="!",
            added_at=ISSUED,
        )  # fmt: skip
    for status in STATUSES:
        await _item(to, status)


async def _item(to: asyncpg.Connection, status: str) -> None:
    issued = {} if status == "draft" else {"issued_at": ISSUED, "due_on": DUE, "due_at": ISSUED, "number": status}
    closed = {"closed_at": CLOSED} if status == "closed" else {}
    await _insert(
        to, "rectification", id=id_of(status), source="unannounced", topic="0304", severity="ordinary",
        closing_class="by_date", facts="断水。", asks="", region="210400000000", status=status, drafted_at=ISSUED,
        **issued, **closed,
    )  # fmt: skip
    for unit, role in (("first", "responsible"), ("second", "responsible"), ("lead", "lead")):
        await _insert(to, "rectification_unit", id=uuid7(), rectification=id_of(status), unit=id_of(unit), role=role)
    said = {"rectification": id_of(status), "at": ISSUED}
    by_second, by_other = {"by": id_of("of second"), **said}, {"by": id_of("of elsewhere"), **said}
    await _insert(to, "acknowledgement", id=uuid7(), responsible_person="赵", phone="", **by_second)
    await _insert(to, "progress", id=uuid7(), note="一半。", percent=50, **by_other)
    handed = uuid7()
    await _insert(to, "hand_in", id=handed, note="好。", similar_sweep="", confirmed_by="钱", **by_second)
    for verb in ("send_back", "send_back", "pass_first", "close_out"):
        await _insert(to, "review", id=uuid7(), hand_in=handed, verb=verb, note="好。", **by_other)
    asked = {"asked_by": id_of("of lead"), "asked_at": ISSUED, "note": "重复。", "decided_at": ISSUED}
    for answer in ("declined", "upheld"):
        await _insert(to, "voiding", id=uuid7(), rectification=id_of(status), answer=answer, **asked)


async def item(old: asyncpg.Connection, status: str) -> dict[str, Any]:
    return dict(await old.fetchrow("SELECT * FROM rectification WHERE id = $1", id_of(status)) or {})


async def test_nothing_is_lost_and_every_item_is_where_it_was(old):
    assert await old.fetchval("SELECT count(*) FROM rectification") == len(STATUSES)
    for status in STATUSES:
        assert (await item(old, status))["status"] == status
    counts = {"acknowledgement": 1, "progress": 1, "hand_in": 1, "review": 4, "voiding": 2, "rectification_unit": 3}
    for table, each in counts.items():
        assert await old.fetchval(f"SELECT count(*) FROM {table}") == each * len(STATUSES), table


async def test_every_responsible_unit_has_a_part_where_its_item_was_and_no_other_has(old):
    expected = {
        "draft": "issued", "issued": "issued", "working": "working", "handed_in": "handed_in", "passed": "passed",
        "closed": "passed", "hung": "working", "voided": "issued",
    }  # fmt: skip
    for status, part in expected.items():
        rows = await old.fetch("SELECT role, status FROM rectification_unit WHERE rectification = $1", id_of(status))
        assert sorted((row["role"], row["status"]) for row in rows if row["status"]) == [("responsible", part)] * 2
        assert [row["status"] for row in rows if row["role"] == "lead"] == [None]


async def test_what_was_said_is_its_unit_s_or_the_first_one_s(old):
    first = min(id_of("first"), id_of("second"))
    assert {row["unit"] for row in await old.fetch("SELECT unit FROM acknowledgement")} == {id_of("second")}
    assert {row["unit"] for row in await old.fetch("SELECT unit FROM hand_in")} == {id_of("second")}
    assert {row["unit"] for row in await old.fetch("SELECT unit FROM progress")} == {first}  # of nobody of theirs
    reviews = {(row["verb"], row["unit"]) for row in await old.fetch("SELECT verb, unit FROM review")}
    assert reviews == {("send_back", first), ("pass_first", first), ("close_out", None)}
    for table in ("acknowledgement", "hand_in", "progress"):
        with pytest.raises(asyncpg.NotNullViolationError):
            await old.execute(f"UPDATE {table} SET unit = NULL")


async def test_counters_and_dates_say_what_the_records_say(old):
    for status in STATUSES:
        found = await item(old, status)
        assert (found["returned"], found["reopened"], found["extended"]) == (2, 0, 0)
        assert found["original_due_on"] == (None if status == "draft" else DUE)
        # 18:30 UTC is the next morning in Shanghai: ninety days from the 10th.
        assert found["look_back_on"] == (date(2027, 2, 8) if status == "closed" else None)
        assert (found["listed"], found["public"], found["sampled"]) == (False, False, False)


async def test_who_has_not_signed_gets_a_week_and_who_has_is_past_objecting(old):
    rows = await old.fetch(
        "SELECT item.status, accept_by, object_until FROM rectification_unit AS part "
        "JOIN rectification AS item ON item.id = part.rectification WHERE role = 'responsible'"
    )
    now = datetime.now(UTC)  # noqa: DTZ005, TID251 - the migration ran by the real clock
    for row in rows:
        if row["status"] == "draft":
            assert row["accept_by"] is row["object_until"] is None
        elif row["status"] in ("issued", "voided"):
            assert now + timedelta(days=6) < row["accept_by"] == row["object_until"] < now + timedelta(days=9)
        else:
            assert row["object_until"] <= now


@pytest.mark.parametrize(
    ("table", "column", "wrong"),
    [
        ("rectification", "status", "late"), ("rectification", "source", "gossip"),
        ("rectification_unit", "status", "late"), ("rectification_unit", "role", "owner"),
        ("review", "verb", "wave_through"), ("review", "reason_code", "none"), ("voiding", "answer", "perhaps"),
    ],
)  # fmt: skip
async def test_what_is_no_word_of_ours_is_refused_by_the_tables(old, table, column, wrong):
    with pytest.raises(asyncpg.CheckViolationError):
        await old.execute(f'UPDATE "{table}" SET "{column}" = $1', wrong)


@pytest.mark.parametrize("table", ["objection", "extension", "site_check", "public_objection", "hanging", "look_back"])
async def test_every_new_table_checks_its_words(old, table):
    checks = await old.fetch("SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'c'", table)
    assert checks, table


async def test_every_verb_can_stand_on_a_review_and_a_voiding_can_lapse(old):
    transaction = old.transaction()
    await transaction.start()
    for verb in Verb:
        await old.execute("UPDATE review SET verb = $1", verb.value)
    await old.execute("UPDATE voiding SET answer = 'lapsed'")
    await transaction.rollback()


async def test_one_open_record_of_a_kind(old):
    found = {row["indexname"] for row in await old.fetch("SELECT indexname FROM pg_indexes")}
    assert found >= {
        "one_open_voiding", "one_open_extension", "one_open_check", "one_publicity_a_round",
        "one_open_public_objection", "one_open_hanging", "one_resumption", "unit_keeps_silent",
    }  # fmt: skip


async def test_the_old_database_has_the_shape_of_a_new_one(old, database):
    from backend.db import raw

    shape = (
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public'"
    )
    assert {tuple(row.values()) for row in await old.fetch(shape)} == {tuple(row.values()) for row in await raw(shape)}
