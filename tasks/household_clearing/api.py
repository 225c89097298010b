"""HTTP of the ledger together with its items: list, one household, its items, clearing by region. All masked."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from backend.households.rules import Category
from backend.roles import Actor
from backend.shapes import NO_NUL
from tasks.household_clearing import queries
from tasks.household_clearing.shapes import Clearing, Detail, Page
from tasks.rectifications.shapes import Page as ItemPage

CODE = r"^[0-9]{12}$"
Cursor = Annotated[str | None, QueryParameter(max_length=400)]
Limit = Annotated[int, QueryParameter(ge=1, le=100)]


class HouseholdClearingController(Controller):
    path = "/api/households"
    tags = ["households"]

    @get("/", summary="The ledger of households in sight, by village and number, masked")
    async def list(
        self,
        actor: NamedDependency[Actor],
        region: Annotated[str | None, QueryParameter(pattern=CODE)] = None,
        q: Annotated[str | None, QueryParameter(max_length=64, pattern=NO_NUL)] = None,
        category: FromQuery[Category | None] = None,
        cleared: FromQuery[bool | None] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Page:
        return await queries.page(actor, queries.Filter(region, q, category, cleared), cursor, limit)

    @get("/clearing", summary="一户一户对账: cleared and not cleared, by the places below a region")
    async def clearing(
        self,
        actor: NamedDependency[Actor],
        region: Annotated[str, QueryParameter(pattern=CODE)],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> Clearing:
        return await queries.clearing(actor, region, cursor, limit)

    @get("/{household_id:uuid}", summary="One household, masked")
    async def show(self, household_id: FromPath[UUID], actor: NamedDependency[Actor]) -> Detail:
        return await queries.detail(household_id, actor)

    @get("/{household_id:uuid}/items", summary="The rectifications that concern this household, as far as you see them")
    async def items(
        self, household_id: FromPath[UUID], actor: NamedDependency[Actor], cursor: Cursor = None, limit: Limit = 50
    ) -> ItemPage:
        return await queries.items(household_id, actor, cursor, limit)
