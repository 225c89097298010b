"""Was this photo handed in before, in other bytes? By what it looks like, among all photos there are (decision 0027).

Says which files and how alike, never whose they are or who may know: that is the trust report's business.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from backend.db import planned, raw
from backend.evidence.looks import NEAR, NOTHING, PARTS, TILES_NEAR

MOST = 50  # told of one photo
MOST_SEEN = 500  # of one band of a part: a form that was photographed ten thousand times must not take seconds

_MINE = "json_to_recordset($1) AS mine (id uuid, sha256 text, parts bigint[], tiles bigint[], others uuid[])"


def band(at: int, part: str = "part", look: str = "look") -> str:
    """Under which value a look of a part stands in the index of that band: written as the index has it."""
    return f"({part}::integer << 16 | (({look} >> {16 * at}) & 65535)::integer)"


_APART = "bit_count((look # my.look)::bit(64))"
_MET = " UNION ALL ".join(
    f"(SELECT evidence, {_APART} AS bits FROM evidence_look "
    f"WHERE {band(at)} = {band(at, 'my.part', 'my.look')} AND {_APART} <= {NEAR} LIMIT {MOST_SEEN})"
    for at in range(4)
)
# What is left of a photo's looks behind the PARTS, compared where both show something.
_TILES = f"""
    SELECT coalesce(sum(bit_count((theirs # ours)::bit(64))), 0) AS bits, count(*) AS tiles
    FROM unnest(looks[{len(PARTS) + 1}:], mine.tiles) AS tile(theirs, ours) WHERE theirs <> 0 AND ours <> 0
"""
# OFFSET 0: of each find its own row. Joined instead, a plan made for any photo may begin with the whole table. And what
# the tiles tell apart, often hundreds of one form, is not looked up again for its hash.
_ANYWHERE = f"""
    SELECT mine.id AS mine, near.* FROM {_MINE} CROSS JOIN LATERAL (
        WITH seen AS MATERIALIZED (
            SELECT evidence, min(bits)::integer AS bits
            FROM (SELECT part - 1 AS part, look FROM unnest(mine.parts) WITH ORDINALITY AS of(look, part)) AS my
            CROSS JOIN LATERAL ({_MET}) AS met
            WHERE my.look <> {NOTHING} AND evidence <> mine.id
            GROUP BY evidence ORDER BY min(bits), evidence DESC LIMIT {MOST_SEEN}
        )
        SELECT fit.evidence, fit.bits FROM (
            SELECT seen.evidence, seen.bits FROM seen
            CROSS JOIN LATERAL (SELECT looks FROM evidence_reading WHERE evidence = seen.evidence OFFSET 0) AS reading
            CROSS JOIN LATERAL ({_TILES}) AS tile
            WHERE tile.bits <= {TILES_NEAR} * tile.tiles OFFSET 0
        ) AS fit
        CROSS JOIN LATERAL (SELECT sha256 FROM evidence WHERE id = fit.evidence OFFSET 0) AS file
        WHERE file.sha256 <> mine.sha256
        ORDER BY fit.bits, fit.evidence DESC LIMIT {MOST}
    ) AS near
"""
_AMONG = f"""
    SELECT mine.id AS mine, near.* FROM {_MINE} CROSS JOIN LATERAL (
        SELECT evidence, parts.bits::integer AS bits FROM evidence_reading
        CROSS JOIN LATERAL (
            SELECT min(bit_count((theirs # ours)::bit(64))) AS bits
            FROM unnest(looks[1:{len(PARTS)}], mine.parts) AS part(theirs, ours) WHERE theirs <> 0 AND ours <> 0
        ) AS parts
        CROSS JOIN LATERAL ({_TILES}) AS tile
        WHERE evidence = ANY(mine.others) AND parts.bits <= {NEAR} AND tile.bits <= {TILES_NEAR} * tile.tiles
    ) AS near
"""


@dataclass(frozen=True, slots=True)
class Photo:
    """What is looked for. `others` are compared with it one by one, however many photos are nearer."""

    id: UUID
    sha256: str
    looks: Sequence[int]
    others: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """Another file that shows the same picture. `bits`: how many of 64 differ, of the part that differs least."""

    evidence: UUID
    bits: int


async def near(files: Mapping[UUID, Collection[UUID]]) -> dict[UUID, dict[UUID, Near]]:
    """By file what is near it anywhere, MOST at most and the nearest of all, and whatever is near among the others
    named with it. Nothing is near a photo that was not read yet, or that shows next to nothing.

    The same bytes are not told where they are met anywhere: those are found by their hash.
    """
    rows = await raw(
        "SELECT id, sha256, looks FROM evidence JOIN evidence_reading ON evidence = id "
        "WHERE id = ANY($1::uuid[]) AND looks IS NOT NULL",
        list(files),
    )
    return await alike([Photo(row["id"], row["sha256"], row["looks"], files[row["id"]]) for row in rows])


async def alike(photos: Sequence[Photo]) -> dict[UUID, dict[UUID, Near]]:
    """The same for photos that need not be there."""
    told = [_told(it) for it in photos if any(look != NOTHING for look in it.looks[: len(PARTS)])]
    found: dict[UUID, dict[UUID, Near]] = {}
    for search, asked in ((_ANYWHERE, told), (_AMONG, [one for one in told if one["others"]])):
        for row in await planned(search, msgspec.json.encode(asked).decode()) if asked else ():
            found.setdefault(row["mine"], {})[row["evidence"]] = Near(row["evidence"], row["bits"])
    return found


def _told(it: Photo) -> dict[str, Any]:
    others = [other for other in it.others if other != it.id]
    parts, tiles = list(it.looks[: len(PARTS)]), list(it.looks[len(PARTS) :])
    return {"id": it.id, "sha256": it.sha256, "parts": parts, "tiles": tiles, "others": others}
