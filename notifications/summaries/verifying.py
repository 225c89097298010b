"""Whether what was kept comes out again, byte for byte, from the facts of today."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import msgspec

from backend import clock
from notifications.summaries import kept, live, making, rules, supplements
from notifications.summaries.queries import Sight
from notifications.summaries.shapes import Summary, canonical
from notifications.summaries.words import Kind
from tasks.monthly.shapes import Period


class Verified(msgspec.Struct, kw_only=True):
    """`intact`: the kept bytes have the kept hash. `same`: the facts of today give these bytes.

    `early`: a clock that ran ahead let it be kept before its own instant; supplements tell what came after. It shows
    while the clock is behind that again, and by check records that came in time and are not in it.
    """

    id: UUID
    kind: Kind
    number: int
    as_of: datetime
    made_at: datetime
    sha256: str
    made_again: str
    intact: bool
    same: bool
    early: bool


_verdicts: live.Shared[list[Verified]] = live.Shared()


async def of(sight: Sight) -> list[Verified]:
    """For readers: made once a minute, however many ask, as it takes seconds. The command line makes its own."""
    return (await _verdicts.of(sight.period.id, lambda minute: of_period(sight.period)))[0]


async def of_period(period: Period) -> list[Verified]:
    """Of everything that was kept of the period."""
    return [await _verified(it, period) for it in await kept.of_period(period.id)]


async def _verified(it: kept.Stored, period: Period) -> Verified:
    made = await _made_again(it, period)
    again = sha256(canonical(made)).hexdigest()
    return Verified(
        id=it.id,
        kind=it.kind,
        number=it.number,
        as_of=it.as_of,
        made_at=it.made_at,
        sha256=it.sha256,
        made_again=again,
        intact=sha256(it.body).hexdigest() == it.sha256,
        same=again == it.sha256,
        early=_early(it, made),
    )


async def _made_again(it: kept.Stored, period: Period) -> Summary:
    if it.kind == Kind.supplement:
        told = [one for one in await kept.of_period(period.id) if one.kind != Kind.preview and one.number < it.number]
        return await supplements.made(period, it.as_of, told)
    return await making.made(period, it.as_of, it.kind, it.summary.inputs)


def _early(it: kept.Stored, made: Summary) -> bool:
    ahead = it.made_at > clock.now() + rules.SETTLED
    return ahead or it.made_at < it.as_of or not _records(made) <= _records(it.summary)


def _records(it: Summary) -> set[UUID]:
    return {record for cell in it.cells for record in cell.records}
