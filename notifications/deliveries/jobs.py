"""Sending: each kind of channel has a lane of its own in the worker, so that one that hangs holds up no other.

A lane looks every two seconds; PostgreSQL is its queue, and nothing about deliveries goes through Redis.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from backend import clock, settings
from backend.db import LOST
from backend.errors import Busy
from notifications.deliveries import attempting, channels, circuits, queries, registering, rules
from notifications.deliveries.queries import Claimed
from notifications.deliveries.rules import ChannelKind, DeliveryState, Outcome, Purpose, Words
from notifications.deliveries.sending import Address, Answer, Message

Worder = Callable[[Sequence[UUID]], Awaitable[dict[UUID, Words]]]

WIDTH = 8  # sent at once in one lane
TURN = 400  # then the lane's timer has its say
SETTLE_AGAIN = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds; together less than a lease
AN_ATTEMPT_WITHIN = 45.0  # seconds; each channel has its own, shorter limits

TEST = Words("督办测试消息", "收到本消息，说明这个接收渠道可以使用。")

log = logging.getLogger("duban.deliveries")


async def run_lane(kind: ChannelKind, worders: Sequence[Worder]) -> int:
    """Send what is due through this kind of channel; returns how many were taken up. Any number of workers may."""
    taken = 0
    while taken < TURN and (batch := await attempting.claim(kind, WIDTH)):
        taken += len(batch)
        words, unsaid = await _words(batch, worders)
        async with asyncio.TaskGroup() as each:  # no transaction is open here, so nothing is inherited
            for it in batch:
                each.create_task(_deliver(it, words.get(it.id), broken=it.notice in unsaid))
    return taken


async def _deliver(it: Claimed, words: Words | None, *, broken: bool) -> DeliveryState | None:
    """One round of one delivery. What goes wrong here is this delivery's alone; its lease ends by itself."""
    try:
        if broken:
            return await attempting.skip(it, Outcome.failed)
        if words is None:
            return await attempting.lapse(it)
        return await _round(it, words)
    except Exception as bug:
        _note(f"delivery {it.id}", bug)
        return None


async def _round(it: Claimed, words: Words) -> DeliveryState | None:
    now = clock.now()
    found = await queries.addresses(it)
    if not found:
        return await attempting.skip(it, Outcome.no_address)
    rests = {address.id: circuits.rests_until(channels.provider_of(address), now) for address in found}
    well = [address for address in found if rests[address.id] is None]
    if not well:
        return await attempting.skip(it, Outcome.down, until=min(until for until in rests.values() if until))
    attempts = await attempting.begin(it, well)
    to_try = [address for address in well if address.id in attempts]
    if not to_try:
        return await _told_already(it, well)
    answers: dict[UUID, Answer] = {}
    message = _message(it, words)
    async with asyncio.TaskGroup() as each:
        for address in to_try:
            each.create_task(_try(message, address, answers))
    return await _settled(it, attempts, answers)


async def _settled(it: Claimed, attempts: Mapping[UUID, UUID], answers: Mapping[UUID, Answer]) -> DeliveryState:
    """What a provider took is written down, even if the database restarts: otherwise it would be sent twice."""
    for pause in SETTLE_AGAIN:
        try:
            return await attempting.settle(it, attempts, answers)
        except (Busy, *LOST) as away:
            log.warning("delivery %s: database away (%s), its outcome waits", it.id, type(away).__name__)
            await asyncio.sleep(pause)
    return await attempting.settle(it, attempts, answers)


async def _told_already(it: Claimed, groups: Sequence[Address]) -> DeliveryState | None:
    """The group's chat has the event already, or another delivery is telling it now: then this one waits for that."""
    if await queries.group_has(it, [group.id for group in groups]):
        return await attempting.skip(it, Outcome.shared)
    await attempting.put_off(it, clock.now() + rules.GROUP_PAUSE)
    return None


async def _try(message: Message, address: Address, answers: dict[UUID, Answer]) -> None:
    try:
        async with asyncio.timeout(AN_ATTEMPT_WITHIN):
            answer = await channels.send(message, address)
    except TimeoutError:
        answer = Answer(Outcome.slow, ill=True)
    except Exception as bug:  # a channel's bug is a failed attempt
        _note(f"channel {address.kind}", bug)
        answer = Answer(Outcome.failed, type(bug).__name__)
    circuits.noted(channels.provider_of(address), answer.ill, clock.now())
    answers[address.id] = answer


def _message(it: Claimed, words: Words) -> Message:
    public = settings.load().outgoing.public_url
    link = f"{public}{words.link}" if public and words.link else ""
    if it.standing.channel is ChannelKind.web_push:
        link = words.link  # the app's own worker opens it, wherever the app was loaded from
    return Message(it.id, words.title, words.line, link, it.at_once)


async def _words(batch: Sequence[Claimed], worders: Sequence[Worder]) -> tuple[dict[UUID, Words], set[UUID]]:
    """What each delivery says now, none where nothing is left to say; and the notices nobody could put in words."""
    notices = sorted({it.notice for it in batch if it.purpose is Purpose.notice})
    unsaid: set[UUID] = set()
    try:
        told = await _told(notices, worders)
    except Exception:  # one notice's bug must not stop the others
        told = {}
        for notice in notices:
            try:
                told |= await _told([notice], worders)
            except Exception as bug:
                _note(f"words of notice {notice}", bug)
                unsaid.add(notice)
    said: dict[UUID, Words] = {}
    for it in batch:
        words = told.get(it.notice) if it.purpose is Purpose.notice else await _own_words(it)
        if words is not None:
            said[it.id] = words
    return said, unsaid


async def _told(notices: Sequence[UUID], worders: Sequence[Worder]) -> dict[UUID, Words]:
    told: dict[UUID, Words] = {}
    for worder in worders:
        if left := [notice for notice in notices if notice not in told]:
            told |= await worder(left)
    return told


async def _own_words(it: Claimed) -> Words | None:
    if it.purpose is Purpose.test or it.address is None:
        return TEST
    code = await queries.code_of(it.address, clock.now())
    return code and Words("督办验证码", f"{code}，十分钟内有效。如非本人操作，请不要理会。") or None


def _note(what: str, bug: Exception) -> None:
    """Where it happened, never with its text: that may hold an address or what was to be said."""
    log.error("%s: %s\n%s", what, type(bug).__name__, "".join(traceback.format_tb(bug.__traceback__)))


async def sweep_addresses() -> int:
    """Addresses that nobody uses any more."""
    return await registering.forget(clock.now())
