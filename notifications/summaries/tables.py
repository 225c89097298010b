"""Summaries that were kept: rows that nobody can change, not even the program (a trigger refuses it)."""

from piccolo.columns import Array, Text
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import key, link, moment, octets, one_of, text
from backend.columns import number as count
from notifications.summaries.words import Kind
from tasks.monthly.tables import MonthlyPeriod


class MonthlySummary(Table):
    """A month as it was told. `body` is canonical JSON, `sha256` its hash; `number` counts the supplements from 1.

    `as_of` is the instant it speaks of, the same however late the worker was; `made_at` says how late. `told` is how
    many check records have come and gone in all that was kept of the month so far, `exempt` which exemptions it knows
    to be in force (None: it was kept before that was written down): when there are others, a supplement is due.
    """

    id = key()
    period = link(MonthlyPeriod, index=False)
    kind = text()
    number = count()
    as_of = moment()
    made_at = moment()
    told = count()
    exempt = Array(Text(), null=True, default=None)
    body = octets()
    sha256 = text()

    kept_once_of_a_period = Unique(["period", "kind", "number"])
    kind_is_known = one_of("kind", Kind)
