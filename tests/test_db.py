"""The traps of the database layer, each closed: nesting, failed commits, rollbacks, after_commit, links, refusals."""

import asyncio

import asyncpg
import pytest

from backend import clock, db
from backend.columns import uuid7
from backend.db import NestedTransaction, after_commit, one_statement, raw, savepoint, select, transaction
from backend.errors import BadRequest, Conflict
from backend.people.tables import Person
from backend.tables import NumberSeries
from backend.units.tables import Unit
from tests import make
from tests.waiting import eventually


async def put(series: str) -> None:
    await NumberSeries(series=series, last=1).save()


async def kept() -> set[str]:
    return {row["series"] for row in await raw("SELECT series FROM number_series")}


def pool() -> asyncpg.Pool:
    assert db.DB.pool is not None
    return db.DB.pool


def idle() -> int:
    """Connections that can be had: given back, or not made yet."""
    return pool().get_idle_size() + pool().get_max_size() - pool().get_size()


@pytest.fixture(autouse=True)
async def clean(fresh):
    """Every test leaves no connection taken and no transaction running in its context."""
    free = idle()
    yield
    assert idle() == free
    assert db.DB.current_transaction.get() is None


@pytest.fixture
async def deferred(fresh):
    """A table whose constraint is only checked at COMMIT: the kind that Piccolo's own transaction chokes on."""
    await raw("CREATE TABLE late (id int PRIMARY KEY, parent int REFERENCES late DEFERRABLE INITIALLY DEFERRED)")
    yield
    await raw("DROP TABLE late")


# ── reads whose plan is kept ───────────────────────────────────────────────────────────────────────────────────


async def test_a_planned_read_is_planned_for_any_argument_and_by_no_other_read(fresh):
    setting = "SELECT current_setting('plan_cache_mode') AS mode"
    assert (await db.planned(setting))[0]["mode"] == "force_generic_plan"
    assert (await raw(setting))[0]["mode"] == "auto"


async def test_a_planned_read_in_a_transaction_sees_what_the_transaction_wrote():
    async with transaction():
        await put("a")
        assert [row["series"] for row in await db.planned("SELECT series FROM number_series")] == ["a"]


# ── one command, one transaction ─────────────────────────────────────────────────────────────────────────────────


async def test_what_is_written_inside_is_there_afterwards_and_not_before():
    async with transaction():
        await put("a")
        async with pool().acquire() as other:
            assert not await other.fetch("SELECT 1 FROM number_series")
    assert await kept() == {"a"}


@pytest.mark.parametrize("trouble", [ValueError, KeyboardInterrupt, asyncio.CancelledError])
async def test_any_error_undoes_everything(trouble):
    with pytest.raises(trouble):
        async with transaction():
            await put("a")
            await raw("INSERT INTO number_series (series, last) VALUES ('b', 1)")
            raise trouble
    assert await kept() == set()


async def test_a_command_inside_a_command_is_refused_and_undoes_both():
    with pytest.raises(NestedTransaction):
        async with transaction():
            await put("outer")
            async with transaction():
                await put("inner")
    assert await kept() == set()


async def test_a_command_joins_where_it_is_allowed_and_fails_alone():
    async with transaction(joinable=True):
        await put("outer")
        async with transaction():
            await put("joined")
        with pytest.raises(ValueError, match="inner"):
            async with transaction():
                await put("undone")
                raise ValueError("inner")
        await put("after")
    assert await kept() == {"outer", "joined", "after"}


async def test_what_was_joined_goes_when_the_outer_one_fails():
    with pytest.raises(ValueError, match="outer"):
        async with transaction(joinable=True):
            async with transaction():
                await put("joined")
            raise ValueError("outer")
    assert await kept() == set()


async def test_a_statement_that_fails_in_a_savepoint_does_not_poison_the_rest():
    async with transaction():
        await put("before")
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with savepoint():
                await put("undone")
                await raw("SELECT 1 / 0")
        await put("after")
    assert await kept() == {"before", "after"}


async def test_a_savepoint_needs_a_transaction():
    with pytest.raises(RuntimeError):
        async with savepoint():
            pass


# ── what PostgreSQL says at COMMIT ───────────────────────────────────────────────────────────────────────────────


async def test_a_failed_commit_gives_its_connection_back_and_clears_the_context(deferred):
    """Piccolo's own leaks one connection each time: thirty would exhaust this pool of 24."""
    for _ in range(30):
        with pytest.raises(BadRequest) as refusal:
            async with transaction():
                await raw("INSERT INTO late VALUES (1, 2)")
        assert refusal.value.code == "unknown_reference"
        assert db.DB.current_transaction.get() is None
    assert not await raw("SELECT 1 FROM late")
    async with transaction():
        await put("works")
    assert await kept() == {"works"}


async def test_after_a_failed_commit_nothing_is_announced(deferred):
    rung = []

    async def ring() -> None:
        rung.append(1)

    with pytest.raises(BadRequest):
        async with transaction():
            after_commit(ring)
            await raw("INSERT INTO late VALUES (1, 2)")
    assert not rung


async def test_a_connection_cut_in_a_transaction_gives_its_place_back():
    for _ in range(3):
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            async with transaction():
                pid = (await raw("SELECT pg_backend_pid() AS pid"))[0]["pid"]
                async with pool().acquire() as other:
                    await other.execute("SELECT pg_terminate_backend($1)", pid)
                await put("lost")
    assert await kept() == set()


async def test_a_cancelled_request_gives_its_connection_back():
    async def stuck() -> None:
        async with transaction():
            await put("lost")
            await raw("SELECT pg_sleep(60)")

    tasks = [asyncio.ensure_future(stuck()) for _ in range(5)]
    await eventually(lambda: raw("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
    await eventually(make.held_up)  # one sleeps, and the others wait for it
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert await kept() == set()


async def test_whoever_is_cancelled_at_any_step_of_beginning_gives_the_connection_back():
    async def began() -> None:
        async with transaction():
            await raw("SELECT pg_sleep(1)")  # ends by itself where the request to break off overtakes it and is dropped

    for steps in range(40):
        task = asyncio.ensure_future(began())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_connection_comes_back_without_what_the_last_one_left_open():
    """The pool hands connections on as they are: an open transaction must not travel with one."""
    async with pool().acquire() as connection:
        pid = connection.get_server_pid()
        await connection.execute("BEGIN; INSERT INTO number_series (series, last) VALUES ('x', 1)")
    for _ in range(30):
        async with pool().acquire() as connection:
            assert not connection.is_in_transaction()
            if connection.get_server_pid() == pid:
                assert not await connection.fetch("SELECT 1 FROM number_series")
    assert await kept() == set()


# ── one statement ────────────────────────────────────────────────────────────────────────────────────────────────

PUT = "INSERT INTO number_series (series, last) VALUES ($1, $2)"


async def test_one_statement_commits_by_itself_and_announces_afterwards():
    seen: list[set[str]] = []

    async def told() -> None:
        seen.append(await kept())

    async with one_statement():
        await raw(PUT, "a", 1)
        after_commit(told)
        assert not seen
        async with pool().acquire() as other:
            assert await other.fetch("SELECT 1 FROM number_series")
    assert seen == [{"a"}]


async def test_a_second_statement_is_refused_before_it_is_sent():
    with pytest.raises(RuntimeError):
        async with one_statement():
            await raw(PUT, "a", 1)
            await raw(PUT, "b", 1)
    assert await kept() == {"a"}


async def test_one_statement_that_fails_is_translated_writes_and_announces_nothing():
    async def told() -> None:
        raise AssertionError

    await raw(PUT, "a", 1)
    with pytest.raises(Conflict):
        async with one_statement():
            after_commit(told)
            await raw("INSERT INTO number_series (series, last) VALUES ('b', 1), ('a', 1)")
    assert await kept() == {"a"}


async def test_one_statement_keeps_the_rule_of_nesting():
    with pytest.raises(NestedTransaction):
        async with transaction(), one_statement():
            await raw(PUT, "a", 1)
    with pytest.raises(NestedTransaction):
        async with one_statement(), transaction():
            await raw(PUT, "a", 1)
    with pytest.raises(ZeroDivisionError):
        async with transaction(joinable=True):
            async with one_statement():
                await raw(PUT, "a", 1)
            raise ZeroDivisionError
    assert await kept() == set()


# ── after the commit ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_after_commit_runs_once_and_only_after_the_commit():
    seen = []

    async def look() -> None:
        seen.append((await kept(), db.DB.current_transaction.get()))

    async with transaction():
        await put("a")
        after_commit(look)
        after_commit(look)
        assert not seen
    assert seen == [({"a"}, None)]


async def test_after_commit_may_open_a_transaction_of_its_own():
    async def another() -> None:
        async with transaction():
            await put("second")

    async with transaction():
        await put("first")
        after_commit(another)
    assert await kept() == {"first", "second"}


async def test_after_a_rollback_nothing_runs():
    rung = []

    async def ring() -> None:
        rung.append(1)

    with pytest.raises(ValueError, match="no"):
        async with transaction():
            after_commit(ring)
            raise ValueError("no")
    async with transaction():
        pass
    assert not rung


async def test_what_a_savepoint_took_back_is_not_announced():
    rung = []

    async def kept_one() -> None:
        rung.append("kept")

    async def undone() -> None:
        rung.append("undone")

    async def joined() -> None:
        rung.append("joined")

    async with transaction(joinable=True):
        after_commit(kept_one)
        with pytest.raises(ValueError, match="no"):
            async with savepoint():
                after_commit(undone)
                raise ValueError("no")
        async with transaction():
            after_commit(joined)
            assert not rung
    assert rung == ["kept", "joined"]


async def test_after_commit_needs_a_transaction():
    async def ring() -> None: ...

    with pytest.raises(RuntimeError):
        after_commit(ring)


async def test_tasks_side_by_side_have_transactions_of_their_own():
    async def one(name: str, fails: bool) -> None:
        async with transaction():
            await put(name)
            await asyncio.sleep(0.01)
            if fails:
                raise ValueError(name)

    results = await asyncio.gather(*(one(f"{n}", n % 2 == 1) for n in range(10)), return_exceptions=True)
    assert await kept() == {"0", "2", "4", "6", "8"}
    assert sum(isinstance(result, ValueError) for result in results) == 5


# ── refusals in our words ────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_again_is_a_conflict_that_names_the_constraint():
    await put("a")
    with pytest.raises(Conflict) as refusal:
        async with transaction():
            await put("a")
    assert refusal.value.code == "already_there" and "series" in str(refusal.value.details["constraint"])


async def test_pointing_at_nothing_is_a_bad_request():
    await make.region()
    with pytest.raises(BadRequest) as refusal:
        async with transaction():
            await Unit(
                id=uuid7(),
                name="无",
                short_name="无",
                kind="department",
                region="999999999999",
                valid_from=clock.today(),
            ).save()
    assert refusal.value.code == "unknown_reference"


async def test_nul_is_a_bad_request_also_inside_a_joined_command():
    for joinable in (False, True):
        with pytest.raises(BadRequest) as refusal:
            async with transaction(joinable=joinable):
                if joinable:
                    async with transaction():
                        await put("a\0b")
                await put("a\0b")
        assert refusal.value.code == "bad_text"


async def test_other_refusals_of_the_database_stay_bugs():
    with pytest.raises(asyncpg.CheckViolationError):
        async with transaction():
            await raw("UPDATE outbox SET attempts = 1 / 1 WHERE false")
            await make.region()
            home = await make.unit()
            await Person(
                id=uuid7(), username="UPPER", name="x", unit=home, password_hash="!", added_at=clock.now()
            ).save()
    make.forget()


async def test_arguments_are_never_part_of_the_statement():
    evil = "'); DROP TABLE number_series; --"
    await put(evil)
    assert [row["series"] for row in await select("SELECT series FROM number_series WHERE series = {}", evil)] == [evil]
    assert len(await raw("SELECT 1 FROM number_series WHERE series = $1", evil)) == 1


# ── every table ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_foreign_key_restricts(tables):
    links = await raw(
        "SELECT conname AS name, confdeltype AS on_delete, confupdtype AS on_update, condeferrable AS late "
        "FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )
    assert len(links) > 20
    for link in links:
        assert (link["on_delete"], link["on_update"], link["late"]) == (b"r", b"r", False), link


async def test_every_foreign_key_leads_an_index_and_no_index_only_repeats_another(tables):
    indexes = await raw(
        "SELECT indrelid AS source, indexrelid::regclass::text AS name, indkey::int2[] AS columns, "
        "indisunique AS only, indpred IS NOT NULL AS partial, pg_get_expr(indpred, indrelid) AS condition, "
        "(SELECT attname FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0]) AS first FROM pg_index "
        "JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace"
    )
    whole = [index for index in indexes if not index["partial"]]
    keys = await raw(
        "SELECT conrelid AS source, conrelid::regclass::text AS name, conkey[1] AS column FROM pg_constraint "
        "WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
    )
    # A reference that most rows lack may be indexed where it is there: NULL refers to nothing.
    there = [index for index in indexes if index["condition"] == f"({index['first']} IS NOT NULL)"]
    led = {(index["source"], index["columns"][0]) for index in (*whole, *there)}
    assert {key["name"] for key in keys if (key["source"], key["column"]) not in led} == {"region"}  # replaced_by
    for one in whole:
        longer = [
            other["name"]
            for other in whole
            if other["source"] == one["source"]
            and len(other["columns"]) > len(one["columns"])
            and other["columns"][: len(one["columns"])] == one["columns"]
        ]
        assert one["only"] or not longer, (one["name"], longer)


async def test_no_column_makes_up_a_time_a_day_or_an_id(tables):
    columns = await raw(
        "SELECT table_name AS source, column_name AS name, column_default AS given, data_type AS type "
        "FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migration'"
    )
    for column in columns:
        if column["type"] in ("timestamp with time zone", "date", "uuid"):
            assert column["given"] in (None, "NULL"), dict(column)
        assert column["type"] not in ("timestamp without time zone", "character varying"), dict(column)


async def test_deleting_what_others_point_at_is_refused():
    it = await make.cast()
    for statement in ("DELETE FROM unit", "DELETE FROM person", "DELETE FROM visit", "DELETE FROM region"):
        with pytest.raises((asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError)):
            await raw(statement)
    assert await raw("SELECT 1 FROM visit WHERE id = $1", it.visit)
