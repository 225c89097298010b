"""What a day will bring: the plan, the pieces of SQL and the people of the sweep, and nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend import clock
from backend.calendar import queries as calendar
from backend.db import raw
from backend.errors import BadRequest
from backend.roles import Actor, Role
from notifications.inbox import audiences, standing_in, wording
from notifications.inbox.rules import Audience
from notifications.reminders import people, queries, rules, shapes
from notifications.reminders.people import Waiting
from notifications.reminders.rules import ONE_DAY, Anchor, Rule, Stage, verb
from notifications.reminders.sources import SOURCES, asked, unheard
from tasks.monthly import queries as monthly
from tasks.rectifications import queries as rectifications
from tasks.rectifications.drivers import Args

FARTHEST = 60  # days: further ahead nearly all that is due has not been issued yet


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A stage of the day: when it speaks, and where it stands among the others."""

    place: int
    at: datetime
    stage: Stage


async def of_day(actor: Actor, on: date, *, cursor: str | None, most: int, english: bool) -> shapes.Preview:
    """Of what the actor sees. Of today only what is still to come. Raises BadRequest for a day out of reach."""
    today, now = clock.today(), clock.now()
    if not today <= on <= today + FARTHEST * ONE_DAY:
        raise BadRequest(f"可以预览今天起 {FARTHEST} 天内的提醒。", "preview_out_of_reach", field="on")
    said = rules.speaking_on(await queries.rules(on), on, await calendar.load())
    spoken = [_Spoken(place, at, stage) for place, (at, stage) in enumerate(said) if at > now]
    counts = [await _count(one, on, actor) for one in spoken]
    rows = await _page(spoken, on, actor, _after(cursor), most)
    return shapes.Preview(
        on=on,
        total=sum(counts),
        shares=_shares(spoken, counts),
        items=await _lines(rows, on, english),
        next=_cursor(rows[-1]) if len(rows) == most else None,
    )


def _shares(spoken: Sequence[_Spoken], counts: Sequence[int]) -> list[shapes.Share]:
    """One for each rule and instant that brings anything."""
    found: dict[tuple[UUID, datetime], shapes.Share] = {}
    for one, count in zip(spoken, counts, strict=True):
        rule = one.stage.rule
        share = shapes.Share(rule.id, rule.anchor, rule.phase, rule.offset, rule.unit, one.at, 0)
        found.setdefault((rule.id, one.at), share).count += count
    return [share for share in found.values() if share.count]


async def _count(one: _Spoken, on: date, actor: Actor) -> int:
    args = Args()
    sql = f"SELECT count(*) AS n FROM ({_waiting(one, on, actor, args)}) AS waits"
    return (await raw(sql, *args))[0]["n"]


async def _page(
    spoken: Sequence[_Spoken], on: date, actor: Actor, after: tuple[int, date, UUID], most: int
) -> list[dict[str, Any]]:
    """The next lines, stage by stage, in the order in which the sweep would give them."""
    found: list[dict[str, Any]] = []
    for one in spoken:
        if one.place < after[0] or len(found) == most:
            continue
        args = Args()
        waits = _waiting(one, on, actor, args)
        if one.place == after[0]:
            last = f"({args.put(after[1])}::date, {args.put(after[2])}::uuid)"
            waits = f"SELECT * FROM ({waits}) AS waits WHERE (target_on, subject) > {last}"
        sql = f"SELECT * FROM ({waits}) AS waits ORDER BY target_on, subject LIMIT {most - len(found)}"
        found += [{**row, "spoken": one} for row in await raw(sql, *args)]
    return found


def _waiting(one: _Spoken, on: date, actor: Actor, args: Args) -> str:
    """What the stage would speak of at its instant, if everything stays as it is, as far as the actor sees it."""
    stage, rule = one.stage, one.stage.rule
    source = SOURCES[rule.anchor]
    now, today = args.put(one.at), args.put(on)
    first, last, series = args.put(stage.first), args.put(stage.last), args.put(rule.series)
    found = asked(
        f"SELECT {source.columns}, {source.units} AS units, {source.began or 'NULL::timestamptz'} AS began "
        f"{source.waits} AND {source.on} BETWEEN {first}::date "
        f"AND {last}::date AND {source.during(rule.phase)} AND NOT EXISTS (SELECT FROM reminder AS given "
        f"WHERE given.series = {series}::uuid AND given.target_on = {source.on} AND given.subject = {source.id}) "
        f"AND {{now}} IS NOT NULL AND {{today}} IS NOT NULL AND {_seen(rule, source.item, actor, args)}",
        now=now,
        today=today,
    )
    if not stage.before:
        return f"SELECT found.*, NULL::text[] AS also FROM ({found}) AS found"
    so_far = f"{args.put(clock.now())}::timestamptz"  # what is still to be said is not missed
    return f"SELECT found.*, {unheard(stage, args, so_far)} AS also FROM ({found}) AS found"


def _seen(rule: Rule, item: str, actor: Actor, args: Args) -> str:
    if actor.has(Role.system):
        return "true"
    if rule.anchor == Anchor.month:
        seen, args[:] = rectifications.placed(*monthly.visible_to(actor).compile_string(), args)
        return (
            "EXISTS (SELECT FROM monthly_cell WHERE monthly_cell.lead_unit = it.unit AND "
            f"md5(monthly_cell.period::text || monthly_cell.lead_unit::text)::uuid = it.id AND {seen})"
        )
    seen, args[:] = rectifications.placed(*rectifications.visible_to(actor).compile_string(), args)
    if rule.anchor == Anchor.site_check:  # hidden from whoever is of a responsible unit, too (T12)
        seen += (
            " AND NOT EXISTS (SELECT FROM rectification_unit AS own WHERE own.rectification = rectification.id "
            f"AND own.role = 'responsible' AND own.unit = ANY({args.put([*actor.units(), actor.home])}::uuid[]))"
        )
    return f"EXISTS (SELECT FROM rectification WHERE rectification.id = {item} AND {seen} OFFSET 0)"


async def _lines(rows: Sequence[Mapping[str, Any]], on: date, english: bool) -> list[shapes.Line]:
    numbers = await _numbers([row["item"] for row in rows if row["item"]])
    told = await _told(rows, on)
    return [
        shapes.Line(
            rule=row["spoken"].stage.rule.id,
            at=row["spoken"].at,
            title=_title(row, numbers.get(row["item"]), english),
            subject=row["subject"],
            item=row["item"],
            target_on=row["target_on"],
            certainty=queries.certainty(row["certainty"], _of(row, row["spoken"].stage.certainty)),
            people=told[n],
        )
        for n, row in enumerate(rows)
    ]


def _title(row: Mapping[str, Any], number: str | None, english: bool) -> str:
    stage: Stage = row["spoken"].stage
    sure = queries.certainty(row["certainty"], _of(row, stage.certainty))
    said = {"left": _of(row, stage.left), "certainty": sure, "number": number, "many": row["many"],
            "tells": [*stage.rule.tells, *(row["also"] or ())]}  # fmt: skip
    return wording.title(
        verb(stage.rule.anchor, stage.rule.phase), queries.facts(stage.rule, row["target_on"], said), english
    )


def _of(row: Mapping[str, Any], values: Sequence[Any]) -> Any:
    """What a stage says of this row's target."""
    return values[(row["target_on"] - row["spoken"].stage.first).days]


async def _numbers(items: Sequence[UUID]) -> dict[UUID, str]:
    rows = await raw("SELECT id, number FROM rectification WHERE id = ANY($1::uuid[])", items)
    return {row["id"]: row["number"] for row in rows}


async def _told(rows: Sequence[Mapping[str, Any]], on: date) -> list[list[shapes.Person]]:
    """Who would get each of them, as roles and absences stand now."""
    keys = [UUID(int=n) for n in range(len(rows))]
    waiting = [
        Waiting(
            key=key,
            tells=(*row["spoken"].stage.rule.tells, *map(Audience, row["also"] or ())),
            item=row["item"],
            units=tuple(row["units"]),
        )
        for key, row in zip(keys, rows, strict=True)
    ]
    heard = await people.told(waiting, on)
    heard = audiences.once([*heard, *await standing_in.deputies(heard)])
    names = await _names({one.person for one in heard}, {one.unit for one in heard if one.unit})
    found: dict[UUID, list[shapes.Person]] = {key: [] for key in keys}
    for one in heard:
        unit = names.get(one.unit) if one.unit else None
        found[one.key].append(shapes.Person(one.person, names[one.person], unit, Audience(one.audience)))
    return [sorted(found[key], key=lambda one: (one.audience, one.name, one.id)) for key in keys]


async def _names(persons: set[UUID], units: set[UUID]) -> dict[UUID, str]:
    rows = await raw(
        "SELECT id, name FROM person WHERE id = ANY($1::uuid[]) "
        "UNION ALL SELECT id, name FROM unit WHERE id = ANY($2::uuid[])",
        list(persons),
        list(units),
    )
    return {row["id"]: row["name"] for row in rows}


def _cursor(row: Mapping[str, Any]) -> str:
    return f"{row['spoken'].place}.{row['target_on'].isoformat()}.{row['subject']}"


def _after(cursor: str | None) -> tuple[int, date, UUID]:
    """Raises BadRequest for one that is not ours."""
    if cursor is None:
        return -1, date.min, UUID(int=0)
    try:
        place, day, subject = cursor.split(".")
        return int(place), date.fromisoformat(day), UUID(subject)
    except ValueError as wrong:
        raise BadRequest("翻页参数不对，请从第一页开始。", "bad_cursor", field="cursor") from wrong
