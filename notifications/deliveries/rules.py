"""Deliveries: the kinds of channels, states and outcomes, and how long to try where. No I/O."""

from datetime import datetime, timedelta
from enum import StrEnum


class ChannelKind(StrEnum):
    """A way to reach somebody. `in_app` is the notice itself: it is there already and is never tried."""

    in_app = "in_app"
    web_push = "web_push"
    mail = "mail"
    wecom = "wecom"
    dingtalk = "dingtalk"
    feishu = "feishu"
    sms = "sms"


ROBOTS = frozenset({ChannelKind.wecom, ChannelKind.dingtalk, ChannelKind.feishu})  # of a unit's group chat
CONFIRMED_BY_CODE = frozenset({ChannelKind.mail, ChannelKind.sms})
LANES = tuple(kind for kind in ChannelKind if kind is not ChannelKind.in_app)


class Purpose(StrEnum):
    notice = "notice"
    code = "code"  # that an address is one's own
    test = "test"


class DeliveryState(StrEnum):
    waiting = "waiting"
    sending = "sending"  # one attempt is being made, until its lease ends
    sent = "sent"
    gave_up = "gave_up"
    lapsed = "lapsed"  # when its turn came, nothing was left to say


OVER = frozenset({DeliveryState.sent, DeliveryState.gave_up, DeliveryState.lapsed})


class Outcome(StrEnum):
    """What came of one attempt, or why there was none."""

    sending = "sending"
    sent = "sent"
    recorded = "recorded"  # by the stand-in: this channel is not connected here
    shared = "shared"  # the unit's group was told of the same event already
    failed = "failed"  # may work later
    slow = "slow"  # no answer in time
    limited = "limited"  # the provider says: not so fast
    refused = "refused"  # will not work later either
    unknown_address = "unknown_address"  # the provider says that nobody is there
    lost = "lost"  # the attempt was cut off; whether it arrived is not known
    no_address = "no_address"
    down = "down"  # not tried: the provider has failed again and again


ARRIVED = frozenset({Outcome.sent, Outcome.recorded, Outcome.shared})
FOR_GOOD = frozenset({Outcome.refused, Outcome.unknown_address, Outcome.no_address})

# How long to wait after a failed try: where another channel is left, and on the last one.
WITH_NEXT = (timedelta(seconds=15), timedelta(seconds=60))
LAST = tuple(timedelta(seconds=s) for s in (15, 60, 300, 900, 3600, 3 * 3600))
GIVE_UP_AFTER = timedelta(hours=24)  # whatever is in the way; for a code, its own life
JITTER = 0.25  # so that what failed together does not come again together


def pause(tries: int, is_last: bool, luck: float) -> timedelta | None:
    """How long after this many failed tries in a channel to try it again; None: no more. `luck` is from 0 to 1."""
    waits = LAST if is_last else WITH_NEXT
    if tries > len(waits):
        return None
    return waits[tries - 1] * (1 + JITTER * luck)


def too_old(due_at: datetime, now: datetime) -> bool:
    return now - due_at > GIVE_UP_AFTER
