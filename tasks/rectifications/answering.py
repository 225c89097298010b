"""The answer to what was written: the item as it is now, with the receipt of the record. Reads only."""

from collections.abc import Iterable
from uuid import UUID

from backend import receipts
from backend.db import raw
from backend.receipts import HasHash
from backend.roles import Actor
from tasks.rectifications import queries
from tasks.rectifications.shapes import Detail

# Of each kind of record: its table, its key there, and when it was stored.
STORED = {
    "draft": ("rectification", "id", "drafted_at"),
    "acknowledgement": ("acknowledgement", "id", "at"),
    "report": ("progress", "id", "at"),
    "hand_in": ("hand_in", "id", "at"),
    "confirmation": ("hand_in", "id", "principal_at"),
    "review": ("review", "id", "at"),
    "measure": ("measure", "id", "at"),
    "measure_end": ("measure", "id", "settled_at"),
    "objection": ("objection", "id", "at"),
    "objection_ruling": ("objection", "id", "decided_at"),
    "extension": ("extension", "id", "at"),
    "extension_decision": ("extension", "id", "decided_at"),
    "site_check": ("site_check", "id", "assigned_at"),
    "site_check_conclusion": ("site_check", "id", "concluded_at"),
    "publicity": ("publicity", "id", "at"),
    "public_objection": ("public_objection", "id", "at"),
    "public_objection_ruling": ("public_objection", "id", "decided_at"),
    "hanging": ("hanging", "id", "at"),
    "resumption": ("hanging", "resumption", "resumed_at"),
    "look_back": ("look_back", "id", "at"),
    "reopening": ("reopening", "id", "at"),
    "voiding": ("voiding", "id", "asked_at"),
}


async def stored(item: UUID, actor: Actor, kind: str, id: UUID, files: Iterable[HasHash] = ()) -> Detail:
    """The item, with the receipt of the record `id` that the running request wrote, now or at its first try.

    `files` is the manifest of the request: the command has compared it with what it found.
    """
    detail = await queries.detail(item, actor)
    table, key, at = STORED[kind]
    row = await raw(f"SELECT {at} FROM {table} WHERE {key} = $1", id)
    detail.receipt = receipts.of_record(kind, id, row[0][at], files)
    return detail
