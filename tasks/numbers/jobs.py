"""Adding up what changed, so that reading stays short. Numbers are right before and after."""

from backend.db import raw, transaction


async def fold_tallies() -> int:
    """Any number of workers may call it; one of them does it. Returns how many changes were added up."""
    async with transaction():
        return (await raw("SELECT fold_tallies() AS folded"))[0]["folded"]
