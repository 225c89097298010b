"""By hand: what a row refers to is found from the other end too, so that nothing waits when that end is looked at."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:52:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "links of the monthly check"

ALWAYS = (("monthly_rule", "target_group"), ("monthly_rule", "region"), ("monthly_rule", "by"), ("monthly_rule_lead", "unit"), ("monthly_cell", "target"), ("monthly_exemption", "by"), ("monthly_record", "by"), ("monthly_hand_over", "topic"), ("monthly_hand_over", "region"), ("monthly_hand_over", "responsible"),)
SOMETIMES = (("monthly_rule", "ended_by"), ("monthly_rule", "replaces"), ("monthly_rule", "decided_by"), ("monthly_exemption", "decided_by"), ("monthly_exemption", "revoked_by"), ("monthly_record", "region"), ("monthly_record", "withdrawn_by"),)  # NULL refers to nothing
FORWARDS = (
    *(f'CREATE INDEX {table}_by_its_{column} ON {table} ("{column}")' for table, column in ALWAYS),
    *(
        f'CREATE INDEX {table}_by_its_{column} ON {table} ("{column}") WHERE "{column}" IS NOT NULL'
        for table, column in SOMETIMES
    ),
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
