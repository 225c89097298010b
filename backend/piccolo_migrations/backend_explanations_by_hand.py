"""By hand: explanations are append-only, and a person's captures are found in the order of the phone's time."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T14:56:02:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only explanations, captures of a person by time"

FORWARDS = (
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evidence_explanation "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE INDEX evidence_of_person ON evidence (declared_by, captured_at)",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
