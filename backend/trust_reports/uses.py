"""Where the same photo was used before or after: the same bytes, or what looks alike. Whoever asks: loading sifts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw
from backend.evidence import reuse
from backend.trust_reports.facts import Facts, Likeness, Use

MOST_EXACT = 200  # of one photo, the earliest; those from before are never cut off


async def of(files: Mapping[UUID, Facts]) -> dict[UUID, list[Use]]:
    """For each of these files all other uses, the earliest first. A photo of how it was is always among them."""
    before = {id: facts.setting.before if facts.setting else frozenset[UUID]() for id, facts in files.items()}
    asked = [{"id": id, "before": sorted(photos)} for id, photos in before.items()]
    same = await raw(_EXACT, msgspec.json.encode(asked).decode(), MOST_EXACT)
    found = {(row["mine"], row["other"]): _use(row, Likeness.exact, 0) for row in same}
    alike = [
        {"mine": mine, "other": near.evidence, "bits": near.bits}
        for mine, others in (await reuse.near(before)).items()
        for near in others.values()
        if (mine, near.evidence) not in found
    ]
    for row in await raw(_NEAR, msgspec.json.encode(alike).decode()) if alike else ():
        found[row["mine"], row["other"]] = _use(row, Likeness.near, row["bits"])
    by_file: dict[UUID, list[Use]] = {}
    for (mine, _), use in sorted(found.items(), key=lambda item: (item[1].at, item[1].id)):
        by_file.setdefault(mine, []).append(use)
    return by_file


_TOLD = "other.declared_at, person.name, (other.declared_at, other.id) < (mine.declared_at, mine.id) AS earlier"
_EXACT = f"""
    SELECT mine.id AS mine, other.id AS other, {_TOLD}
    FROM json_to_recordset($1) AS asked (id uuid, before uuid[]) JOIN evidence AS mine ON mine.id = asked.id,
    LATERAL (
        SELECT id, declared_at, declared_by FROM evidence
        WHERE sha256 = mine.sha256 AND id <> mine.id AND state <> 'declared'
        ORDER BY id = ANY(asked.before) DESC, declared_at, id LIMIT $2
    ) AS other JOIN person ON person.id = other.declared_by
    WHERE mine.state <> 'declared'
"""
_NEAR = f"""
    SELECT mine.id AS mine, other.id AS other, pair.bits, {_TOLD}
    FROM json_to_recordset($1) AS pair (mine uuid, other uuid, bits integer)
    JOIN evidence AS mine ON mine.id = pair.mine JOIN evidence AS other ON other.id = pair.other
    JOIN person ON person.id = other.declared_by
"""


def _use(row: Any, likeness: Likeness, bits: int) -> Use:
    return Use(row["other"], likeness, row["earlier"], row["declared_at"], row["name"], bits)
