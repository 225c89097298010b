"""Was this photo handed in before? Exactly, by its hash, or nearly, by what it looks like, among all there are.

Says which files and how alike, never whose they are or who may know: that is the trust report's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.db import raw
from backend.evidence.looks import NEAR, NOTHING, PARTS, TILES_NEAR
from backend.evidence.rules import ARRIVED

MOST = 50  # told of either sort
MOST_SEEN = 500  # of one band: a form that was photographed ten thousand times must not take seconds

ARRIVED_STATES = ", ".join(f"'{state}'" for state in sorted(ARRIVED))
APART = "bit_count((look # ($5::bigint[])[part + 1])::bit(64))"
BANDS = " UNION ALL ".join(
    # As in the indexes of backend_reuse_by_hand.
    f"(SELECT evidence, {APART} AS bits FROM evidence_look "
    f"WHERE (part::integer << 16 | ((look >> {16 * at}) & 65535)::integer) = ANY(${at + 1}::integer[]) "
    f"AND {APART} <= {NEAR} LIMIT {MOST_SEEN})"
    for at in range(4)
)
# What is left of a photo's looks behind the PARTS, compared with $7 where both show something.
TILES = f"""
    SELECT coalesce(sum(bit_count((theirs # ours)::bit(64))), 0) AS bits, count(*) AS tiles
    FROM unnest(looks[{len(PARTS) + 1}:], $7::bigint[]) AS tile(theirs, ours) WHERE theirs <> 0 AND ours <> 0
"""
NEARLY = f"""
    WITH seen AS MATERIALIZED (
        SELECT evidence, min(bits)::integer AS bits FROM ({BANDS}) AS band WHERE evidence <> $6
        GROUP BY evidence ORDER BY min(bits), evidence DESC LIMIT {MOST_SEEN}
    )
    SELECT seen.evidence, seen.bits
    FROM seen JOIN evidence_reading USING (evidence) JOIN evidence ON evidence.id = seen.evidence
    CROSS JOIN LATERAL ({TILES}) AS tile
    WHERE tile.bits <= {TILES_NEAR} * tile.tiles AND evidence.sha256 <> $8
    ORDER BY seen.bits, seen.evidence DESC LIMIT {MOST}
"""
AMONG = f"""
    SELECT evidence, parts.bits::integer AS bits
    FROM evidence_reading
    CROSS JOIN LATERAL (
        SELECT min(bit_count((theirs # ours)::bit(64))) AS bits
        FROM unnest(looks[1:{len(PARTS)}], $1::bigint[]) AS part(theirs, ours) WHERE theirs <> 0 AND ours <> 0
    ) AS parts
    CROSS JOIN LATERAL ({TILES.replace("$7", "$2")}) AS tile
    WHERE evidence = ANY($3::uuid[]) AND parts.bits <= {NEAR} AND tile.bits <= {TILES_NEAR} * tile.tiles
    ORDER BY parts.bits, evidence DESC
"""


@dataclass(frozen=True, slots=True)
class Near:
    """Another file that shows the same picture. `bits`: how many of 64 differ, of the part that differs least."""

    evidence: UUID
    bits: int


@dataclass(frozen=True, slots=True)
class Reuse:
    """The same bytes under other ids, newest first; the same picture in other bytes, nearest first. MOST of either."""

    exact: list[UUID]
    near: list[Near]


async def find(evidence: UUID) -> Reuse:
    """Where else this photo is. Nothing near is known before it is ready, nor of a photo that shows next to nothing."""
    mine = await _mine(evidence)
    if mine is None:
        return Reuse([], [])
    sha256, parts, tiles = mine
    same = await raw(
        f"SELECT id FROM evidence WHERE sha256 = $1 AND id <> $2 AND state IN ({ARRIVED_STATES}) "
        f"ORDER BY declared_at DESC, id DESC LIMIT {MOST}",
        sha256,
        evidence,
    )
    return Reuse([row["id"] for row in same], await nearly(evidence, sha256, parts, tiles))


async def among(evidence: UUID, others: Sequence[UUID]) -> Reuse:
    """The same, of these others alone and without a limit: the photos from before, when one from after is handed in."""
    mine = await _mine(evidence)
    if mine is None:
        return Reuse([], [])
    sha256, parts, tiles = mine
    wanted = [other for other in others if other != evidence]
    same = await raw(
        f"SELECT id FROM evidence WHERE id = ANY($1::uuid[]) AND sha256 = $2 AND state IN ({ARRIVED_STATES}) "
        "ORDER BY declared_at DESC, id DESC",
        wanted,
        sha256,
    )
    exact = [row["id"] for row in same]
    near = await raw(AMONG, parts, tiles, [other for other in wanted if other not in exact])
    return Reuse(exact, [Near(row["evidence"], row["bits"]) for row in near])


async def nearly(evidence: UUID, sha256: str, parts: Sequence[int], tiles: Sequence[int]) -> list[Near]:
    """Files with other bytes and a like look, by the looks of the parts and of the tiles (looks.py)."""
    if all(look == NOTHING for look in parts):
        return []
    rows = await raw(NEARLY, *probes(parts), list(parts), evidence, list(tiles), sha256)
    return [Near(row["evidence"], row["bits"]) for row in rows]


def probes(parts: Sequence[int]) -> list[list[int]]:
    """For each band, the values under which a look that differs in at most NEAR bits stands in one index at least.

    Four bands share seven bits: one of them has at most one. So it is its own 16 bits, or those with one turned.
    """
    found: list[list[int]] = [[], [], [], []]
    for part, look in enumerate(parts):
        if look != NOTHING:
            for at, band in enumerate(found):
                value = look >> 16 * at & 0xFFFF
                band += [part << 16 | value, *(part << 16 | value ^ 1 << bit for bit in range(16))]
    return found


async def _mine(evidence: UUID) -> tuple[str, list[int], list[int]] | None:
    rows = await raw(
        "SELECT sha256, looks FROM evidence LEFT JOIN evidence_reading ON evidence_reading.evidence = evidence.id "
        "WHERE evidence.id = $1",
        evidence,
    )
    if not rows:
        return None
    looks: list[int] = list(rows[0]["looks"] or ())
    return rows[0]["sha256"], looks[: len(PARTS)], looks[len(PARTS) :]
