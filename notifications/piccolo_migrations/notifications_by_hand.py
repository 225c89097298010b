"""By hand: the inbox as it is read."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T08:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "inbox order"

FORWARDS = (
    "CREATE INDEX notice_inbox ON notice (person, id DESC)",
    "CREATE INDEX notice_unread ON notice (person) WHERE read_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
