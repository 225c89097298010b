"""By hand: what is due in each lane, whose deliveries, which failed, and that a group is told of an event once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T17:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "deliveries as they are asked for"

FORWARDS = (
    "CREATE INDEX delivery_due ON delivery (channel, next_try_at) WHERE state IN ('waiting', 'sending')",
    "CREATE INDEX delivery_of_person ON delivery (person, id DESC)",
    "CREATE INDEX delivery_in_state ON delivery (state, id DESC)",
    "CREATE INDEX delivery_failed ON delivery (ended_at) WHERE state = 'gave_up'",
    "CREATE UNIQUE INDEX delivery_attempt_group_once ON delivery_attempt (address, event) "
    "WHERE event IS NOT NULL AND outcome IN ('sending', 'sent', 'recorded')",
    "CREATE UNIQUE INDEX channel_one_of_a_kind ON channel (person, kind) "
    "WHERE kind IN ('mail', 'sms') AND confirmed_at IS NOT NULL AND removed_at IS NULL",
    "CREATE UNIQUE INDEX channel_one_browser ON channel (address_index) "
    "WHERE kind = 'web_push' AND removed_at IS NULL",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="notifications", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
