"""By hand: answers are append-only, and feedback is listed newest first."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T17:35:26:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only answers, feedback by time"

FORWARDS = (
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON feedback_answer "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE INDEX feedback_newest ON feedback (at DESC, id DESC)",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
