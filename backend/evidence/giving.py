"""Stored bytes on their way out. Who may have them was asked before."""

import logging

from backend.errors import Unreadable
from backend.evidence import stores
from backend.evidence.storage import Missing, Outgoing

log = logging.getLogger("duban.evidence")


async def outgoing(name: str, span: tuple[int, int] | None = None, *, size: int | None = None) -> Outgoing:
    """The bytes of an object that a row says is there, of this size where the row knows it.

    That they are not there is an incident: logged, told in a sentence. Raises Unreadable, StoreAway.
    """
    try:
        found = await stores.store().read(name, span)
    except Missing:
        log.error("%s is missing from the store", name)
    else:
        if size is None or found.size == size:
            return found
        log.error("%s is damaged: %d bytes instead of %d", name, found.size, size)
    raise Unreadable("文件在存储里找不到或已损坏，请告知管理员。", "evidence.lost")
