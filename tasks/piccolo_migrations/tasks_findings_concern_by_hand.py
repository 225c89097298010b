"""By hand: the household that a finding names, and the person of it. Most findings name none.

Here and not among the migrations of inspections, because those run before the table of households is made.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T20:50:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "findings of a household"

RESTRICTED = "ON DELETE RESTRICT ON UPDATE RESTRICT"
FORWARDS = (
    f"ALTER TABLE finding ADD COLUMN household uuid REFERENCES household {RESTRICTED}, "
    f"ADD COLUMN person_concerned uuid REFERENCES household_person {RESTRICTED}",
    "CREATE INDEX finding_of_household ON finding (household) WHERE household IS NOT NULL",
    "CREATE INDEX finding_of_person ON finding (person_concerned) WHERE person_concerned IS NOT NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
