"""Where the same photo was used before or after: the same bytes, or what looks alike. Whoever asks: loading sifts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw
from backend.evidence import reuse
from backend.trust_reports.facts import Facts, Likeness, Use


@dataclass(frozen=True, slots=True)
class Uses:
    """All other uses of a photo, the earliest first; and where the search for like ones was cut (reuse.Found)."""

    told: list[Use] = field(default_factory=list)
    beyond: int | None = None
    met: frozenset[UUID] = frozenset()


async def of(files: Mapping[UUID, Facts], without: Collection[UUID] = ()) -> dict[UUID, Uses]:
    """For each of these files its uses. The same bytes are found however often they came, and a photo of how it was
    always; of what looks alike the nearest, as if the photos of `without` were not there.
    """
    before = {id: facts.setting.before if facts.setting else frozenset[UUID]() for id, facts in files.items()}
    same = await raw(_EXACT, list(files))
    found = {(row["mine"], row["other"]): _use(row, Likeness.exact, 0) for row in same}
    looked = await reuse.near(before, without)
    alike = [
        {"mine": mine, "other": near.evidence, "bits": near.bits}
        for mine, search in looked.items()
        for near in search.near.values()
        if (mine, near.evidence) not in found
    ]
    for row in await raw(_NEAR, msgspec.json.encode(alike).decode()) if alike else ():
        found[row["mine"], row["other"]] = _use(row, Likeness.near, row["bits"])
    by_file = {id: Uses() for id in files} | {id: Uses(beyond=it.beyond, met=it.met) for id, it in looked.items()}
    for (mine, _), use in sorted(found.items(), key=lambda item: (item[1].at, item[1].id)):
        by_file[mine].told.append(use)
    return by_file


_TOLD = "other.declared_at, person.name, (other.declared_at, other.id) < (mine.declared_at, mine.id) AS earlier"
_EXACT = f"""
    SELECT mine.id AS mine, other.id AS other, {_TOLD} FROM evidence AS mine, LATERAL (
        SELECT id, declared_at, declared_by FROM evidence
        WHERE sha256 = mine.sha256 AND id <> mine.id AND state <> 'declared' OFFSET 0
    ) AS other JOIN person ON person.id = other.declared_by
    WHERE mine.id = ANY($1::uuid[]) AND mine.state <> 'declared'
"""
_NEAR = f"""
    SELECT mine.id AS mine, other.id AS other, pair.bits, {_TOLD}
    FROM json_to_recordset($1) AS pair (mine uuid, other uuid, bits integer)
    JOIN evidence AS mine ON mine.id = pair.mine JOIN evidence AS other ON other.id = pair.other
    JOIN person ON person.id = other.declared_by
"""


def _use(row: Any, likeness: Likeness, bits: int) -> Use:
    return Use(row["other"], likeness, row["earlier"], row["declared_at"], row["name"], bits)
