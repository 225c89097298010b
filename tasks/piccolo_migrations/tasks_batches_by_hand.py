"""By hand: whose batches, and which the worker must look after."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T11:16:33:000000"
VERSION = "1.38.0"
DESCRIPTION = "orders of batches"

FORWARDS = (
    "CREATE INDEX batch_of_person ON batch (by, made_at DESC, id DESC)",
    "CREATE INDEX batch_to_run ON batch (next_try_at) WHERE state = 'running'",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
