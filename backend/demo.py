"""Door: loads the demo story, told through the real commands with the clock moved back, in order of time."""

import asyncio
import heapq
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from backend import (
    clock,
    db,
    demo_addresses,
    demo_checklists,
    demo_everyday,
    demo_months,
    demo_reminders,
    demo_summaries,
    outbox,
    settings,
    wake,
)
from backend.calendar import queries as calendar
from backend.db import raw
from backend.demo_cases import CASES, Case
from backend.demo_people import Login, add_people, add_units, logins
from backend.demo_procedures import PROCEDURES
from backend.demo_steps import days_until
from backend.supervisor import Trouble, say
from backend.units.region_file import load_fixture
from backend.worker import REACTIONS
from inspections.findings.topics import ensure_topics

LOGINS = "demo-logins.json"
UNFINISHED = "demo-unfinished"  # stands while a load runs: finding it alone means the load was killed
REACTS_AFTER = timedelta(seconds=2)


def run() -> None:
    """`./duban demo`: load the story into an empty database and print the logins. Raises Trouble."""
    made = asyncio.run(_with_pool())
    if made is None:
        raise Trouble("数据库里已有人员，演示数据只能装入空库：没有改动任何内容。")
    say("\n".join(f"  {login.username:16}{login.password}  {login.person}（{login.unit}）" for login in made))


def ensure() -> None:
    """Load the story when nobody has an account yet, or start it over when the last load was cut short."""
    asyncio.run(_with_pool())


async def load(var: Path) -> list[Login]:
    """The story into an empty database, its logins into var/demo-logins.json. The pool is open.

    Nothing of it lies in the future; afterwards every event has been reacted to and every photo is ready.
    Raises Trouble when somebody has an account, or when something is left over.
    """
    if await _anyone():
        raise Trouble("数据库里已有人员，演示数据只能装入空库：没有改动任何内容。")
    say("正在装入演示数据（抚顺市，约十几秒）…")
    made = logins()
    # Before the first account: an interrupted load leaves people whose passwords are known.
    write_logins(var, made)
    days = days_until(clock.now(), await calendar.load())
    with clock.frozen(demo_months.first_day(days)):
        await load_fixture()
        await ensure_topics()
        cast = await add_people(await add_units(), made)
        await demo_checklists.adopt(cast)
        await outbox.drain(REACTIONS)
    await demo_months.begin(cast, days)
    await demo_months.tell(cast, days, demo_months.story_ends(days), REACTIONS)
    await demo_reminders.begin(days)
    told = [case(cast, days) for case in (*CASES, *PROCEDURES, *demo_months.CASES, *demo_everyday.CASES)]
    await tell([*told, demo_reminders.sweeps(days, demo_months.story_ends(days))])
    await demo_summaries.tell(clock.now(), REACTIONS)
    await demo_addresses.enter(cast)
    await outbox.drain(REACTIONS)
    await _check_nothing_is_left()
    say(f"演示数据已装好，账号在 {var / LOGINS}。")
    return made


async def tell(cases: Sequence[Case]) -> None:
    """All cases side by side, in the order of their moments; after each step the worker's reactions, as in life."""
    moments: list[tuple[datetime, int]] = []

    async def advance(number: int) -> None:
        moment = await anext(cases[number], None)
        if moment is not None:
            heapq.heappush(moments, (moment, number))

    for number in range(len(cases)):
        await advance(number)
    while moments:
        moment, number = heapq.heappop(moments)
        with clock.frozen(moment):
            await advance(number)
        with clock.frozen(moment + REACTS_AFTER):
            await outbox.drain(REACTIONS)


def write_logins(var: Path, made: Sequence[Login]) -> None:
    """Readable by the owner alone, whatever was there before."""
    var.mkdir(parents=True, exist_ok=True)
    draft = var / f"{LOGINS}.new"
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump([asdict(login) for login in made], file, ensure_ascii=False, indent=1)
    draft.replace(var / LOGINS)


async def _with_pool() -> list[Login] | None:
    await db.open_pool(most=4)
    unfinished = settings.load().var / UNFINISHED
    try:
        if unfinished.exists():
            say("上次演示数据没有装完，重新装入 …")
            await _empty()
        elif await _anyone():
            return None
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        made = await load(settings.load().var)
        unfinished.unlink()
        return made
    finally:
        await wake.close()
        await db.close_pool()


async def _empty() -> None:
    """Every row away. Only while UNFINISHED stands: then the database holds nothing but half a story."""
    rows = await raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'")
    names = ", ".join(f'"{row["tablename"]}"' for row in rows)
    await raw(f"TRUNCATE {names}")


async def _anyone() -> bool:
    return bool(await raw("SELECT 1 FROM person LIMIT 1"))


async def _check_nothing_is_left() -> None:
    left = await outbox.waiting()
    unready = (await raw("SELECT count(*) AS n FROM evidence WHERE state <> 'ready'"))[0]["n"]
    if left["waiting"] or left["parked"] or unready:
        raise Trouble(
            f"演示数据没有装完整：{left['waiting'] + left['parked']:.0f} 个事件、{unready} 张照片没有处理好。"
        )
