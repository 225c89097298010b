"""HTTP of the phone's document for today."""

from typing import Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency

from backend.people.sign_in import the_session
from backend.roles import Actor
from notifications.today import queries
from notifications.today.queries import Today


class TodayController(Controller):
    path = "/api/phone/today"
    tags = ["phone"]

    @get("/", summary="One document to work from offline")
    async def show(self, request: Request[Any, Any, Any], actor: NamedDependency[Actor]) -> Today:
        return await queries.today(actor, the_session(request).ends_at)
