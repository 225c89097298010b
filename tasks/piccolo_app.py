"""Piccolo's view of this folder: its tables and its migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="tasks",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(
        modules=[
            "backend.households.tables",  # on the ground since findings name households; made by our migrations
            "tasks.rectifications.tables",
            "tasks.rectifications.records",
            "tasks.batches.tables",
            "tasks.monthly.tables",
            "tasks.views.tables",
        ],
        exclude_imported=True,
    ),
    migration_dependencies=["backend.piccolo_app", "inspections.piccolo_app"],
)
