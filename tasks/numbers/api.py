"""HTTP of the running numbers."""

from litestar import Controller, get
from litestar.di import NamedDependency

from backend.roles import Actor
from tasks.numbers import queries
from tasks.numbers.queries import Numbers


class NumbersController(Controller):
    path = "/api/numbers"
    tags = ["numbers"]

    @get("/", summary="Five numbers of what I see, of each region below and of my units")
    async def show(self, actor: NamedDependency[Actor]) -> Numbers:
        return await queries.of(actor)
