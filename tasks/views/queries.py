"""Reading saved views: one's own, and those that colleagues share."""

from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from piccolo.querystring import QueryString

from backend import clock
from backend.db import select
from backend.errors import NotFound
from backend.roles import Actor
from tasks.rectifications.filters import Filter, Sort


class ViewShape(msgspec.Struct):
    """`gone` names the filters whose unit, region or topic is no more: the view is shown, and finds what is left."""

    id: UUID
    name: str
    filter: Filter
    sort: Sort
    place: int
    first: bool
    shared: bool
    own: bool
    owner_name: str
    unit_name: str | None
    region_name: str | None
    gone: list[str]


class ViewList(msgspec.Struct):
    items: list[ViewShape]
    next: None = None


def visible_to(actor: Actor) -> QueryString:
    """One's own, and what is shared with a unit one belongs to or holds a role at."""
    units = {*actor.units(), *([actor.home] if actor.home else [])}
    return QueryString(
        "(saved_view.person = {} OR saved_view.shared_with = ANY({}::uuid[]))", actor.person, sorted(units)
    )


async def listed(actor: Actor) -> ViewList:
    """One's own in their order, then those of colleagues by name."""
    rows = await select(
        f"{_VIEW} WHERE {{}} ORDER BY saved_view.person <> {{}}, CASE WHEN saved_view.person = {{}} THEN place END, "
        "saved_view.name, saved_view.id",
        visible_to(actor),
        actor.person,
        actor.person,
    )
    return ViewList([_shape(row, actor, clock.today()) for row in rows])


async def one(view: UUID, actor: Actor) -> ViewShape:
    """Raises NotFound outside the actor's sight."""
    rows = await select(f"{_VIEW} WHERE saved_view.id = {{}} AND {{}}", view, visible_to(actor))
    if not rows:
        raise NotFound()
    return _shape(rows[0], actor, clock.today())


async def owner(view: UUID, actor: Actor) -> UUID | None:
    """None when there is no such view at all. Raises NotFound when it is there and out of sight."""
    rows = await select("SELECT person, {} AS seen FROM saved_view WHERE id = {} FOR UPDATE", visible_to(actor), view)
    if rows and not rows[0]["seen"]:
        raise NotFound()
    return rows[0]["person"] if rows else None


_VIEW = (
    "SELECT saved_view.*, saved_view.filter::text AS said, person.name AS owner_name, unit.name AS unit_name, "
    "unit.valid_to AS unit_until, region.full_name AS region_name, region.valid_to AS region_until, "
    "topic.code AS topic_code FROM saved_view JOIN person ON person.id = saved_view.person "
    "LEFT JOIN unit ON unit.id = (saved_view.filter ->> 'unit')::uuid "
    "LEFT JOIN region ON region.code = saved_view.filter ->> 'region' "
    "LEFT JOIN topic ON topic.code = saved_view.filter ->> 'topic'"
)


def _shape(row: dict[str, Any], actor: Actor, today: date) -> ViewShape:
    wanted = msgspec.json.decode(row["said"], type=Filter)
    return ViewShape(
        id=row["id"],
        name=row["name"],
        filter=wanted,
        sort=Sort(row["sort"]),
        place=row["place"],
        first=row["first"] and row["person"] == actor.person,
        shared=row["shared_with"] is not None,
        own=row["person"] == actor.person,
        owner_name=row["owner_name"],
        unit_name=row["unit_name"],
        region_name=row["region_name"],
        gone=_gone(row, wanted, today),
    )


def _gone(row: dict[str, Any], wanted: Filter, today: date) -> list[str]:
    def over(name: str) -> bool:
        return row[f"{name}_name"] is None or (row[f"{name}_until"] is not None and row[f"{name}_until"] < today)

    gone = [name for name in ("unit", "region") if getattr(wanted, name) is not None and over(name)]
    return [*gone, "topic"] if wanted.topic is not None and row["topic_code"] is None else gone
