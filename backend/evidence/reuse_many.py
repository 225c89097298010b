"""What reuse.py finds near, for many photos in one statement. The same search: its SQL with a row's columns for $1…"""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw
from backend.evidence.looks import NOTHING, PARTS
from backend.evidence.reuse import AMONG, NEARLY, Near, probes

_BANDS = ("band0", "band1", "band2", "band3")


def _for_each(search: str, *columns: str) -> str:
    for place in range(len(columns), 0, -1):
        search = search.replace(f"${place}", f"mine.{columns[place - 1]}")
    bands = ", ".join(f"{band} integer[]" for band in _BANDS)
    return (
        "SELECT mine.id AS mine, near.* FROM json_to_recordset($1) "
        f"AS mine (id uuid, sha256 text, {bands}, parts bigint[], tiles bigint[], others uuid[]) "
        f"CROSS JOIN LATERAL ({search}) AS near"
    )


_ANYWHERE = _for_each(NEARLY, *_BANDS, "parts", "id", "tiles", "sha256")
_OTHERS = _for_each(AMONG, "parts", "tiles", "others")


async def near(files: Mapping[UUID, Collection[UUID]]) -> dict[UUID, dict[UUID, Near]]:
    """By file what is near anywhere, as reuse.find() has it, and whatever is near among the others named with it."""
    rows = await raw(
        "SELECT id, sha256, looks FROM evidence JOIN evidence_reading ON evidence = id "
        "WHERE id = ANY($1::uuid[]) AND looks IS NOT NULL",
        list(files),
    )
    mine = [_mine(row, files[row["id"]]) for row in rows if any(look != NOTHING for look in row["looks"][: len(PARTS)])]
    found: dict[UUID, dict[UUID, Near]] = {}
    for search, asked in ((_ANYWHERE, mine), (_OTHERS, [one for one in mine if one["others"]])):
        for row in await raw(search, msgspec.json.encode(asked).decode()) if asked else ():
            found.setdefault(row["mine"], {})[row["evidence"]] = Near(row["evidence"], row["bits"])
    return found


def _mine(row: Any, others: Collection[UUID]) -> dict[str, Any]:
    parts, tiles = row["looks"][: len(PARTS)], row["looks"][len(PARTS) :]
    bands = dict(zip(_BANDS, probes(parts), strict=True))
    others = [other for other in others if other != row["id"]]
    return {"id": row["id"], "sha256": row["sha256"], **bands, "parts": parts, "tiles": tiles, "others": others}
