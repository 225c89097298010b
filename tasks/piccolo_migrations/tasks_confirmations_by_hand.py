"""By hand: the closed list of verbs that the reviews check has the principal's in it too."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw
from tasks.piccolo_migrations.tasks_measures_by_hand import VERBS, check

ID = "2026-11-28T15:34:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the principal's verbs among the known ones"

FORWARDS = check("review", "verb", "verb_is_known", (*VERBS, "take_over", "confirm_hand_in", "withdraw_hand_in"))


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
