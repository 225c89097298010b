"""By hand: parts by the unit that took them over, of which most have none; 承接 among the verbs that reviews check."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw
from tasks.piccolo_migrations.tasks_measures_by_hand import VERBS, check

ID = "2026-11-28T14:58:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "finding parts that were taken over"

FORWARDS = (
    *check("review", "verb", "verb_is_known", (*VERBS, "take_over")),
    "CREATE INDEX part_taken_over_by ON rectification_unit (taken_over_by) WHERE taken_over_by IS NOT NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
