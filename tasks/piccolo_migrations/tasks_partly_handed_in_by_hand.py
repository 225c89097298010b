"""By hand: what some units of an item have handed in and others not, found without reading all that is worked off."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-29T04:15:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "what is handed in by some of its units"

FORWARDS = (
    "CREATE INDEX rectification_unit_partly_handed_in ON rectification_unit (rectification) WHERE role = 'responsible' "
    "AND ended_at IS NULL AND status = 'handed_in' AND item_status IN ('issued', 'working')",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
