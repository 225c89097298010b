"""Piccolo's two names: the engine and the registry of apps. Nothing else."""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

from backend import settings

DB = PostgresEngine(config=settings.load().database)

APP_REGISTRY = AppRegistry(
    apps=[
        "backend.piccolo_app",
        "inspections.piccolo_app",
        "tasks.piccolo_app",
        "notifications.piccolo_app",
    ]
)
