"""How people want to be told, and who stands in for whom."""

from piccolo.columns import Date
from piccolo.constraints import Check
from piccolo.table import Table

from backend.columns import flag, key, link, moment, text, words
from backend.people.tables import Person
from backend.units.tables import Unit


class NoticePreference(Table):
    """A setting of a person, not a record: it is overwritten. Without a row the defaults of rules.Wishes hold.

    Times of the day are text, "07:30", by clocks in China.
    """

    person = link(Person, primary=True)
    at_once = words()
    normal = words()
    quiet_from = text()
    quiet_to = text()
    rest_days_quiet = flag()
    digest = flag()
    digest_time = text()
    changed_at = moment()


class Absence(Table):
    """请假代办: from one day to another, both included, `deputy` is told what a person would be, or a whole unit.

    Ended early it keeps its row: notices point at it.
    """

    id = key()
    person = link(Person, null=True)
    unit = link(Unit, null=True)
    deputy = link(Person)
    first_day = Date(null=False, default=None)
    last_day = Date(null=False, default=None, index=True)
    entered_by = link(Person, index=False)
    entered_at = moment()
    ended_at = moment(null=True)
    ended_by = link(Person, null=True, index=False)

    of_a_person_or_a_unit = Check('("person" IS NULL) <> ("unit" IS NULL)')
