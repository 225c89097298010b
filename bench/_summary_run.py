"""What bench/summary.py measures. Apart, because what is imported here is bound to the database named by then."""

import os
import time
from collections.abc import Awaitable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from backend import clock, db, settings
from backend.columns import uuid7
from backend.workdays import add_months, moment_of
from bench import _filing_scene as servers
from bench import _lists_data as data
from bench import _lists_scene as scene
from bench._lists_scene import PEOPLE, Client
from notifications.summaries import making, rules, standing
from notifications.summaries.replay import CHANGES, TOLD
from notifications.summaries.words import Kind
from tasks.monthly import jobs as months
from tasks.monthly import queries as monthly

READERS = ("leader", "prefecture", "county", "township", "heavy", "small")
# What one would write who wants these numbers once, by county, without sight: a single pass over what counts in them.
_FLOW = """
SELECT county, topic,
    count(*) FILTER (WHERE status = ANY($1) AND issued_at >= $3 OR status = 'closed' AND issued_at >= $3) AS new,
    count(*) FILTER (WHERE status = 'closed' AND closed_at >= $3) AS cleared,
    count(*) FILTER (WHERE status = ANY($1)) AS open,
    count(*) FILTER (WHERE status = 'hung') AS hung,
    count(*) FILTER (WHERE status = ANY($2) AND due_on < $6) AS overdue,
    count(*) FILTER (WHERE status = ANY($2) AND due_on < $5) AS carried_over,
    count(*) FILTER (WHERE (status = ANY($2) OR status = 'closed') AND due_on >= $5 AND due_on < $6) AS due,
    count(*) FILTER (WHERE status = 'closed' AND due_on >= $5 AND due_on < $6) AS due_closed,
    count(*) FILTER (WHERE status = 'closed' AND due_on >= $5 AND due_on < $6
        AND closed_at < (original_due_on + 1)::timestamp AT TIME ZONE 'Asia/Shanghai') AS due_on_time
FROM {}
WHERE issued_at < $4 AND (status <> 'closed' OR closed_at >= $3 OR issued_at >= $3 OR due_on >= $5)
GROUP BY GROUPING SETS ((county), (topic))
"""
IDEAL = _FLOW.format("rectification")
# The same of a day that is past: where an item stood that has moved since is read off the last event that says so.
# (Original dates are not followed through an extension and a rescheduling after it; the summary does.)
_LAST = "(array_agg({} ORDER BY at DESC, event.id DESC) FILTER (WHERE {}))[1]"
_DUE, _CLOSED = "(said ->> 'due_on')::date", "coalesce((said ->> 'closed_at')::timestamptz, at)"
PAST = f"""
WITH moved AS MATERIALIZED (SELECT DISTINCT subject FROM event WHERE at >= $4 AND verb = ANY($7)),
stood AS (
    SELECT subject,
        {_LAST.format("verb", "verb <> ALL('{rectification.extended,rectification.rescheduled}')")} AS last,
        {_LAST.format(_DUE, "said ? 'due_on'")} AS due_on,
        {_LAST.format(_DUE, "said ? 'due_on' AND verb <> 'rectification.extended'")} AS original,
        {_LAST.format(_CLOSED, "verb = 'rectification.closed'")} AS closed_at
    FROM moved JOIN event USING (subject),
        LATERAL (SELECT convert_from(payload, 'UTF8')::jsonb OFFSET 0) AS it (said)
    WHERE at < $4 AND verb = ANY($8) GROUP BY subject
)
{
    _FLOW.format('''(
    SELECT county, topic, status, issued_at, due_on, original_due_on, closed_at FROM rectification AS it
    WHERE NOT EXISTS (SELECT FROM moved WHERE subject = id)
    UNION ALL SELECT county, topic, CASE last WHEN 'rectification.hung' THEN 'hung' WHEN 'rectification.closed'
        THEN 'closed' WHEN 'rectification.voided' THEN 'voided' WHEN 'rectification.objection_upheld' THEN 'voided'
        ELSE 'working' END, issued_at, stood.due_on, stood.original, stood.closed_at
    FROM stood JOIN rectification ON id = subject
) AS item''')
}
"""


async def run(rounds: int, requests: int) -> int:
    """Prints the figures."""
    line = await scene.connected()
    counted = await line.fetchrow("SELECT (SELECT count(*) FROM rectification), (SELECT count(*) FROM event)")
    assert counted is not None
    print(f"{await servers.durability()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{counted[0]:,} items, {counted[1]:,} events\n")
    await db.open_pool(most=4)
    try:
        await _months(line)
        await _summaries(line, rounds)
    finally:
        await db.close_pool()
    await _numbers(line, requests)
    await line.close()
    return 0


async def _months(line: asyncpg.Connection) -> None:
    """A rule of twelve departments for all 98 counties, with last month and this one, nearly all of it checked."""
    if not await line.fetchval("SELECT count(*) FROM monthly_rule"):
        group, rule, by = uuid7(), uuid7(), await line.fetchval("SELECT id FROM person WHERE username = 'leader'")
        begins = add_months(clock.today().replace(day=1), -1)
        at = moment_of(begins - timedelta(days=1), clock_time(9))
        await line.execute("INSERT INTO unit_group (id, name, region) VALUES ($1, '各县区', $2)", group, data.ROOT)
        await line.execute(
            'INSERT INTO unit_group_member (id, "group", unit, valid_from) SELECT gen_random_uuid(), $1, unit.id, $2 '
            "FROM unit JOIN region ON region.code = unit.region WHERE level = 'county' AND unit.name LIKE '% 督查办'",
            group, date(2020, 1, 1),
        )  # fmt: skip
        await line.execute(
            "INSERT INTO monthly_rule (id, title, clause, target_group, window_start_day, cutoff_day, inclusive, roll, "
            "valid_from, region, by, at, decided_by, decided_at, answer, decision) VALUES ($1, '每月检查', '', $2, 1, "
            "15, true, 'none', $3, $4, $5, $6, $5, $6, 'upheld', '')",
            rule, group, begins, data.ROOT, by, at,
        )  # fmt: skip
        await line.execute(
            "INSERT INTO monthly_rule_lead (id, rule, unit, position) SELECT gen_random_uuid(), $1, id, "
            "row_number() OVER (ORDER BY name) FROM unit WHERE name LIKE '2101000000 %' AND name NOT LIKE '% 督查办'",
            rule,
        )  # fmt: skip
    await months.start_periods()
    await line.execute(
        "INSERT INTO monthly_record (id, cell, first, by, received_at, first_received_at, finished_at, place, went, "
        "found, found_count, solved_count, guidance) SELECT id, cell, id, by, at, at, at, '', '{某人}', '', 3, 1, '' "
        "FROM (SELECT gen_random_uuid() AS id, cell.id AS cell, (SELECT id FROM person LIMIT 1) AS by, "
        "period.starts_at + interval '9 days' AS at FROM monthly_cell AS cell JOIN monthly_period AS period "
        "ON period.id = cell.period WHERE abs(hashtext(cell.id::text)) % 20 > 0 AND period.starts_at < now() - "
        "interval '9 days' AND NOT EXISTS (SELECT FROM monthly_record WHERE cell = cell.id)) AS made"
    )
    await line.execute("ANALYZE monthly_cell; ANALYZE monthly_record")
    moved = "SELECT count(*) FROM event WHERE verb = 'rectification.rescheduled'"
    if not await line.fetchval(moved):  # one item in fifty has moved since the cutoff
        await line.execute(
            "INSERT INTO event (id, at, actor, verb, subject, payload) SELECT gen_random_uuid(), now(), NULL, "
            "'rectification.rescheduled', id, '{\"due_on\":\"2026-12-31\"}' FROM rectification "
            "WHERE issued_at IS NOT NULL AND abs(hashtext(id::text)) % 50 = 0"
        )
        await line.execute("ANALYZE event")


async def _summaries(line: asyncpg.Connection, rounds: int) -> None:
    """In turns: what a freeze does, and the query it is held against. Both must come to the same numbers."""
    period = (await monthly.periods_due(datetime.now(UTC)))[-1]
    took: dict[str, list[float]] = {}
    for _ in range(rounds + 1):
        for name, as_of in (("now", clock.now()), ("last cutoff", period.cutoff_at)):
            whole = await _timed(took, f"the whole summary, as of {name}", making.made(period, as_of, Kind.preview))
            span = rules.span(whole.inputs.since, as_of, whole.inputs.red_on)
            single = await _timed(took, f"the single query, as of {name}", _single(line, span, past=name != "now"))
            if single != {it.code: {name: getattr(it.items, name) for name in standing.FLOW} for it in whole.regions}:
                raise RuntimeError("the single query gives other numbers")
    moved = "SELECT count(DISTINCT subject) FROM event WHERE at >= $1 AND verb = ANY($2)"
    count = await line.fetchval(moved, period.cutoff_at, list(CHANGES))
    print(f"98 counties × 12 departments; {count:,} items have moved since the last cutoff")
    for name, seconds in sorted(took.items()):
        best = median(took[f"the single query, as of {name.split(' as of ')[1]}"][1:])
        own = median(seconds[1:])
        print(f"{name:44}{own * 1000:9.1f} ms {own / best:7.2f} ×")
    print("goal: at most 2 × the single query\n")


async def _timed(took: dict[str, list[float]], name: str, work: Awaitable[Any]) -> Any:
    """The first round of each is for caches and does not count."""
    began = time.perf_counter()
    found = await work
    took.setdefault(name, []).append(time.perf_counter() - began)
    return found


async def _single(line: asyncpg.Connection, it: rules.Span, *, past: bool) -> dict[str, dict[str, int]]:
    """By county. As of now nothing has to be read off events."""
    open, ticking = ([status.value for status in some] for some in (standing.OPEN, standing.TICKING))
    asked = (open, ticking, it.since, it.as_of, it.since_on, it.today)
    rows = await line.fetch(PAST, *asked, list(CHANGES), list(TOLD)) if past else await line.fetch(IDEAL, *asked)
    return {row["county"]: {name: row[name] for name in standing.FLOW} for row in rows if row["county"]}


async def _numbers(line: asyncpg.Connection, requests: int) -> None:
    """Over HTTP, signed in; beside it how long a recount of the province takes."""
    folder = Path(os.environ.get("DUBAN_VAR") or settings.load().var)
    port = servers.free_port()
    recount = (
        "SELECT prefecture, status, count(*), count(*) FILTER (WHERE due_at <= now()) FROM rectification "
        "WHERE province = $1 GROUP BY 1, 2"
    )
    began = time.perf_counter()
    await line.fetch(recount, data.ROOT)
    took = (time.perf_counter() - began) * 1000
    print(f"running numbers over HTTP; a recount of the province by prefecture takes {took:.1f} ms")
    with servers.server(
        ["backend", "web"], port, folder / "bench-summary.log", DUBAN_PORT=str(port), DUBAN_WEB_WORKERS="1"
    ):
        for who in PEOPLE:
            if who.username in READERS:
                client = Client(port, who.username)
                took = sorted(_request(client) for _ in range(requests + 15))[: requests + 15]
                print(f"{who.label:44}p50 {took[len(took) // 2]:7.2f} ms  p99 {took[int(len(took) * 0.99)]:7.2f} ms")
    print("goal: under 50 ms")


def _request(client: Client) -> float:
    began = time.perf_counter()
    client.get("/api/numbers")
    return (time.perf_counter() - began) * 1000
