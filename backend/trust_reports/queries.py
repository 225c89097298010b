"""Reading trust reports: of one file, and counted over the files of a record. Computed anew for each reader."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from backend.db import raw
from backend.evidence import queries as evidence
from backend.evidence.queries import Reader
from backend.roles import Actor, Role
from backend.trust_reports import checking, rules, wording
from backend.trust_reports.facts import Facts, Use
from backend.trust_reports.loading import Settings, compared, sent
from backend.trust_reports.rules import Check, Level, Result, Seat, Sight
from backend.trust_reports.shapes import (
    CheckCount,
    CheckShape,
    EvidenceDetail,
    ExplanationShape,
    ReportShape,
    SummaryShape,
    UseShape,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One file as this actor may read of it: facts are whole only where the sight is."""

    sight: Sight
    facts: Facts
    results: Sequence[Result]
    refusal: str | None  # why the actor may not explain


async def detail(
    file: UUID, actor: Actor, readers: Sequence[Reader], settings: Sequence[Settings], *, english: bool
) -> EvidenceDetail:
    """The file with what this actor reads of its report. Raises NotFound outside their sight."""
    row = await evidence.find(file, actor, readers)
    judged = (await judge([file], actor, settings))[file]
    told = [wording.HINTS[hint][english] for hint in rules.hints(judged.results) if judged.sight == Sight.hints]
    report = _report(judged, await _explanations(file), english) if judged.sight == Sight.whole else None
    shaped = msgspec.structs.asdict(evidence.receipted(evidence.shape(row.to_dict())))
    return EvidenceDetail(**shaped, report=report, hints=told)


async def judge(files: Sequence[UUID], actor: Actor, settings: Sequence[Settings]) -> dict[UUID, Judged]:
    """These files, which the actor sees, each checked as far as they may read of it."""
    found = await sent(files, actor, settings)
    answers = await _seen_as(rules.ANSWER_FOR, files, actor, settings)
    inspects = await _seen_as(rules.INSPECT, files, actor, settings)
    seats = {id: Seat(id in answers, id in inspects, it.of_sender, it.kept_from) for id, it in found.items()}
    sights = {id: rules.sight(actor, it.facts.capture.by, seats[id]) for id, it in found.items()}
    whole = [it for id, it in found.items() if sights[id] == Sight.whole]
    facts = {id: it.facts for id, it in found.items()} | (await compared(whole, actor, settings) if whole else {})
    return {
        id: Judged(
            sights[id],
            facts[id],
            checking.results(facts[id]),
            rules.may_explain(actor, it.facts.capture.by, seats[id]),
        )
        for id, it in found.items()
    }


async def _seen_as(
    roles: frozenset[Role], files: Sequence[UUID], actor: Actor, settings: Sequence[Settings]
) -> set[UUID]:
    """Those of these files, which the actor sees, that are in sight by these roles alone."""
    if not actor.has(*roles):
        return set()
    if all(grant.role in roles for grant in actor.grants):
        return set(files)
    alone = actor.as_only(*roles)
    return {id for offered in settings for id in await offered(files, alone)}


async def summaries(
    records: Mapping[UUID, Sequence[UUID]], actor: Actor, settings: Sequence[Settings], *, english: bool
) -> dict[UUID, SummaryShape]:
    """By record the reports of its files, counted; none for a record of which the actor reads no file's report.

    The actor sees these records. As many statements for a hundred files as for one.
    """
    files = [file for own in records.values() for file in own]
    judged = await judge(files, actor, settings) if files else {}
    whole = {id: it.results for id, it in judged.items() if it.sight == Sight.whole}
    return {
        record: _summary([whole[file] for file in own if file in whole], english)
        for record, own in records.items()
        if any(file in whole for file in own)
    }


def _report(judged: Judged, explained: Mapping[Check, list[ExplanationShape]], english: bool) -> ReportShape:
    level = rules.worst(result.level for result in judged.results)
    checks = [
        CheckShape(
            check=result.check,
            name=wording.NAMES[result.check][english],
            level=result.level,
            sentence=wording.sentence(result, english, judged.facts.capture.photo),
            value=result.value,
            unit=result.unit,
            # Where nothing is to be explained the words may be about what this reader must not know of.
            explanations=explained.get(result.check, []) if result.level != Level.fits else [],
        )
        for result in judged.results
    ]
    uses = judged.facts.uses
    return ReportShape(
        level=level,
        sentence=wording.LEVELS[level][english],
        checks=checks,
        uses=[shaped for use in uses if (shaped := _use(use))],
        elsewhere=wording.ELSEWHERE[english] if any(use.setting is None for use in uses) else None,
        may_explain=judged.refusal is None,
    )


def _use(use: Use) -> UseShape | None:
    """Nothing of what is out of sight."""
    if use.setting is None:
        return None
    told = use.setting
    return UseShape(use.id, use.likeness, use.earlier, use.at, use.by_name, told.kind, told.place, told.link)


def _summary(files: Sequence[Sequence[Result]], english: bool) -> SummaryShape:
    counted = {check: Counter[Level]() for check in Check}
    for result in (result for results in files for result in results):
        counted[result.check][result.level] += 1
    level = rules.worst(level for counts in counted.values() for level in counts)
    checks = [
        CheckCount(
            check,
            wording.NAMES[check][english],
            rules.worst(counts),
            counts[Level.fits],
            counts[Level.unclear],
            counts[Level.contradicts],
        )
        for check, counts in counted.items()
        if counts
    ]
    return SummaryShape(level, wording.LEVELS[level][english], len(files), checks)


async def _explanations(file: UUID) -> dict[Check, list[ExplanationShape]]:
    rows: Sequence[Any] = await raw(
        "SELECT said.id, about, because, at, person.name AS by_name FROM evidence_explanation AS said "
        "JOIN person ON person.id = said.by WHERE evidence = $1 ORDER BY at, said.id",
        file,
    )
    found: dict[Check, list[ExplanationShape]] = {}
    for row in rows:
        shaped = ExplanationShape(row["id"], row["because"], row["by_name"], row["at"])
        found.setdefault(Check(row["about"]), []).append(shaped)
    return found
