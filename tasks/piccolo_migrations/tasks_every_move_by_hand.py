"""By hand: what was there before gets its parts and counters; one open record of a kind; checks that grew."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-22T10:16:32:000000"
VERSION = "1.38.0"
DESCRIPTION = "parts and counters of what was there; one open record of a kind"

FIRST_PART = (
    "(SELECT part.unit FROM rectification_unit AS part WHERE part.rectification = said.rectification "
    "AND part.role = 'responsible' ORDER BY part.unit LIMIT 1)"
)
BY_THEIR_OWN = (
    "coalesce((SELECT part.unit FROM rectification_unit AS part JOIN person ON person.unit = part.unit "
    "WHERE part.rectification = said.rectification AND part.role = 'responsible' AND person.id = said.by), "
    f"{FIRST_PART})"
)
VERBS = (
    "issue drop acknowledge accept_silently object_to decline_objection redirect uphold_objection report ask_extension "
    "grant_extension decline_extension hand_in pass_first send_back assign_check pass_check fail_check publish "
    "take_public_objection decline_public_objection uphold_public_objection close_out look_back reopen hang resume "
    "ask_void void decline_void"
)


def _check(table: str, name: str, column: str, members: str) -> tuple[str, str]:
    listed = ", ".join(f"'{member}'" for member in members.split())
    return (
        f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"',
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" CHECK ("{column}" IN ({listed}))',
    )


FORWARDS = (
    *_check("review", "verb_is_known", "verb", VERBS),
    *_check("voiding", "answer_is_one_of_two", "answer", "upheld declined lapsed"),
    *(f"UPDATE {table} AS said SET unit = {BY_THEIR_OWN}" for table in ("acknowledgement", "progress", "hand_in")),
    "UPDATE progress SET lower_reason = ''",
    f"UPDATE review AS said SET unit = {FIRST_PART} WHERE verb <> 'close_out'",
    "UPDATE rectification_unit AS part SET status = CASE WHEN item.status IN ('issued', 'working', 'handed_in', "
    "'passed') THEN item.status WHEN item.status = 'closed' THEN 'passed' WHEN item.status = 'hung' THEN 'working' "
    "ELSE 'issued' END FROM rectification AS item WHERE item.id = part.rectification AND part.role = 'responsible'",
    "UPDATE rectification AS item SET original_due_on = due_on, returned = "
    "(SELECT count(*) FROM review WHERE review.rectification = item.id AND verb = 'send_back')",
    "UPDATE rectification SET look_back_on = (closed_at AT TIME ZONE 'Asia/Shanghai')::date + 90 "
    "WHERE status = 'closed'",
    "CREATE UNIQUE INDEX one_open_extension ON extension (rectification) WHERE decided_at IS NULL",
    "CREATE UNIQUE INDEX one_open_check ON site_check (rectification) "
    "WHERE concluded_at IS NULL AND called_off_at IS NULL",
    "CREATE UNIQUE INDEX one_publicity_a_round ON publicity (rectification, round)",
    "CREATE UNIQUE INDEX one_open_public_objection ON public_objection (publicity) WHERE decided_at IS NULL",
    "CREATE UNIQUE INDEX one_open_hanging ON hanging (rectification) WHERE resumed_at IS NULL",
    "CREATE UNIQUE INDEX one_resumption ON hanging (resumption) WHERE resumption IS NOT NULL",
    "CREATE INDEX unit_keeps_silent ON rectification_unit (accept_by) WHERE status = 'issued' AND ended_at IS NULL",
    "DROP INDEX review_returns",
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
