"""Notices: one per event and person; and the digests that say several at once outside of the app."""

from piccolo.columns import Date
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, identifier, key, link, moment, one_of, text
from backend.people.tables import Person
from backend.roles import Role
from notifications.inbox.rules import Audience, Urgency
from notifications.preferences.tables import Absence


class Digest(Table):
    """每日汇总: what waits for a person is told outside of the app once a day. Which notices: they point here."""

    id = key()
    person = link(Person, index=False)
    day = Date(null=False, default=None)
    at = moment()

    once_per_person_and_day = Unique(["person", "day"])


class Notice(Table):
    """Something a person is told. `subject` is the thing; the words are made when it is read.

    Why: as one of the audience `reason`, holding `role` at `unit`; with `absence` set, as the deputy of who is away.
    `batched`: told outside of the app by a digest, which is `digest` once it was made. `reading` is the request that
    read many at once, so that it can be undone.
    """

    id = key()
    event = identifier()
    person = link(Person, index=False)  # led by notice_inbox, see the migrations
    verb = text()
    subject = identifier()
    urgency = text()
    reason = text()
    unit = identifier(null=True)
    role = text(null=True)
    absence = link(Absence, null=True, index=False)
    at = moment()
    read_at = moment(null=True)
    reading = identifier(null=True)
    batched = flag()
    digest = link(Digest, null=True, index=False)

    once_per_event_and_person = Unique(["event", "person"])
    urgency_is_known = one_of("urgency", Urgency)
    reason_is_known = one_of("reason", Audience)
    role_is_known = one_of("role", Role)
