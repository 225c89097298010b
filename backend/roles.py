"""Roles, what each may do in one sentence, and Actor: who is asking. No database, no HTTP."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a person is at one unit. Granted per unit, never globally (domain.md g)."""

    inspector = "inspector"
    team_lead = "team_lead"
    supervision_staff = "supervision_staff"
    supervision_leader = "supervision_leader"
    lead_unit_reviewer = "lead_unit_reviewer"
    unit_handler = "unit_handler"
    unit_principal = "unit_principal"
    leader_viewer = "leader_viewer"
    contract_leader = "contract_leader"
    sys_admin = "sys_admin"
    security_auditor = "security_auditor"
    system = "system"


MAY = {
    Role.inspector: "records arrivals and files findings on the visits of the own team",
    Role.team_lead: "answers for a team; submits its visits and issues urgent findings",
    Role.supervision_staff: "opens visits, issues rectifications, sends back; sees the area of the office's unit",
    Role.supervision_leader: "turns the second key, asks for and confirms voiding; sees the area of the office's unit",
    Role.lead_unit_reviewer: "first review of what responsible units hand in to this lead unit",
    Role.unit_handler: "acknowledges, reports and hands in for this responsible unit",
    Role.unit_principal: "the same, and confirms what the unit hands in",
    Role.leader_viewer: "reads everything in the area of the unit; acts only where the table of moves says so",
    Role.contract_leader: "reads everything in the area of the unit",
    Role.sys_admin: "accounts, regions, calendars; reads no case",
    Role.security_auditor: "reads and verifies the audit log; reads no case",
    Role.system: "what the program does by rule; never granted to a person",
}

OFFICE = frozenset({Role.supervision_staff, Role.supervision_leader})
FIELD = frozenset({Role.inspector, Role.team_lead})
RESPONSIBLE = frozenset({Role.unit_handler, Role.unit_principal})
READS_AREA = OFFICE | {Role.leader_viewer, Role.contract_leader}
# GB/T 22239-2019, 8.1.4.1: two factors for those who decide and those who administer.
NEEDS_TOTP = OFFICE | {Role.leader_viewer, Role.contract_leader, Role.sys_admin, Role.security_auditor}
# GB/T 22239-2019, 8.1.4.2: the three administrative powers exclude each other and the case work.
APART = (frozenset({Role.sys_admin}), frozenset({Role.security_auditor}))


@dataclass(frozen=True, slots=True)
class Grant:
    """One role at one unit; `area` is the 12-digit code of the unit's region."""

    role: Role
    unit: UUID
    area: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is asking, made once per request and passed as an argument. `person` is None for the program itself."""

    person: UUID | None
    name: str
    grants: tuple[Grant, ...] = ()
    recused_units: frozenset[UUID] = frozenset()
    home: UUID | None = None  # the unit the person belongs to, whatever roles are held elsewhere

    def has(self, *roles: Role) -> bool:
        return any(grant.role in roles for grant in self.grants)

    def as_only(self, *roles: Role) -> "Actor":
        """The same person with these roles alone: what is seen by one of them."""
        return replace(self, grants=tuple(grant for grant in self.grants if grant.role in roles))

    def units(self, *roles: Role) -> frozenset[UUID]:
        """Units at which one of these roles (any role, when none is named) is held."""
        return frozenset(grant.unit for grant in self.grants if not roles or grant.role in roles)

    def areas(self, *roles: Role) -> frozenset[str]:
        return frozenset(grant.area for grant in self.grants if grant.role in roles)


SYSTEM = Actor(None, "系统", (Grant(Role.system, UUID(int=0), ""),))
