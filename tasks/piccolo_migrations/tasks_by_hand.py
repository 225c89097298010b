"""By hand: the orders in which lists are read."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T08:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "orders of lists"

NEVER = "'9999-12-31T00:00:00+00:00'::timestamptz"
FORWARDS = (
    f"CREATE INDEX rectification_by_urgency ON rectification (coalesce(due_at, {NEVER}), id)",
    "CREATE INDEX rectification_unit_of_unit ON rectification_unit (unit, role, rectification)",
    "CREATE INDEX review_returns ON review (rectification) WHERE verb = 'send_back'",
    "CREATE UNIQUE INDEX one_open_voiding ON voiding (rectification) WHERE decided_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
