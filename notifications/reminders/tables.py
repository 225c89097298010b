"""Rules of reminders, and which reminder was given of what: once each."""

from piccolo.columns import Array, Date, Text, Time
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import identifier, key, link, moment, number, one_of, text
from backend.people.tables import Person
from backend.units.tables import Unit
from backend.workdays import Certainty, TermUnit
from notifications.inbox.rules import Urgency
from notifications.reminders.rules import Anchor


class ReminderRule(Table):
    """A line of the table of reminders (rules.Rule). Never edited: a change ends one and begins the next of the series.

    `by` and `office` are nobody's for the rules that an installation begins with.
    """

    id = key()
    series = identifier(index=True)
    replaces = link("self", null=True)
    anchor = text()
    offset = number()
    unit = text()
    at = Time(null=False, default=None)
    tells = Array(Text(), null=False, default=None)
    urgency = text()
    valid_from = Date(null=False, default=None)
    valid_to = Date(null=True, default=None)
    by = link(Person, null=True, index=False)
    office = link(Unit, null=True, index=False)
    added_at = moment()
    ended_by = link(Person, null=True, index=False)
    ended_at = moment(null=True)
    end_reason = text(null=True)

    replaced_once = Unique(["replaces"])
    anchor_is_known = one_of("anchor", Anchor)
    unit_is_known = one_of("unit", TermUnit)
    urgency_is_known = one_of("urgency", Urgency)


class Reminder(Table):
    """One rule spoke once of one target of one thing. Its event has its id.

    `subject` is what waits: the item, or its part, objection, extension, hand-in, check; or what a lead unit owes in a
    month (sources.py), which has no `item`: then `many` says how many regions. `also`: audiences, if any, beside those
    of the rule, who should have heard an earlier word on it and did not. `lapsed_at`: when it was handed over it was
    true no longer, or there was nobody to tell.
    """

    id = key()
    rule = link(ReminderRule, index=False)
    series = identifier()
    subject = identifier()
    item = identifier(null=True, index=True)
    target_on = Date(null=False, default=None)
    days_left = number()
    many = number()
    also = Array(Text(), null=True, default=None)
    certainty = text()
    at = moment()
    lapsed_at = moment(null=True)

    once = Unique(["series", "target_on", "subject"])
    certainty_is_known = one_of("certainty", Certainty)
