"""Reading rules and reminders: the table of rules, what still stands of what was given, what a day will bring."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import groupby
from typing import Any
from uuid import UUID

from backend.calendar import queries as calendars
from backend.db import raw
from backend.errors import NotFound
from backend.roles import Actor
from backend.workdays import Calendar, Certainty, TermUnit
from notifications.inbox import wording
from notifications.inbox.rules import Audience, Urgency
from notifications.reminders import shapes
from notifications.reminders.people import Waiting
from notifications.reminders.rules import Anchor, Rule, phase_of, verb, worth_telling
from notifications.reminders.sources import SOURCES, asked
from tasks.rectifications import queries as rectifications
from tasks.rectifications.loading import load
from tasks.rectifications.who import checks_hidden


async def rules(on: date) -> list[Rule]:
    """Those that hold on this day, each with the day on which its series began."""
    rows = await raw(
        f"{_RULES} WHERE rule.valid_from <= $1 AND (rule.valid_to IS NULL OR rule.valid_to >= $1) {_ORDER}", on
    )
    return [_rule(row) for row in rows]


async def listed(today: date, *, ended: bool, english: bool) -> list[shapes.RuleShape]:
    """The table as the office reads it: what holds and what will; with `ended` what held once, too."""
    rows = await raw(f"{_RULES} WHERE $2 OR rule.valid_to IS NULL OR rule.valid_to >= $1 {_ORDER}", today, ended)
    return [shapes.rule(row, today, english=english) for row in rows]


async def one(rule: UUID, today: date, *, english: bool) -> shapes.RuleShape:
    """Raises NotFound."""
    rows = await raw(f"{_RULES} WHERE rule.id = $1", rule)
    if not rows:
        raise NotFound()
    return shapes.rule(rows[0], today, english=english)


async def standing(reminders: Sequence[UUID], now: datetime, today: date) -> list[Waiting]:
    """Of these reminders those that are true yet: it still waits for that day, and what they say of the day is so.

    Nothing later was said of it, either.
    """
    rows = await raw(_GIVEN, reminders)
    days = await calendars.load() if any(row["anchor"] == Anchor.month for row in rows) else Calendar()
    waiting: list[Waiting] = []
    for anchor, some in groupby(rows, key=lambda row: row["anchor"]):
        given = [
            row for row in some if worth_telling(Anchor(anchor), phase_of(row["offset"]), row["target_on"], today, days)
        ]
        still = await _still(Anchor(anchor), given, now, today)
        waiting += [
            Waiting(
                key=row["id"],
                tells=_audiences(tuple(row["tells"])),
                item=row["item"],
                units=still[row["subject"], row["target_on"]],
            )
            for row in given
            if (row["subject"], row["target_on"]) in still
        ]
    return waiting


@cache
def _audiences(named: tuple[str, ...]) -> tuple[Audience, ...]:
    """Each once. There are as many as rules say, however many are reminded."""
    return tuple(dict.fromkeys(Audience(audience) for audience in named))


async def _still(
    anchor: Anchor, given: Sequence[Any], now: datetime, today: date
) -> Mapping[tuple[UUID, date], tuple[UUID, ...]]:
    """Of these subjects those that wait as of now, for which day, and whose work it is."""
    source = SOURCES[anchor]
    waits = asked(
        f"SELECT {source.id} AS subject, {source.on} AS target_on, {source.units} AS units {source.waits} "
        f"AND {source.id} = ANY($1::uuid[]) AND CASE WHEN {source.on} < {{today}} THEN {source.late} "
        f"ELSE {source.soon} END AND {{now}} IS NOT NULL",
        now="$2",
        today="$3",
    )
    rows = await raw(waits, [row["subject"] for row in given], now, today)
    return {(row["subject"], row["target_on"]): tuple(row["units"]) for row in rows}


async def given(item: UUID, actor: Actor, *, english: bool) -> list[shapes.Given]:
    """The reminders of an item, newest first. Raises NotFound outside the actor's sight.

    That people were sent to check is not told to whom it is hidden from (T12).
    """
    await rectifications.seen(item, actor)
    hidden = checks_hidden(actor, (await load(item)).item)
    rows = await raw(_OF_ITEM, item, [Anchor.site_check.value] if hidden else [])
    return [
        shapes.Given(
            id=row["id"],
            rule=row["rule"],
            at=row["given_at"],
            title=wording.title(verb(rule.anchor, rule.phase), facts(rule, row["target_on"], _said(row)), english),
            target_on=row["target_on"],
            told=row["told"],
            lapsed_at=row["lapsed_at"],
        )
        for row in rows
        if (rule := _rule({**row, "id": row["rule"]}))
    ]


def _said(row: Any) -> dict[str, Any]:
    said = {name: row[name] for name in ("certainty", "number", "many", "late")}
    return said | {"left": row["days_left"], "tells": [*row["tells"], *(row["also"] or ())]}


def facts(rule: Rule, on: date, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the words are made of, as the event of a reminder says it."""
    return {
        "on": on.isoformat(),
        "month": f"{on:%Y-%m}",
        "term": rule.unit.value,
        "tells": [audience.value for audience in rule.tells],
        **said,
    }


def certainty(of_target: str, counted: Certainty) -> Certainty:
    """Of a reminder: both the day itself and the counting towards it must be known."""
    return counted if of_target == Certainty.known else Certainty.assumed


def _rule(row: Any) -> Rule:
    said = {name: row[name] for name in ("id", "series", "since", "offset", "at", "valid_from", "valid_to")}
    return Rule(
        **said,
        anchor=Anchor(row["anchor"]),
        unit=TermUnit(row["unit"]),
        tells=tuple(Audience(audience) for audience in row["tells"]),
        urgency=Urgency(row["urgency"]),
    )


_RULES = (
    "SELECT rule.*, (SELECT min(valid_from) FROM reminder_rule AS first WHERE first.series = rule.series) AS since, "
    "person.name AS by_name, unit.name AS office_name FROM reminder_rule AS rule "
    "LEFT JOIN person ON person.id = rule.by LEFT JOIN unit ON unit.id = rule.office"
)
_ORDER = 'ORDER BY rule.anchor, rule.unit DESC, rule."offset", rule.at, rule.id'
_OF_ITEM = f"""
SELECT given.id, given.rule, given.at AS given_at, given.target_on, given.days_left, given.certainty, given.many,
  given.also, given.lapsed_at, rule."offset" <= 0 AND given.target_on < (given.at AT TIME ZONE 'Asia/Shanghai')::date
  AS late, item.number, rule.series, rule.since, rule.anchor, rule."offset", rule.unit, rule.at, rule.tells,
  rule.urgency, rule.valid_from, rule.valid_to,
  (SELECT count(*) FROM notice WHERE notice.event = given.id) AS told
FROM reminder AS given JOIN ({_RULES}) AS rule ON rule.id = given.rule
JOIN rectification AS item ON item.id = given.item
WHERE given.item = $1 AND rule.anchor <> ALL($2::text[]) ORDER BY given.at DESC, given.id LIMIT 200
"""
# What a later rule has said of the same thing since makes an earlier reminder that was held up pointless. Found by the
# item; what a month is about has none.
_LATER = (
    "NOT EXISTS (SELECT FROM reminder AS later JOIN reminder_rule AS its ON its.id = later.rule WHERE {of} "
    "AND later.subject = given.subject AND later.target_on = given.target_on AND later.at > given.at "
    "AND its.anchor = rule.anchor)"
)
_GIVEN = (
    'SELECT given.id, given.subject, given.item, given.target_on, rule.anchor, rule."offset", '
    "rule.tells || given.also AS tells "
    "FROM reminder AS given JOIN reminder_rule AS rule ON rule.id = given.rule WHERE given.id = ANY($1::uuid[]) "
    f"AND {_LATER.format(of='later.item = given.item')} "
    f"AND (given.item IS NOT NULL OR {_LATER.format(of='later.item IS NULL')}) ORDER BY rule.anchor"
)
