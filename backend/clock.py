"""The only reader of the clock. UTC inside, Asia/Shanghai for people."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def now() -> datetime:
    """This moment, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)  # noqa: TID251 (the one place)


def today() -> date:
    """The legal day: the date in Asia/Shanghai."""
    return local(now()).date()


def local(moment: datetime) -> datetime:
    """The same moment as people in China read it."""
    return moment.astimezone(SHANGHAI)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Inside, `now()` is `at` (aware). For tests and for the demo story; follows the running task only."""
    if at.tzinfo is None:
        raise ValueError("a frozen clock needs a time zone")
    token = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(token)
