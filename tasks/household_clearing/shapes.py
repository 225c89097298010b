"""What clearing by household looks like from outside. Masked like everything about households."""

import msgspec

from backend.households import shapes as households
from tasks.household_clearing.rules import Standing


class Tally(msgspec.Struct):
    """Counted items of one household: neither drafts nor void ones. `closed` and `hung` are parts of `counted`."""

    counted: int
    closed: int
    hung: int
    standing: Standing


class Row(households.HouseholdRow):
    """A line of a list, masked, with how far its items are."""

    tally: Tally


class Detail(households.Household):
    """One household, masked, with how far its items are."""

    tally: Tally


class Page(msgspec.Struct):
    items: list[Row]
    next: str | None


class Counts(msgspec.Struct):
    """Households with counted items: `cleared` and `not_cleared` make up all; `hung` is the part of `not_cleared` of
    which nothing but hung items is left (挂账).
    """

    households: int
    cleared: int
    not_cleared: int
    hung: int


class Part(Counts):
    """The same for one place right below the region that was asked for."""

    region: str
    region_name: str


class Clearing(Counts):
    """一户一户对账: the counts of a region, of each place below it, and page by page the households not cleared."""

    region: str
    region_name: str
    parts: list[Part]
    items: list[Row]
    next: str | None
