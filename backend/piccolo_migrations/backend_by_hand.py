"""By hand: what Piccolo's columns cannot say. Append-only events, partial indexes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T08:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only events, partial indexes"

FORWARDS = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'insufficient_privilege'; END $$
    """,
    'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "event" FOR EACH ROW EXECUTE FUNCTION refuse_change()',
    "CREATE INDEX outbox_due ON outbox (next_try_at) WHERE parked_at IS NULL",
    "CREATE INDEX evidence_to_prepare ON evidence (received_at) WHERE state = 'received'",
    "CREATE UNIQUE INDEX live_grant_once ON role_grant (person, unit, role) WHERE revoked_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
