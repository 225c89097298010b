"""The sweep of reminders over a million open items, a tenth of them due, and handing over what it gave."""

import argparse
import asyncio
import gc
import logging
import os
import re
import resource
import sys
import time
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg

from bench import _filing_scene as servers
from bench import _lists_scene as lists
from bench import _sweep_scene as scene
from bench.lists import services


def main(argv: list[str]) -> int:
    """Prints the figures and ratios."""
    wanted = _parser().parse_args(argv)
    items, due = (20_000, 2_000) if wanted.small else (wanted.items, wanted.due)
    logging.disable(logging.WARNING)
    with services(), scene.province(items, due, keep=wanted.keep) as today:
        return asyncio.run(_run(wanted, today))


async def _run(wanted: argparse.Namespace, today: date) -> int:
    from backend import clock, db, wake
    from backend.workdays import moment_of

    now = moment_of(today, time_of_day(15, 1))
    line = await lists.connected()
    counted = await line.fetchval("SELECT count(*) FROM rectification WHERE status = 'working'")
    print(
        f"{await servers.durability()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {counted:,} open items"
    )
    await db.open_pool(most=4)  # a batch of the hand-over takes one each
    try:
        with clock.frozen(now):
            if wanted.plans:
                return await _plans(line, now, today)
            given = await _compared(line, wanted.rounds, now, today)
            await _handed_over(line, given)
    finally:
        await wake.close()
        await db.close_pool()
        await line.close()
    return 0


async def _compared(line: asyncpg.Connection, rounds: int, now: datetime, today: date) -> int:
    """Sweep and single statement in turns, on the same rows; what the sweep gave is there at the end."""
    from notifications.reminders import jobs

    took: dict[str, list[float]] = {name: [] for name in ("single", "single again", "sweep", "sweep again")}
    given = written = 0
    before = _peak()
    for _ in range(rounds):
        await _forget(line)
        took["single"].append(await _timed(_single(line, now, today)))
        written = await line.fetchval("SELECT count(*) FROM reminder")
        took["single again"].append(await _timed(_single(line, now, today)))
        await _forget(line)
        began = time.perf_counter()
        given = await jobs.sweep()
        took["sweep"].append(time.perf_counter() - began)
        took["sweep again"].append(await _timed(jobs.sweep()))
    assert given == written == await line.fetchval("SELECT count(*) FROM reminder"), (given, written)
    counts = await line.fetchrow(
        "SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM event JOIN reminder USING (id))"
    )
    assert counts is not None
    print(f"\n{given:,} reminders, {counts[1]:,} events, {counts[0]:,} outbox rows from each; {rounds} rounds in turns")
    for name, seconds in took.items():
        print(f"{name:14}{median(seconds):8.2f} s   (rounds {' '.join(f'{one:.2f}' for one in seconds)})")
    print(
        f"sweep {median(took['sweep']) / median(took['single']):.2f} × the single statement that writes the same rows"
    )
    print(f"again {median(took['sweep again']) / median(took['single again']):.2f} × the single statement, nothing new")
    print(f"memory of the process: {before:.0f} MB before, {_peak():.0f} MB at most")
    return given


async def _handed_over(line: asyncpg.Connection, given: int) -> None:
    """One worker drains the outbox; then the same rows are claimed and deleted with nothing done about them."""
    from backend import outbox
    from backend.worker import REACTIONS

    gc.freeze()  # as the worker does
    began, busy = time.perf_counter(), (time.process_time(), await _database_cpu(line))
    assert await outbox.drain(REACTIONS, most=given) == given
    ours = time.perf_counter() - began
    worker, database = time.process_time() - busy[0], await _database_cpu(line) - busy[1]
    notices = await line.fetchval("SELECT count(*) FROM notice WHERE verb LIKE 'reminder.%'")
    left = await line.fetchval("SELECT count(*) FROM outbox")
    await line.execute("INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM reminder")
    began = time.perf_counter()
    while int((await line.execute(_BARE)).split()[1]):
        pass
    bare = time.perf_counter() - began
    print(
        f"\nhanded over {given:,} events in {ours:.1f} s ({given / ours:,.0f}/s): {notices:,} notices; {left} rows left"
    )
    print(f"processor time: worker {worker:.1f} s, its connections to the database {database:.1f} s")
    print(f"bare SKIP LOCKED drain {bare:.2f} s ({given / bare:,.0f}/s): {ours / bare:.1f} ×")
    print(f"memory of the process: {_peak():.0f} MB at most; load {os.getloadavg()[0]:.1f} at the end")


async def _database_cpu(line: asyncpg.Connection) -> float:
    """Of the database's processes that serve us, where they run on this machine; else nothing."""
    pids = await line.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid IS NOT NULL")
    return sum(_cpu(row["pid"]) for row in pids)


def _cpu(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0


_BARE = (
    "DELETE FROM outbox WHERE event IN (SELECT event FROM outbox WHERE parked_at IS NULL "
    "ORDER BY next_try_at LIMIT 100 FOR UPDATE SKIP LOCKED)"
)


async def _single(line: asyncpg.Connection, now: datetime, today: date) -> None:
    """What somebody would write by hand who knew which days each rule speaks of: all of it in one statement."""
    from backend.calendar import queries as calendar
    from notifications.reminders import queries, rules

    stages = rules.plan(await queries.rules(today), now, today, await calendar.load())
    speaking = [stage for stage in stages if stage.rule.anchor == rules.Anchor.due]
    await line.execute(
        "WITH changed AS (INSERT INTO reminder (id, rule, series, subject, item, target_on, days_left, many, "
        "certainty, at) SELECT gen_random_uuid(), stage.rule, stage.rule, it.id, it.id, it.due_on, "
        "it.due_on - $5::date, 1, 'known', $6 FROM unnest($1::uuid[], $2::date[], $3::date[]) AS stage "
        "(rule, first, last) JOIN rectification AS it ON it.due_on BETWEEN stage.first AND stage.last "
        "AND it.status IN ('issued', 'working') "
        "ON CONFLICT (series, target_on, subject) DO NOTHING RETURNING id, rule, item, target_on, days_left), "
        "written AS (INSERT INTO event (id, at, verb, subject, payload) SELECT changed.id, $6, stage.verb, changed.id, "
        "convert_to(json_build_object('by', '系统', 'item', item, 'left', days_left, 'many', 1, 'on', target_on, "
        "'rule', changed.rule, 'tells', ARRAY['responsible_units'], 'term', 'workdays', 'urgency', 'normal')::text, "
        "'UTF8') FROM changed JOIN unnest($1::uuid[], $4::text[]) AS stage (rule, verb) ON stage.rule = changed.rule "
        "RETURNING id, at) INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM written",
        [stage.rule.id for stage in speaking],
        [stage.first for stage in speaking],
        [stage.last for stage in speaking],
        [rules.verb(stage.rule.anchor, stage.rule.phase) for stage in speaking],
        today,
        now,
    )


async def _forget(line: asyncpg.Connection) -> None:
    """As if nobody had been reminded: there is no other history."""
    await line.execute("TRUNCATE event, outbox, reminder, notice, digest, delivery, delivery_attempt")
    await line.execute("CHECKPOINT")


async def _timed(work: Any) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


async def _plans(line: asyncpg.Connection, now: datetime, today: date) -> int:
    """How the database runs each statement of the sweep, undone afterwards. 1 when one reads a whole table."""
    from backend.calendar import queries as calendar
    from notifications.reminders import queries, rules, sweeping

    bad = 0
    for stage in rules.plan(await queries.rules(today), now, today, await calendar.load()):
        sql, args = sweeping.statement(stage, now, today, (stage.first - rules.ONE_DAY, UUID(int=0)))
        undone = line.transaction()
        await undone.start()
        rows = await line.fetch(f"EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF) {sql}", *args)
        await undone.rollback()
        text = "\n   ".join(re.sub(r"'\{[^}]{60,}\}'", "'{…}'", row[0]) for row in rows)
        whole = any(
            f"Seq Scan on {table}" in text for table in ("rectification", "rectification_unit", "rectification_search")
        )
        bad += whole
        print(f"\n── {stage.rule.anchor} {stage.rule.offset:+}{'  ← !! whole table' if whole else ''}\n   {text}")
    print(f"\n{bad} bad sign(s)")
    return 1 if bad else 0


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="duban bench sweep", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100_000)
    parser.add_argument("--small", action="store_true", help="20,000 items, 2,000 of them due")
    parser.add_argument(
        "--keep", action="store_true", help="leave its database for the next run, on the same day of its own"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plans", action="store_true", help="how the database finds what is due, instead of times")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
