"""Incidents: a trouble of this Duban itself, from when to when."""

from piccolo.table import Table

from backend.columns import key, moment, number, one_of, text
from notifications.operations.rules import Trouble


class Incident(Table):
    """One of a kind is open at a time (by hand in the migrations). `count` is the most there was of it."""

    id = key()
    trouble = text()
    count = number()
    began_at = moment()
    seen_at = moment()
    ended_at = moment(null=True)

    trouble_is_known = one_of("trouble", Trouble)
