"""By hand: what a row refers to is found from the other end too, so that nothing waits when that end is looked at."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:52:30:000000"
VERSION = "1.38.0"
DESCRIPTION = "links of notices, deliveries, reminders"

ALWAYS = (("channel", "added_by"), ("absence", "entered_by"), ("reminder", "rule"),)
SOMETIMES = (("delivery_attempt", "address"), ("absence", "ended_by"), ("notice", "absence"), ("reminder_rule", "by"), ("reminder_rule", "office"), ("reminder_rule", "ended_by"),)  # NULL refers to nothing
FORWARDS = (
    *(f'CREATE INDEX {table}_by_its_{column} ON {table} ("{column}")' for table, column in ALWAYS),
    *(
        f'CREATE INDEX {table}_by_its_{column} ON {table} ("{column}") WHERE "{column}" IS NOT NULL'
        for table, column in SOMETIMES
    ),
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
