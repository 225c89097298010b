"""Kinds of units, and who keeps the lists of units and regions. The levels of regions stand in region_rows.py."""

from enum import StrEnum

from backend.roles import Actor, Role

ADMINISTERS = (Role.sys_admin, Role.system)


class UnitKind(StrEnum):
    """What sort of body a unit is (domain.md a.1: banks and work groups are responsible units too)."""

    government = "government"
    department = "department"
    party = "party"
    bank = "bank"
    work_group = "work_group"
    mass_organisation = "mass_organisation"
    other = "other"


def may_keep(actor: Actor) -> str | None:
    """The lists of units, their groups, and regions."""
    return None if actor.has(*ADMINISTERS) else "只有系统管理员可以维护区划和单位。"
