"""The monthly check of seed 004, 十一.2, for tests: eight lead departments, seven counties, a rule, people."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import insert, raw
from backend.roles import Actor, Role
from backend.workdays import add_months
from tasks.monthly import commands, jobs, ruling
from tasks.monthly.rules import Terms
from tests import make

DEPARTMENTS = ("市农业农村局", "市卫健委", "市医保局", "市住建局", "市教育局", "市民政局", "市人社局", "市水务局")
COUNTIES = tuple(code for code, (level, _, _) in make.PLACES.items() if level == "county")
TITLE = "每月15日前对县区行业部门专项工作落实情况进行检查指导"
YEAR = {"valid_from": date(2020, 3, 1), "valid_to": date(2020, 12, 31)}
IN_FORCE = {"valid_from": date(2026, 1, 1), "valid_to": None}


@dataclass
class Fushun:
    """Units by name, the group 各县区, the office's two people and the rule."""

    units: dict[str, UUID]
    group: UUID
    staff: Actor
    boss: Actor
    reviewer: Actor  # of 市水务局
    rule: UUID

    @property
    def leads(self) -> list[UUID]:
        return [self.units[name] for name in DEPARTMENTS]


def at(month: int, day: int, hour: int = 9, minute: int = 0, *, year: int = 2026) -> datetime:
    """A moment in Shanghai."""
    return datetime(year, month, day, hour, minute, tzinfo=clock.SHANGHAI)


async def fushun(**terms: Any) -> Fushun:
    """The city with its rule, approved before it is valid; `terms` are columns of the rule. No period has begun."""
    units = {name: await make.unit(name, area=make.FUSHUN) for name in DEPARTMENTS}
    for code in COUNTIES:
        units[code] = await make.unit(f"{make.PLACES[code][1]}政府", area=code, kind="government")
    group = uuid7()
    await insert("unit_group", [{"id": group, "name": "各县区", "region": make.FUSHUN}])
    await insert("unit_group_member", [member(group, units[code]) for code in COUNTIES])
    office = await make.unit("市扶贫办", area=make.FUSHUN)
    staff = await make.person("周", Role.supervision_staff, at=office)
    boss = await make.person("吴", Role.supervision_leader, at=office)
    reviewer = await make.person("李红梅", Role.lead_unit_reviewer, at=units["市水务局"])
    it = Fushun(units, group, staff, boss, reviewer, uuid7())
    await rule(it, id=it.rule, **terms)
    return it


def member(group: UUID, unit: UUID, **days: date) -> dict[str, Any]:
    return {"id": uuid7(), "group": group, "unit": unit, "valid_from": date(2019, 1, 1), "valid_to": None} | days


async def rule(it: Fushun, **terms: Any) -> UUID:
    """Another rule of the city, approved; as rows, so that it may be as old as a test needs it."""
    said = IN_FORCE | terms
    begins = datetime.combine(said["valid_from"], datetime.min.time(), clock.SHANGHAI)
    row = {
        "id": uuid7(), "title": TITLE, "clause": "十一.2", "target_group": it.group, "window_start_day": 1,
        "cutoff_day": 15, "inclusive": True, "roll": "none", "region": make.FUSHUN, "by": it.staff.person,
        "at": begins, "decided_by": it.boss.person, "decided_at": begins, "answer": "upheld", "decision": "同意",
    } | said  # fmt: skip
    await insert("monthly_rule", [row])
    leads = [{"id": uuid7(), "rule": row["id"], "unit": unit, "position": n} for n, unit in enumerate(it.leads)]
    await insert("monthly_rule_lead", leads)
    return row["id"]


async def begun(it: Fushun) -> dict[tuple[UUID, str], UUID]:
    """The cells of the latest month, which has begun by now."""
    await jobs.start_periods()
    rows = await raw("SELECT id FROM monthly_period WHERE rule = $1 ORDER BY month DESC LIMIT 1", it.rule)
    return await cells(rows[0]["id"])


def body(cell: UUID, finished: datetime, **said: Any) -> dict[str, Any]:
    """A request that tells of a check."""
    return {
        "cell": str(cell),
        "finished_at": finished.isoformat(),
        "place": "上夹河镇腰站村",
        "went": ["李红梅", "王强"],
        "found": "2户自来水水压不足。",
        "found_count": 3,
        "solved_count": 1,
        "guidance": "现场指导水管员排查管网。",
    } | said


def problem(**said: Any) -> dict[str, Any]:
    """A problem that a check hands over."""
    return {
        "id": str(uuid7()),
        "topic": "0304",
        "facts": "2户自来水水压不足，未登记报修。",
        "asks": "更换增压泵。",
    } | said


def rule_body(it: Fushun, **said: Any) -> dict[str, Any]:
    """A request that enters a rule from next month on."""
    return {
        "id": str(uuid7()),
        "title": TITLE,
        "clause": "十一.2",
        "leads": [str(unit) for unit in it.leads],
        "target": "各县区",
        "region": make.FUSHUN,
        "valid_from": add_months(clock.today().replace(day=1), 1).isoformat(),
    } | said


async def proposed(it: Fushun, **said: Any) -> UUID:
    """A rule that the office's staff entered, now; its id."""
    terms = Terms(**{"valid_from": add_months(clock.today().replace(day=1), 1)} | said.pop("terms", {}))
    told = {"title": TITLE, "clause": "十一.2", "leads": tuple(it.leads), "target": "各县区", "region": make.FUSHUN}
    await ruling.propose(it.staff, ruling.Proposal(**told | said, terms=terms), id=(id := uuid7()))
    return id


async def file(by: Actor, cell: UUID, finished: datetime, **said: Any) -> UUID:
    """Tell of a check, now; its id."""
    id = uuid7()
    told = {"place": "腰站村", "went": ("李红梅",), "found": "水压不足。", "found_count": 2, "solved_count": 1} | said
    await commands.file(by, commands.Check(cell=cell, finished_at=finished, **told), id=id)
    return id


async def cells(period: UUID) -> dict[tuple[UUID, str], UUID]:
    """The cells of a period by lead unit and region."""
    rows = await raw("SELECT id, lead_unit, region FROM monthly_cell WHERE period = $1", period)
    return {(row["lead_unit"], row["region"]): row["id"] for row in rows}
