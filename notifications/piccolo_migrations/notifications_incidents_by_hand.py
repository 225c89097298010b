"""By hand: one incident of a kind is open at a time, and they are listed newest first."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:25:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "one open incident of a kind"

FORWARDS = (
    "CREATE UNIQUE INDEX incident_open ON incident (trouble) WHERE ended_at IS NULL",
    "CREATE INDEX incident_newest ON incident (began_at DESC, id DESC)",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
