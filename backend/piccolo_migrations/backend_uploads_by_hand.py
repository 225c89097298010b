"""By hand: evidence that is no photo, and what a person has brought in on a day, which the quota asks for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T14:58:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "recordings, films, papers; bytes of a person's day"

KNOWN = (
    "image/jpeg", "image/png", "image/webp", "audio/mp4", "audio/aac", "audio/mpeg", "audio/ogg", "audio/webm",
    "audio/wav", "video/mp4", "video/quicktime", "video/webm", "application/pdf",
)  # fmt: skip
LISTED = ", ".join(f"'{name}'" for name in KNOWN)
STATEMENTS = [
    "ALTER TABLE evidence DROP CONSTRAINT media_type_is_known",
    f"ALTER TABLE evidence ADD CONSTRAINT media_type_is_known CHECK (\"media_type\" IN ({LISTED}))",
    "CREATE INDEX evidence_brought_in ON evidence (declared_by, received_at) INCLUDE (size) "
    "WHERE received_at IS NOT NULL",
]


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in STATEMENTS:
            await raw(statement)

    manager.add_raw(run)
    return manager
