"""HTTP of the household ledger: enter, correct, people, full reading. Lists and clearing: tasks/household_clearing."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET

from backend.households import commands, queries, views
from backend.households.queries import Shown
from backend.households.shapes import (
    CorrectionIn,
    FullHousehold,
    Household,
    HouseholdIn,
    HouseholdPersonIn,
    HouseholdRow,
    SearchIn,
    ViewIn,
    Views,
)
from backend.roles import Actor

Id = FromPath[UUID]
Limit = Annotated[int, QueryParameter(ge=1, le=100)]


class SearchResult(msgspec.Struct):
    items: list[HouseholdRow]
    next: None = None


class HouseholdController(Controller):
    path = "/api/households"
    tags = ["households"]

    # Not POST to the list: that path belongs to the concept above, and litestar gives a path to one controller only.
    @put("/{household_id:uuid}/entry", summary="登记: enter a household of the ledger", status_code=201)
    async def enter(
        self,
        household_id: Id,
        data: JSONBody[HouseholdIn],
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
    ) -> Household:
        await commands.enter(actor, id=household_id, **msgspec.structs.asdict(data))
        return await queries.masked(household_id, actor, shown)

    @post("/searches", summary="The household of an ID number, which must not stand in an address", status_code=200)
    async def search(
        self, data: JSONBody[SearchIn], actor: NamedDependency[Actor], shown: NamedDependency[Shown]
    ) -> SearchResult:
        return SearchResult(await queries.found_by_id_number(data.id_number, actor, shown))

    @post("/{household_id:uuid}/corrections", summary="更正: change what is named")
    async def correct(
        self,
        household_id: Id,
        data: JSONBody[CorrectionIn],
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
    ) -> Household:
        given = {name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET}
        await commands.correct(household_id, actor, shown, version=given.pop("version"), changes=given)
        return await queries.masked(household_id, actor, shown)

    @post("/{household_id:uuid}/persons", summary="Add somebody who lives there")
    async def add_person(
        self,
        household_id: Id,
        data: JSONBody[HouseholdPersonIn],
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
    ) -> Household:
        await commands.add_person(household_id, actor, shown, **msgspec.structs.asdict(data))
        return await queries.masked(household_id, actor, shown)

    @delete("/{household_id:uuid}/persons/{person_id:uuid}", summary="They live there no more")
    async def remove_person(
        self, household_id: Id, person_id: Id, actor: NamedDependency[Actor], shown: NamedDependency[Shown]
    ) -> None:
        await commands.remove_person(household_id, person_id, actor, shown)

    @post("/{household_id:uuid}/views", summary="查看完整信息: the full values, for a reason that is recorded")
    async def view(
        self, household_id: Id, data: JSONBody[ViewIn], actor: NamedDependency[Actor], shown: NamedDependency[Shown]
    ) -> FullHousehold:
        return await commands.view(household_id, actor, shown, **msgspec.structs.asdict(data))

    @get("/{household_id:uuid}/views", summary="Who read the full values of this household, and why")
    async def views_of(
        self,
        household_id: Id,
        actor: NamedDependency[Actor],
        shown: NamedDependency[Shown],
        cursor: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Views:
        return await views.of_household(household_id, actor, shown, cursor, limit)

    @get("/views", summary="Who read full values in your area; for auditors and office leaders")
    async def all_views(
        self,
        actor: NamedDependency[Actor],
        by: FromQuery[UUID | None] = None,
        cursor: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Views:
        return await views.listed(actor, by, cursor, limit)
