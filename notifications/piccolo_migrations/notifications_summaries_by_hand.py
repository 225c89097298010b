"""By hand: a summary that was kept never changes, and events are found by the time at which they happened."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:12:02:000000"
VERSION = "1.38.0"
DESCRIPTION = "kept summaries"

FORWARDS = (
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON monthly_summary "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    # Events are written in the order of time: a few pages of this index lead to those of the last days.
    "CREATE INDEX event_at ON event USING brin (at) WITH (pages_per_range = 32, autosummarize = on)",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
