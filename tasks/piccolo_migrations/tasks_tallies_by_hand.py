"""By hand: the roll-up that running numbers are read from (docs/decisions/0028).

`rectification_tally` counts items by scope, status and the instant that matters for the status. Triggers write what
changed into `tally_change`, rows that nobody waits for; `fold_tallies()` adds them up now and then. A number is the
tally and what is not folded yet, read in one statement.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T17:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "tallies of running numbers"

TABLES = (
    """
    CREATE TABLE rectification_tally (
        scope text NOT NULL,
        status text NOT NULL,
        until timestamptz NOT NULL,
        count integer NOT NULL,
        PRIMARY KEY (scope, status, until)
    )
    """,
    """
    CREATE TABLE tally_change (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        scopes text[] NOT NULL,
        status text NOT NULL,
        until timestamptz NOT NULL,
        change smallint NOT NULL
    )
    """,
)

FUNCTIONS = (
    # What ticks counts by the instant it is due, what is closed by the month of its closing, the rest by nothing.
    """
    CREATE FUNCTION tally_until(it rectification) RETURNS timestamptz LANGUAGE sql STABLE AS $$
        SELECT CASE
            WHEN it.status IN ('issued', 'working', 'handed_in', 'passed') THEN it.urgency
            WHEN it.status = 'closed' AND it.closed_at IS NOT NULL
                THEN date_trunc('month', it.closed_at AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'
            ELSE '-infinity'::timestamptz END
    $$
    """,
    # Areas from the province down to the township: what lies in a village is counted by itself.
    """
    CREATE FUNCTION tally_areas(it rectification) RETURNS text[] LANGUAGE sql STABLE AS $$
        SELECT array_remove(ARRAY[it.province, it.prefecture, it.county, it.township], NULL)
    $$
    """,
    """
    CREATE FUNCTION tally_scope(unit uuid, role text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE WHEN role = 'lead' THEN 'lead:' ELSE 'unit:' END || unit
    $$
    """,
    """
    CREATE FUNCTION tally_item() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE parts text[];
    BEGIN
        IF TG_OP = 'UPDATE' AND (NEW.status, tally_until(NEW), tally_areas(NEW))
                IS NOT DISTINCT FROM (OLD.status, tally_until(OLD), tally_areas(OLD)) THEN
            RETURN NULL;
        END IF;
        SELECT coalesce(array_agg(tally_scope(unit, role)), '{}') INTO parts FROM rectification_unit
        WHERE rectification = NEW.id AND ended_at IS NULL;
        INSERT INTO tally_change (scopes, status, until, change)
        SELECT tally_areas(NEW) || parts, NEW.status, tally_until(NEW), 1;
        IF TG_OP = 'UPDATE' THEN
            INSERT INTO tally_change (scopes, status, until, change)
            SELECT tally_areas(OLD) || parts, OLD.status, tally_until(OLD), -1;
        END IF;
        RETURN NULL;
    END $$
    """,
    # A part that begins or ends is counted where its item stands at that moment; the item's own moves do the rest.
    """
    CREATE FUNCTION tally_part() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'DELETE' AND NEW.ended_at IS NULL THEN
            INSERT INTO tally_change (scopes, status, until, change)
            SELECT ARRAY[tally_scope(NEW.unit, NEW.role)], it.status, tally_until(it), 1
            FROM rectification AS it WHERE it.id = NEW.rectification;
        END IF;
        IF TG_OP <> 'INSERT' AND OLD.ended_at IS NULL THEN
            INSERT INTO tally_change (scopes, status, until, change)
            SELECT ARRAY[tally_scope(OLD.unit, OLD.role)], it.status, tally_until(it), -1
            FROM rectification AS it WHERE it.id = OLD.rectification;
        END IF;
        RETURN NULL;
    END $$
    """,
    # One at a time; what is written meanwhile stays for the next. Returns how many changes were added up.
    """
    CREATE FUNCTION fold_tallies() RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE folded bigint;
    BEGIN
        IF NOT pg_try_advisory_xact_lock(hashtext('fold_tallies')) THEN
            RETURN 0;
        END IF;
        WITH taken AS (DELETE FROM tally_change RETURNING scopes, status, until, change),
        summed AS (
            SELECT scope, status, until, sum(change)::integer AS change FROM taken, unnest(scopes) AS held (scope)
            GROUP BY 1, 2, 3 HAVING sum(change) <> 0
        ),
        added AS (
            INSERT INTO rectification_tally AS tally (scope, status, until, count)
            SELECT scope, status, until, change FROM summed ORDER BY 1, 2, 3
            ON CONFLICT (scope, status, until) DO UPDATE SET count = tally.count + excluded.count
        )
        SELECT count(*) INTO folded FROM taken;
        IF folded > 0 THEN
            DELETE FROM rectification_tally WHERE count = 0;
        END IF;
        RETURN folded;
    END $$
    """,
    # Counts everything anew: for rows that were there before, and for those that were loaded without triggers.
    """
    CREATE FUNCTION refill_tallies() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        LOCK TABLE rectification IN SHARE MODE;
        LOCK TABLE rectification_unit IN SHARE MODE;
        DELETE FROM tally_change;
        DELETE FROM rectification_tally;
        INSERT INTO rectification_tally SELECT * FROM counted_tallies();
    END $$
    """,
    """
    CREATE FUNCTION counted_tallies() RETURNS SETOF rectification_tally LANGUAGE sql STABLE AS $$
        SELECT scope, it.status, tally_until(it), count(*)::integer
        FROM rectification AS it, unnest(tally_areas(it)) AS held (scope) GROUP BY 1, 2, 3
        UNION ALL
        SELECT tally_scope(part.unit, part.role), it.status, tally_until(it), count(*)::integer
        FROM rectification_unit AS part JOIN rectification AS it ON it.id = part.rectification
        WHERE part.ended_at IS NULL GROUP BY 1, 2, 3
    $$
    """,
)

TRIGGERS = (
    "CREATE INDEX objection_unanswered ON objection (rectification) WHERE decided_at IS NULL",
    "CREATE TRIGGER tallied AFTER INSERT OR UPDATE OF status, due_at, closed_at, province, prefecture, county, township "
    "ON rectification FOR EACH ROW EXECUTE FUNCTION tally_item()",
    "CREATE TRIGGER tallied AFTER INSERT OR DELETE OR UPDATE OF unit, role, ended_at, rectification "
    "ON rectification_unit FOR EACH ROW EXECUTE FUNCTION tally_part()",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in (*TABLES, *FUNCTIONS, *TRIGGERS, "SELECT refill_tallies()"):
            await raw(statement)

    manager.add_raw(run)
    return manager
