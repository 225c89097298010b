"""Saved views of lists. A setting of a person, not a record: it may be changed and thrown away."""

from piccolo.columns import JSONB
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import flag, key, link, moment, number, one_of, text
from backend.people.tables import Person
from backend.units.tables import Unit
from tasks.rectifications.filters import Sort


class SavedView(Table):
    """常用视图: a named filter set. `filter` is the JSON of a list's Filter; unit and region in it may end.

    `first` opens with the board; a person has at most one such, which the command sees to under the person's lock.
    """

    id = key()
    person = link(Person, index=False)
    name = text()
    filter = JSONB(null=False, default=None)
    sort = text()
    place = number()
    first = flag()
    shared_with = link(Unit, null=True)
    changed_at = moment()

    one_name_each = Unique(["person", "name"])
    sort_is_known = one_of("sort", Sort)
