"""HTTP of what a phone works from offline: the document for today, and the households."""

from typing import Annotated, Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from backend.people.sign_in import the_session
from backend.roles import Actor
from notifications.today import kept, queries
from notifications.today.kept import KeptHouseholds
from notifications.today.queries import Today


class TodayController(Controller):
    path = "/api/phone/today"
    tags = ["phone"]

    @get("/", summary="One document to work from offline")
    async def show(self, request: Request[Any, Any, Any], actor: NamedDependency[Actor]) -> Today:
        return await queries.today(actor, the_session(request).ends_at)


class KeptHouseholdsController(Controller):
    path = "/api/phone/households"
    tags = ["phone"]

    @get("/", summary="The households to work with offline, masked: of own visits, of the own unit's open items")
    async def show(
        self,
        actor: NamedDependency[Actor],
        have: Annotated[str | None, QueryParameter(max_length=40)] = None,
        cursor: Annotated[str | None, QueryParameter(max_length=400)] = None,
    ) -> KeptHouseholds:
        return await kept.page(actor, have, cursor)
