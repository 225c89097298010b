"""Three months of the monthly check with the clock moved: from the first day of November over the turn of the year.

The worker's own schedules run at the hours at which something may happen; people do what they do over HTTP. In December
the worker is away for three days around the 15th.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from backend import clock, worker
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor, Role
from backend.workdays import Calendar
from tests import make, monthly_make, reminders_make, summaries_make
from tests.monthly_make import COUNTIES, at
from tests.summaries_make import City

SCHEDULES = ("start_periods", "sweep_silent", "sweep_reminders", "drain", "sweep_digests", "ensure_summaries", "drain")
HOURS = ((0, 6), (9, 1), (15, 1), (17, 6))
MISSED = ("市卫健委", make.XINBIN)
NEVER_CHECKED = "市卫健委"


class Months:
    """The city while its three months pass."""

    def __init__(self, city: City, client: httpx.AsyncClient) -> None:
        self.city, self.client, self.now = city, client, at(11, 1, 8)
        self.away: tuple[datetime, datetime] | None = None

    async def until(self, moment: datetime) -> None:
        """Time passes; at each hour that matters the worker does what is due, unless it is away."""
        for tick in _ticks(self.now, moment):
            if not (self.away and self.away[0] <= tick < self.away[1]):
                with clock.frozen(tick):
                    for name in SCHEDULES:
                        await worker.CRON[name][0]()
        self.now = moment

    async def ask(self, person: Actor, method: str, path: str, **body: Any) -> Any:
        """What somebody does over HTTP at this moment."""
        with clock.frozen(self.now):
            headers = await make.signed_in(person)
            answer = await self.client.request(method, path, headers=headers, json=body or None)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def water_checks(self, month: str, county: str, **said: Any) -> UUID:
        """The water bureau tells of a check of a county that it made an hour ago."""
        with clock.frozen(self.now):
            cells = await monthly_make.cells(await self.city.period(month))
        id = uuid7()
        body = {
            "cell": str(cells[self.city.rule.units["市水务局"], county]), "place": "腰站村", "found": "水池渗漏。",
            "went": ["李红梅"],
            "finished_at": (self.now - timedelta(hours=1)).isoformat(), "found_count": 2, "solved_count": 1,
        }  # fmt: skip
        await self.ask(self.city.it.reviewer, "PUT", f"/api/monthly/records/{id}", **(body | said))
        return id

    async def others_check(self, month: str) -> None:
        """The other departments check every county but the one that 市卫健委 leaves out; water does its own."""
        with clock.frozen(self.now):
            await self.city.checks(month, {MISSED, *(("市水务局", county) for county in COUNTIES)})


def _ticks(start: datetime, end: datetime) -> Iterator[datetime]:
    day = clock.local(start).date()
    while day <= clock.local(end).date():
        for hour, minute in HOURS if 13 <= day.day <= 18 or day.day == 27 else HOURS[1:2]:
            moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.SHANGHAI)
            if start < moment <= end:
                yield moment
        day += timedelta(days=1)


@pytest.fixture
async def city(client: httpx.AsyncClient) -> Months:
    with clock.frozen(at(10, 1)):
        await reminders_make.entered(date(2026, 10, 1))
    return Months(await summaries_make.city(date(2026, 11, 1)), client)


async def test_three_months_with_the_fifteenth_in_each(city: Months) -> None:
    c = city.city
    owed = await make.person("卫健赵", Role.lead_unit_reviewer, at=c.rule.units[NEVER_CHECKED])
    item = await _november(city)
    await _december(city)
    await _january(city, item)

    await _every_month_is_frozen_once(city)
    await _every_reminder_was_given_once(item)
    await _digests_came_once_a_day_on_working_days()
    await _the_department_that_never_checked_was_reminded(owed)
    read = await city.ask(c.leader, "GET", "/api/notices?limit=100")
    frozen = [line for line in read["items"] if line["verb"] == "month.frozen"]
    assert len(frozen) == 3 and {line["link"].split("?")[0] for line in frozen} == {
        f"/api/summaries/{month}" for month in ("2026-11", "2026-12", "2027-01")
    }  # fmt: skip
    for line in frozen:
        assert (await city.ask(c.leader, "GET", line["link"]))["summary"]["kind"] == "frozen"


async def _november(city: Months) -> UUID:
    """Nearly all is checked in time; one check hands a problem over; one tells of its check a day late."""
    c, item = city.city, uuid7()
    await city.until(at(11, 6, 10))
    await city.others_check("2026-11")
    for county in COUNTIES[1:]:
        await city.water_checks("2026-11", county)
    problem = {"id": str(item), "topic": "0304", "facts": "水池渗漏，十二户水压不足。", "due_on": "2026-11-27",
               "responsible": str(c.it.responsible)}  # fmt: skip
    await city.water_checks("2026-11", make.XINBIN, handed_over=[problem])
    await city.until(at(11, 7, 10))
    seen = await city.ask(c.it.handler, "GET", f"/api/rectifications/{item}")
    assert (seen["status"], seen["source"], seen["due_on"]) == ("issued", "monthly_check", "2026-11-27")
    await city.until(at(11, 16, 10))
    told = await city.ask(c.leader, "GET", "/api/summaries/2026-11")
    assert (told["summary"]["counts"]["done"], told["summary"]["counts"]["missing"]) == (55, 1)
    assert told["summary"]["handed_over"][0]["stands"] == "in_work" and told["supplements"] == []
    with clock.frozen(city.now):
        await c.check("2026-11", *MISSED, finished_at=at(11, 14))
    await city.until(at(11, 18, 10))
    told = await city.ask(c.leader, "GET", "/api/summaries/2026-11")
    assert told["summary"]["counts"]["missing"] == 1, "the frozen numbers stay"
    assert [line["state"] for line in told["supplements"][0]["supplement"]["lines"]] == ["done_late"]
    return item


async def _december(city: Months) -> None:
    """Water forgets a county, and the worker is away from the 14th to the 17th."""
    c = city.city
    await city.until(at(12, 8, 10))
    await city.others_check("2026-12")
    for county in COUNTIES[1:]:
        await city.water_checks("2026-12", county)
    city.away = (at(12, 14, 0), at(12, 17, 8))
    await city.until(at(12, 15, 23, 30))
    await city.water_checks("2026-12", COUNTIES[0])
    await city.until(at(12, 16, 11))
    with clock.frozen(city.now):
        await c.check("2026-12", *MISSED, finished_at=at(12, 14))
    await city.until(at(12, 17, 10))
    told = await city.ask(c.leader, "GET", "/api/summaries/2026-12")
    assert (told["summary"]["counts"]["done"], told["summary"]["counts"]["missing"]) == (55, 1)
    assert told["summary"]["as_of"] == "2026-12-15T16:00:00Z" and told["made_at"] > "2026-12-17"
    assert len(told["supplements"]) == 1 and told["supplements"][0]["as_of"] == "2026-12-16T16:00:00Z"


async def _january(city: Months, item: UUID) -> None:
    """Over the turn of the year, with a calendar that ends at it; the problem of November is still open."""
    await city.until(at(1, 7, 10, year=2027))
    await city.others_check("2027-01")
    await city.until(at(1, 20, 10, year=2027))
    told = await city.ask(city.city.leader, "GET", "/api/summaries/2027-01")
    summary = told["summary"]
    assert (summary["counts"]["done"], summary["counts"]["missing"]) == (48, 8)
    assert [line["id"] for line in summary["carried_over"]] == [str(item)] and summary["items"]["carried_over"] == 1
    grounds = {(it["ground"], it["name"]) for it in summary["candidates"]}
    assert grounds == {("long_overdue", "新宾县水务局")}, "what was missing in December came late"
    assert summary["previous"]["month"] == "2026-12"
    county = await city.ask(city.city.county_head, "GET", "/api/summaries/2027-01")
    assert not county["whole"] and {cell["region"] for cell in county["summary"]["cells"]} == {make.XINBIN}


async def _every_month_is_frozen_once(city: Months) -> None:
    rows = await raw(
        "SELECT month, kind, number, count(*) AS n FROM monthly_summary AS kept "
        "JOIN monthly_period ON monthly_period.id = kept.period GROUP BY 1, 2, 3 ORDER BY month, kind, number"
    )
    assert {row["n"] for row in rows} == {1}
    assert [(row["month"], row["kind"]) for row in rows] == [
        ("2026-11", "frozen"), ("2026-11", "preview"), ("2026-11", "supplement"),
        ("2026-12", "frozen"), ("2026-12", "supplement"),  # the worker was away on the day of the look ahead
        ("2027-01", "frozen"), ("2027-01", "preview"),
    ]  # fmt: skip
    for month in ("2026-11", "2026-12", "2027-01"):
        found = await city.ask(city.city.leader, "GET", f"/api/summaries/{month}/verification")
        assert all(it["intact"] and it["same"] for it in found["items"]), month


async def _every_reminder_was_given_once(item: UUID) -> None:
    """By rule, target and thing; and of the item each stage of its date, once, however often the sweep ran."""
    rows = await raw("SELECT series, target_on, subject, count(*) AS n FROM reminder GROUP BY 1, 2, 3")
    assert rows and {row["n"] for row in rows} == {1}
    notices = await raw("SELECT event, person, count(*) AS n FROM notice GROUP BY 1, 2")
    assert {row["n"] for row in notices} == {1}
    given = await raw(
        'SELECT rule."offset", count(*) AS n FROM reminder JOIN reminder_rule AS rule ON rule.id = reminder.rule '
        "WHERE item = $1 AND rule.anchor = 'due' AND lapsed_at IS NULL GROUP BY 1 ORDER BY 1",
        item,
    )
    assert [(row["offset"], row["n"]) for row in given] == [(-7, 1), (-3, 1), (-1, 1), (0, 2), (1, 1), (3, 1), (10, 1)]


async def _digests_came_once_a_day_on_working_days() -> None:
    rows = await raw("SELECT person, day, (SELECT count(*) FROM notice WHERE digest = digest.id) AS told FROM digest")
    assert len(rows) > 20 and min(row["told"] for row in rows) > 0
    assert max(Counter((row["person"], row["day"]) for row in rows).values()) == 1
    assert all(Calendar().is_workday(row["day"]) for row in rows)


async def _the_department_that_never_checked_was_reminded(owed: Actor) -> None:
    """In each of the three months, before the day and on it; afterwards that it is missing."""
    rows = await raw("SELECT verb, count(*) AS n FROM notice WHERE person = $1 GROUP BY verb", owed.person)
    told = {row["verb"]: row["n"] for row in rows}
    assert told["reminder.month_near"] >= 6 and told["reminder.month_today"] >= 2 and told["reminder.month_missed"] >= 2
