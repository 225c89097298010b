from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import ForeignKey, Text

ID = "2026-11-22T10:17:30:255871"
VERSION = "1.38.0"
DESCRIPTION = "every hand-in, report and signature is a unit's"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="tasks", description=DESCRIPTION
    )

    manager.alter_column(
        table_class_name="Acknowledgement",
        tablename="acknowledgement",
        column_name="unit",
        db_column_name="unit",
        params={"null": False},
        old_params={"null": True},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
        schema=None,
    )

    manager.alter_column(
        table_class_name="HandIn",
        tablename="hand_in",
        column_name="unit",
        db_column_name="unit",
        params={"null": False},
        old_params={"null": True},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Progress",
        tablename="progress",
        column_name="unit",
        db_column_name="unit",
        params={"null": False},
        old_params={"null": True},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Progress",
        tablename="progress",
        column_name="lower_reason",
        db_column_name="lower_reason",
        params={"null": False},
        old_params={"null": True},
        column_class=Text,
        old_column_class=Text,
        schema=None,
    )

    return manager
