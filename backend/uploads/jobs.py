"""Sweepers: whole files whose declaration came later, and uploads that nobody went on with."""

import logging
from datetime import timedelta

from backend import clock
from backend.errors import Busy, Forbidden, NoRoom, Problem
from backend.evidence.stores import intake
from backend.people import queries as people
from backend.roles import Actor
from backend.uploads import commands, partials, queries, receiving
from backend.uploads.partials import Partial
from backend.uploads.queries import UploadRow

ORPHAN_AFTER = timedelta(hours=1)  # a file is made before its row

log = logging.getLogger("duban.uploads")


async def sweep_whole() -> int:
    """Takes in whole files that are declared by now, and those whose end was cut off. Returns how many were tried.

    The files themselves are the queue. A full disk and a store that is away end the round.
    """
    found = await queries.declared(partials.sealed(intake()))
    for upload in found:
        try:
            await receiving.finish(upload, await _sender(upload))
        except (NoRoom, Busy) as trouble:  # the others would fare no better
            log.warning("whole uploads wait: %s", trouble.code)
            break
        except Problem as refusal:  # told in the log by finish; the file is missing from its finding, as it was
            log.info("upload %s: %s", upload.id, refusal.code)
        except OSError:  # the next one may fare better
            log.exception("upload %s not taken in", upload.id)
    return len(found)


async def sweep_expired() -> int:
    """Forgets uploads without a byte for so long, and files whose row is gone. Returns how many."""
    expired = await commands.forget_expired()
    for upload in expired:
        Partial(intake(), upload).remove()
    return len(expired) + await _sweep_orphans()


async def _sweep_orphans() -> int:
    old = partials.untouched(intake(), clock.now() - ORPHAN_AFTER)
    known = await queries.known(old)
    orphans = [upload for upload in old if upload not in known]
    for upload in orphans:
        Partial(intake(), upload).remove()
    return len(orphans)


async def _sender(upload: UploadRow) -> Actor:
    """As they are now: what is stored is stored in their name."""
    try:
        return await people.acting(upload.person, clock.now(), totp_enforced=False)
    except Forbidden:  # the account was closed; the file had come before
        return Actor(upload.person, (await people.find(upload.person)).name)
