"""Addresses of people and of units' groups, deliveries, and their attempts."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from backend.columns import flag, identifier, key, link, moment, number, one_of, protected, text, words
from backend.people.tables import Person
from backend.units.tables import Unit
from notifications.deliveries.rules import ChannelKind, DeliveryState, Outcome, Purpose


class Channel(Table):
    """An address: a person's mail address, phone number or browser, or the robot of a unit's group chat.

    `address` and `secret` (keys of a browser, signing secret of a robot) are encrypted; `address_index` finds the same
    address again. `code` is what was sent there last. Used while it is confirmed, not refused and not removed.
    """

    id = key()
    kind = text()
    person = link(Person, null=True)
    unit = link(Unit, null=True)
    address = protected()
    address_index = text(index=True)
    secret = protected(null=True)
    label = text(null=True)
    added_at = moment()
    added_by = link(Person, index=False)
    code = protected(null=True)
    code_ends_at = moment(null=True)
    code_tries = number()
    confirmed_at = moment(null=True)
    refused_at = moment(null=True)
    removed_at = moment(null=True)

    kind_is_known = one_of("kind", ChannelKind)
    of_a_person_or_a_unit = Check('("person" IS NULL) <> ("unit" IS NULL)')


class Delivery(Table):
    """One notice on its way to one person, or a code or test to one address: one chain of attempts.

    `chain` are the channels in order of trying, `channel` the one it is at, `tries` the failed ones there. `due_at` is
    when it was to begin; `next_try_at` when it is looked at next, also while an attempt runs (the end of its lease).
    `notice` has no link: it may be a digest, or the request for a code. `event` is what several share, `unit` on whose
    behalf the person is told: its group chat may be used.
    """

    id = key()
    notice = identifier()
    event = identifier(null=True)
    person = link(Person, index=False)
    unit = identifier(null=True)
    purpose = text()
    address = link(Channel, null=True)
    chain = words()
    channel = text()
    at_once = flag()
    state = text()
    tries = number()
    attempt = identifier(null=True)
    planned_at = moment()
    due_at = moment()
    next_try_at = moment()
    ended_at = moment(null=True)

    once_per_notice_and_person = Unique(["notice", "person"])
    purpose_is_known = one_of("purpose", Purpose)
    channel_is_known = one_of("channel", ChannelKind)
    state_is_known = one_of("state", DeliveryState)


class DeliveryAttempt(Table):
    """One attempt at one address. `said` is the provider's word, shortened, without addresses and secrets.

    `event` is set where a group is told: one event is told to it once.
    """

    id = key()
    delivery = link(Delivery)
    channel = text()
    address = link(Channel, null=True, index=False)
    event = identifier(null=True)
    at = moment()
    ended_at = moment(null=True)
    outcome = text()
    said = text(null=True)

    channel_is_known = one_of("channel", ChannelKind)
    outcome_is_known = one_of("outcome", Outcome)
