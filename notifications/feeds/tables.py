"""Addresses under which a person's own calendar is read without signing in."""

from piccolo.table import Table

from backend.columns import key, link, moment, protected, text
from backend.people.tables import Person


class CalendarFeed(Table):
    """`secret` is the address's last part; found by its index, shown again to its owner, never in a log or an event."""

    id = key()
    person = link(Person)
    secret = protected()
    secret_index = text(index=True)
    made_at = moment()
    read_at = moment(null=True)
    revoked_at = moment(null=True)
