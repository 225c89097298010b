"""Who was let take which original, when and why."""

from piccolo.table import Table

from backend.columns import key, link, moment, text
from backend.evidence.tables import Evidence
from backend.people.tables import Person


class OriginalAccess(Table):
    """调阅记录. The same stands in the event evidence.original_taken, for ever."""

    id = key()
    evidence = link(Evidence, index=False)
    by = link(Person, index=False)
    at = moment()
    reason = text()
