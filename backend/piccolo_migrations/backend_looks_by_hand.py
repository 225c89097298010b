"""By hand: photos are searched by five looks instead of three (docs/decisions/0027).

The looks that are there are those of other parts, not comparable with the new: they are taken away, and `./duban redraw`
reads them anew from the originals.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T18:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "five looks of photos to search by"

PARTS = 5  # of backend/evidence/looks.py; the numbers behind them are not searched by
FORWARDS = (
    "ALTER TABLE evidence_reading DISABLE TRIGGER looks_kept",
    "DELETE FROM evidence_look",
    "UPDATE evidence_reading SET looks = NULL WHERE looks IS NOT NULL",
    "ALTER TABLE evidence_reading ENABLE TRIGGER looks_kept",
    f"""
    CREATE OR REPLACE FUNCTION keep_looks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM evidence_look WHERE evidence = NEW.evidence;
        INSERT INTO evidence_look (evidence, part, look)
        SELECT NEW.evidence, seen.part - 1, seen.look
        FROM unnest(NEW.looks[1:{PARTS}]) WITH ORDINALITY AS seen(look, part)
        WHERE seen.look <> 0;
        RETURN NULL;
    END $$
    """,
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
