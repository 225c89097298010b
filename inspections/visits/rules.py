"""Visits: how far one is, who may do what on it, and when an arrival counts as being there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from backend import geo
from backend.errors import BadRequest, Conflict, Incomplete
from backend.roles import FIELD, OFFICE, Actor

SMALLEST_TEAM = 2  # domain.md c.1: at least two inspectors


class Status(StrEnum):
    released = "released"
    in_field = "in_field"
    submitted = "submitted"


class Kind(StrEnum):
    """Why the team goes (domain.md g, 督导检查). The Chinese words are in the screens."""

    covert = "covert"
    open = "open"
    look_back = "look_back"


@dataclass(frozen=True, slots=True)
class Visit:
    """What the questions below need to know of a visit."""

    id: UUID
    status: Status
    team: frozenset[UUID]
    leads: frozenset[UUID]
    lat: float
    lng: float
    radius_m: float
    submitted_at: datetime | None = None


def may_open(actor: Actor, area: frozenset[str]) -> str | None:
    """The office, in its own area. `area`: the place's code and those above it; none for an unknown place."""
    if not actor.has(*OFFICE):
        return "只有督查办可以下达检查。"
    return "检查地点不在本督查办的辖区内。" if area and not actor.areas(*OFFICE) & area else None


def may_record(actor: Actor, visit: Visit) -> str | None:
    """Arrivals and findings: anyone of the team, also after submission; what comes late is marked, not refused."""
    return None if actor.has(*FIELD) and actor.person in visit.team else "只有本检查组成员可以记录。"


def may_submit(actor: Actor, visit: Visit) -> str | None:
    return None if actor.has(*FIELD) and actor.person in visit.leads else "由组长提交检查。"


def check_submission(visit: Visit, arrivals: int) -> None:
    """Raises Conflict the second time, Incomplete when the team has not arrived."""
    check_open(visit)
    if arrivals == 0:
        raise Incomplete("还没有到达记录。", "no_arrival", field="arrivals")


def check_open(visit: Visit) -> None:
    if visit.status == Status.submitted:
        raise Conflict("这次检查已经提交。", "already_submitted")


def check_team(members: frozenset[UUID], leads: frozenset[UUID]) -> None:
    """Raises Incomplete when the team is too small or has no lead (domain.md g, 督查组)."""
    if len(members) < SMALLEST_TEAM:
        raise Incomplete(f"检查组至少 {SMALLEST_TEAM} 人。", "team_too_small", field="team")
    if not leads <= members or not leads:
        raise Incomplete("检查组要有组长。", "no_team_lead", field="lead")


def check_inspectors(members: frozenset[UUID], inspectors: frozenset[UUID]) -> None:
    """Raises Incomplete when one of the team is not, or no longer, an inspector or team lead."""
    if others := members - inspectors:
        told = sorted(map(str, others))
        raise Incomplete("检查组成员必须是在任的督查员或组长。", "not_an_inspector", field="team", people=told)


def arrival(visit: Visit, position: geo.Position, reason: str) -> tuple[float, bool]:
    """Metres from the target, and whether that counts as being there (domain.md c.2).

    Outside the radius a reason is needed: raises Incomplete with the distance, so that the phone can ask for it.
    """
    distance = geo.distance_m((visit.lat, visit.lng), position.point)
    inside = geo.within(distance, visit.radius_m, position.accuracy_m)
    if not inside and not reason.strip():
        raise Incomplete(
            f"距目标 {distance:.0f} 米，超出 {visit.radius_m:.0f} 米；请写明原因。",
            "outside_radius",
            field="reason",
            distance_m=round(distance, 1),
        )
    return distance, inside


def check_target(lat: float, lng: float, radius_m: float) -> None:
    geo.checked_point(lat, lng)
    if not 10 <= radius_m <= 5000:
        raise BadRequest("到达半径要在 10 米到 5000 米之间。", "bad_radius", field="radius_m")
