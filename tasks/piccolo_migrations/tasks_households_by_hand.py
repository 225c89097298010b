"""By hand: one household per ID number of a county, finding by ID number, and the order of the ledger by area."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T11:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "finding and ordering households"

LIVING = "WHERE id_number_index IS NOT NULL AND removed_at IS NULL"
FORWARDS = (
    "CREATE UNIQUE INDEX one_household_per_id_number ON household "
    "(id_number_index, coalesce(county, prefecture, province)) WHERE id_number_index IS NOT NULL",
    f"CREATE UNIQUE INDEX one_person_per_id_number ON household_person (id_number_index, household) {LIVING}",
    *(
        f"CREATE INDEX household_in_{area} ON household ({area}, household_number, id)"
        if area == "region"
        else f"CREATE INDEX household_in_{area} ON household ({area}, region, household_number, id)"
        for area in ("region", "township", "county", "prefecture")
    ),
    "CREATE INDEX household_view_latest ON household_view (household, at, id)",
    "CREATE INDEX household_view_by ON household_view (by, at, id)",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
