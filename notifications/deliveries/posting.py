"""One HTTP request to a provider, in a thread with limits: to allowed origins only, no redirects, no long answers.

No answer takes longer than WHOLE_WITHIN, from the connection to its last byte, however slowly it trickles in: lines.py.
Every word of a provider is untrusted. Nothing here logs an address, a body or an exception's text: they hold keys.
"""

import asyncio
import contextvars
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from backend import clock
from notifications.deliveries import lines
from notifications.deliveries.rules import Outcome
from notifications.deliveries.sending import Answer, told

CONNECT_WITHIN, READ_WITHIN, WHOLE_WITHIN = 4.0, 8.0, 12.0
MOST_ANSWER = 16 * 1024
LONGEST_WAIT = timedelta(hours=1)  # a provider that asks for more is asked again then

for loud in ("urllib3", "requests"):  # at DEBUG they write paths, and a robot's key is in its path
    logging.getLogger(loud).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the provider answered."""

    status: int
    body: bytes = field(repr=False)
    after: timedelta | None = None


class NotAllowed(Exception):
    """The address is not one of the origins that may be asked. The text names none."""


def origin_of(url: str) -> str:
    """Scheme, host and port as written; empty for what is no plain URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if not host or parts.username or parts.password or not re.fullmatch(r"[A-Za-z0-9.-]+", host):
        return ""
    return f"{parts.scheme}://{host.lower()}" + (f":{port}" if port else "")


def allowed(url: str, origins: Iterable[str]) -> bool:
    """Whether the URL lies in one of these origins; `*.` stands for one or more labels, never for none."""
    origin = origin_of(url)
    return bool(origin) and any(
        re.fullmatch(re.escape(known.lower()).replace(r"\*\.", r"([a-z0-9-]+\.)+"), origin) for known in origins
    )


def post(url: str, *, origins: Iterable[str], data: Any, headers: Mapping[str, str], method: str = "POST") -> Heard:
    """Runs in a thread. Raises NotAllowed, TimeoutError, requests.RequestException."""
    if not allowed(url, origins):
        raise NotAllowed
    with lines.cut_after(WHOLE_WITHIN), requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, lines.Adapter())
        answer = session.request(
            method, url, data=data, headers=dict(headers), timeout=(CONNECT_WITHIN, READ_WITHIN),
            allow_redirects=False, stream=True,
        )  # fmt: skip
        body = bytearray()
        for piece in answer.iter_content(4096):
            body += piece
            if len(body) >= MOST_ANSWER:
                break
        return Heard(answer.status_code, bytes(body), _after(answer.headers.get("Retry-After", "")))


async def in_thread(pool: ThreadPoolExecutor, ask: Callable[[], Answer]) -> Answer:
    """What `ask` answers, or that nobody answered in time. Its thread ends by itself: within WHOLE_WITHIN, and
    CONNECT_WITHIN for a try that had begun, and what the system takes to find the provider's addresses, which nobody
    can cut short.
    """
    loop, here = asyncio.get_running_loop(), contextvars.copy_context()
    try:
        return await asyncio.wait_for(loop.run_in_executor(pool, here.run, ask), WHOLE_WITHIN + READ_WITHIN)
    except TimeoutError:
        return Answer(Outcome.slow, ill=True)


def fallen(trouble: Exception) -> Answer:
    """The answer where none came."""
    match trouble:
        case NotAllowed():
            return Answer(Outcome.refused, "not allowed here")
        case TimeoutError() | requests.Timeout():
            return Answer(Outcome.slow, ill=True)
        case _:  # its text holds the whole address
            return Answer(Outcome.failed, type(trouble).__name__, ill=True)


def by_status(heard: Heard, hide: tuple[str, ...] = ()) -> Answer:
    """What an HTTP status means where a provider says no more."""
    said = f"HTTP {heard.status} {told(heard.body.decode(errors='replace'), hide=hide)}".strip()
    match heard.status:
        case status if 200 <= status < 300:
            return Answer(Outcome.sent)
        case 429:
            return Answer(Outcome.limited, said, after=heard.after)
        case 503:
            return Answer(Outcome.failed, said, ill=True, after=heard.after)
        case status if status >= 500 or status == 408:
            return Answer(Outcome.failed, said, ill=True)
        case _:
            return Answer(Outcome.refused, said)


def _after(text: str) -> timedelta | None:
    """Retry-After (RFC 9110, 10.2.3): seconds or a date."""
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(text) - clock.now()
    except (ValueError, TypeError):
        return None
    return max(timedelta(0), min(wait, LONGEST_WAIT))
