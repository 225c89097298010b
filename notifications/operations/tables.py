"""Incidents: a trouble of this Duban itself, from when to when."""

from piccolo.table import Table

from backend.columns import key, moment, number, one_of, text
from notifications.operations.rules import Trouble


class Incident(Table):
    """One of a kind is open at a time (by hand in the migrations). `count` is the most there was of it.

    `seen_at`: when it was there last, as far as the clock can be believed; `quiet_looks`: how often it was not since.
    """

    id = key()
    trouble = text()
    count = number()
    began_at = moment()
    seen_at = moment()
    quiet_looks = number(default=0)
    ended_at = moment(null=True)

    trouble_is_known = one_of("trouble", Trouble)
