"""A period begins: made once with its cells, from the rule and the group as they stood on its first day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from backend import clock, events
from backend.columns import uuid7
from backend.db import insert, raw, transaction
from backend.roles import SYSTEM
from backend.units import queries as units
from backend.units.queries import UnitShape
from backend.units.region_rows import Level
from tasks.monthly.rules import Window


async def start(rule: UUID, window: Window) -> bool:
    """Make this month of the rule with its cells; False when it was made before, by whomever."""
    async with transaction():
        # Held, so that two workers make it one after the other and the second finds it made.
        held = await raw("SELECT * FROM monthly_rule WHERE id = $1 FOR NO KEY UPDATE", rule)
        made = await raw("SELECT 1 FROM monthly_period WHERE rule = $1 AND month = $2", rule, window.month)
        if made or not held:
            return False
        period = uuid7()
        row = {
            "id": period, "rule": rule, "month": window.month, "starts_on": window.starts_on,
            "last_on": window.last_on, "starts_at": window.starts_at, "cutoff_at": window.cutoff_at,
            "certainty": window.certainty.value, "made_at": clock.now(),
        }  # fmt: skip
        await insert("monthly_period", [row])
        cells = await expanded(rule, held[0]["target_group"], window.starts_on)
        if cells:
            await insert("monthly_cell", [{"id": uuid7(), "period": period, **cell} for cell in cells])
        told = {"rule": rule, "month": window.month, "cells": len(cells), "last_on": window.last_on}
        told |= {"title": held[0]["title"], "units": sorted({cell["lead_unit"] for cell in cells})}
        await events.record("month.period_started", period, actor=SYSTEM, **told)
        return True


async def expanded(rule: UUID, group: UUID, on: date) -> list[dict[str, Any]]:
    """The cells of the rule on that day: its lead units then, by its group's members then.

    For a lead unit that was over by then stands its successor, once; without one its line is left out.
    """
    rows = await raw("SELECT unit FROM monthly_rule_lead WHERE rule = $1 ORDER BY position", rule)
    return await crossed([row["unit"] for row in rows], group, on)


async def crossed(named: Sequence[UUID], group: UUID, on: date) -> list[dict[str, Any]]:
    """The same for lead units in this order, whether a rule has them yet or not.

    Of several members in one region the first by name is its target.
    """
    leads = await _living(named, on)
    names = {row["id"]: row["name"] for row in await raw("SELECT id, name FROM unit WHERE id = ANY($1::uuid[])", leads)}
    targets: dict[str, UnitShape] = {}
    for member in await units.members(group, on):
        targets.setdefault(member.region, member)
    places = await _places({code: targets[code].id for code in sorted(targets)})
    return [
        {"lead_unit": lead, "lead_name": names[lead], "lead_position": position, **place}
        for position, lead in enumerate(leads)
        for place in places
    ]


async def _places(targets: Mapping[str, UUID]) -> list[dict[str, Any]]:
    """The columns of these regions, each with the codes of the levels it lies in and its unit."""
    rows = await raw(
        "SELECT region.code, region.name, above.level, above.code AS above FROM region "
        "JOIN region AS above ON above.code = ANY(region.path) WHERE region.code = ANY($1::text[])",
        list(targets),
    )
    names = {row["code"]: row["name"] for row in rows}
    paths = {(row["code"], row["level"]): row["above"] for row in rows}
    return [
        {"region": code, "region_name": names[code], "target": target}
        | {level.value: paths.get((code, level)) for level in Level if level != Level.village}
        for code, target in targets.items()
    ]


async def _living(named: Sequence[UUID], on: date) -> list[UUID]:
    """These units as they are on that day: each, or who has its work then; nobody twice."""
    heirs = await units.heirs(on)
    gone = {it.id for it in await units.ended(named, on)}
    return list(dict.fromkeys(heirs.get(unit, unit) for unit in named if unit in heirs or unit not in gone))
