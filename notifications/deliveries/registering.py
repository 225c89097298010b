"""Addresses: entering one, showing that it is one's own, trying it, taking it back.

A code or a test goes out like any delivery. No event and no log names an address.
"""

import hmac
import json
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from backend import clock, events, once, protected, settings
from backend.db import insert, raw, transaction
from backend.errors import BadRequest, Forbidden, Incomplete, TooMany, WrongState
from backend.roles import Actor
from notifications.deliveries import addresses, channel_queries, commands, posting, rules, web_push
from notifications.deliveries.rules import CONFIRMED_BY_CODE, ROBOTS, ChannelKind, Purpose
from notifications.deliveries.shapes import BrowserIn, ChannelIn
from notifications.deliveries.tables import Channel


async def add(wanted: ChannelIn, actor: Actor) -> None:
    """A mail address or phone number of one's own, which gets a code; or a unit's robot, which gets a test message.

    The same again changes nothing. Raises BadRequest (`bad_address`, `unknown_channel`), NotFound for the unit,
    Forbidden, WrongState (`channel_off`), TooMany, Conflict.
    """
    out, kind = settings.load().outgoing, wanted.kind
    text = addresses.kept(kind, wanted.address, out.robot_origins)
    secret = addresses.sign_secret(kind, wanted.secret)
    if (kind in ROBOTS) != (wanted.unit is not None):
        said = "请选择机器人所在的单位。" if kind in ROBOTS else "只有群机器人属于单位。"
        raise BadRequest(said, "bad_owner", field="unit")
    async with transaction():
        await once.one_at_a_time(wanted.id)
        if wanted.unit:
            path = await channel_queries.path_of_unit(wanted.unit, on=clock.today())
            _check_sets_robots(actor, wanted.unit, path)
        owner = {"person": None if wanted.unit else actor.person, "unit": wanted.unit}
        if before := await once.earlier(Channel, wanted.id, kind=kind.value, **owner):
            if before.address_index not in protected.indexes(text, "address"):
                raise once.different()
            return
        _check_connected(kind)
        await _check_room(kind, **owner)
        await _write(wanted.id, kind, actor, text=text, secret=secret, label=wanted.label, **owner)
        purpose = Purpose.code if kind in CONFIRMED_BY_CODE else Purpose.test
        await _send(wanted.id, kind, actor, id=wanted.id, purpose=purpose)


async def register_browser(wanted: BrowserIn, actor: Actor) -> UUID:
    """This browser shall be pushed to, for this person and nobody else; returns the id of its address.

    A browser that is known stays one: whoever registered it last is told through it. Raises BadRequest
    (`push_service`, `bad_keys`), WrongState (`channel_off`), TooMany.
    """
    out = settings.load().outgoing
    if not posting.allowed(wanted.endpoint, out.push_origins):
        raise BadRequest("这个浏览器的推送服务不在允许的范围内。", "push_service", field="endpoint")
    if not web_push.keys_fit(wanted.keys.p256dh, wanted.keys.auth):
        raise BadRequest("浏览器给出的推送密钥不对，请重新开启推送。", "bad_keys", field="keys")
    if not out.push_key:
        raise WrongState("本系统没有开通浏览器推送。", "channel_off")
    _check_connected(ChannelKind.web_push)
    secret = json.dumps({"p256dh": wanted.keys.p256dh, "auth": wanted.keys.auth})
    now, known = clock.now(), protected.indexes(wanted.endpoint, "address")
    async with transaction():
        await raw("SELECT pg_advisory_xact_lock(hashtextextended($1, 9))", known[-1])
        here = await raw(
            "SELECT id, person FROM channel WHERE address_index = ANY($1::text[]) AND removed_at IS NULL", known
        )
        if mine := [row["id"] for row in here if row["person"] == actor.person]:
            sealed = protected.encrypt(secret, "channel.secret", mine[0])
            await raw("UPDATE channel SET secret = $2, refused_at = NULL WHERE id = $1", mine[0], sealed)
            return mine[0]
        await raw("UPDATE channel SET removed_at = $2 WHERE id = ANY($1::uuid[])", [row["id"] for row in here], now)
        if await once.earlier(Channel, wanted.id, person=actor.person):
            raise once.different()
        await _check_room(ChannelKind.web_push, person=actor.person, unit=None)
        await _write(
            wanted.id, ChannelKind.web_push, actor, text=wanted.endpoint, secret=secret, label=wanted.label,
            person=actor.person, unit=None, confirmed_at=now,
        )  # fmt: skip
        return wanted.id


async def send_again(channel: UUID, actor: Actor, *, id: UUID) -> None:
    """Another code to an address that waits for one, or a test message to one that is used. Once per id.

    Raises NotFound, Forbidden, WrongState (removed, `channel_off`), TooMany.
    """
    async with transaction():
        await once.one_at_a_time(id)
        it = await _held(channel, actor)
        kind = ChannelKind(it["kind"])
        if await raw("SELECT FROM delivery WHERE notice = $1 AND person = $2", id, actor.person):
            return
        _check_connected(kind)
        waits = kind in CONFIRMED_BY_CODE and (it["confirmed_at"] is None or it["refused_at"] is not None)
        await _send(channel, kind, actor, id=id, purpose=Purpose.code if waits else Purpose.test)


async def confirm(channel: UUID, actor: Actor, *, code: str) -> None:
    """The code that came there: from now on the address is used, and the former one of its kind is not.

    Confirming again changes nothing. Raises NotFound, WrongState (`code_over`: too late, or tried too often),
    Incomplete (`wrong_code`, with how many tries are left).
    """
    now = clock.now()
    async with transaction():
        it = await _held(channel, actor)
        if it["confirmed_at"] and not it["refused_at"]:
            return
        if not it["code"] or it["code_ends_at"] <= now or it["code_tries"] >= rules.CODE_TRIES:
            raise WrongState("验证码已失效，请重新获取。", "code_over")
        right = protected.decrypt(it["code"], "channel.code", channel)
        if right_now := hmac.compare_digest(right.encode(), code.strip().encode()):
            await _use(it, now)
            await events.record("channel.confirmed", channel, actor=actor, kind=it["kind"])
        else:
            await raw("UPDATE channel SET code_tries = code_tries + 1 WHERE id = $1", channel)
    if not right_now:
        left = rules.CODE_TRIES - it["code_tries"] - 1
        raise Incomplete(f"验证码不对，还可以试 {left} 次。", "wrong_code", field="code", left=left)


async def remove(channel: UUID, actor: Actor) -> None:
    """Nothing is sent there any more. Removing again changes nothing. Raises NotFound, Forbidden."""
    async with transaction():
        it = await channel_queries.lock(channel, actor)
        await _check_mine(it, actor)
        if it["removed_at"] is None:
            await raw("UPDATE channel SET removed_at = $2, code = NULL WHERE id = $1", channel, clock.now())
            await events.record("channel.removed", channel, actor=actor, kind=it["kind"], unit=it["unit"])


async def _held(channel: UUID, actor: Actor) -> dict[str, Any]:
    it = await channel_queries.lock(channel, actor)
    await _check_mine(it, actor)
    if it["removed_at"]:
        raise WrongState("这个接收地址已移除。", "removed")
    return it


async def _check_mine(it: dict[str, Any], actor: Actor) -> None:
    """Who sees a unit's robot need not be who sets it."""
    if it["unit"]:
        _check_sets_robots(actor, it["unit"], await channel_queries.path_of_unit(it["unit"]))


def _check_sets_robots(actor: Actor, unit: UUID, path: frozenset[str]) -> None:
    if why := rules.why_not_set_robot(actor, unit, path):
        raise Forbidden(why)


def _check_connected(kind: ChannelKind) -> None:
    sends = settings.load().outgoing.sends
    if sends and kind.value not in sends:
        raise WrongState("本系统没有接通这种接收渠道。", "channel_off")


async def _check_room(kind: ChannelKind, *, person: UUID | None, unit: UUID | None) -> None:
    """What waits for its code gives way to the new one; of browsers and robots there may be a few."""
    if kind in CONFIRMED_BY_CODE:
        await raw(
            "UPDATE channel SET removed_at = $3, code = NULL WHERE person = $1 AND kind = $2 "
            "AND confirmed_at IS NULL AND removed_at IS NULL",
            person,
            kind.value,
            clock.now(),
        )
        return
    rows = await raw(
        "SELECT count(*) AS n FROM channel WHERE kind = $1 AND removed_at IS NULL AND (person = $2 OR unit = $3)",
        kind.value,
        person,
        unit,
    )
    if rows[0]["n"] >= rules.MOST_OF_A_KIND:
        raise TooMany(f"同一种渠道最多登记 {rules.MOST_OF_A_KIND} 个，请先移除不用的。", "too_many_addresses")


async def _write(id: UUID, kind: ChannelKind, actor: Actor, **said: Any) -> None:
    text, secret = said.pop("text"), said.pop("secret")
    row = {
        "id": id,
        "kind": kind.value,
        "address": protected.encrypt(text, "channel.address", id),
        "address_index": protected.index(text, "address"),
        "secret": secret and protected.encrypt(secret, "channel.secret", id),
        "added_at": clock.now(),
        "added_by": actor.person,
        "code_tries": 0,
        **said,
    }
    await insert("channel", [row])
    await events.record("channel.added", id, actor=actor, kind=kind, unit=said["unit"])


async def _send(channel: UUID, kind: ChannelKind, actor: Actor, *, id: UUID, purpose: Purpose) -> None:
    """Raises TooMany: nobody lets the program write to strangers again and again."""
    now = clock.now()
    (it,) = await raw("SELECT address FROM channel WHERE id = $1", channel)
    text = protected.decrypt(it["address"], "channel.address", channel)
    mine, there = await channel_queries.sent_since(
        purpose, now - rules.COUNTED_FOR, person=_of(actor), address_indexes=protected.indexes(text, "address")
    )
    if mine >= rules.MOST_BY_ONE or there >= rules.MOST_TO_ONE:
        wait = int(rules.COUNTED_FOR.total_seconds())
        raise TooMany("发送得太频繁，请一小时后再试。", "too_many_codes", retry_after=wait)
    if purpose is Purpose.code:
        code = f"{secrets.randbelow(10**6):06}"
        await raw(
            "UPDATE channel SET code = $2, code_ends_at = $3, code_tries = 0 WHERE id = $1",
            channel,
            protected.encrypt(code, "channel.code", channel),
            now + rules.CODE_FOR,
        )
    await commands.plan_message(purpose, channel, kind, _of(actor), id)


async def _use(it: dict[str, Any], now: datetime) -> None:
    """One mail address and one number a person: the one confirmed last."""
    await raw(
        "UPDATE channel SET removed_at = $4 WHERE person = $1 AND kind = $2 AND id <> $3 AND removed_at IS NULL "
        "AND confirmed_at IS NOT NULL",
        it["person"],
        it["kind"],
        it["id"],
        now,
    )
    await raw(
        "UPDATE channel SET confirmed_at = $2, refused_at = NULL, code = NULL, code_ends_at = NULL WHERE id = $1",
        it["id"],
        now,
    )


def _of(actor: Actor) -> UUID:
    if actor.person is None:
        raise Forbidden("只有登录的人可以登记接收地址。")
    return actor.person


async def forget(now: datetime) -> int:
    """Removes addresses of people whose code never came back, and erases what was removed long ago; returns how many.

    The row stays, for the attempts that name it; nothing in it says any more where it led (personal data is kept no
    longer than it is needed: PIPL, article 19).
    """
    await raw(
        "UPDATE channel SET removed_at = $1, code = NULL WHERE removed_at IS NULL AND confirmed_at IS NULL "
        "AND person IS NOT NULL AND added_at < $2",
        now,
        now - rules.UNCONFIRMED_FOR,
    )
    old = await raw(
        "SELECT id FROM channel WHERE removed_at < $1 AND address_index <> '' LIMIT 1000", now - rules.FORGOTTEN_AFTER
    )
    for row in old:
        await raw(
            "UPDATE channel SET address = $2, address_index = '', secret = NULL, code = NULL, label = NULL "
            "WHERE id = $1",
            row["id"],
            protected.encrypt("", "channel.address", row["id"]),
        )
    return len(old)
