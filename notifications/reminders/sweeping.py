"""Giving reminders: what a stage speaks of and was not said before, a bounded number at a time. When: jobs.py."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend import events
from backend.db import raw, transaction
from backend.roles import SYSTEM
from notifications.reminders.rules import ONE_DAY, Rule, Stage, verb
from notifications.reminders.sources import GIVING, SOURCES, asked, late, unheard
from tasks.rectifications.drivers import Args

AT_ONCE = 10_000  # rows of one statement: what a sweep holds in memory is one number

# Facts of the event that differ from row to row, by their columns.
TOLD = {
    "item": "item", "on": "target_on", "left": "days_left", "many": "many", "month": "month", "certainty": "certainty",
    "tells": "tells", "late": "late",
}  # fmt: skip


async def give(stage: Stage, now: datetime, today: date) -> int:
    """The stage speaks of everything it has not spoken of; returns of how much.

    Each statement is one transaction: a thing is reminded of once for each rule and target, whoever sweeps at the same
    time and wherever it is cut off, because the database refuses the second. Ordered by day and id, so that two sweeps
    meet in the same order, and the next begins where the last one ended.
    """
    given, after = 0, (stage.first - ONE_DAY, UUID(int=0))
    while True:
        async with transaction():
            if stage.before:
                await raw(GIVING)
            some = await _next(stage, now, today, after)
        if not some["n"]:
            return given
        given, after = given + some["n"], (some["day"], some["subject"])


async def _next(stage: Stage, now: datetime, today: date, after: tuple[date, UUID]) -> Any:
    sql, args = statement(stage, now, today, after)
    return await events.record_each(
        sql,
        args,
        verb(stage.rule.anchor, stage.rule.phase),
        actor=SYSTEM,
        told=TOLD,
        counted="count(*) AS n, max(target_on) AS day, (array_agg(subject ORDER BY target_on DESC, subject DESC))[1] "
        "AS subject",
        **facts(stage.rule),
    )


def facts(rule: Rule) -> dict[str, object]:
    """What the event says of the rule: enough for words and audience."""
    return {"rule": rule.id, "term": rule.unit, "urgency": rule.urgency}


def statement(stage: Stage, now: datetime, today: date, after: tuple[date, UUID]) -> tuple[str, Args]:
    """What gives the next ones after this day and thing, with its arguments."""
    rule, source = stage.rule, SOURCES[stage.rule.anchor]
    args = Args([
        rule.id, rule.series, stage.first, stage.last, list(stage.left), [one.value for one in stage.certainty],
        now, today, *after, list(stage.spoke), list(rule.tells),
    ])  # fmt: skip
    waits = asked(
        f"{source.waits} AND {source.on} BETWEEN $3 AND $4 AND ({source.on}, {source.id}) > ($9::date, $10::uuid) "
        f"AND {source.during(rule.phase)} "
        f"AND {source.unsaid(rule.phase, f'($11::timestamptz[])[{source.on} - $3 + 1]')}",
        now="$7",
        today="$8",
    )
    # $7, $8 and $11 are asked for in every source's statement, so that their types are known.
    sql = asked(
        f"WITH found AS (SELECT {source.columns}, {source.began or 'NULL::timestamptz'} AS began {waits} "
        "AND NOT EXISTS (SELECT FROM reminder AS given "
        f"WHERE given.series = $2 AND given.target_on = {source.on} AND given.subject = {source.id}) "
        f"ORDER BY {source.on}, {source.id} LIMIT {AT_ONCE}) "
        "INSERT INTO reminder (id, rule, series, subject, item, target_on, days_left, many, certainty, also, at) "
        "SELECT gen_random_uuid(), $1, $2::uuid, subject, item, target_on, ($5::integer[])[target_on - $3 + 1], many, "
        "CASE WHEN certainty = 'known' THEN ($6::text[])[target_on - $3 + 1] ELSE certainty END, "
        f"{unheard(stage, args)}, {{now}} FROM found WHERE {{today}} IS NOT NULL AND $11::timestamptz[] IS NOT NULL "
        "ON CONFLICT (series, target_on, subject) DO NOTHING "
        "RETURNING id, subject, item, target_on, days_left, many, certainty, to_char(target_on, 'YYYY-MM') AS month, "
        f"$12::text[] || also AS tells, {late(rule, 'target_on')} AS late",
        now="$7",
        today="$8",
    )
    return sql, args
