"""By hand: one exemption of a cell at a time, whether it waits or is in force."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T17:55:02:000000"
VERSION = "1.38.0"
DESCRIPTION = "one exemption of a cell at a time"

FORWARDS = (
    "CREATE UNIQUE INDEX monthly_exemption_one_of_a_cell ON monthly_exemption (cell) "
    "WHERE (decided_at IS NULL OR answer = 'upheld') AND revoked_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
