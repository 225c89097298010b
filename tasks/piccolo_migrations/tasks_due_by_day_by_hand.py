"""By hand: what waits, found by the day it waits for, for the sweep of reminders."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:05:02:000000"
VERSION = "1.38.0"
DESCRIPTION = "what waits, by day"

FORWARDS = (
    "CREATE INDEX rectification_due_by_day ON rectification (due_on, id) WHERE status IN ('issued', 'working')",
    "CREATE INDEX rectification_hung_by_day ON rectification (review_on, id) WHERE status = 'hung'",
    "CREATE INDEX rectification_listed_at_work ON rectification (id) WHERE listed AND status IN ('issued', 'working')",
    "CREATE INDEX rectification_unit_unsigned_by_day ON rectification_unit (asked_on, id) "
    "WHERE status = 'issued' AND ended_at IS NULL",
    "CREATE INDEX rectification_unit_unreviewed ON rectification_unit (rectification) "
    "WHERE status = 'handed_in' AND ended_at IS NULL",
    "CREATE INDEX objection_open ON objection (rule_by) WHERE decided_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
