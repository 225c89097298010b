"""Brings the database up to the code: every app's migrations, one process at a time."""

import asyncio
import contextlib
import io
import re

import asyncpg

from backend import settings
from backend.settings import ROOT
from inspections.findings.topics import ensure_topics

APPS = ("backend", "inspections", "tasks", "notifications")
LOCK = 20_200_315  # any number, the same in every process

_ID = re.compile(r'^ID = "(.+)"$', re.MULTILINE)


class MigrationFailed(Exception):
    """A migration did not go through; the text is what Piccolo said."""


def run() -> None:
    """Run what has not run yet, and put in what no office can begin without.

    Several processes may call this at once: they wait for each other.
    """
    asyncio.run(_run())


async def pending(connection: asyncpg.Connection) -> list[str]:
    """The apps of which some migration has not run. Cheap: it loads neither Piccolo nor a migration."""
    if not await connection.fetchval("SELECT to_regclass('migration')"):
        return list(APPS)
    ran = {(row["app_name"], row["name"]) for row in await connection.fetch("SELECT app_name, name FROM migration")}
    return [app for app in APPS if any((app, id) not in ran for id in _ids(app))]


async def _run() -> None:
    held: asyncpg.Connection = await asyncpg.connect(**settings.load().database)  # pyright: ignore
    try:
        await held.execute("SELECT pg_advisory_lock($1)", LOCK)
        for app in await pending(held):
            await _forwards(app)
        await ensure_topics()
    finally:
        await held.close()


async def _forwards(app: str) -> None:
    from piccolo.apps.migrations.commands.forwards import run_forwards  # slow to import, and seldom needed

    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            await run_forwards(app)
    except SystemExit as refused:
        raise MigrationFailed(said.getvalue()) from refused


def _ids(app: str) -> list[str]:
    files = (ROOT / app / "piccolo_migrations").glob("*.py")
    return [found[1] for file in files if (found := _ID.search(file.read_text()))]
