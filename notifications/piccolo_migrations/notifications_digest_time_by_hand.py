"""By hand: the digest comes after the reminders of nine o'clock for whoever left its time as it was.

Whoever chose another time keeps it; so does whoever has quiet hours at the new one.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T20:53:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the digest at 09:10"

FORWARDS = (
    "UPDATE notice_preference SET digest_time = '09:10' WHERE digest_time = '08:30' "
    "AND NOT CASE WHEN quiet_from <= quiet_to THEN quiet_from <= '09:10' AND '09:10' < quiet_to "
    "ELSE '09:10' >= quiet_from OR '09:10' < quiet_to END",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
