"""By hand: the looks of photos, one by one, with an index for each of their four bands (docs/decisions/0027).

Only the trigger writes evidence_look, in the transaction that writes or changes a reading. Each band's index covers what
backend/evidence/reuse.py asks of it, so that the table itself is not read.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T15:12:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "looks of photos, to search by"

PARTS = 3  # of backend/evidence/looks.py; the numbers behind them are not searched by
BANDS = tuple(
    f"CREATE INDEX evidence_look_band_{at} ON evidence_look "
    f"((part::integer << 16 | ((look >> {16 * at}) & 65535)::integer)) INCLUDE (look, part, evidence)"
    for at in range(4)
)

FORWARDS = (
    """
    CREATE TABLE evidence_look (
        evidence uuid NOT NULL REFERENCES evidence ON DELETE RESTRICT ON UPDATE RESTRICT,
        part smallint NOT NULL,
        look bigint NOT NULL CHECK (look <> 0),
        PRIMARY KEY (evidence, part)
    )
    """,
    *BANDS,
    # Inserts alone must bring the vacuum: an index that covers a query helps only for pages known to be visible.
    "ALTER TABLE evidence_look SET (autovacuum_vacuum_insert_scale_factor = 0.02)",
    f"""
    CREATE FUNCTION keep_looks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            DELETE FROM evidence_look WHERE evidence = OLD.evidence;
        END IF;
        INSERT INTO evidence_look (evidence, part, look)
        SELECT NEW.evidence, seen.part - 1, seen.look
        FROM unnest(NEW.looks[1:{PARTS}]) WITH ORDINALITY AS seen(look, part)
        WHERE seen.look <> 0;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER looks_kept AFTER INSERT OR UPDATE OF looks ON evidence_reading "
    "FOR EACH ROW EXECUTE FUNCTION keep_looks()",
    f"INSERT INTO evidence_look SELECT evidence, seen.part - 1, seen.look FROM evidence_reading, "
    f"unnest(looks[1:{PARTS}]) WITH ORDINALITY AS seen(look, part) WHERE seen.look <> 0",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="backend", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
