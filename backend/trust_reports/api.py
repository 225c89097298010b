"""HTTP of trust reports: one file with its report, and what reviewers explain."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter, JSONBody

from backend.evidence.api import EvidenceController
from backend.evidence.queries import Reader
from backend.roles import Actor
from backend.trust_reports import commands, queries
from backend.trust_reports.loading import Settings
from backend.trust_reports.shapes import EvidenceDetail, ExplanationIn

Language = Annotated[str, HeaderParameter(name="Accept-Language", max_length=200)]


def english(language: str) -> bool:
    return language.lower().startswith("en")


class ReportedEvidenceController(EvidenceController):
    """Everything under /api/evidence: litestar wants the handlers of one path in one controller."""

    @get("/{evidence_id:uuid}", summary="How far a file has come, its receipt once it is stored, and its trust report")
    async def show(
        self,
        evidence_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        readers: NamedDependency[Sequence[Reader]],
        settings: NamedDependency[Sequence[Settings]],
        language: Language = "zh-CN",
    ) -> EvidenceDetail:
        return await queries.detail(evidence_id, actor, readers, settings, english=english(language))

    @post("/{evidence_id:uuid}/explanations", summary="情况说明: why a check of the report does not fit")
    async def explain(
        self,
        evidence_id: FromPath[UUID],
        data: JSONBody[ExplanationIn],
        actor: NamedDependency[Actor],
        readers: NamedDependency[Sequence[Reader]],
        settings: NamedDependency[Sequence[Settings]],
        language: Language = "zh-CN",
    ) -> EvidenceDetail:
        said = {"id": data.id, "check": data.check, "because": data.because}
        await commands.explain(evidence_id, actor, readers, settings, **said)
        return await queries.detail(evidence_id, actor, readers, settings, english=english(language))
