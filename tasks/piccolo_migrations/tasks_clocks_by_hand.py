"""By hand: items issued before units had clocks get them now, a week long: nobody is taken by surprise."""

from datetime import timedelta

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend import clock
from backend.db import raw
from backend.workdays import end_of_day

ID = "2026-11-22T11:14:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "clocks of the units of items that were issued before"

# Who signed has accepted; who has not signed may still object or keep silent.
ISSUED = (
    "UPDATE rectification_unit AS part SET accept_by = $1, object_until = $1 FROM rectification AS item "
    "WHERE item.id = part.rectification AND item.issued_at IS NOT NULL AND part.role = 'responsible' "
    "AND part.status = 'issued' AND part.accept_by IS NULL"
)
SIGNED = (
    "UPDATE rectification_unit AS part SET accept_by = $1, object_until = $1 FROM rectification AS item "
    "WHERE item.id = part.rectification AND item.issued_at IS NOT NULL AND part.role = 'responsible' "
    "AND part.status <> 'issued' AND part.object_until IS NULL"
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        await raw(ISSUED, end_of_day(clock.today() + timedelta(days=7)))
        await raw(SIGNED, clock.now())

    manager.add_raw(run)
    return manager
