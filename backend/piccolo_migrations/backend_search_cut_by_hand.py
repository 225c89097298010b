"""By hand: a reviewer may explain, too, that the search for like photos was cut."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-29T02:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the check of a search that was cut"

KNOWN = (
    "target_distance", "arrival_distance", "accuracy", "repeated_place", "speed", "clock", "clock_jump", "bracket",
    "counter", "exif_time", "exif_place", "source", "edited", "seen_before", "search_cut", "after_finding",
    "before_as_after",
)  # fmt: skip
LISTED = ", ".join(f"'{name}'" for name in KNOWN)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        await raw("ALTER TABLE evidence_explanation DROP CONSTRAINT about_is_known")
        await raw(f"ALTER TABLE evidence_explanation ADD CONSTRAINT about_is_known CHECK (\"about\" IN ({LISTED}))")

    manager.add_raw(run)
    return manager
