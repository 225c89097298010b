"""By hand: dates from before count as given, so that no calendar moves them; what a rule may look like."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T10:39:50:000000"
VERSION = "1.38.0"
DESCRIPTION = "how a date came about"

TERM = "due_rule ~ '^(workdays|days|months):[0-9]+$' AND due_from IS NOT NULL"
FORWARDS = (
    "UPDATE rectification SET due_rule = 'given' WHERE due_on IS NOT NULL",
    f"ALTER TABLE rectification ADD CONSTRAINT rule_is_known CHECK (due_rule IN ('given', 'text') OR ({TERM}))",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
