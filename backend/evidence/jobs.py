"""Outside the transaction: making display copies in the gate's child, and sweeping what was dropped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from backend import clock
from backend.db import raw
from backend.errors import Busy, NoRoom
from backend.evidence import commands, gate, storage, stores, sweeping
from backend.evidence.captions import Told, bar
from backend.evidence.rules import Caption, Source, State
from backend.evidence.storage import Missing, StoreAway
from backend.evidence.tables import Evidence

# What a concept above lets stand below the display copy of a file that hangs on one of its things.
Captioner = Callable[[UUID], Awaitable[Caption | None]]

STUCK_AFTER = timedelta(seconds=60)
ROUND = 20.0  # seconds of one round of the sweep
MOST_SWEPT = 1_000  # in one

log = logging.getLogger("duban.evidence")


async def prepare(evidence: UUID, captioners: Sequence[Captioner] = ()) -> None:
    """Make display copy and thumbnail of a received file. Safe to run twice; ends ready or refused.

    `captioners` are asked in turn what it hangs on lets stand below the display copy. Raises NoRoom, StoreAway or
    OSError when the machine could not look at it: that costs no try while the original is there.
    """
    row = await commands.try_prepare(evidence)
    if row is None:
        return
    if commands.spent(row):
        await commands.give_up(evidence)
        return
    try:
        made = await _drawn(row, captioners)
    except Missing:
        raise
    except (NoRoom, StoreAway, OSError):
        await commands.give_back(evidence)
        raise
    if isinstance(made, gate.Prepared):
        await commands.mark_ready(evidence, made.reading)
    elif made.try_again:
        return  # the machine may be to blame: the sweeper comes back to it
    else:
        log.warning("evidence %s refused: %s", evidence, made.code)
        await commands.mark_refused(evidence, made.code)


async def redraw(evidence: UUID, captioners: Sequence[Captioner]) -> bool:
    """Make the copies of a photo that is ready anew, from its original. False when they stay as they were.

    Raises NoRoom, StoreAway, or OSError when the original is gone or nothing can be drawn on this machine.
    """
    row = await Evidence.objects().get((Evidence.id == evidence) & (Evidence.state == State.ready))
    made = await _drawn(row, captioners) if row is not None else None
    if not isinstance(made, gate.Prepared):
        return False
    await commands.mark_redrawn(evidence, made.reading)
    return True


async def _drawn(row: Evidence, captioners: Sequence[Captioner]) -> gate.Prepared | gate.Refused:
    caption = await _first(row.id, captioners)
    told = Told(row.captured_at, Source(row.source), row.lat, row.lng, row.accuracy_m, row.received_at)
    store = stores.store()
    async with (
        store.local(storage.original(row.sha256)) as original,
        store.writing(storage.derived("display", row.id)) as display,
        store.writing(storage.derived("thumbnail", row.id)) as thumbnail,
    ):
        return await gate.prepare(original, display, thumbnail, caption=caption and bar(caption, told))


async def _first(evidence: UUID, captioners: Sequence[Captioner]) -> Caption | None:
    for captioner in captioners:
        if caption := await captioner(evidence):
            return caption
    return None


async def sweep_received(captioners: Sequence[Captioner] = (), *, seconds: float = ROUND) -> int:
    """Files whose job was lost on the way: prepare them now. Returns how many.

    As many as `seconds` allow, one after the other: the gate has room for what comes in meanwhile. A full disk or an
    absent store ends the round: NoRoom, StoreAway. By lot, so that what cannot be read on this machine, and costs no
    try, does not stand in the way of the rest for ever.
    """
    rows = await raw(
        "SELECT id FROM evidence WHERE state = $1 AND received_at < $2 ORDER BY random() LIMIT $3",
        State.received.value,
        clock.now() - STUCK_AFTER,
        MOST_SWEPT,
    )
    running = asyncio.get_running_loop().time
    until = running() + seconds
    for tried, row in enumerate(rows, 1):
        try:
            await prepare(row["id"], captioners)
        except OSError:  # the next one may fare better
            log.exception("evidence %s not prepared", row["id"])
        if running() >= until:
            return tried
    return len(rows)


async def put_back_aside() -> int:
    """What a sweep that was cut off left aside and a row refers to is where it was, whenever somebody sweeps again."""
    try:
        async with sweeping.alone():
            return await sweeping.put_back_needed(stores.store())
    except Busy:  # one is at it
        return 0
