"""By hand: the records of one file, of one person, and all of them, each newest first."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T15:16:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "finding who took which original"

FORWARDS = (
    'CREATE INDEX original_access_latest ON original_access (evidence, "by", at)',
    'CREATE INDEX original_access_by ON original_access ("by", at, id)',
    "CREATE INDEX original_access_newest ON original_access (at, id)",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
