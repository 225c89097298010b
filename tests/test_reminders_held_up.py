"""Reminders that were given and could not be handed over for days: what is not so any more is said to nobody."""

import asyncio
from datetime import date
from typing import Any

import pytest

from backend import clock, outbox
from backend.calendar import queries as calendar
from backend.db import DB, raw
from backend.roles import Role
from backend.workdays import Calendar
from backend.worker import REACTIONS
from notifications.inbox import reactions as inbox
from notifications.reminders import queries, rules
from notifications.reminders.rules import Anchor, Phase, worth_telling
from notifications.reminders.sources import HANDING_OVER
from notifications.reminders.sweeping import give
from tasks.rectifications.item import Status
from tests import make, monthly_make
from tests import reminders_make as reminders
from tests.reminders_make import settled, swept, told
from tests.waiting import eventually

THURSDAY, FRIDAY, SATURDAY = date(2026, 12, 3), date(2026, 12, 4), date(2026, 12, 5)


async def handed_over(day: date, at: str) -> None:
    """The worker is back: the outbox is first."""
    with clock.frozen(reminders.moment(day, at)):
        await outbox.drain(REACTIONS)


@pytest.fixture
async def item(fresh, noon):
    await reminders.entered()
    return await make.rectification(await make.cast(), Status.working, due_on=FRIDAY)


async def test_one_day_left_is_not_said_when_the_day_is_over(item):
    assert await swept(THURSDAY)
    await handed_over(SATURDAY, "08:00")
    assert await told() == {}
    assert not await raw("SELECT 1 FROM reminder WHERE lapsed_at IS NULL")


async def test_what_is_so_still_is_said_late(item):
    await swept(THURSDAY)
    await handed_over(THURSDAY, "23:00")
    assert [*await told()] == ["reminder.due_near"]


async def test_of_a_month_only_the_latest_is_said_when_several_were_held_up(fresh):
    await reminders.entered()
    with clock.frozen(monthly_make.at(11, 2)):
        city = await monthly_make.fushun(valid_from=date(2026, 11, 1))
        await monthly_make.begun(city)
        await make.person("教育审核", Role.lead_unit_reviewer, at=city.units["市教育局"])
    assert await swept(date(2026, 11, 4)) and await swept(date(2026, 11, 10))
    await handed_over(date(2026, 11, 10), "09:01")
    assert [*await told()] == ["reminder.month_near"]
    assert len(await raw("SELECT 1 FROM notice JOIN person ON person.id = person WHERE name = '教育审核' "
                         "AND verb = 'reminder.month_near'")) == 1  # fmt: skip
    assert await swept(date(2026, 11, 12))
    await handed_over(date(2026, 11, 16), "08:00")
    assert [*await told()] == ["reminder.month_near"]
    await settled(date(2026, 11, 16))
    assert [*await told()] == ["reminder.month_missed", "reminder.month_near"]


async def test_a_step_given_while_the_one_before_is_being_handed_over_tells_nobody_twice(fresh, noon, monkeypatch):
    """The unit's word of the first day late was held up until the third, when its principal and lead unit hear."""
    await reminders.entered()
    await make.rectification(await make.cast(), Status.working, due_on=FRIDAY)
    await handed_over(date(2026, 11, 24), "13:00")
    await swept(date(2026, 12, 7))
    told_by, halfway, sweeping = inbox.tell, asyncio.Event(), asyncio.Event()

    async def slowly(*said: Any) -> None:
        await told_by(*said)
        halfway.set()
        await sweeping.wait()

    monkeypatch.setattr(inbox, "tell", slowly)
    handing = asyncio.ensure_future(handed_over(date(2026, 12, 9), "09:00"))
    await halfway.wait()
    giving = asyncio.ensure_future(swept(date(2026, 12, 9)))
    await eventually(lambda: _over_or_waiting(giving))
    sweeping.set()
    await asyncio.gather(handing, giving)
    await handed_over(date(2026, 12, 9), "09:01")
    handlers = [names.count("经办赵") for names in (await told()).values()]
    assert sum(handlers) == 1 and len(await raw("SELECT 1 FROM reminder")) == 2


async def test_a_step_that_asks_of_no_earlier_one_waits_for_no_hand_over(item):
    now = reminders.moment(day := date(2026, 11, 25))  # the first word of Friday week
    stages = rules.plan(await queries.rules(day), now, day, await calendar.load())

    async def first_words() -> int:
        return sum([await give(stage, now, day) for stage in stages if not stage.before])

    async with DB.pool.acquire() as line, line.transaction():
        await line.execute(HANDING_OVER)
        giving = asyncio.ensure_future(first_words())
        await eventually(lambda: _over_or_waiting(giving))
        assert giving.done() and await giving == 1


async def _over_or_waiting(giving: asyncio.Future[int]) -> bool:
    return giving.done() or await make.held_up()


@pytest.mark.parametrize(
    ("anchor", "phase", "today", "said"),
    [
        (Anchor.due, Phase.soon, FRIDAY, False),
        (Anchor.due, Phase.today, SATURDAY, False),
        (Anchor.due, Phase.late, SATURDAY, True),
        (Anchor.look_back, Phase.today, SATURDAY, True),  # the next would be days away, and the words are the same
        (Anchor.extension, Phase.soon, SATURDAY, False),
    ],
)
def test_what_is_worth_telling(anchor, phase, today, said):
    assert worth_telling(anchor, phase, FRIDAY, today, Calendar()) is said
