"""Looks at this Duban itself, every minute, and when the worker comes back."""

from backend import clock, heartbeats
from notifications.operations import commands, queries


async def watch() -> None:
    """Writes down what is wrong, and what is well again. A worker that is away cannot: came_back tells of it."""
    await commands.note(await queries.standing())


async def came_back() -> None:
    """At the worker's start: when there was no sign of life for two minutes, that is an incident."""
    last, now = await heartbeats.last(), clock.now()
    if last is not None and now - last > heartbeats.AWAY:
        await commands.was_away(last, now)
