"""What a notice or a digest says outside of the app, asked when it is sent: what was read meanwhile says nothing.

In Chinese, without the name of a household or of a person below; the number says which item it is.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend.db import select
from notifications.deliveries.rules import Words
from notifications.inbox import spoken, wording
from notifications.inbox.spoken import STANDS
from notifications.preferences import queries as preferences

INBOX = "/phone/#/inbox"
NAMED = 3  # kinds that a digest names


async def words_of(notices: Sequence[UUID]) -> dict[UUID, Words]:
    """By the id of the notice or digest; what is not here has nothing left to say."""
    rows = await select(
        "SELECT * FROM notice WHERE (notice.id = ANY({}) OR notice.digest = ANY({})) AND read_at IS NULL "
        f"AND {STANDS} ORDER BY notice.id",
        list(notices),
        list(notices),
    )
    wanted = set(notices)
    alone = [row for row in rows if row["id"] in wanted]
    gathered: dict[UUID, list[str]] = {}
    for row in rows:
        if row["digest"] in wanted:
            gathered.setdefault(row["digest"], []).append(row["verb"])
    return await _each(alone) | {digest: _together(verbs) for digest, verbs in gathered.items()}


async def _each(rows: Sequence[dict[str, Any]]) -> dict[UUID, Words]:
    said = await spoken.facts(rows)
    away = await preferences.names([row["absence"] for row in rows if row["absence"]])
    return {row["id"]: _one(row, said[row["id"]], away.get(row["absence"])) for row in rows}


def _one(row: dict[str, Any], said: dict[str, Any], away: str | None) -> Words:
    detail = wording.detail(row["verb"], said, english=False)
    return Words(
        wording.bare(row["verb"], said, english=False),
        "，".join(part for part in (detail, f"代{away}" if away else "") if part),
        wording.paths(row["verb"], said).phone,
    )


def _together(verbs: Sequence[str]) -> Words:
    """今日 5 条通知: which kinds, the most frequent first."""
    kinds = Counter(verbs).most_common()
    named = "、".join(wording.gathered(verb, count, english=False) for verb, count in kinds[:NAMED])
    return Words(f"{len(verbs)} 条通知待查看", named + ("等" if len(kinds) > NAMED else ""), INBOX)
