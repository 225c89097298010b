"""HTTP of calendar feeds: one's addresses, and the calendar itself for whoever has the address."""

import hashlib
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from backend import settings
from backend.errors import NotFound
from backend.roles import Actor
from notifications.feeds import calendar_text, commands, queries
from notifications.feeds.queries import FOLDER, FeedList, FeedShape

CALENDAR = "text/calendar"  # the charset is added
SUFFIX = ".ics"


class FeedIn(msgspec.Struct, forbid_unknown_fields=True):
    """The id is made by the client: the same request again gives the same address."""

    id: UUID


class FeedController(Controller):
    path = "/api/calendar-feeds"
    tags = ["calendar feeds"]

    @get("/", summary="The secret addresses of my calendar that are not revoked")
    async def list(self, actor: NamedDependency[Actor]) -> FeedList:
        return await queries.own(actor)

    @post("/", summary="日历订阅: a secret address under which my deadlines are read by a calendar program")
    async def make(self, data: JSONBody[FeedIn], actor: NamedDependency[Actor]) -> FeedShape:
        await commands.make(data.id, actor)
        return await queries.one(data.id, actor)

    @delete("/{feed:uuid}", status_code=204, summary="Revoke an address: nothing is read under it any more")
    async def revoke(self, feed: FromPath[UUID], actor: NamedDependency[Actor]) -> None:
        await commands.revoke(feed, actor)


class CalendarFeedController(Controller):
    """Read without signing in: the address is the key. Unknown and revoked ones are the same 404."""

    path = FOLDER
    tags = ["calendar feeds"]
    security: Any = []

    @get("/{name:str}", summary="The calendar of whoever made this address (RFC 5545)")
    async def show(
        self,
        name: FromPath[str],
        request: Request[Any, Any, Any],
        language: FromQuery[Literal["zh-CN", "en"]] = "zh-CN",
    ) -> Response[bytes]:
        if not name.endswith(SUFFIX):
            raise NotFound()
        feed, actor = await queries.find(name.removesuffix(SUFFIX))
        await commands.read(feed)
        address = settings.load().outgoing.public_url or str(request.base_url).rstrip("/")
        body = calendar_text.text(await queries.days(actor), address, english=language == "en")
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(b"", status_code=304, headers=headers)
        return Response(body, media_type=CALENDAR, headers=headers)
