"""Setting how one wants to be told; entering and ending an absence."""

from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.db import raw, transaction
from backend.errors import Forbidden, Incomplete, WrongState
from backend.roles import Actor
from notifications.preferences import queries, rules
from notifications.preferences.rules import Wishes
from notifications.preferences.tables import Absence


async def choose(actor: Actor, wishes: Wishes) -> None:
    """From the next notice on. The same again changes nothing. Raises BadRequest, Incomplete."""
    rules.check(wishes)
    assert actor.person is not None
    async with transaction():
        await raw("SELECT id FROM person WHERE id = $1 FOR NO KEY UPDATE", actor.person)
        if (await queries.wishes_of([actor.person])).get(actor.person) == wishes:
            return
        await raw(
            "INSERT INTO notice_preference (person, at_once, normal, quiet_from, quiet_to, rest_days_quiet, digest, "
            "digest_time, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (person) DO UPDATE SET "
            "at_once = $2, normal = $3, quiet_from = $4, quiet_to = $5, rest_days_quiet = $6, digest = $7, "
            "digest_time = $8, changed_at = $9",
            actor.person,
            [kind.value for kind in wishes.at_once],
            [kind.value for kind in wishes.normal],
            f"{wishes.quiet_from:%H:%M}",
            f"{wishes.quiet_to:%H:%M}",
            wishes.rest_days_quiet,
            wishes.digest,
            f"{wishes.digest_time:%H:%M}",
            clock.now(),
        )
        await events.record(
            "notices.chosen", actor.person, actor=actor, at_once=wishes.at_once, normal=wishes.normal,
            digest=wishes.digest,
        )  # fmt: skip


async def enter_absence(
    id: UUID, actor: Actor, *, person: UUID | None, unit: UUID | None, deputy: UUID, days: tuple[date, date]
) -> None:
    """Of a person, or of a whole unit; `deputy` is told too what they are told, first and last day included.

    Raises Forbidden, WrongState where there is another for one of these days, Incomplete for days or a deputy that
    will not do, Conflict for an id used for another.
    """
    said: dict[str, Any] = {
        "person": person, "unit": unit, "deputy": deputy, "first_day": days[0], "last_day": days[1],
        "entered_by": actor.person,
    }  # fmt: skip
    async with transaction():
        await once.one_at_a_time(id)
        if await once.earlier(Absence, id, **said):
            return
        if (person is None) == (unit is None):
            raise Incomplete("请选择请假的人，或整个单位，二者选一。", "absence.who", field="person")
        home = unit or await queries.home_of(person or UUID(int=0))
        if reason := rules.may_enter(actor, person, home):
            raise Forbidden(reason)
        await raw("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 1))", str(person or unit))
        await _check_no_other(person, unit, days)
        rules.check_absence(*days, clock.today())
        await _check_deputy(person, unit, deputy)
        await Absence(id=id, **said, entered_at=clock.now(), ended_at=None, ended_by=None).save()
        await events.record(
            "absence.entered", id, actor=actor, person=person, unit=unit, deputy=deputy, first=days[0], last=days[1]
        )


async def end_absence(id: UUID, actor: Actor) -> None:
    """Back earlier, or never away. Again is nothing. Raises NotFound, Forbidden (a deputy cannot end it)."""
    async with transaction():
        await once.one_at_a_time(id)
        it = await queries.absence(id, actor)
        home = it.unit or await queries.home_of(it.person or UUID(int=0))
        if reason := rules.may_enter(actor, it.person, home):
            raise Forbidden(reason)
        if it.ended_at is not None:
            return
        await raw("UPDATE absence SET ended_at = $2, ended_by = $3 WHERE id = $1", id, clock.now(), actor.person)
        await events.record("absence.ended", id, actor=actor, person=it.person, unit=it.unit, deputy=it.deputy)


async def _check_no_other(person: UUID | None, unit: UUID | None, days: tuple[date, date]) -> None:
    rows = await raw(
        "SELECT 1 FROM absence WHERE ended_at IS NULL AND first_day <= $4 AND last_day >= $3 "
        "AND (person = $1 OR unit = $2)",
        person,
        unit,
        *days,
    )
    if rows:
        raise WrongState("这些日期已经登记过请假代办，请先结束原来的。", "absence.overlaps")


async def _check_deputy(person: UUID | None, unit: UUID | None, deputy: UUID) -> None:
    if deputy == person:
        raise Incomplete("代办人不能是请假的本人。", "absence.own_deputy", field="deputy")
    held = await queries.roles_held([deputy, *([person] if person else [])])
    absent = held.get(person, []) if person else await queries.roles_at(unit or UUID(int=0))
    if not rules.can_stand_in(absent, held.get(deputy, [])):
        raise Incomplete(
            "代办人须在同一单位有同类角色，否则看不到这些事项。", "absence.deputy_cannot_see", field="deputy"
        )
