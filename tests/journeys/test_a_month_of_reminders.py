"""A month of three items with the clock moved: one that nobody touches, one that is extended, one that is hung.

The worker sweeps and drains twice a day; it is away from Monday the 7th until noon of Wednesday the 9th.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from uuid import UUID

from backend import clock, worker
from backend.columns import uuid7
from backend.db import raw
from backend.workdays import moment_of
from tasks.rectifications import extensions, hanging
from tasks.rectifications.item import Status
from tasks.rectifications.words import HangReason
from tests import make
from tests import reminders_make as reminders

DUE, LATER, LAST = date(2026, 12, 4), date(2026, 12, 18), date(2026, 12, 24)
AWAY = (date(2026, 12, 7), datetime(2026, 12, 9, 12, tzinfo=clock.SHANGHAI))
TICKS = (time(9, 1), time(15, 1))


def days(first: date, last: date) -> Iterator[datetime]:
    """The worker's hours of these days, unless it is away."""
    while first <= last:
        for at in TICKS:
            moment = moment_of(first, at)
            if not (AWAY[0] <= first and moment < AWAY[1]):
                yield moment
        first += timedelta(days=1)


async def pass_days(first: date, last: date) -> None:
    for moment in days(first, last):
        await tick(moment)


async def tick(moment: datetime) -> None:
    with clock.frozen(moment):
        for name in ("sweep_reminders", "drain"):
            await worker.CRON[name][0]()


def said(*lines: tuple[str, int, str, date]) -> list[tuple[str, int, str, date]]:
    return list(lines)


async def test_each_reminder_comes_once_at_its_hour_and_none_when_nothing_is_to_be_done(fresh, noon):
    await reminders.entered()
    await raw("DELETE FROM reminder_rule WHERE anchor NOT IN ('due', 'hanging', 'review')")  # for the time it takes
    it = await make.cast()
    alone, longer, hung = [await make.rectification(it, Status.working, due_on=DUE) for _ in range(3)]

    await pass_days(date(2026, 11, 25), date(2026, 11, 26))
    with clock.frozen(reminders.moment(date(2026, 11, 26), "16:00")):
        asked = await make.extension(it, longer, days=(LATER - date(2026, 11, 26)).days)
    with clock.frozen(reminders.moment(date(2026, 11, 27), "10:00")):
        await hanging.hang(
            hung, it.boss, id=uuid7(), reason_code=HangReason.season, note="冻土期。", paper="抚督〔2026〕9号",
            review_on=date(2026, 12, 15),
        )  # fmt: skip
    await pass_days(date(2026, 11, 27), date(2026, 11, 29))
    with clock.frozen(reminders.moment(date(2026, 11, 30), "08:30")):
        await extensions.grant(longer, asked, it.staff, opinion="同意。")
    await pass_days(date(2026, 11, 30), date(2026, 12, 14))
    await tick(reminders.moment(date(2026, 12, 15), "09:01"))
    with clock.frozen(reminders.moment(date(2026, 12, 15), "14:00")):
        await hanging.resume(hung, it.staff, id=uuid7(), note="改用暖棚施工。", due_on=LAST)
    await tick(reminders.moment(date(2026, 12, 15), "15:01"))
    await pass_days(date(2026, 12, 16), date(2026, 12, 17))
    with clock.frozen(reminders.moment(date(2026, 12, 17), "16:00")):
        await make.hand_in(it.handler, longer)
        handed = (await raw("SELECT id FROM hand_in WHERE rectification = $1", longer))[0]["id"]
    await pass_days(date(2026, 12, 18), date(2026, 12, 23))

    assert await reminders.given(alone) == said(
        ("due", -7, "11-25 09:01", DUE),
        ("due", -3, "12-01 09:01", DUE),
        ("due", -1, "12-03 09:01", DUE),
        ("due", 0, "12-04 09:01", DUE),
        ("due", 0, "12-04 15:01", DUE),
        ("due", 3, "12-09 15:01", DUE),  # of one and three days late, missed on the 7th and the 9th, the latter
        ("due", 10, "12-18 09:01", DUE),
    )
    assert await reminders.given(longer) == said(
        ("due", -7, "11-25 09:01", DUE),
        ("due", -7, "12-09 15:01", LATER),
        ("due", -3, "12-15 09:01", LATER),
        ("due", -1, "12-17 09:01", LATER),
    )
    assert await reminders.given(handed) == said(("review", 3, "12-22 09:01", date(2026, 12, 17)))
    assert await reminders.given(hung) == said(
        ("due", -7, "11-25 09:01", DUE),
        ("hanging", -3, "12-10 09:01", date(2026, 12, 15)),
        ("hanging", 0, "12-15 09:01", date(2026, 12, 15)),
        ("due", -7, "12-15 15:01", LAST),  # said at nine of a day that was not set yet: made up for in the afternoon
        ("due", -3, "12-21 09:01", LAST),
        ("due", -1, "12-23 09:01", LAST),
    )
    await _everybody_was_told_once(it, alone)


async def _everybody_was_told_once(it: make.Cast, alone: UUID) -> None:
    twice = await raw("SELECT 1 FROM notice GROUP BY event, person HAVING count(*) > 1")
    held_up = await raw("SELECT 1 FROM reminder WHERE lapsed_at IS NOT NULL")
    assert not twice and not held_up and not await raw("SELECT 1 FROM outbox")
    heard = await raw(
        "SELECT person, count(*) AS n FROM notice WHERE subject = $1 AND verb LIKE 'reminder.%' GROUP BY person", alone
    )
    assert {row["person"]: row["n"] for row in heard} == {
        it.handler.person: 6,  # before and on the day, and on the 9th what was missed on the 7th
        it.principal.person: 7,
        it.reviewer.person: 2,
        it.boss.person: 1,
    }
