"""HTTP of the working-day calendar, and of reading what papers say about days."""

from datetime import date, timedelta
from typing import Annotated

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from backend import clock
from backend.calendar import commands, queries
from backend.calendar.queries import Override
from backend.errors import BadRequest
from backend.phrases.reading import Reading, read
from backend.roles import Actor
from backend.shapes import Line
from backend.workdays import Certainty

READABLE = range(1949, 2200)


class Day(msgspec.Struct):
    """`certainty` is `assumed` while the State Council's list of that year is not out."""

    day: date
    working: bool
    certainty: Certainty


class Days(msgspec.Struct):
    items: list[Day]
    overrides: list[Override]
    next: None = None


class SettledIn(msgspec.Struct, forbid_unknown_fields=True):
    working: bool
    source: Line


class PhraseIn(msgspec.Struct, forbid_unknown_fields=True):
    """`from_day` is the day of the paper, today where it is left out; `event_on` the day of the event it names."""

    text: Line
    from_day: date | None = None
    event_on: date | None = None


class CalendarController(Controller):
    path = "/api/calendar"
    tags = ["calendar"]

    @get("/", summary="Working days of a stretch, and what the office has settled")
    async def list(
        self,
        actor: NamedDependency[Actor],
        start: Annotated[date, QueryParameter(name="from")],
        days: Annotated[int, QueryParameter(ge=1, le=400)] = 31,
    ) -> Days:
        check_readable(start, "from")
        calendar = await queries.load()
        stretch = [start + timedelta(days=n) for n in range(days)]
        return Days(
            [Day(day, calendar.is_workday(day), calendar.certainty(day)) for day in stretch],
            await queries.overrides(),
        )

    @put("/{day:date}", summary="Settle whether a day is a working day", status_code=204)
    async def settle(self, day: FromPath[date], data: JSONBody[SettledIn], actor: NamedDependency[Actor]) -> None:
        await commands.settle(actor, day, working=data.working, source=data.source)


class DeadlineController(Controller):
    path = "/api/deadlines"
    tags = ["calendar"]

    @post("/readings", summary="What a deadline phrase means, for a person to confirm; writes nothing", status_code=200)
    async def read(self, data: JSONBody[PhraseIn], actor: NamedDependency[Actor]) -> Reading:
        today = clock.today()
        from_day = data.from_day or today
        check_readable(from_day, "from_day")
        check_readable(data.event_on or today, "event_on")
        return read(data.text, from_day, today, await queries.load(), data.event_on)


def check_readable(day: date, field: str) -> None:
    """Raises BadRequest for a day of another age."""
    if day.year not in READABLE:
        raise BadRequest("日期超出范围。", "bad_date", field=field)
