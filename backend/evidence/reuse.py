"""Was this photo handed in before, in other bytes? By what it looks like, among all photos there are (decision 0027).

Says which files and how alike, never whose they are or who may know: that is the trust report's business. Nor is a
search cut short without a word.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
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
    f"WHERE {band(at)} = {band(at, 'my.part', 'my.look')} AND {_APART} <= {NEAR} "
    f"AND evidence <> mine.id AND evidence NOT IN (SELECT unnest($2::uuid[])) LIMIT {MOST_SEEN + 1})"
    for at in range(4)
)
# What is left of a photo's looks behind the PARTS, compared where both show something.
_TILES = f"""
    SELECT coalesce(sum(bit_count((theirs # ours)::bit(64))), 0) AS bits, count(*) AS tiles
    FROM unnest(looks[{len(PARTS) + 1}:], mine.tiles) AS tile(theirs, ours) WHERE theirs <> 0 AND ours <> 0
"""
# OFFSET 0: of each find its own row. Joined instead, a plan made for any photo may begin with the whole table. And what
# the tiles tell apart, often hundreds of one form, is not looked up again for its hash. One more than is followed, and
# one more than is told: so that it is known whether there are more. A band that is cut alone fills what is seen. NOT IN
# what is left out, which may be thousands: it is hashed, where <> ALL goes through it for each hit of a band.
_ANYWHERE = f"""
    SELECT mine.id AS mine, near.* FROM {_MINE} CROSS JOIN LATERAL (
        WITH seen AS MATERIALIZED (
            SELECT evidence, min(bits)::integer AS bits
            FROM (SELECT part - 1 AS part, look FROM unnest(mine.parts) WITH ORDINALITY AS of(look, part)) AS my
            CROSS JOIN LATERAL ({_MET}) AS met
            WHERE my.look <> {NOTHING}
            GROUP BY evidence ORDER BY min(bits), evidence DESC LIMIT {MOST_SEEN + 1}
        )
        (SELECT fit.evidence, fit.bits, NULL::uuid[] AS seen FROM (
            SELECT seen.evidence, seen.bits FROM seen
            CROSS JOIN LATERAL (SELECT looks FROM evidence_reading WHERE evidence = seen.evidence OFFSET 0) AS reading
            CROSS JOIN LATERAL ({_TILES}) AS tile
            WHERE tile.bits <= {TILES_NEAR} * tile.tiles OFFSET 0
        ) AS fit
        CROSS JOIN LATERAL (SELECT sha256 FROM evidence WHERE id = fit.evidence OFFSET 0) AS file
        WHERE file.sha256 <> mine.sha256
        ORDER BY fit.bits, fit.evidence DESC LIMIT {MOST + 1})
        UNION ALL SELECT NULL, NULL, array_agg(evidence) FROM seen HAVING count(*) > {MOST}
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


@dataclass(frozen=True, slots=True)
class Found:
    """What a search for one photo came to. `beyond`: more than so many looked alike, and the rest was not compared;
    None where everything was. `met`: all that was seen then, which stood in the way of that rest.
    """

    near: dict[UUID, Near] = field(default_factory=dict)
    beyond: int | None = None
    met: frozenset[UUID] = frozenset()


async def near(files: Mapping[UUID, Collection[UUID]], without: Collection[UUID] = ()) -> dict[UUID, Found]:
    """By file what is near it anywhere, MOST at most and the nearest of all, and whatever is near among the others
    named with it. Nothing is near a photo that was not read yet, or that shows next to nothing.

    The same bytes are not told where they are met anywhere: those are found by their hash. The search is made as if the
    photos of `without` were not there.
    """
    rows = await raw(
        "SELECT id, sha256, looks FROM evidence JOIN evidence_reading ON evidence = id "
        "WHERE id = ANY($1::uuid[]) AND looks IS NOT NULL",
        list(files),
    )
    return await alike([Photo(row["id"], row["sha256"], row["looks"], files[row["id"]]) for row in rows], without)


async def alike(photos: Sequence[Photo], without: Collection[UUID] = ()) -> dict[UUID, Found]:
    """The same for photos that need not be there."""
    told = [_told(it) for it in photos if any(look != NOTHING for look in it.looks[: len(PARTS)])]
    named = [one for one in told if one["others"]]
    rows: dict[UUID, list[Any]] = {}
    for row in await planned(_ANYWHERE, _as_json(told), list(without)) if told else ():
        rows.setdefault(row["mine"], []).append(row)
    found = {mine: it for mine, own in rows.items() if (it := _found(own)).near or it.beyond}
    for row in await planned(_AMONG, _as_json(named)) if named else ():
        found.setdefault(row["mine"], Found()).near[row["evidence"]] = Near(row["evidence"], row["bits"])
    return found


def _found(rows: Sequence[Any]) -> Found:
    """From what _ANYWHERE tells of one photo: what is near, and what was seen where that is not all."""
    fit = [Near(row["evidence"], row["bits"]) for row in rows if row["evidence"]]
    fit.sort(key=lambda near: (near.bits, -near.evidence.int))
    seen = [id for row in rows for id in row["seen"] or ()]
    beyond = MOST if len(fit) > MOST else MOST_SEEN if len(seen) > MOST_SEEN else None
    return Found({near.evidence: near for near in fit[:MOST]}, beyond, frozenset(seen if beyond else ()))


def _as_json(told: Sequence[dict[str, Any]]) -> str:
    return msgspec.json.encode(told).decode()


def _told(it: Photo) -> dict[str, Any]:
    others = [other for other in it.others if other != it.id]
    parts, tiles = list(it.looks[: len(PARTS)]), list(it.looks[len(PARTS) :])
    return {"id": it.id, "sha256": it.sha256, "parts": parts, "tiles": tiles, "others": others}
