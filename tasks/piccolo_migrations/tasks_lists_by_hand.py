"""By hand: what lists of a million items are read from (docs/decisions/0018).

Ordered indexes for every level of the tree and for the parts of a unit; copies of the item on its units' parts; and
rectification_search, one narrow row an item with its text and marks. Only the triggers here write the copies.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T11:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "orders, copies and words of lists"

NEVER = "'9999-12-31T00:00:00+00:00'::timestamptz"
LONG_AGO = "'1900-01-01T00:00:00+00:00'::timestamptz"
RECENCY = f"coalesce(issued_at, {LONG_AGO})"
NUMBER = """(coalesce(number, '~') COLLATE "C")"""

# Below a county at most some thousand items are sorted; every other order is an index.
BIG_LEVELS = ("county", "prefecture", "province")
ORDERS = (
    *(
        f"CREATE INDEX rectification_{level}_urgency ON rectification ({column}, status, urgency, id)"
        for level, column in (("village", "region"), ("township", "township"), *zip(BIG_LEVELS, BIG_LEVELS))
    ),
    *(
        f"CREATE INDEX rectification_{level}_{sort} ON rectification ({level}, status, {key}, id)"
        for level in BIG_LEVELS
        for sort, key in (("newest", RECENCY), ("returned", "returned"), ("number", NUMBER))
    ),
)
# Everything a page asks of a part is in its index: the planner knows the average unit, and this one may be the greatest.
OF_PARTS = tuple(
    f"CREATE INDEX rectification_unit_{sort} ON rectification_unit (unit, role, item_status, {key}, rectification)"
    f"{' INCLUDE (item_issued_at)' if sort != 'newest' else ''}"
    for sort, key in (
        ("urgency", "item_urgency"),
        ("newest", "item_issued_at"),
        ("returned", "item_returned"),
        ("number", 'item_number COLLATE "C"'),
    )
)

COPIES_ON_PARTS = (
    """
    ALTER TABLE rectification_unit ADD COLUMN item_status text, ADD COLUMN item_urgency timestamptz,
        ADD COLUMN item_issued_at timestamptz, ADD COLUMN item_returned integer, ADD COLUMN item_number text
    """,
    # FOR SHARE waits for a command that is changing the item, and then sees what it wrote.
    f"""
    CREATE FUNCTION fill_part_from_item() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT status, urgency, {RECENCY}, returned, coalesce(number, '~')
        INTO NEW.item_status, NEW.item_urgency, NEW.item_issued_at, NEW.item_returned, NEW.item_number
        FROM rectification WHERE id = NEW.rectification FOR SHARE;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER filled_from_item BEFORE INSERT OR UPDATE ON rectification_unit "
    "FOR EACH ROW EXECUTE FUNCTION fill_part_from_item()",
    "UPDATE rectification_unit SET item_status = NULL",
)

SEARCH = (
    """
    CREATE TABLE rectification_search (
        rectification uuid PRIMARY KEY REFERENCES rectification ON DELETE RESTRICT ON UPDATE RESTRICT,
        text text NOT NULL,
        marks text[] NOT NULL,
        status text NOT NULL,
        urgency timestamptz NOT NULL,
        issued_at timestamptz,
        returned integer NOT NULL,
        number text,
        look_back_on date
    ) WITH (fillfactor = 85)
    """,
    """
    CREATE FUNCTION search_row(it rectification) RETURNS rectification_search LANGUAGE sql STABLE AS $$
        SELECT it.id, lower(coalesce(it.number, '') || ' ' || it.facts || ' ' || it.asks COLLATE "C"),
            array_remove(ARRAY[
                it.province, it.prefecture, it.county, it.township, it.region,
                'topic:' || it.topic, CASE WHEN length(it.topic) > 2 THEN 'topic:' || left(it.topic, 2) END,
                'source:' || it.source, 'severity:' || it.severity,
                'household:' || it.household,
                CASE WHEN it.status IN ('issued', 'working', 'handed_in', 'passed', 'hung') THEN 'open' END,
                CASE WHEN it.listed THEN 'listed' END, CASE WHEN it.returned > 0 THEN 'returned' END,
                CASE WHEN it.reopened > 0 THEN 'rebounded' END
            ], NULL),
            it.status, it.urgency, it.issued_at, it.returned, it.number, it.look_back_on
    $$
    """,
    # Single characters, pairs of neighbours (a Chinese word has two, a trigram three), and the marks: three letters or
    # more, so that they are never taken for text.
    """
    CREATE FUNCTION search_pieces(text text, marks text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT marks || signs || ARRAY(SELECT a || b FROM unnest(signs, signs[2:]) AS pair (a, b) WHERE b IS NOT NULL)
        FROM string_to_array(text, NULL) AS cut (signs)
    $$
    """,
    "INSERT INTO rectification_search SELECT made.* FROM rectification AS it, LATERAL search_row(it) AS made",
    # No pending list: a search would read all of it.
    "CREATE INDEX rectification_search_pieces ON rectification_search USING gin (search_pieces(text, marks)) "
    "WITH (fastupdate = off)",
    "CREATE INDEX rectification_search_look_back ON rectification_search (look_back_on) WHERE look_back_on IS NOT NULL",
)

# A move of status leaves text and marks as they are: no piece is written anew, the row changes in its place (HOT).
COPYING = (
    """
    CREATE FUNCTION copy_rectification() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE made rectification_search := search_row(NEW);
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO rectification_search SELECT made.*;
            RETURN NULL;
        END IF;
        UPDATE rectification_search AS it SET text = made.text, marks = made.marks, status = made.status,
            urgency = made.urgency, issued_at = made.issued_at, returned = made.returned, number = made.number,
            look_back_on = made.look_back_on
        WHERE it.rectification = NEW.id AND it IS DISTINCT FROM made;
        IF (NEW.status, NEW.urgency, NEW.issued_at, NEW.returned, NEW.number) IS DISTINCT FROM
           (OLD.status, OLD.urgency, OLD.issued_at, OLD.returned, OLD.number) THEN
            UPDATE rectification_unit SET item_status = NEW.status WHERE rectification = NEW.id;
        END IF;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER copied AFTER INSERT OR UPDATE ON rectification FOR EACH ROW EXECUTE FUNCTION copy_rectification()",
)

FORWARDS = (
    "DROP INDEX rectification_by_urgency",
    f"ALTER TABLE rectification ADD COLUMN urgency timestamptz NOT NULL "
    f"GENERATED ALWAYS AS (coalesce(due_at, {NEVER})) STORED",
    *ORDERS,
    *COPIES_ON_PARTS,
    *OF_PARTS,
    *SEARCH,
    *COPYING,
    # Pages are read from the indexes alone where the pages of the table are known to be settled.
    *(
        f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)"
        for table in ("rectification", "rectification_unit", "rectification_search")
    ),
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
