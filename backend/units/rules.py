"""Kinds of units and groups. The levels of regions stand in region_rows.py."""

from enum import StrEnum


class UnitKind(StrEnum):
    """What sort of body a unit is (domain.md a.1: banks and work groups are responsible units too)."""

    government = "government"
    department = "department"
    party = "party"
    bank = "bank"
    work_group = "work_group"
    mass_organisation = "mass_organisation"
    other = "other"
