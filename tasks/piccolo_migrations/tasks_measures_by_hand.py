"""By hand: the closed lists of verbs that older tables check have the measures' verbs in them too."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from backend.db import raw

ID = "2026-11-28T14:48:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "measures among the known moves"

# As they were known on this day; later ones are added by later migrations.
MOVES = (
    "issue", "drop", "acknowledge", "report", "plan_measure", "finish_measure", "drop_measure", "ask_extension",
    "decide_extension", "hand_in", "pass_first", "send_back", "assign_check", "publish", "close_out", "look_back",
    "reopen", "hang", "resume", "ask_void", "void", "decline_void",
)  # fmt: skip
VERBS = (
    "issue", "drop", "acknowledge", "accept_silently", "object_to", "decline_objection", "redirect",
    "uphold_objection", "report", "plan_measure", "finish_measure", "drop_measure", "ask_extension",
    "grant_extension", "decline_extension", "hand_in", "pass_first", "send_back", "assign_check", "pass_check",
    "fail_check", "publish", "take_public_objection", "decline_public_objection", "uphold_public_objection",
    "close_out", "look_back", "reopen", "hang", "resume", "ask_void", "void", "decline_void",
)  # fmt: skip


def check(table: str, column: str, name: str, words: tuple[str, ...]) -> tuple[str, str]:
    """The closed list of a column, anew."""
    known = ", ".join(f"'{word}'" for word in words)
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (\"{column}\" IN ({known}))",
    )


FORWARDS = (
    *check("batch", "move", "move_is_known", MOVES),
    *check("review", "verb", "verb_is_known", VERBS),
)


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="tasks", description=DESCRIPTION)

    async def run():
        for statement in FORWARDS:
            await raw(statement)

    manager.add_raw(run)
    return manager
