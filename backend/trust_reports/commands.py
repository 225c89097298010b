"""Explaining a check: the one thing that is written about a trust report."""

from collections.abc import Sequence
from uuid import UUID

from backend import clock, events, once
from backend.db import transaction
from backend.errors import Forbidden, Incomplete
from backend.evidence import queries as evidence
from backend.evidence.queries import Reader
from backend.roles import Actor
from backend.trust_reports import queries
from backend.trust_reports.loading import Settings
from backend.trust_reports.rules import Check, Level
from backend.trust_reports.tables import EvidenceExplanation


async def explain(
    file: UUID,
    actor: Actor,
    readers: Sequence[Reader],
    settings: Sequence[Settings],
    *,
    id: UUID,
    check: Check,
    because: str,
) -> None:
    """说明情况: why a check that does not fit is as it is, in the reviewer's words. Its level stays.

    Raises NotFound outside the actor's sight, Forbidden for who sent the file, their unit, and who does not read its
    report, Incomplete for a check that fits or says nothing of this file.
    """
    content = {"evidence": file, "about": check.value, "because": because, "by": actor.person}
    async with transaction():
        await once.one_at_a_time(id)
        await evidence.find(file, actor, readers)
        if await once.earlier(EvidenceExplanation, id, **content):
            return
        judged = (await queries.judge([file], actor, settings))[file]
        if judged.refusal:
            raise Forbidden(judged.refusal)
        if not any(result.check == check and result.level != Level.fits for result in judged.results):
            raise Incomplete("这一项相符或不适用，不需要说明。", "nothing_to_explain", field="check")
        await EvidenceExplanation(id=id, at=clock.now(), **content).save()
        await events.record("evidence.explained", file, actor=actor, explanation=id, check=check.value, because=because)
