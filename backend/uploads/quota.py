"""How much a person and a unit may bring in on one day and have lying open, counted from rows (trust.md F13)."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from backend import clock, settings
from backend.db import raw
from backend.errors import TooMany
from backend.evidence.rules import State
from backend.roles import Actor

# What has come in since the day began, sent at once or in pieces, and what was begun and is not over, at its full
# length. An upload of the file that is asked about does not count beside it.
_USED = """
WITH brought AS (
  SELECT declared_by AS person, size FROM evidence
  WHERE declared_by IN (SELECT id FROM person WHERE unit = $2) AND received_at >= $3
  UNION ALL SELECT person, length FROM upload
  WHERE person IN (SELECT id FROM person WHERE unit = $2) AND finished_at IS NULL AND expires_at > $4
  AND evidence IS DISTINCT FROM $5
)
SELECT coalesce(sum(size) FILTER (WHERE person = $1), 0)::int8 AS person, coalesce(sum(size), 0)::int8 AS unit
FROM brought
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes."""

    person: int
    unit: int


@cache
def limits() -> Limits:
    now = settings.load()
    return Limits(now.quota_person * 2**20, now.quota_unit * 2**20)


async def allow(actor: Actor, size: int, *, file: UUID | None = None) -> None:
    """Raises TooMany when so many more bytes are too many for the person or the home unit.

    Requests side by side may each be allowed what only one of them should be: this is a dam and no account.
    """
    now, limit = clock.now(), limits()
    midnight = clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    used = (await raw(_USED, actor.person, actor.home, midnight, now, file))[0]
    wait = int((midnight + timedelta(days=1) - now).total_seconds()) + 1
    if used["person"] + size > limit.person:
        said = f"您今天上传的文件已到 {limit.person // 2**20} MB 的上限；文件仍在手机里，请明天再传，或联系管理员。"
        raise TooMany(said, "evidence.quota_person", retry_after=wait, used=used["person"], most=limit.person)
    if used["unit"] + size > limit.unit:
        said = f"本单位今天上传的文件已到 {limit.unit // 2**20} MB 的上限；文件仍在手机里，请明天再传，或联系管理员。"
        raise TooMany(said, "evidence.quota_unit", retry_after=wait, used=used["unit"], most=limit.unit)


async def allow_file(evidence: UUID, actor: Actor) -> None:
    """The same for a declared file that has not come yet; nothing is asked about any other."""
    rows = await raw(
        "SELECT size FROM evidence WHERE id = $1 AND declared_by = $2 AND state = $3",
        evidence,
        actor.person,
        State.declared.value,
    )
    if rows:
        await allow(actor, rows[0]["size"], file=evidence)
