"""Households of the ledger, the people in them, and who read their full values and why."""

from piccolo.table import Table

from backend.columns import key, link, moment, number, one_of, protected, text
from backend.households.rules import Category, Relation, ViewReason
from backend.people.tables import Person
from backend.units.tables import Region


class Household(Table):
    """户. The village's path is repeated for lists, as on rectifications. `entered_as` knows a repeated request.

    An ID number is given to one household of a county: a unique index beside the other hand-written ones.
    """

    id = key()
    region = link(Region, index=False)
    province = text(null=True)
    prefecture = text(null=True)
    county = text(null=True)
    township = text(null=True)
    household_number = text()
    category = text()
    head_name = protected()
    id_number = protected(null=True)
    id_number_index = text(null=True)
    phone = protected(null=True)
    population = number()
    version = number()
    entered_as = text()
    entered_by = link(Person)
    entered_at = moment()
    corrected_at = moment(null=True)

    category_is_known = one_of("category", Category)


class HouseholdPerson(Table):
    """Somebody of the household beside its head. Who leaves is stamped, never deleted."""

    id = key()
    household = link(Household)
    name = protected()
    id_number = protected(null=True)
    id_number_index = text(null=True)
    relation = text()
    entered_as = text()
    added_by = link(Person)
    added_at = moment()
    removed_by = link(Person, null=True)
    removed_at = moment(null=True)

    relation_is_known = one_of("relation", Relation)


class HouseholdView(Table):
    """调阅记录: the full values were read. The same stands in the event household.viewed, for ever."""

    id = key()
    household = link(Household, index=False)
    by = link(Person, index=False)
    at = moment()
    reason_code = text()
    reason = text()

    reason_is_known = one_of("reason_code", ViewReason)
