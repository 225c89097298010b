"""By hand: the inbox by thing and by kind, what is unread, what waits for a digest, what one reading read."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T17:51:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the inbox in groups, and digests"

FORWARDS = (
    "CREATE INDEX notice_by_thing ON notice (person, subject, id DESC)",
    "CREATE INDEX notice_by_verb ON notice (person, verb, id DESC)",
    "DROP INDEX notice_unread",
    "CREATE INDEX notice_unread ON notice (person, verb) WHERE read_at IS NULL",
    "CREATE INDEX notice_waiting ON notice (person) WHERE batched AND digest IS NULL AND read_at IS NULL",
    "CREATE INDEX notice_of_digest ON notice (digest) WHERE digest IS NOT NULL",
    "CREATE INDEX notice_of_reading ON notice (reading) WHERE reading IS NOT NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
