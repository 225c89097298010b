"""Piccolo's view of this folder: its tables and its migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

APP_CONFIG = AppConfig(
    app_name="backend",
    migrations_folder_path=str(Path(__file__).parent / "piccolo_migrations"),
    table_classes=table_finder(
        modules=[
            "backend.tables",
            "backend.units.tables",
            "backend.people.tables",
            "backend.evidence.tables",
            "backend.originals.tables",
            "backend.uploads.tables",
            "backend.trust_reports.tables",
            "backend.feedback.tables",
        ],
        exclude_imported=True,
    ),
    migration_dependencies=[],
)
