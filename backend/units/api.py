"""HTTP of regions, units and groups of units."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta

from backend import clock
from backend.roles import Actor
from backend.shapes import NO_NUL, Line, RegionCode
from backend.units import commands, queries
from backend.units.queries import RegionShape, UnitShape
from backend.units.rules import UnitKind

CODE = r"^[0-9]{12}$"
Limit = Annotated[int, QueryParameter(ge=1, le=100)]
CodeAsked = Annotated[str | None, QueryParameter(pattern=CODE)]
NameAsked = Annotated[str | None, QueryParameter(max_length=64, pattern=NO_NUL)]


class UnitIn(msgspec.Struct, forbid_unknown_fields=True):
    """`id` is made by the client; the same id with the same content is the same request."""

    id: UUID
    name: Line
    kind: UnitKind
    region: RegionCode
    short_name: Annotated[str, Meta(max_length=64)] = ""
    parent: UUID | None = None
    valid_from: date | None = None


class AliasIn(msgspec.Struct, forbid_unknown_fields=True):
    """Another name under which papers know the unit. Without days: as long as the unit itself."""

    id: UUID
    name: Line
    valid_from: date | None = None
    valid_to: date | None = None


class EndingIn(msgspec.Struct, forbid_unknown_fields=True):
    """`on` is the unit's last day; `successor` does its work from the next one."""

    on: date
    successor: UUID | None = None


class RegionPage(msgspec.Struct):
    items: list[RegionShape]
    next: str | None


class UnitPage(msgspec.Struct):
    items: list[UnitShape]
    next: UUID | None


class RegionController(Controller):
    path = "/api/regions"
    tags = ["units"]

    @get("/", summary="Regions right below one; without it the provinces")
    async def below(
        self, actor: NamedDependency[Actor], parent: CodeAsked = None, cursor: CodeAsked = None, limit: Limit = 100
    ) -> RegionPage:
        items = await queries.regions(parent, cursor, limit)
        return RegionPage(items, items[-1].code if len(items) == limit else None)

    @get("/{code:str}", summary="One region by its 12-digit code")
    async def show(self, code: FromPath[str], actor: NamedDependency[Actor]) -> RegionShape:
        return await queries.region(code)


class UnitController(Controller):
    path = "/api/units"
    tags = ["units"]

    @get("/", summary="Units: `region` at and below a place, `covering` those whose area holds it")
    async def list(
        self,
        actor: NamedDependency[Actor],
        region: CodeAsked = None,
        covering: CodeAsked = None,
        q: NameAsked = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Limit = 100,
    ) -> UnitPage:
        items = await queries.units(actor, region=region, covering=covering, q=q, cursor=cursor, most=limit)
        return UnitPage(items, items[-1].id if len(items) == limit else None)

    @post("/", summary="Add a unit")
    async def add(self, data: JSONBody[UnitIn], actor: NamedDependency[Actor]) -> UnitShape:
        await commands.add_unit(
            actor,
            id=data.id,
            name=data.name,
            short_name=data.short_name or data.name,
            kind=data.kind,
            region=data.region,
            parent=data.parent,
            valid_from=data.valid_from,
        )
        return await queries.unit(data.id, actor)

    @get("/{unit_id:uuid}", summary="One unit with its other names")
    async def show(self, unit_id: FromPath[UUID], actor: NamedDependency[Actor]) -> UnitShape:
        return await queries.unit(unit_id, actor)

    @post("/{unit_id:uuid}/ending", summary="The unit's last day, and who takes over its work and its open parts")
    async def end(self, unit_id: FromPath[UUID], data: JSONBody[EndingIn], actor: NamedDependency[Actor]) -> UnitShape:
        await commands.end_unit(actor, unit=unit_id, on=data.on, successor=data.successor)
        return await queries.unit(unit_id, actor)

    @post("/{unit_id:uuid}/aliases", summary="Give a unit another name")
    async def rename(
        self, unit_id: FromPath[UUID], data: JSONBody[AliasIn], actor: NamedDependency[Actor]
    ) -> UnitShape:
        await commands.add_alias(
            actor,
            id=data.id,
            unit=unit_id,
            name=data.name,
            valid_from=data.valid_from,
            valid_to=data.valid_to,
        )
        return await queries.unit(unit_id, actor)


class UnitGroupController(Controller):
    path = "/api/unit-groups"
    tags = ["units"]

    @get("/{name:str}", summary="The units a word of papers stands for on a day (各县区)")
    async def expand(
        self,
        name: FromPath[str],
        actor: NamedDependency[Actor],
        region: Annotated[str, QueryParameter(pattern=CODE)],
        on: FromQuery[date | None] = None,
    ) -> UnitPage:
        return UnitPage(await queries.expand(name, region, on or clock.today()), None)
