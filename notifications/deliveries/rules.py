"""Deliveries: the kinds of channels, states and outcomes, and how long to try where. No I/O."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from backend.roles import OFFICE, Actor, Role


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


class ChannelState(StrEnum):
    """Of an address."""

    unconfirmed = "unconfirmed"
    ready = "ready"
    refused = "refused"  # the provider says that nobody is there


class Purpose(StrEnum):
    notice = "notice"
    code = "code"  # that an address is one's own
    test = "test"


class DeliveryState(StrEnum):
    waiting = "waiting"
    sending = "sending"  # one attempt is being made, until its lease ends
    sent = "sent"
    gave_up = "gave_up"
    lapsed = "lapsed"  # nothing was left to say, or the person has no address in any of the channels


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


@dataclass(frozen=True, slots=True)
class Words:
    """What a notice says at the moment it is sent: a title, one line, and a path of ours that it leads to."""

    title: str
    line: str
    link: str = ""


ARRIVED = frozenset({Outcome.sent, Outcome.recorded, Outcome.shared})
LATER = frozenset({Outcome.failed, Outcome.slow, Outcome.limited})

# How long to wait after a failed try: where another channel is left, and on the last one.
WITH_NEXT = (timedelta(seconds=15), timedelta(seconds=60))
LAST = tuple(timedelta(seconds=s) for s in (15, 60, 300, 900, 3600, 3 * 3600))
GIVE_UP_AFTER = timedelta(hours=24)  # whatever is in the way; for a code, its own life
JITTER = 0.25  # so that what failed together does not come again together


CODE_FOR, CODE_TRIES = timedelta(minutes=10), 5
COUNTED_FOR, MOST_BY_ONE, MOST_TO_ONE = (
    timedelta(hours=1),
    6,
    3,
)  # codes and tests in an hour: by a person, to an address
MOST_OF_A_KIND = 10  # browsers of a person, robots of a kind of a unit

FORGOTTEN_AFTER = timedelta(days=30)  # addresses that were removed
UNCONFIRMED_FOR = timedelta(days=7)

LEASE = timedelta(minutes=2)  # of one attempt, which takes less
GROUP_PAUSE = timedelta(seconds=20)  # until the group's other attempt is through


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a chain is: the channels, the one it is at, failed tries there, when it was to begin."""

    chain: tuple[ChannelKind, ...]
    channel: ChannelKind
    tries: int
    due_at: datetime

    @property
    def following(self) -> ChannelKind | None:
        place = self.chain.index(self.channel) + 1
        return self.chain[place] if place < len(self.chain) else None


@dataclass(frozen=True, slots=True)
class Next:
    """How it goes on: over, or waiting in this channel until that moment."""

    state: DeliveryState
    channel: ChannelKind
    tries: int = 0
    at: datetime | None = None


def onward(
    it: Standing, outcomes: Collection[Outcome], now: datetime, *, not_before: datetime | None = None, luck: float = 0.0
) -> Next:
    """What follows from the outcomes of one round of attempts (a person may have several browsers).

    One that arrived is enough. What may work later is tried again, shortly where another channel follows; what will
    not, and a provider that is ill, gives way to the next channel at once. On the last channel an ill provider is
    waited for.
    `not_before` is what the provider asked for, `luck` (0 to 1) the jitter.
    """
    if ARRIVED & {*outcomes}:
        return Next(DeliveryState.sent, it.channel)
    if now - it.due_at > GIVE_UP_AFTER:
        return Next(DeliveryState.gave_up, it.channel)
    wait = None
    if LATER & {*outcomes}:
        wait = pause(it.tries + 1, it.following is None, luck)
        if wait is not None and not_before and it.following and not_before - now > WITH_NEXT[-1]:
            wait = None
        if wait is not None:
            at = max(now + wait, not_before or now)
            return Next(DeliveryState.waiting, it.channel, it.tries + 1, at)
    elif Outcome.down in outcomes and it.following is None:
        at = max(now, not_before or now) + WITH_NEXT[0] * luck
        return Next(DeliveryState.waiting, it.channel, it.tries, at)
    if it.following is None:
        return Next(DeliveryState.gave_up, it.channel)
    return Next(DeliveryState.waiting, it.following, 0, now)


def pause(tries: int, is_last: bool, luck: float) -> timedelta | None:
    """How long after this many failed tries in a channel to try it again; None: no more. `luck` is from 0 to 1."""
    waits = LAST if is_last else WITH_NEXT
    if tries > len(waits):
        return None
    return waits[tries - 1] * (1 + JITTER * luck)


def why_not_set_robot(actor: Actor, unit: UUID, path: frozenset[str]) -> str | None:
    """The unit's principal, or the office of a place the unit lies in. None: may."""
    if unit in actor.units(Role.unit_principal) or actor.areas(*OFFICE) & path:
        return None
    return "群机器人由单位负责人或督查办设置。"


def why_not_retry(state: DeliveryState, purpose: Purpose) -> str | None:
    """None: it may be tried again."""
    if purpose is Purpose.code:
        return "验证码不重发，请重新获取。"
    match state:
        case DeliveryState.sent:
            return "这条通知已经送达，不用重发。"
        case DeliveryState.lapsed:
            return "这条通知已无须再发。"
        case _:
            return None
