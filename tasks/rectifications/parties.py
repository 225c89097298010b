"""Who has a part in rectifications, many at once: for those above who tell people and ask no rule of the machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.db import raw
from tasks.rectifications.item import Status
from tasks.rectifications.loading import CHECKERS, COLUMN_OF
from tasks.rectifications.words import UnitRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """The units and people around an item, and what of it decides who is told. `area`: codes from the province down."""

    id: UUID
    status: Status
    issued: bool
    listed: bool
    danger: bool  # the finding says that life is in danger
    area: tuple[str, ...]
    responsible: frozenset[UUID]
    lead: frozenset[UUID]
    former: frozenset[UUID]  # responsible once
    gone: frozenset[UUID]  # merged away in another role
    team: frozenset[UUID]
    checkers: frozenset[UUID]


async def of(rectifications: Iterable[UUID]) -> dict[UUID, Parties]:
    """As they are now, whoever asks: nothing of this may be shown. What does not exist is left out."""
    return {row["id"]: _parties(row) for row in await raw(_ROWS, list(set(rectifications)))}


def _parties(row: Any) -> Parties:
    return Parties(
        id=row["id"],
        status=Status(row["status"]),
        issued=row["issued"],
        listed=row["listed"],
        danger=row["danger"],
        area=tuple(dict.fromkeys(filter(None, row["area"]))),
        **{name: frozenset(row[name]) for name in ("responsible", "lead", "former", "gone", "team", "checkers")},
    )


_RESPONSIBLE, _LEAD = UnitRole.responsible.value, UnitRole.lead.value
_ROWS = f"""
SELECT item.id, item.status, item.issued_at IS NOT NULL AS issued, item.listed,
  coalesce((SELECT danger_to_life FROM finding WHERE finding.id = item.finding), false) AS danger,
  ARRAY[{", ".join(f"item.{column}" for column in COLUMN_OF.values())}]::text[] AS area,
  part.responsible, part.lead, part.former, part.gone,
  ARRAY(SELECT person FROM visit_member WHERE visit_member.visit = item.visit) AS team,
  {CHECKERS} AS checkers
FROM rectification AS item CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(unit) FILTER (WHERE ended_at IS NULL AND role = '{_RESPONSIBLE}'), '{{}}') AS responsible,
    coalesce(array_agg(unit) FILTER (WHERE ended_at IS NULL AND role = '{_LEAD}'), '{{}}') AS lead,
    coalesce(array_agg(unit) FILTER (WHERE ended_at IS NOT NULL AND role = '{_RESPONSIBLE}'), '{{}}') AS former,
    coalesce(array_agg(unit) FILTER (WHERE ended_at IS NOT NULL AND role <> '{_RESPONSIBLE}'), '{{}}') AS gone
  FROM rectification_unit WHERE rectification_unit.rectification = item.id) AS part
WHERE item.id = ANY($1::uuid[])
"""
