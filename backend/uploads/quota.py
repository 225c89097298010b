"""How much a person and a unit may bring in on one day and have lying open, counted from rows (trust.md F13)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from backend import clock, settings
from backend.db import raw
from backend.errors import TooMany
from backend.roles import Actor

# What has come in since the day began, sent at once or in pieces, and what was begun and is not over, at its full
# length. An upload of the file that is asked about does not count beside it. Person by person (LATERAL), so that
# each is a short piece of an index: joined, the planner would rather read the evidence of all years.
_USED = """
SELECT coalesce(sum(brought + lying) FILTER (WHERE person.id = $1), 0)::int8 AS person,
  coalesce(sum(brought + lying), 0)::int8 AS unit,
  (SELECT size FROM evidence WHERE id = $5 AND declared_by = $1 AND state = 'declared') AS asked
FROM person
CROSS JOIN LATERAL (SELECT coalesce(sum(size), 0) AS brought FROM evidence
  WHERE declared_by = person.id AND received_at >= $3) AS stored
CROSS JOIN LATERAL (SELECT coalesce(sum(length), 0) AS lying FROM upload
  WHERE upload.person = person.id AND finished_at IS NULL AND expires_at > $4
  AND evidence IS DISTINCT FROM $5) AS begun
WHERE person.unit = $2
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


async def allow(actor: Actor, size: int) -> None:
    """Raises TooMany when so many more bytes are too many for the person or the home unit.

    Requests side by side may each be allowed what only one of them should be: this is a dam and no account.
    """
    used = await _used(actor, None)
    _check(used["person"], used["unit"], size)


async def allow_file(evidence: UUID, actor: Actor) -> None:
    """The same for a declared file that has not come yet; nothing is asked about any other."""
    used = await _used(actor, evidence)
    if used["asked"] is not None:
        _check(used["person"], used["unit"], used["asked"])


async def _used(actor: Actor, file: UUID | None) -> Any:
    return (await raw(_USED, actor.person, actor.home, _midnight(), clock.now(), file))[0]


def _check(person: int, unit: int, size: int) -> None:
    limit, wait = limits(), int((_midnight() + timedelta(days=1) - clock.now()).total_seconds()) + 1
    if person + size > limit.person:
        said = f"您今天上传的文件已到 {limit.person // 2**20} MB 的上限；文件仍在手机里，请明天再传，或联系管理员。"
        raise TooMany(said, "evidence.quota_person", retry_after=wait, used=person, most=limit.person)
    if unit + size > limit.unit:
        said = f"本单位今天上传的文件已到 {limit.unit // 2**20} MB 的上限；文件仍在手机里，请明天再传，或联系管理员。"
        raise TooMany(said, "evidence.quota_unit", retry_after=wait, used=unit, most=limit.unit)


def _midnight() -> datetime:
    """When the day began in China."""
    return clock.local(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
