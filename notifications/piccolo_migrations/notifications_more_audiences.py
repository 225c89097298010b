"""By hand: the audiences of months, summaries, feedback and operations."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T17:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "more audiences"

AUDIENCES = (
    "'responsible_units', 'principals', 'lead_units', 'office_leaders', 'closers', 'office', 'leaders', 'team', "
    "'former_units', 'checkers', 'asker', 'sender', 'administrators'"
)
FORWARDS = (
    'ALTER TABLE "notice" DROP CONSTRAINT "reason_is_known"',
    f'ALTER TABLE "notice" ADD CONSTRAINT "reason_is_known" CHECK ("reason" IN ({AUDIENCES}))',
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
