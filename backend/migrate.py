"""Brings the database up to the code: every app's migrations, one process at a time."""

import asyncio
import contextlib
import io

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards

from backend import settings

APPS = ("backend", "inspections", "tasks", "notifications")
LOCK = 20_200_315  # any number, the same in every process


class MigrationFailed(Exception):
    """A migration did not go through; the text is what Piccolo said."""


def run() -> None:
    """Run what has not run yet. Several processes may call this at once: they wait for each other."""
    asyncio.run(_run())


async def _run() -> None:
    held = await asyncpg.connect(**settings.load().database)  # pyright: ignore[reportArgumentType]
    try:
        await held.execute("SELECT pg_advisory_lock($1)", LOCK)
        for app in APPS:
            said = io.StringIO()
            try:
                with contextlib.redirect_stdout(said):
                    result = await run_forwards(app)
            except SystemExit as refused:
                raise MigrationFailed(said.getvalue()) from refused
            if result is not None and getattr(result, "success", True) is False:
                raise MigrationFailed(said.getvalue())
    finally:
        await held.close()
