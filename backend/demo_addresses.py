"""The demo's people who are told outside the app as well: entered at the end of the story, for what follows.

Their addresses lie under `.example`, where no mail can go (RFC 2606). Where channels are connected they have none.
"""

from backend import clock, settings
from backend.columns import uuid7
from backend.demo_people import Cast
from notifications.deliveries import queries, registering
from notifications.deliveries.rules import ChannelKind
from notifications.deliveries.shapes import ChannelIn

ADDRESSES = {
    "zhao": "zhao.ming@xinbin-water.example",
    "li": "li.hongmei@fushun-water.example",
    "zhou": "zhou.xiaoyan@fushun.example",
    "wu": "wu.zhenhua@fushun.example",
}


async def enter(cast: Cast) -> None:
    """What happens to them from now on is recorded: `./duban messages`."""
    if settings.load().outgoing.sends:
        return
    for name, address in ADDRESSES.items():
        id = uuid7()
        await registering.add(ChannelIn(id, ChannelKind.mail, address, label="办公邮箱"), cast[name])
        if code := await queries.code_of(id, clock.now()):
            await registering.confirm(id, cast[name], code=code)
