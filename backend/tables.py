"""Ground tables: events, outbox, public keys, number series, working-day overrides. Domain tables live elsewhere."""

from piccolo.columns import Date, Text
from piccolo.table import Table

from backend.columns import flag, identifier, key, moment, number, octets, text


class Event(Table):
    """Append-only by trigger. Plain ids, no foreign keys: history outlives rows."""

    id = key()
    at = moment()
    actor = identifier(null=True)
    verb = text()
    subject = identifier(index=True)
    payload = octets()
    request = text(null=True)


class Outbox(Table):
    """One row per event that nothing has reacted to yet. `event` is the key; no foreign key, see Event.

    `told_at`: when people were told that it is parked.
    """

    event = key()
    attempts = number(default=0)
    next_try_at = moment()
    last_error = text(null=True)
    parked_at = moment(null=True)
    told_at = moment(null=True)


class SigningKey(Table):
    """The public half of every key that ever signed here: what a retired one signed can be checked for ever."""

    id = key()
    public = text(unique=True)
    published_at = moment()


class Heartbeat(Table):
    """When one of the worker's sweeps last came through, how often it should, and what it last failed with."""

    name = Text(primary_key=True, null=False, default=None)
    every_s = number()
    begun_at = moment()
    done_at = moment(null=True)
    failed_at = moment(null=True)
    error = text(null=True)


class NumberSeries(Table):
    """The last number given in a series such as ZG-210422-20261122."""

    series = Text(primary_key=True, null=False, default=None)
    last = number()


class DayOverride(Table):
    """A day that the office says is or is not a working day, with the paper that says so."""

    day = Date(null=False, default=None, primary_key=True)
    working = flag()
    source = text()
    set_at = moment()
