"""By hand: what the office waits for or has waiting, found without reading all that was ever shown or led."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-29T02:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "what waits for the office"

FORWARDS = (
    "CREATE INDEX publicity_by_end ON publicity (until)",
    "CREATE INDEX rectification_unit_leads_review ON rectification_unit (rectification) "
    "WHERE role = 'lead' AND item_status = 'handed_in' AND ended_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
