"""Making and revoking the secret address of one's calendar."""

import secrets
from uuid import UUID

from backend import clock, events, once, protected
from backend.db import insert, raw, transaction
from backend.errors import NotFound, TooMany, WrongState
from backend.roles import Actor
from notifications.feeds.rules import MOST_FEEDS
from notifications.feeds.tables import CalendarFeed

SECRET_BYTES = 32


async def make(feed: UUID, actor: Actor) -> None:
    """An address of one's own. The same id again is the same address. Raises Conflict, TooMany; WrongState (`revoked`)
    for one that was taken back since: it is never given out again.
    """
    async with transaction():
        await once.one_at_a_time(feed)
        if before := await once.earlier(CalendarFeed, feed, person=actor.person):
            if before.revoked_at is not None:
                raise WrongState("这个日历订阅地址已停用，请重新生成。", "revoked")
            return
        await raw("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 11))", str(actor.person))
        live = await raw(
            "SELECT count(*) AS n FROM calendar_feed WHERE person = $1 AND revoked_at IS NULL", actor.person
        )
        if live[0]["n"] >= MOST_FEEDS:
            raise TooMany(f"最多 {MOST_FEEDS} 个日历订阅地址，请先停用不用的。", "too_many_feeds")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        row = {
            "id": feed,
            "person": actor.person,
            "secret": protected.encrypt(secret, "calendar_feed.secret", feed),
            "secret_index": protected.index(secret, "secret"),
            "made_at": clock.now(),
        }
        await insert("calendar_feed", [row])
        await events.record("calendar_feed.made", feed, actor=actor)


async def revoke(feed: UUID, actor: Actor) -> None:
    """From now on nothing is read under it. Twice is once. Raises NotFound for anybody else's."""
    async with transaction():
        rows = await raw(
            "SELECT revoked_at FROM calendar_feed WHERE id = $1 AND person = $2 FOR UPDATE", feed, actor.person
        )
        if not rows:
            raise NotFound()
        if rows[0]["revoked_at"] is None:
            await raw("UPDATE calendar_feed SET revoked_at = $2 WHERE id = $1", feed, clock.now())
            await events.record("calendar_feed.revoked", feed, actor=actor)


async def read(feed: UUID) -> None:
    """When a calendar last looked, to the hour: it shows which addresses are still used."""
    await raw(
        "UPDATE calendar_feed SET read_at = $2 WHERE id = $1 "
        "AND (read_at IS NULL OR read_at < $2::timestamptz - interval '1 hour')",
        feed,
        clock.now(),
    )
