"""Which providers are ill: after some failures in a row one is left alone for a while. Each worker knows its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

OPEN_AFTER = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=5)


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    pause: timedelta = FIRST_PAUSE
    closed_at: datetime | None = None  # when the next attempt is let through


_circuits: dict[str, _Circuit] = {}


def rests_until(provider: str, now: datetime) -> datetime | None:
    """Until when it is left alone; None: try it. When the pause is over, one attempt is let through to look."""
    it = _circuits.get(provider)
    if it is None or it.closed_at is None:
        return None
    if now < it.closed_at:
        return it.closed_at
    it.closed_at = now + it.pause  # this one looks; the others wait for what it finds
    return None


def noted(provider: str, ill: bool, now: datetime) -> None:
    """What an attempt found out about the provider itself."""
    if not ill:
        _circuits.pop(provider, None)
        return
    it = _circuits.setdefault(provider, _Circuit())
    it.failures += 1
    if it.failures >= OPEN_AFTER:
        if it.failures > OPEN_AFTER:
            it.pause = min(it.pause * 2, LONGEST_PAUSE)
        it.closed_at = now + it.pause


def resting(now: datetime) -> dict[str, datetime]:
    """The providers that are left alone now, and until when."""
    return {name: it.closed_at for name, it in _circuits.items() if it.closed_at and now < it.closed_at}


def forget() -> None:
    """Every provider counts as well again."""
    _circuits.clear()
