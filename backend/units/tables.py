"""Regions, units, their other names, and groups of units. People are next door."""

from piccolo.columns import Array, Date, Text
from piccolo.columns.indexes import IndexMethod
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from backend.columns import key, link, one_of, text
from backend.units.region_rows import Level
from backend.units.rules import UnitKind


def from_day(*, null: bool = False) -> Date:
    """A legal day in Asia/Shanghai."""
    return Date(null=null, default=None)


class Region(Table):
    """A place of the administrative tree, keyed by its 12-digit code (GB/T 2260 and GB/T 10114).

    `path` holds the codes from the province down to this one: what lies in an area is found by overlap.
    """

    code = Text(primary_key=True, null=False, default=None)
    parent = link("self", null=True)
    level = text()
    name = text()
    full_name = text()
    path = Array(Text(), null=False, default=None, index=True, index_method=IndexMethod.gin)
    valid_from = from_day()
    valid_to = from_day(null=True)
    replaced_by = link("self", null=True, index=False)
    source = text()

    level_is_known = one_of("level", Level)
    code_has_twelve_digits = Check("\"code\" ~ '^[0-9]{12}$'")


class Unit(Table):
    """A body that can be given work. Never deleted: it ends with `valid_to` and may name its successor."""

    id = key()
    name = text()
    short_name = text()
    kind = text()
    region = link(Region)
    parent = link("self", null=True)
    valid_from = from_day()
    valid_to = from_day(null=True)
    successor = link("self", null=True)

    kind_is_known = one_of("kind", UnitKind)


class UnitAlias(Table):
    """Another name under which papers know the unit, from a day to a day."""

    id = key()
    unit = link(Unit)
    name = text(index=True)
    valid_from = from_day()
    valid_to = from_day(null=True)


class UnitGroup(Table):
    """A word of papers that stands for several units: 各县区, 各乡镇, 成员单位."""

    id = key()
    name = text()
    region = link(Region)

    one_name_in_a_region = Unique(["name", "region"])


class UnitGroupMember(Table):
    """A unit is in the group from a day to a day (the last day included)."""

    id = key()
    group = link(UnitGroup)
    unit = link(Unit)
    valid_from = from_day()
    valid_to = from_day(null=True)
