"""Outside the transaction: making display copies in the gate's child, and sweeping what was dropped."""

import logging
from datetime import timedelta
from uuid import UUID

from backend import clock
from backend.db import raw
from backend.errors import NoRoom
from backend.evidence import commands, gate, storage, stores
from backend.evidence.rules import State
from backend.evidence.storage import Missing, StoreAway

STUCK_AFTER = timedelta(seconds=60)

log = logging.getLogger("duban.evidence")


async def prepare(evidence: UUID) -> None:
    """Make display copy and thumbnail of a received file. Safe to run twice; ends ready or refused.

    Raises NoRoom, StoreAway or OSError when the machine could not look at it: that costs no try while the original is
    there.
    """
    row = await commands.try_prepare(evidence)
    if row is None:
        return
    if commands.spent(row):
        await commands.give_up(evidence)
        return
    store = stores.store()
    try:
        async with (
            store.local(storage.original(row.sha256)) as original,
            store.writing(storage.derived("display", evidence)) as display,
            store.writing(storage.derived("thumbnail", evidence)) as thumbnail,
        ):
            made = await gate.prepare(original, display, thumbnail)
    except Missing:
        raise
    except (NoRoom, StoreAway, OSError):
        await commands.give_back(evidence)
        raise
    if isinstance(made, gate.Refused) and made.try_again:
        return  # the machine may be to blame: the sweeper comes back to it
    if isinstance(made, gate.Refused):
        log.warning("evidence %s refused: %s", evidence, made.code)
        await commands.mark_refused(evidence, made.code)
    else:
        await commands.mark_ready(evidence)


async def sweep_received() -> int:
    """Files whose job was lost on the way: prepare them now. Returns how many.

    A full disk or an absent store ends the round: NoRoom, StoreAway.
    """
    rows = await raw(
        "SELECT id FROM evidence WHERE state = $1 AND received_at < $2 ORDER BY received_at LIMIT 20",
        State.received.value,
        clock.now() - STUCK_AFTER,
    )
    for row in rows:
        try:
            await prepare(row["id"])
        except OSError:  # the next one may fare better
            log.exception("evidence %s not prepared", row["id"])
    return len(rows)
