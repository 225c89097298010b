"""By hand: the items of a household, of which most items have none."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T11:00:03:000000"
VERSION = "1.38.0"
DESCRIPTION = "items of a household"

FORWARDS = (
    "CREATE INDEX rectification_of_household ON rectification (household) INCLUDE (status) "
    "WHERE household IS NOT NULL",
    "CREATE INDEX rectification_of_person ON rectification (person_concerned) WHERE person_concerned IS NOT NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
