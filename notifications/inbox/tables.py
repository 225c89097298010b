"""Notices: one per event and person."""

from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import identifier, key, link, moment, one_of, text
from backend.people.tables import Person
from notifications.inbox.rules import Audience, Urgency


class Notice(Table):
    """Something a person is told. `subject` is the rectification; the words are made when it is read."""

    id = key()
    event = identifier()
    person = link(Person, index=False)  # led by notice_inbox, see the migrations
    verb = text()
    subject = identifier()
    urgency = text()
    reason = text()
    at = moment()
    read_at = moment(null=True)

    once_per_event_and_person = Unique(["event", "person"])
    urgency_is_known = one_of("urgency", Urgency)
    reason_is_known = one_of("reason", Audience)
