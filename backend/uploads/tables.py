"""Uploads: one row per file that is being sent in pieces. Its bytes lie on the disk; their number is the offset."""

from piccolo.table import Table

from backend.columns import identifier, key, link, moment, number, text
from backend.people.tables import Person


class Upload(Table):
    """May be older than the declaration of its evidence, hence no link to it. Deleted when it expires."""

    id = key()
    evidence = identifier(index=True)
    person = link(Person)
    length = number()
    metadata = text()
    created_at = moment()
    begun_at = moment(null=True)
    expires_at = moment(index=True)
    finished_at = moment(null=True)
