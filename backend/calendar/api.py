"""HTTP of the working-day calendar."""

from datetime import date, timedelta
from typing import Annotated

import msgspec
from litestar import Controller, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from backend.calendar import commands, queries
from backend.calendar.queries import Override
from backend.errors import BadRequest
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
        if start.year not in READABLE:
            raise BadRequest("日期超出范围。", "bad_date", field="from")
        calendar = await queries.load()
        stretch = [start + timedelta(days=n) for n in range(days)]
        return Days(
            [Day(day, calendar.is_workday(day), calendar.certainty(day)) for day in stretch],
            await queries.overrides(),
        )

    @put("/{day:date}", summary="Settle whether a day is a working day", status_code=204)
    async def settle(self, day: FromPath[date], data: JSONBody[SettledIn], actor: NamedDependency[Actor]) -> None:
        await commands.settle(actor, day, working=data.working, source=data.source)
