"""What doctor says of a database of one's own."""

import asyncio

from backend import doctor
from backend.db import raw
from backend.settings import load


def told() -> list[doctor.Finding]:
    return [found for found in doctor.look(load()) if found.name == "数据库"]


async def test_a_database_that_may_forget_what_was_committed_is_no_place_for_receipts(client):
    name = (await raw("SELECT current_database() AS name"))[0]["name"]
    await raw(f'ALTER DATABASE "{name}" RESET synchronous_commit')
    try:
        (before,) = await asyncio.to_thread(told)
    finally:
        await raw(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    assert not before.bad
    _, lax = await asyncio.to_thread(told)
    assert lax.bad and "synchronous_commit" in lax.text and "fsync" not in lax.text
