"""Where tests wait: for what must come true, never for a time. In vain, it says what for and what was there instead."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

PATIENCE = 120.0  # seconds, on a machine that has other things to do; what is right is there much sooner
Answer = TypeVar("Answer")


async def eventually(
    ask: Callable[[], Awaitable[Answer] | Answer],
    holds: Callable[[Answer], object] = bool,
    *,
    within: float = PATIENCE,
    pause: float = 0.05,
    more: Callable[[], str] = str,
) -> Answer:
    """The first answer of `ask` for which `holds`; `more` is what else a failure has to tell."""
    end = time.monotonic() + within
    while not holds(answer := await _asked(ask)):
        assert time.monotonic() < end, in_vain(ask, holds, answer, within, more())
        await asyncio.sleep(pause)
    return answer


def until(
    ask: Callable[[], Answer],
    holds: Callable[[Answer], object] = bool,
    *,
    within: float = PATIENCE,
    pause: float = 0.05,
    more: Callable[[], str] = str,
) -> Answer:
    """The same where no event loop runs."""
    end = time.monotonic() + within
    while not holds(answer := ask()):
        assert time.monotonic() < end, in_vain(ask, holds, answer, within, more())
        time.sleep(pause)
    return answer


def in_vain(ask: Callable[..., object], holds: Callable[..., object], answer: object, within: float, more: str) -> str:
    said = f"waited {within:g} s in vain for {_source(ask)}"
    if holds is not bool:
        said += f" to hold {_source(holds)}"
    return "\n".join(line for line in (f"{said}; the last answer was {answer!r}", more) if line)


def last_lines(log: Path, size: int = 2000) -> str:
    """What a process said last, with its name."""
    return f"── {log.name} ──\n{log.read_text(errors='replace')[-size:] if log.exists() else '(no log)'}"


async def _asked(ask: Callable[[], Awaitable[Answer] | Answer]) -> Answer:
    answer = ask()
    return await answer if inspect.isawaitable(answer) else answer  # pyright: ignore[reportReturnType]


def _source(of: Callable[..., object]) -> str:
    """A function by its name, a lambda by its line."""
    name = getattr(of, "__qualname__", repr(of))
    if not name.endswith("<lambda>"):
        return name
    try:
        return f"`{inspect.getsource(of).strip()}`"
    except OSError:
        return name
