"""The database door: pool, transaction(), after_commit(), raw(), select(). Closes the traps of Piccolo's own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import asyncpg
import msgspec
from piccolo.engine.postgres import PostgresTransaction
from piccolo.querystring import QueryString

from backend.errors import BadRequest, Busy, Conflict
from piccolo_conf import DB

CONNECTION_WITHIN = 10.0  # seconds a command waits for its turn; then the phone tries again later

# What a database that stops, starts or is out of reach says.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a line says that was cut this very moment
    ConnectionError,
    TimeoutError,
)

After = Callable[[], Awaitable[None]]


class NestedTransaction(RuntimeError):
    """A command was called from inside another command's transaction (docs/decisions/0002)."""


class _Scope:
    """What one transaction still has to do, and whether a command may join it."""

    def __init__(self, joinable: bool) -> None:
        self.joinable = joinable
        self.after: list[After] = []
        self.line: Any = None  # of one_statement(), until its statement is sent


_scope: ContextVar[_Scope | None] = ContextVar("transaction_scope", default=None)


class _SafeTransaction(PostgresTransaction):
    """Piccolo's, but a failed BEGIN or COMMIT gives its connection back, a failed COMMIT clears the context too."""

    __slots__ = ()

    async def __aenter__(self) -> PostgresTransaction:
        try:
            return await super().__aenter__()
        except BaseException:  # the database has gone since, or whoever asked was cancelled
            if (line := getattr(self, "connection", None)) is not None:
                await _give_back(line)
            raise

    async def get_connection(self) -> Any:
        return await _line()

    async def __aexit__(self, exception_type: Any, exception: Any, traceback: Any) -> bool:
        try:
            await (self.rollback() if exception else self.commit())
        finally:
            self.engine.current_transaction.reset(self.context)
            await _give_back(self.connection)
        return False


# Connections whose statements are planned once, whatever their arguments: planned().
_planned: asyncpg.Pool | None = None


@asynccontextmanager
async def transaction(*, joinable: bool = False) -> AsyncIterator[None]:
    """One command, one transaction; commits on leaving, rolls back on any exception.

    Inside another transaction it raises NestedTransaction, except inside a joinable one (the outbox's), where it
    becomes a savepoint. Functions given to after_commit() run once the outermost transaction is committed.
    Unique, foreign-key and text violations leave as Problem.
    """
    outer = _scope.get()
    if outer is not None:
        if not outer.joinable:
            raise NestedTransaction("a command must not call another command")
        try:
            async with savepoint():
                yield
        except asyncpg.PostgresError as violation:
            raise _translated(violation) from violation
        return
    scope = _Scope(joinable)
    token = _scope.set(scope)
    try:
        async with _SafeTransaction(DB, allow_nested=False):
            yield
    except asyncpg.PostgresError as violation:
        raise _translated(violation) from violation
    finally:
        _scope.reset(token)
    for done in scope.after:
        await done()


@asynccontextmanager
async def snapshot() -> AsyncIterator[None]:
    """All reads in here see the database as it was at the first of them; writing is refused."""
    async with transaction():
        await raw("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@asynccontextmanager
async def one_statement() -> AsyncIterator[None]:
    """A transaction() for a command that is one statement through raw(): that commits by itself, in one round trip.

    A second statement is refused with RuntimeError before it is sent; what fails after the first does not undo it.
    """
    if _scope.get() is not None:
        async with transaction():  # refused, or a savepoint of the outbox's
            yield
        return
    scope = _Scope(joinable=False)
    token = _scope.set(scope)
    try:
        line = scope.line = await _line()
        try:
            yield
        finally:
            await _give_back(line)
    except asyncpg.PostgresError as violation:
        raise _translated(violation) from violation
    finally:
        _scope.reset(token)
    for done in scope.after:
        await done()


@asynccontextmanager
async def savepoint() -> AsyncIterator[None]:
    """Inside a transaction: what fails in here is undone, the rest stays; after_commit() calls made here go too."""
    scope, running = _scope.get(), DB.current_transaction.get()
    if scope is None or running is None:
        raise RuntimeError("a savepoint needs a transaction")
    point, kept = await running.savepoint(), len(scope.after)
    try:
        yield
    except BaseException:
        del scope.after[kept:]
        await point.rollback_to()
        raise
    await point.release()


def after_commit(done: After) -> None:
    """Run `done` after the running transaction is committed; at a rollback, never. `done` must not raise."""
    after = _needed("after_commit").after
    if done not in after:
        after.append(done)


def must_be_inside(what: str) -> None:
    """Raises RuntimeError outside transaction() and one_statement()."""
    _needed(what)


async def raw(sql: str, *args: Any) -> Sequence[asyncpg.Record]:
    """Run one statement with $1… arguments, in the running transaction if there is one."""
    running = DB.current_transaction.get()
    if running is not None:
        return await running.connection.fetch(sql, *args)
    if (scope := _scope.get()) is not None:
        line, scope.line = scope.line, None
        if line is None:
            raise RuntimeError("one_statement() takes one")
        return await line.fetch(sql, *args)
    if DB.pool is not None:
        return await DB.pool.fetch(sql, *args)
    connection = await DB.get_new_connection()
    try:
        return await connection.fetch(sql, *args)
    finally:
        await connection.close()


async def planned(sql: str, *args: Any) -> Sequence[asyncpg.Record]:
    """raw() for a read whose plan does not depend on its arguments: planned once on a connection, then only run.

    PostgreSQL plans such a statement anew each time when it believes that this pays, and for a page of a list the
    planning takes longer than the reading. In a transaction, and where there is no pool, it is raw().
    """
    if _planned is None or DB.pool is None or _scope.get() is not None:
        return await raw(sql, *args)
    return await _planned.fetch(sql, *args)


async def insert(table: str, rows: Sequence[Mapping[str, Any]], *, known_stay: bool = False) -> list[Any]:
    """Insert rows that all name the same columns, in one statement; returns the ids of those written.

    With `known_stay` a row whose id is there already is left as it is. `table` is one of our own names. The rows
    travel as one JSON text: the statement is the same for any number of them, and Piccolo takes longer than the
    database.
    """
    columns = ", ".join(f'"{name}"' for name in rows[0])
    written = await raw(
        f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::"{table}", $1) '
        f"{'ON CONFLICT (id) DO NOTHING ' if known_stay else ''}RETURNING id",
        msgspec.json.encode(rows).decode(),
    )
    return [row["id"] for row in written]


async def select(sql: str, *args: Any) -> list[dict[str, Any]]:
    """Run one statement with {} arguments; an argument may itself be a condition such as visible_to(actor)."""
    return [dict(row) for row in await DB.run_querystring(QueryString(sql, *args))]


async def open_pool(most: int = 12) -> None:
    """Open the connection pools of this process. Statements are cut off after 30 s."""
    global _planned
    how = {"min_size": 1, "command_timeout": 30, "reset": _as_it_is}
    named = {"application_name": "duban"}
    await DB.start_connection_pool(max_size=most, server_settings=named, **how)
    once = named | {"plan_cache_mode": "force_generic_plan"}
    _planned = await asyncpg.create_pool(**DB.config, max_size=max(1, most // 2), server_settings=once, **how)


async def close_pool() -> None:
    global _planned
    await DB.close_connection_pool()
    if _planned is not None:
        await _planned.close()
        _planned = None


async def _line() -> Any:
    """A connection of the pool, or one of its own where there is none. Raises Busy."""
    if DB.pool is None:
        return await DB.get_new_connection()
    try:
        return await DB.pool.acquire(timeout=CONNECTION_WITHIN)
    except TimeoutError as full:
        raise Busy("系统繁忙，请稍后再试。", retry_after=2) from full


async def _give_back(line: Any) -> None:
    await (line.close() if DB.pool is None else DB.pool.release(line))


async def _as_it_is(_: Any) -> None:
    """Given back, a connection is used again as it is: an open transaction is rolled back before this is called.

    asyncpg's own reset is a round trip per statement, for settings, locks and cursors of a session, which we
    never make.
    """


def _needed(what: str) -> _Scope:
    scope = _scope.get()
    if scope is None:
        raise RuntimeError(f"{what} needs a transaction")
    return scope


def _translated(violation: asyncpg.PostgresError) -> Exception:
    """The one place where the database's refusals become ours; everything else stays a bug."""
    constraint = getattr(violation, "constraint_name", None) or ""
    match violation:
        case asyncpg.UniqueViolationError():
            return Conflict("同样的内容已经存在。", "already_there", constraint=constraint)
        case asyncpg.ForeignKeyViolationError():
            column = constraint.removeprefix(f"{violation.table_name}_").removesuffix("_fkey")
            return BadRequest("引用的对象不存在。", "unknown_reference", field=column)
        case asyncpg.CharacterNotInRepertoireError() | asyncpg.UntranslatableCharacterError():
            return BadRequest("文字中含有不能保存的字符。", "bad_text")
        case _:
            return violation
