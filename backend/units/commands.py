"""Keeping the list of units: added, ended, named otherwise, grouped. Regions: see region_loading.py."""

from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events, once
from backend.columns import uuid7
from backend.db import raw, transaction
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.roles import Actor
from backend.units import rules
from backend.units.rules import UnitKind
from backend.units.tables import Unit, UnitAlias, UnitGroupMember


def check_may(actor: Actor) -> None:
    """Raises Forbidden."""
    if refusal := rules.may_keep(actor):
        raise Forbidden(refusal)


async def add_unit(
    actor: Actor,
    *,
    id: UUID,
    name: str,
    short_name: str,
    kind: UnitKind,
    region: str,
    parent: UUID | None = None,
    valid_from: date | None = None,
) -> None:
    """A new unit, from today when no day is given.

    Raises Forbidden, Incomplete (`unknown_region`), BadRequest (parent), Conflict when the region has a unit
    of this full name on that day.
    """
    check_may(actor)
    content = {"name": name, "short_name": short_name, "kind": kind.value, "region": region, "parent": parent}
    if valid_from:
        content["valid_from"] = valid_from
    async with transaction():
        # Held, so that two requests at once cannot both find the name free.
        if not await raw("SELECT 1 FROM region WHERE code = $1 FOR NO KEY UPDATE", region):
            raise Incomplete("没有这个区划代码。", "unknown_region", field="region")
        if await once.earlier(Unit, id, **content):
            return
        first_day = valid_from or clock.today()
        same = "SELECT 1 FROM unit WHERE region = $1 AND name = $2 AND (valid_to IS NULL OR valid_to >= $3)"
        if await raw(same, region, name, first_day):
            raise Conflict("该区划下已有同名单位。", "already_there", field="name")
        await Unit(id=id, **{**content, "valid_from": first_day}).save()
        await events.record("unit.added", id, actor=actor, name=name, region=region)


async def end_unit(actor: Actor, *, unit: UUID, on: date, successor: UUID | None = None) -> None:
    """The unit's last day, and who takes over its work (机构改革). The same again changes nothing.

    Raises Forbidden, NotFound, WrongState (it was ended otherwise before), BadRequest.
    """
    check_may(actor)
    async with transaction():
        it = await Unit.objects().where(Unit.id == unit).lock_rows().first()
        if it is None:
            raise NotFound()
        if (it.valid_to, it.successor) == (on, successor):
            return
        if it.valid_to:
            raise WrongState("该单位已经撤销。", "already_ended", valid_to=str(it.valid_to))
        if on < it.valid_from:
            raise BadRequest("撤销日期早于设立日期。", "ends_before_it_starts", field="on")
        if successor:
            await _check_successor(unit, successor, on)
        await Unit.update({Unit.valid_to: on, Unit.successor: successor}).where(Unit.id == unit)
        await events.record("unit.ended", unit, actor=actor, on=on, successor=successor)


async def add_alias(
    actor: Actor,
    *,
    id: UUID,
    unit: UUID,
    name: str,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> None:
    """Another name for the unit, from its own first day when no day is given. Units may share a name.

    Raises Forbidden, NotFound, BadRequest.
    """
    check_may(actor)
    async with transaction():
        it = await _existing(unit)
        first_day = valid_from or it.valid_from
        if valid_to and valid_to < first_day:
            raise BadRequest("截止日期早于起始日期。", "ends_before_it_starts", field="valid_to")
        content = {"unit": unit, "name": name, "valid_from": first_day, "valid_to": valid_to}
        if not await once.earlier(UnitAlias, id, **content):
            await UnitAlias(id=id, **content).save()
            await events.record("unit.named", unit, actor=actor, name=name)


async def set_group(actor: Actor, *, name: str, region: str) -> UUID:
    """The group of this name in this region, made when it is not there yet. Raises Forbidden, BadRequest."""
    check_may(actor)
    async with transaction():
        made = await raw(
            "INSERT INTO unit_group (id, name, region) VALUES ($1, $2, $3) ON CONFLICT (name, region) DO NOTHING "
            "RETURNING id",
            uuid7(),
            name,
            region,
        )
        if made:
            await events.record("unit.group_set", made[0]["id"], actor=actor, name=name, region=region)
        return (await raw("SELECT id FROM unit_group WHERE name = $1 AND region = $2", name, region))[0]["id"]


async def add_member(actor: Actor, *, group: UUID, unit: UUID, valid_from: date | None = None) -> None:
    """The unit belongs to the group from that day (today); one that belongs already stays as it is.

    Raises Forbidden, NotFound.
    """
    check_may(actor)
    async with transaction():
        await _hold_group(group)
        await _existing(unit)
        if not await _membership(group, unit):
            await UnitGroupMember(
                id=uuid7(), group=group, unit=unit, valid_from=valid_from or clock.today(), valid_to=None
            ).save()
            await events.record("unit.grouped", unit, actor=actor, group=group)


async def end_member(actor: Actor, *, group: UUID, unit: UUID, on: date) -> None:
    """The unit's last day in the group. Raises Forbidden, NotFound (no running membership), BadRequest."""
    check_may(actor)
    async with transaction():
        await _hold_group(group)
        running = await _membership(group, unit)
        if running is None:
            raise NotFound()
        if on < running["valid_from"]:
            raise BadRequest("截止日期早于起始日期。", "ends_before_it_starts", field="on")
        await UnitGroupMember.update({UnitGroupMember.valid_to: on}).where(UnitGroupMember.id == running["id"])
        await events.record("unit.ungrouped", unit, actor=actor, group=group, on=on)


async def _check_successor(unit: UUID, successor: UUID, on: date) -> None:
    if successor == unit:
        raise BadRequest("承接单位不能是本单位。", "succeeds_itself", field="successor")
    it = await Unit.objects().get(Unit.id == successor)
    if it is None or (it.valid_to and it.valid_to <= on):
        raise BadRequest("承接单位不存在，或届时也已撤销。", "unknown_successor", field="successor")


async def _existing(unit: UUID) -> Unit:
    it = await Unit.objects().get(Unit.id == unit)
    if it is None:
        raise NotFound()
    return it


async def _hold_group(group: UUID) -> None:
    if not await raw("SELECT 1 FROM unit_group WHERE id = $1 FOR NO KEY UPDATE", group):
        raise NotFound()


async def _membership(group: UUID, unit: UUID) -> Any:
    """The membership that has no last day yet."""
    rows = await raw(
        'SELECT id, valid_from FROM unit_group_member WHERE "group" = $1 AND unit = $2 AND valid_to IS NULL',
        group,
        unit,
    )
    return rows[0] if rows else None
