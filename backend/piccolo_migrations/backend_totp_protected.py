"""By hand: secrets of second factors are encrypted where they stand, each bound to its row."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend import protected
from backend.db import raw

ID = "2026-11-28T18:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "second factors encrypted"


async def protect() -> None:
    """Those in clear; a base32 secret has no dot. Without any no key is needed."""
    for row in await raw("SELECT id, totp_secret FROM person WHERE totp_secret NOT LIKE '%.%' FOR NO KEY UPDATE"):
        stored = protected.encrypt(row["totp_secret"], "person.totp_secret", row["id"])
        await raw("UPDATE person SET totp_secret = $2 WHERE id = $1", row["id"], stored)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)
    manager.add_raw(protect)
    return manager
