"""Months that roll over while workers die: nothing missing, nothing double, the same bytes (issue of the fifteenth)."""

import asyncio
from collections.abc import Awaitable, Generator
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from backend import clock
from backend.db import raw
from notifications.summaries import verifying
from notifications.summaries.words import Kind
from tasks.monthly import queries as monthly
from tests import make, summaries_make
from tests.monthly_make import COUNTIES, DEPARTMENTS, at
from tests.summaries_make import City, ensure


class Killed:
    """Work that is cut off at its nth wait, as by the end of its process; what it had not committed is undone."""

    def __init__(self, work: Awaitable[Any], waits: int) -> None:
        self.work, self.waits = work, waits

    def __await__(self) -> Generator[Any, Any, bool]:
        """Whether it was cut off before it was done."""
        steps, waited, cut = self.work.__await__(), 0, False
        try:
            while True:
                waited += 1
                if waited == self.waits:
                    cut = True
                    wait = steps.throw(asyncio.CancelledError())
                else:
                    wait = steps.send(None)
                yield wait
        except StopIteration:
            return False
        except asyncio.CancelledError:
            if not cut:
                raise
            return True


async def killed(moment: datetime, waits: int) -> bool:
    return await Killed(ensure(moment), waits)


def months(count: int) -> list[tuple[int, int]]:
    """Year and month from March 2026 on."""
    return [((2 + n) // 12 + 2026, (2 + n) % 12 + 1) for n in range(count)]


async def roll_over(c: City, year: int, month: int, faults: list[int]) -> int:
    """A month with checks in time and one late; the worker dies at each of these waits. How often it did."""
    name, died = f"{year}-{month:02}", 0
    await ensure(at(month, 1, 8, year=year))
    with clock.frozen(at(month, 9, year=year)):
        for lead in DEPARTMENTS[:3]:
            await c.check(name, lead, COUNTIES[month % len(COUNTIES)])
    for place, wait in enumerate(faults):
        moment = at(month, 15, 17, 10, year=year) if place % 3 == 0 else at(month, 16, 0, 6 + place, year=year)
        died += await killed(moment, wait)
    with clock.frozen(at(month, 16, 9, year=year)):
        await c.check(name, DEPARTMENTS[3], make.XINBIN)
    for wait in faults:
        died += await killed(at(month, 17, 0, 6, year=year) + timedelta(minutes=wait), wait)
    await ensure(at(month, 18, year=year))
    return died


async def proven(c: City, count: int) -> None:
    """0 missing, 0 double: one freeze and one supplement a month, one event each, and all of it comes out again."""
    rows = await raw("SELECT period, kind, number, count(*) AS n FROM monthly_summary GROUP BY 1, 2, 3")
    assert {row["n"] for row in rows} == {1}
    kinds = [row["kind"] for row in rows]
    assert (kinds.count("frozen"), kinds.count("supplement")) == (count, count)
    events = await raw(
        "SELECT verb, count(*) AS n, count(DISTINCT subject) AS things FROM event "
        "WHERE verb IN ('month.frozen', 'month.supplemented', 'month.previewed') GROUP BY verb ORDER BY verb"
    )
    told = {row["verb"]: (row["n"], row["things"]) for row in events}
    assert told["month.frozen"] == told["month.supplemented"] == (count, count)
    assert told.get("month.previewed", (0, 0))[0] == kinds.count("preview")
    for name in (f"{year}-{month:02}" for year, month in months(count)):
        period = await monthly.period(await c.period(name))
        found = await verifying.of_period(period)
        assert all(it.intact and it.same for it in found), name
        frozen = next(it for it in await c.kept(name) if it.kind == Kind.frozen)
        assert (frozen.summary.counts.done, frozen.summary.counts.missing) == (3, 53)


async def test_the_worker_dies_while_two_months_roll_over(fresh: None) -> None:
    c = await summaries_make.city(date(2026, 3, 1))
    died = [await roll_over(c, year, month, [2, 6, 11, 17, 23, 28]) for year, month in months(2)]
    assert sum(died) >= 12, "it did die"
    await proven(c, 2)


@pytest.mark.long
async def test_twenty_four_months_with_twenty_faults_each(fresh: None, record_property) -> None:
    c = await summaries_make.city(date(2026, 3, 1))
    died = [await roll_over(c, year, month, list(range(1, 40, 2))) for year, month in months(24)]
    await proven(c, 24)
    record_property("months, deaths of the worker", f"24, {sum(died)}")
    assert min(died) >= 20
