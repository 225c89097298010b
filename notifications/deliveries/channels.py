"""The registry: which way a message goes for each kind of channel, or whether it is only recorded."""

from collections.abc import Mapping

from backend import settings
from notifications.deliveries import mail, posting, recording, robots, web_push
from notifications.deliveries.rules import ChannelKind, Outcome
from notifications.deliveries.sending import Address, Answer, Message, Sender

SENDERS: Mapping[ChannelKind, Sender] = {
    ChannelKind.web_push: web_push.send,
    ChannelKind.mail: mail.send,
    ChannelKind.wecom: robots.send,
    ChannelKind.dingtalk: robots.send,
    ChannelKind.feishu: robots.send,
    ChannelKind.sms: robots.send_sms,
}


async def send(message: Message, address: Address) -> Answer:
    """Through its channel, if DUBAN_SEND names it; where it names none at all, recorded instead."""
    sends = settings.load().outgoing.sends
    if address.kind.value in sends:
        return await SENDERS[address.kind](message, address)
    if not sends:
        return await recording.record(message, address)
    return Answer(Outcome.refused, "not connected here")


def connected(kind: ChannelKind) -> bool:
    """Whether messages of this kind leave this machine."""
    return kind.value in settings.load().outgoing.sends


def usable(kind: ChannelKind) -> bool:
    """Whether something comes of a message: it leaves, or nothing leaves here at all and it is recorded."""
    return connected(kind) or not settings.load().outgoing.sends


def provider_of(address: Address) -> str:
    """Whose illness it would be: browsers have the push services of their makers."""
    return posting.origin_of(address.text) if address.kind is ChannelKind.web_push else address.kind.value
