"""A request for many items, and its rows. What came of a row is in the item's own records and events as well."""

from piccolo.columns import Date
from piccolo.constraints import Unique
from piccolo.table import Table

from backend.columns import identifier, key, link, moment, octets, one_of, text
from backend.columns import number as count
from backend.people.tables import Person
from tasks.batches.rules import BatchState, BulkMove, RowState
from tasks.rectifications.item import Status


class Batch(Table):
    """One move asked for many items. `done` and `refused` are written with each row.

    `content` (what is said of all items, JSON) is forgotten once it is through; `digest` (SHA-256 of the whole request)
    stays, so that a repetition is known. `next_try_at`: from when the worker looks after it.
    """

    id = key()
    by = link(Person, index=False)
    move = text()
    content = text(null=True)
    digest = octets()
    request = text(null=True)
    made_at = moment()
    ended_at = moment(null=True)
    state = text()
    total = count()
    done = count()
    refused = count()
    tries = count()
    next_try_at = moment()
    last_error = text(null=True)

    move_is_known = one_of("move", BulkMove)
    state_is_known = one_of("state", BatchState)


class BatchRow(Table):
    """One item of a batch, under the id that the move writes with. No link to the item: it may not exist.

    `content` is what is said of this item only, forgotten when the row is through. `item_status`, `due_on`, `number`:
    the item as the move left it. `answer` to `details`: the refusal as a single request would have got it.
    """

    id = key()
    batch = link(Batch, index=False)
    position = count()
    item = identifier()
    record = identifier(null=True)
    version = count(null=True)
    content = text(null=True)
    state = text()
    item_status = text(null=True)
    due_on = Date(null=True, default=None)
    number = text(null=True)
    answer = count(null=True)
    code = text(null=True)
    sentence = text(null=True)
    field = text(null=True)
    details = text(null=True)

    one_row_a_position = Unique(["batch", "position"])
    no_item_twice = Unique(["batch", "item"])
    state_is_known = one_of("state", RowState)
    item_status_is_known = one_of("item_status", Status)
