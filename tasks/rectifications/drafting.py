"""Items that come from papers, ledgers, monthly checks and by hand, not from a finding of a visit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.db import raw, transaction
from backend.errors import BadRequest, Forbidden, Incomplete
from backend.evidence.rules import Declaration
from backend.roles import Actor
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications import moving, rules, who
from tasks.rectifications.item import Status, Units
from tasks.rectifications.tables import Rectification
from tasks.rectifications.words import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is known of the matter. `found_where` says from which paper, list or check it comes, as written there."""

    source: Source
    topic: str
    facts: str
    region: str
    units: Units
    severity: Severity = Severity.ordinary
    closing_class: ClosingClass = ClosingClass.by_date
    asks: str = ""
    found_where: str = ""
    no_evidence_reason: str = ""
    files: tuple[UUID, ...] = ()  # that came with the record it comes from, and show it


async def draft(actor: Actor, said: Draft, *, id: UUID, manifest: Sequence[Declaration] = ()) -> None:
    """Make an item that is issued later, as one from a finding is. The office, in its area.

    Raises Forbidden elsewhere, BadRequest for an unknown place, Incomplete without facts or with a unit in two roles.
    """
    units = rules.joined({}, said.units)
    async with transaction():
        await once.one_at_a_time(id)
        area = await _area(said.region)
        if reason := who.may_draft(actor, frozenset(area.values())):
            raise Forbidden(reason)
        if not said.facts.strip():
            raise Incomplete("要写明问题事实。", field="facts")
        content = _content(said)
        if await once.earlier(Rectification, id, **content):
            return await _same(id, units, manifest, actor)
        path = {level: code for level, code in area.items() if level != "village"}
        row = {**content, **path, "status": Status.draft.value, "drafted_at": clock.now()}
        await Rectification(id=id, **row).save()
        await moving.add_units(id, units)
        await moving.attach(id, id, manifest, actor)
        await moving.hang(id, id, said.files)
        told = {"source": said.source, "found_where": said.found_where, "named": _named(units)}
        await events.record("rectification.drafted", id, actor=actor, **told)


def _content(said: Draft) -> dict[str, Any]:
    return {
        "source": said.source.value,
        "topic": said.topic,
        "severity": said.severity.value,
        "closing_class": said.closing_class.value,
        "facts": said.facts,
        "asks": said.asks,
        "region": said.region,
        "found_where": said.found_where,
        "no_evidence_reason": said.no_evidence_reason,
    }


async def _area(region: str) -> dict[str, str]:
    """The codes from the province down to the place, by level."""
    rows = await raw(
        "SELECT level, code FROM region WHERE code = ANY((SELECT path FROM region WHERE code = $1)::text[])",
        region,
    )
    if not rows:
        raise BadRequest("没有这个地点。", "unknown_reference", field="region")
    return {row["level"]: row["code"] for row in rows}


async def _same(id: UUID, units: Units, manifest: Sequence[Declaration], actor: Actor) -> None:
    """The request came before: with the same units, whichever have the item by now, and the same files."""
    await moving.same_files(id, manifest, actor)
    first, now = (await events.of_subjects([id], ["rectification.drafted"]))[0], _named(units)
    if first.payload.get("named", now) != now:
        raise once.different()


def _named(units: Units) -> list[str]:
    return sorted(f"{role.value}:{unit}" for role, named in units.items() for unit in named)
