"""Accounts, roles, sessions, failed sign-ins, known networks, recusals. What they mean stands in rules.py."""

from piccolo.columns import Date
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from backend.columns import flag, identifier, key, link, moment, number, octets, one_of, protected, text
from backend.roles import Role
from backend.units.tables import Unit


class Person(Table):
    """An account. Never deleted: it is disabled. The name as at a moment is repeated in events."""

    id = key()
    username = text(unique=True)
    name = text()
    unit = link(Unit)
    phone = text(null=True)
    password_hash = text()
    totp_secret = protected(null=True)
    totp_confirmed_at = moment(null=True)
    totp_last_step = number(null=True)
    added_at = moment()
    disabled_at = moment(null=True)

    username_is_lower_case = Check("username = lower(username)")


class RoleGrant(Table):
    """One role at one unit, from a moment to a moment."""

    id = key()
    person = link(Person)
    unit = link(Unit)
    role = text()
    granted_at = moment()
    granted_by = identifier(null=True)
    revoked_at = moment(null=True)

    role_is_known = one_of("role", Role)


class Session(Table):
    """One token of a signed-in browser or phone; only its SHA-256 is kept.

    A rotation adds a row of the same `family` and stamps `replaced_at` on the old one, good a minute more.
    """

    id = key()
    family = identifier(index=True)
    person = link(Person)
    token_hash = octets()
    browser = flag()
    made_at = moment()
    seen_at = moment(index=True)
    ends_at = moment(index=True)
    replaced_at = moment(null=True)
    revoked_at = moment(null=True)
    network = text()
    enrol_only = flag()

    one_row_per_token = Unique(["token_hash"])


class SignInFailure(Table):
    """A guess, wrong or being checked now. The name is hashed: people type passwords into that field."""

    id = key()
    username_hash = text(index=True)
    network = text(index=True)
    at = moment(index=True)


class KnownNetwork(Table):
    """Where a person has signed in: strangers' failures elsewhere never close this door."""

    id = key()
    person = link(Person, index=False)
    network = text()
    last_at = moment()

    one_row_per_place = Unique(["person", "network"])


class Recusal(Table):
    """A person keeps away from the matters of a unit (回避), until the end of a day or for good."""

    id = key()
    person = link(Person)
    unit = link(Unit)
    reason = text()
    declared_at = moment()
    ends_on = Date(null=True, default=None)
