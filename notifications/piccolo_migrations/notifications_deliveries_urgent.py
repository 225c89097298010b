"""By hand: in each lane the urgent are looked for by themselves."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:32:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "urgent deliveries first"

FORWARDS = (
    "DROP INDEX delivery_due",
    "CREATE INDEX delivery_due ON delivery (channel, at_once, next_try_at) WHERE state IN ('waiting', 'sending')",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
