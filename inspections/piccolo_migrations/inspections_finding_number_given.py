"""By hand: findings that are there get their number in the order they came in; then none may be without."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Integer
from piccolo.constraints import Unique

from backend.db import raw

ID = "2026-11-28T15:12:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "findings are counted within their visit: the numbers"

NUMBERED = """
    UPDATE finding SET number = counted.number FROM (
        SELECT id, row_number() OVER (PARTITION BY visit ORDER BY received_at, id) AS number FROM finding
    ) AS counted WHERE counted.id = finding.id
"""


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="inspections", description=DESCRIPTION
    )

    async def run():
        await raw(NUMBERED)

    manager.add_raw(run)

    manager.alter_column(
        table_class_name="Finding",
        tablename="finding",
        column_name="number",
        db_column_name="number",
        params={"null": False},
        old_params={"null": True},
        column_class=Integer,
        old_column_class=Integer,
        schema=None,
    )

    manager.add_constraint(
        table_class_name="Finding",
        tablename="finding",
        constraint_name="one_of_a_number",
        constraint_class=Unique,
        params={"columns": ["visit", "number"], "nulls_distinct": True},
        schema=None,
    )

    return manager
