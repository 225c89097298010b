"""HTTP of what waits for a person."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from backend.roles import Actor
from tasks.decisions import queries
from tasks.decisions.queries import Decisions


class DecisionController(Controller):
    path = "/api/decisions"
    tags = ["rectifications"]

    @get("/", summary="待我处理: items that wait for me and for which moves, the most urgent first")
    async def list(
        self,
        actor: NamedDependency[Actor],
        decisions_only: FromQuery[bool] = False,
        limit: Annotated[int, QueryParameter(ge=1, le=60)] = 60,
    ) -> Decisions:
        return await queries.waiting(actor, decisions_only=decisions_only, most=limit)
