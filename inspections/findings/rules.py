"""Findings: what is said about a fact seen on site. No state of its own: a finding is filed and stays as filed."""

from enum import StrEnum
from uuid import UUID

from backend.errors import Incomplete


class Severity(StrEnum):
    """How bad it is: 一般, 较重, 严重 (domain.md b.3, T12)."""

    ordinary = "ordinary"
    serious = "serious"
    grave = "grave"


class ClosingClass(StrEnum):
    """How it is to be cleared: 立行立改, 限期整改, 长期整改 (domain.md b.4)."""

    fix_now = "fix_now"
    by_date = "by_date"
    long_term = "long_term"


class NonImplementation(StrEnum):
    """Which duty was not carried out (seed 004, 十一.1)."""

    responsibility = "responsibility"
    policy = "policy"
    work = "work"


class NamedRole(StrEnum):
    """For what the inspector names a unit: to do the work, or to review it."""

    responsible = "responsible"
    lead = "lead"


def check_evidence(files: int, no_evidence_reason: str) -> None:
    """A finding shows a file or says why there is none (domain.md b.3, T1)."""
    if files == 0 and not no_evidence_reason.strip():
        raise Incomplete("请附照片，或写明没有照片的原因。", "no_evidence", field="evidence")


def check_units(responsible: frozenset[UUID], lead: frozenset[UUID]) -> None:
    """One unit cannot be asked to review itself."""
    if both := responsible & lead:
        raise Incomplete("责任单位不能同时是牵头单位。", "unit_in_two_roles", field="lead_units", unit=str(min(both)))
