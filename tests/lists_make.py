"""A few hundred made-up items for tests of lists, and what a list of them should be: a plain model without SQL."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from backend import clock
from backend.columns import uuid7
from backend.db import insert, raw
from backend.roles import FIELD, READS_AREA, RESPONSIBLE, Actor, Role
from tasks.rectifications.filters import SOON, STATUSES, Filter, Sort
from tasks.rectifications.item import TICKING, Status
from tasks.rectifications.words import UnitRole
from tests import make
from tests.make import FUSHUN, LIAONING, QINGYUAN, SHANGJIAHE, XINBIN, YAOZHAN

PATHS = {
    YAOZHAN: (LIAONING, FUSHUN, XINBIN, SHANGJIAHE, YAOZHAN),
    SHANGJIAHE: (LIAONING, FUSHUN, XINBIN, SHANGJIAHE),
    XINBIN: (LIAONING, FUSHUN, XINBIN),
    QINGYUAN: (LIAONING, FUSHUN, QINGYUAN),
}
WORDS = ("饮水管网冻裂", "消防通道被占", "台账缺项", "Wi-Fi 100%_未开", "危房C级", "路灯不亮", "漏水，三户无水")
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
EVER = datetime(1900, 1, 1, tzinfo=UTC)


@dataclass
class World:
    units: dict[str, UUID] = field(default_factory=dict)
    visits: dict[UUID, set[UUID]] = field(default_factory=dict)  # team by visit
    items: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, Actor] = field(default_factory=dict)


async def world(it: make.Cast, count: int = 160) -> World:
    """Items of every status with and without dates, numbers and visits, over four places and five units."""
    made, now, w = random.Random(11), clock.now(), World()
    for code in ("0304", "0501"):
        await make.topic(code)
    for code in PATHS:
        await make.region(code)
    w.units = {
        "responsible": it.responsible,
        "lead": it.lead_unit,
        "other": await make.unit("清原县水务局", area=QINGYUAN),
        "third": await make.unit("新宾县住建局"),
    }
    other = await make.visit(it)
    w.visits = {it.visit: {it.inspector.person, it.lead.person}, other: {it.inspector.person, it.lead.person}}  # type: ignore
    for number in range(count):
        row = _item(made, w, now, number)
        w.items[row["id"]] = row
    rows = [{k: v for k, v in row.items() if k not in ("parts", "path")} for row in w.items.values()]
    await insert("rectification", rows)
    await insert("rectification_unit", [
        {"id": uuid7(), "rectification": row["id"], "unit": unit, "role": role.value, "ended_at": ended}
        for row in w.items.values() for unit, role, ended in row["parts"]
    ])  # fmt: skip
    office = await make.unit("市扶贫办", area=FUSHUN)
    both = await make.person(
        "两处任职", Role.unit_handler, Role.lead_unit_reviewer, Role.inspector, at=w.units["other"]
    )
    area = await make.person("县督查", Role.supervision_staff, at=await make.unit("新宾县督查办"))
    w.people = {
        "prefecture": it.staff,
        "county": area,
        "village": await make.person("村督查", Role.supervision_staff, at=await make.unit("村委会", area=YAOZHAN)),
        "handler": it.handler,
        "reviewer": it.reviewer,
        "inspector": it.inspector,
        "nobody": await make.person("管理员", Role.sys_admin, at=office),
        "mixed": Actor(it.inspector.person, "兼职", both.grants + area.grants + it.handler.grants, home=office),
    }
    return w


def _item(made: random.Random, w: World, now: datetime, number: int) -> dict[str, Any]:
    place, status = made.choice(list(PATHS)), made.choice(list(Status))
    path = PATHS[place]
    issued = status != Status.draft and not (status == Status.voided and made.random() < 0.5)
    due = None if not issued or made.random() < 0.1 else now + timedelta(days=made.randrange(-6, 12))
    at = now - timedelta(days=made.randrange(1, 40), hours=made.randrange(24))
    named = made.sample(list(w.units.values()), made.randrange(1, 4))
    roles = (UnitRole.responsible, UnitRole.lead, UnitRole.cooperating)
    return {
        "id": uuid7(), "number": f"ZG-{path[2][:6]}-20261120-{number:04}" if issued else None,
        "source": made.choice(("unannounced", "ledger")), "finding": None,
        "visit": made.choice([None, *w.visits]), "topic": made.choice(("0304", "0501", "03")),
        "severity": made.choice(("ordinary", "serious", "grave")), "closing_class": "by_date",
        "facts": "".join(made.sample(WORDS, 2)), "asks": made.choice(("修复。", "限期办结。")), "region": place,
        "province": path[0], "prefecture": path[1], "county": path[2], "township": path[3] if len(path) > 3 else None,
        "status": status.value, "drafted_at": at, "issued_at": at + timedelta(hours=1) if issued else None,
        "due_on": due.date() if due else None, "due_at": due, "due_certainty": "known" if due else None,
        "closed_at": now if status == Status.closed else None,
        "look_back_on": clock.today() + timedelta(days=made.randrange(-3, 3)) if status == Status.closed else None,
        "listed": made.random() < 0.2, "public": False, "sampled": False, "returned": made.choice((0, 0, 1, 2)),
        "reopened": made.choice((0, 0, 0, 1)), "extended": 0,
        "parts": [(unit, role, now if made.random() < 0.1 else None) for unit, role in zip(named, roles, strict=False)],
        "path": path,
    }  # fmt: skip


def sees(w: World, actor: Actor, row: dict[str, Any]) -> bool:
    if set(row["path"]) & actor.areas(*READS_AREA):
        return True
    if actor.has(*FIELD) and actor.person in w.visits.get(row["visit"], ()):
        return True
    return row["issued_at"] is not None and any(
        unit in (actor.units(Role.lead_unit_reviewer) if role == UnitRole.lead else actor.units(*RESPONSIBLE))
        for unit, role, _ in row["parts"]
    )


def fits(row: dict[str, Any], wanted: Filter, now: datetime, today: date) -> bool:
    status, due = Status(row["status"]), row["due_at"]
    ticking = status in TICKING and due is not None
    facts: dict[str, Callable[[Any], bool]] = {
        "group": lambda it: status in STATUSES[it],
        "status": lambda it: status == it,
        "unit": lambda it: any(
            unit == it and ended is None and wanted.unit_role in (None, role) for unit, role, ended in row["parts"]
        ),
        "unit_role": lambda _: True,
        "region": lambda it: it in row["path"],
        "topic": lambda it: it in (row["topic"], row["topic"][:2]),
        "source": lambda it: row["source"] == it,
        "severity": lambda it: row["severity"] == it,
        "overdue": lambda it: (ticking and due <= now) == it,
        "due_soon": lambda it: (ticking and now < due <= now + SOON) == it,
        "returned": lambda it: (row["returned"] > 0) == it,
        "rebounded": lambda it: (row["reopened"] > 0) == it,
        "listed": lambda it: row["listed"] == it,
        "look_back_due": lambda it: (status == Status.closed and row["look_back_on"] <= today) == it,
        "q": lambda it: all(
            any(word in (row[name] or "").lower() for name in ("number", "facts", "asks"))
            for word in it.lower().split()
        ),
    }
    said = {name: getattr(wanted, name) for name in Filter.__struct_fields__}
    return all(facts[name](value) for name, value in said.items() if value is not None)


ORDER: dict[Sort, Callable[[dict[str, Any]], Any]] = {
    Sort.urgency: lambda row: (row["due_at"] or NEVER, row["id"]),
    Sort.newest: lambda row: (row["issued_at"] or EVER, row["id"]),
    Sort.returned: lambda row: (row["returned"], row["id"]),
    Sort.number: lambda row: (row["number"] or "~", row["id"]),
}


def model(w: World, actor: Actor, wanted: Filter, sort: Sort = Sort.urgency) -> list[UUID]:
    """The ids of the whole list, in order."""
    now, today = clock.now(), clock.today()
    found = [row for row in w.items.values() if sees(w, actor, row) and fits(row, wanted, now, today)]
    found.sort(key=ORDER[sort], reverse=sort in (Sort.newest, Sort.returned))
    return [row["id"] for row in found]


async def drift() -> list[Any]:
    """What a copy says otherwise than its item does."""
    searched = await raw(
        "SELECT it.id FROM rectification AS it LEFT JOIN rectification_search AS copy ON copy.rectification = it.id "
        "WHERE copy IS DISTINCT FROM search_row(it)"
    )
    parts = await raw(
        "SELECT part.id FROM rectification_unit AS part JOIN rectification AS it ON it.id = part.rectification "
        "WHERE (item_status, item_urgency, item_returned, item_number) IS DISTINCT FROM "
        "(it.status, it.urgency, it.returned, coalesce(it.number, '~')) "
        "OR item_issued_at <> coalesce(it.issued_at, '1900-01-01T00:00:00+00:00')"
    )
    return [*searched, *parts]
