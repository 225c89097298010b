"""HTTP of the phone's document for today."""

from litestar import Controller, get
from litestar.di import NamedDependency

from backend.roles import Actor
from notifications.today import queries
from notifications.today.queries import Today


class TodayController(Controller):
    path = "/api/phone/today"
    tags = ["phone"]

    @get("/", summary="One document to work from offline")
    async def show(self, actor: NamedDependency[Actor]) -> Today:
        return await queries.today(actor)
