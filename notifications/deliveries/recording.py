"""The stand-in for channels that are not connected: what would have been sent is kept in var/messages."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend import clock, settings
from notifications.deliveries.rules import Outcome
from notifications.deliveries.sending import Address, Answer, Message

MOST = 1000  # the oldest beyond it are removed


def folder() -> Path:
    """Where they lie, whether there are any or not."""
    return settings.load().var / "messages"


async def record(message: Message, address: Address) -> Answer:
    """Written for people who try the program: text and code are in clear, readable by the owner alone."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = clock.now()
    path = place / f"{now:%Y%m%dT%H%M%S%f}-{address.kind.value}-{address.id.hex[-6:]}-{message.id.hex[-6:]}.json"
    kept = {
        "at": clock.local(now).isoformat(timespec="seconds"),
        "channel": address.kind.value,
        "to": address.text,
        "title": message.title,
        "line": message.line,
        "link": message.link,
    }
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(kept, file, ensure_ascii=False, indent=1)
    for old in sorted(place.glob("*.json"))[:-MOST]:
        old.unlink(missing_ok=True)
    return Answer(Outcome.recorded)


def recorded(most: int = MOST) -> Iterator[dict[str, Any]]:
    """What was recorded, newest first."""
    for path in sorted(folder().glob("*.json"), reverse=True)[:most]:
        try:
            yield json.loads(path.read_text())
        except (OSError, ValueError):
            continue  # removed or being written this moment
