"""By hand: answers and adopted versions stay as they are; a checklist has one draft and one version in force."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T21:06:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "append-only answers, adopted versions stay, one draft and one in force"

FORWARDS = (
    "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON checklist_answer "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE TRIGGER adopted_stays BEFORE UPDATE OF checklist, number, title, topic, paper, clause, valid_from, valid_to, "
    "required ON checklist_version FOR EACH ROW WHEN (OLD.adopted_at IS NOT NULL) EXECUTE FUNCTION refuse_change()",
    """
    CREATE FUNCTION refuse_change_of_adopted() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM checklist_version WHERE id IN (OLD.version, NEW.version) AND adopted_at IS NOT NULL) THEN
            RAISE EXCEPTION 'an adopted version stays as it is' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN coalesce(NEW, OLD);
    END $$
    """,
    "CREATE TRIGGER adopted_stays BEFORE INSERT OR UPDATE OR DELETE ON checklist_question "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_adopted()",
    "CREATE UNIQUE INDEX one_draft_of_a_checklist ON checklist_version (checklist) WHERE status = 'draft'",
    "CREATE UNIQUE INDEX one_version_in_force ON checklist_version (checklist) WHERE status = 'in_force'",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="inspections", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
