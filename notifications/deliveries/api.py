"""HTTP of deliveries and of the addresses they go to."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from backend import settings
from backend.roles import Actor
from notifications.deliveries import channel_queries, commands, queries, registering, web_push
from notifications.deliveries.rules import DeliveryState
from notifications.deliveries.shapes import (
    BrowserIn,
    ChannelIn,
    ChannelPage,
    ChannelShape,
    CodeIn,
    Counts,
    DeliveryDetail,
    DeliveryPage,
    PushKey,
    SendingIn,
)

Id = FromPath[UUID]


class DeliveryController(Controller):
    path = "/api/deliveries"
    tags = ["deliveries"]

    @get("/", summary="What was sent outside of the app, newest first: my own, and that of the office's people")
    async def list(
        self,
        actor: NamedDependency[Actor],
        only: Annotated[DeliveryState | None, QueryParameter(name="state")] = None,
        mine: FromQuery[bool] = False,
        cursor: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
    ) -> DeliveryPage:
        return await queries.page(actor, state=only, mine=mine, cursor=cursor, most=limit)

    @get("/counts", summary="How many stand where; of those that are over, the last day's")
    async def count(self, actor: NamedDependency[Actor]) -> Counts:
        return await queries.counts(actor)

    @get("/{delivery_id:uuid}", summary="One of them with its attempts")
    async def show(self, delivery_id: Id, actor: NamedDependency[Actor]) -> DeliveryDetail:
        return await queries.detail(delivery_id, actor)

    @post("/{delivery_id:uuid}/retry", summary="Try one that was given up once more")
    async def retry(self, delivery_id: Id, actor: NamedDependency[Actor]) -> DeliveryDetail:
        await commands.retry(delivery_id, actor)
        return await queries.detail(delivery_id, actor)


class ChannelController(Controller):
    path = "/api/channels"
    tags = ["deliveries"]

    @get("/", summary="My addresses; with `unit` the robots of its group chats")
    async def list(self, actor: NamedDependency[Actor], unit: FromQuery[UUID | None] = None) -> ChannelPage:
        return await channel_queries.page(actor, unit)

    @post("/", summary="Enter a mail address, a number, or a unit's robot: a code or a test message goes there")
    async def add(self, data: JSONBody[ChannelIn], actor: NamedDependency[Actor]) -> ChannelShape:
        await registering.add(data, actor)
        return await channel_queries.one(data.id, actor)

    @get("/push-key", summary="What a browser needs to subscribe to Web Push")
    async def push_key(self, actor: NamedDependency[Actor]) -> PushKey:
        key = settings.load().outgoing.push_key
        return PushKey(web_push.public_key(key) if key else None)

    @post("/push", summary="Register this browser for Web Push; safe at every start")
    async def register(self, data: JSONBody[BrowserIn], actor: NamedDependency[Actor]) -> ChannelShape:
        return await channel_queries.one(await registering.register_browser(data, actor), actor)

    @post("/{channel_id:uuid}/messages", summary="Another code, or a test message to an address that is used")
    async def send(self, channel_id: Id, data: JSONBody[SendingIn], actor: NamedDependency[Actor]) -> ChannelShape:
        await registering.send_again(channel_id, actor, id=data.id)
        return await channel_queries.one(channel_id, actor)

    @post("/{channel_id:uuid}/confirmation", summary="The code that came there")
    async def confirm(self, channel_id: Id, data: JSONBody[CodeIn], actor: NamedDependency[Actor]) -> ChannelShape:
        await registering.confirm(channel_id, actor, code=data.code)
        return await channel_queries.one(channel_id, actor)

    @delete("/{channel_id:uuid}", summary="Send nothing there any more")
    async def remove(self, channel_id: Id, actor: NamedDependency[Actor]) -> None:
        await registering.remove(channel_id, actor)
