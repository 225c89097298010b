"""By hand: the indexes of the bands with what they cover in an order that leaves no gap: a sixth smaller."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T21:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "narrower indexes of the bands of looks"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for at in range(4):
            await raw(f"DROP INDEX evidence_look_band_{at}")
            await raw(
                f"CREATE INDEX evidence_look_band_{at} ON evidence_look "
                f"((part::integer << 16 | ((look >> {16 * at}) & 65535)::integer)) INCLUDE (part, look, evidence)"
            )

    manager.add_raw(run)
    return manager
