"""Where the same photo was used before or after: the same bytes, or what looks alike. Whoever asks: loading sifts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend.db import raw
from backend.trust_reports.facts import Likeness, Use

MOST_EXACT = 200  # of one photo, the earliest


async def of(files: Sequence[UUID]) -> dict[UUID, list[Use]]:
    """For each of these files all other uses, the earliest first."""
    found: dict[UUID, list[Use]] = {}
    for row in await raw(_EXACT, list(files), MOST_EXACT):
        found.setdefault(row["mine"], []).append(_use(row, Likeness.exact))
    return found


_EXACT = """
    SELECT mine.id AS mine, other.*, person.name AS by_name,
        (other.declared_at, other.id) < (mine.declared_at, mine.id) AS earlier
    FROM evidence AS mine, LATERAL (
        SELECT id, declared_at, declared_by FROM evidence
        WHERE sha256 = mine.sha256 AND id <> mine.id AND state <> 'declared' ORDER BY declared_at, id LIMIT $2
    ) AS other JOIN person ON person.id = other.declared_by
    WHERE mine.id = ANY($1::uuid[]) AND mine.state <> 'declared'
"""


def _use(row: Any, likeness: Likeness) -> Use:
    return Use(row["id"], likeness, row["earlier"], row["declared_at"], row["by_name"])
