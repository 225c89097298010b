"""By hand: the rules that an installation begins with, from today on; what is late already is not caught up with."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend import clock
from notifications.reminders import defaults

ID = "2026-11-28T18:05:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "the first rules of reminders"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        await defaults.enter(clock.today(), clock.now())

    manager.add_raw(run)
    return manager
