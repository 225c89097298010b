"""By hand: the declared files whose sender was not reminded yet, which a sweep asks for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T14:39:50:000000"
VERSION = "1.38.0"
DESCRIPTION = "declared files nobody was reminded of"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        await raw(
            "CREATE INDEX evidence_to_remind ON evidence (declared_at) "
            "WHERE state = 'declared' AND reminded_at IS NULL"
        )

    manager.add_raw(run)
    return manager
