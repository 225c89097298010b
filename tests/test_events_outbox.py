"""Events are for ever, and whatever follows from them happens once: also when reactions fail, workers race or die."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from backend import clock, db, events, outbox
from backend.db import one_statement, raw, transaction
from backend.events import Event
from backend.outbox import TRIES
from backend.roles import SYSTEM, Actor
from backend.worker import REACTIONS
from tests import make
from tests.waiting import PATIENCE

VERB, OTHER = "visit.opened", "visit.arrived"
PERSON = Actor(uuid4(), "督查员王")


async def recorded(verb: str = VERB, **facts: object) -> UUID:
    async with transaction():
        return await events.record(verb, uuid4(), actor=PERSON, **facts)


async def queue() -> dict[UUID, dict]:
    return {row["event"]: dict(row) for row in await raw("SELECT * FROM outbox")}


class Told:
    """A reaction that remembers what it was told, and fails where it is asked to. It writes, so that undoing shows."""

    def __init__(self, fails_for: tuple[UUID, ...] = ()) -> None:
        self.fails_for = fails_for
        self.seen: list[UUID] = []

    async def __call__(self, event: Event) -> None:
        self.seen.append(event.id)
        await raw("INSERT INTO number_series (series, last) VALUES ($1, 1)", str(event.id))
        if event.id in self.fails_for:
            raise RuntimeError("not today")


async def written() -> set[str]:
    return {row["series"] for row in await raw("SELECT series FROM number_series")}


@pytest.fixture(autouse=True)
async def empty(fresh):
    """An empty database behind every test of this file."""


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET verb = 'visit.arrived'",
        "UPDATE event SET at = at",
        "UPDATE event SET payload = '{}' WHERE id IS NOT NULL",
        "DELETE FROM event",
        "INSERT INTO event SELECT * FROM event ON CONFLICT (id) DO UPDATE SET verb = 'visit.arrived'",
    ],
)
async def test_history_can_be_added_to_and_nothing_else(change):
    await recorded(place="腰站村")
    before = await raw("SELECT * FROM event")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await raw(change)
    assert await raw("SELECT * FROM event") == before


async def test_the_payload_is_kept_as_the_exact_bytes_with_sorted_keys(noon):
    unit = UUID(int=5)
    id = await recorded(zebra=1, apple="苹果", unit=unit, at=noon, nothing=None, list=[3, 1])
    row = (await raw("SELECT * FROM event WHERE id = $1", id))[0]
    assert (
        row["payload"]
        == (
            '{"apple":"苹果","at":"2026-11-24T12:00:00+08:00","by":"督查员王","list":[3,1],"nothing":null,'
            '"unit":"00000000-0000-0000-0000-000000000005","zebra":1}'
        ).encode()
    )
    assert (row["at"], row["actor"], row["verb"], row["request"]) == (noon, PERSON.person, VERB, None)
    told = events.of_row(row)
    assert told.actor_name == "督查员王" and "by" not in told.payload and told.payload["zebra"] == 1


async def test_the_same_facts_make_the_same_bytes_in_any_order():
    ids = await recorded(a=1, b=2), await recorded(b=2, a=1)
    rows = await raw("SELECT payload FROM event WHERE id = ANY($1::uuid[])", list(ids))
    assert len({hashlib.sha256(row["payload"]).digest() for row in rows}) == 1


async def test_a_verb_outside_the_list_is_refused_and_nothing_is_written():
    with pytest.raises(KeyError):
        await recorded("visit.dreamt")
    assert not await raw("SELECT 1 FROM event") and not await queue()


async def test_no_event_outside_a_transaction():
    with pytest.raises(RuntimeError):
        await events.record(VERB, uuid4(), actor=PERSON)


async def test_an_event_and_its_outbox_row_come_and_go_together():
    kept = await recorded()
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await events.record(VERB, uuid4(), actor=PERSON)
            raise ZeroDivisionError
    assert [row["id"] for row in await raw("SELECT id FROM event")] == [kept] and set(await queue()) == {kept}


async def test_a_change_and_its_event_are_one_statement_and_no_change_is_no_event():
    async def count(id: UUID) -> int:
        async with one_statement():
            change = "UPDATE number_series SET last = last + 1 WHERE series = $1 AND last < $2 RETURNING last"
            return len(await events.record_change(change, ("a", 2), VERB, id, actor=PERSON, far="yes"))

    await raw("INSERT INTO number_series (series, last) VALUES ('a', 1)")
    first, second = uuid4(), uuid4()
    assert await count(first) == 1 and await count(second) == 0
    (told,) = await events.of_subjects([first, second])
    assert (told.subject, told.verb, told.actor_name, told.payload) == (first, VERB, "督查员王", {"far": "yes"})
    assert set(await queue()) == {told.id}


async def test_nobody_listens_for_what_leaves_no_outbox_row():
    assert not events.UNHEARD & REACTIONS.keys() and events.VERBS.keys() >= events.UNHEARD
    await recorded("evidence.stored")
    assert await raw("SELECT 1 FROM event") and not await queue()
    with pytest.raises(RuntimeError):
        await events.record("evidence.stored", uuid4(), actor=PERSON)


async def test_subjects_tell_their_story_oldest_first(noon):
    subject, other = uuid4(), uuid4()
    for hours, verb, about in ((2, OTHER, subject), (0, VERB, subject), (1, VERB, other)):
        with clock.frozen(noon + timedelta(hours=hours)):
            async with transaction():
                await events.record(verb, about, actor=SYSTEM)
    assert [event.verb for event in await events.of_subjects([subject])] == [VERB, OTHER]
    assert [event.verb for event in await events.of_subjects([subject], [OTHER])] == [OTHER]
    assert len(await events.of_subjects([subject, other])) == 3 and await events.of_subjects([]) == []


def test_every_verb_is_a_noun_and_a_past_with_a_sentence():
    for verb, sentence in events.VERBS.items():
        noun, past = verb.split(".")
        assert noun.islower() and past.islower() and sentence.endswith(".")


# ── reactions ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_reaction_of_an_event_runs_once():
    id, first, second = await recorded(), Told(), []

    async def also(event: Event) -> None:
        second.append(event.verb)

    assert await outbox.drain({VERB: (first, also)}) == 1
    assert await outbox.drain({VERB: (first, also)}) == 0
    assert first.seen == [id] and second == [VERB] and not await queue()


async def test_an_event_nobody_hears_is_taken_off():
    await recorded(OTHER)
    assert await outbox.drain({VERB: (Told(),)}) == 1 and not await queue()


async def test_what_a_clock_that_is_ahead_wrote_does_not_wait_for_ours(noon):
    """Two machines, or a clock that was set back: what was never tried is due. What failed waits as long as it must."""
    with clock.frozen(noon + timedelta(hours=1)):
        id = await recorded()
    told = Told(fails_for=(id,))
    assert await outbox.drain({VERB: (told,)}) == 1 and told.seen == [id]
    assert await outbox.drain({VERB: (told,)}) == 0, "it failed, and has to wait now"


async def test_a_failure_undoes_all_reactions_of_the_event_and_no_other(noon):
    good, bad = await recorded(), await recorded()
    wrote, fails = Told(), []

    async def breaks(event: Event) -> None:
        fails.append(event.id)
        if event.id == bad:
            raise RuntimeError("not today")

    await outbox.drain({VERB: (wrote, breaks)})
    assert await written() == {str(good)}
    left = await queue()
    assert set(left) == {bad} and left[bad]["attempts"] == 1
    assert left[bad]["last_error"] == "RuntimeError: not today"
    assert left[bad]["next_try_at"] == noon + timedelta(seconds=2)


async def test_a_statement_the_database_refuses_leaves_the_batch_alive():
    good, bad = await recorded(), await recorded()

    async def breaks(event: Event) -> None:
        if event.id == bad:
            await raw("SELECT 1 / 0")

    wrote = Told()
    await outbox.drain({VERB: (breaks, wrote)})
    assert await written() == {str(good)} and set(await queue()) == {bad}


async def test_what_failed_is_tried_again_with_growing_pauses_and_parked_after_eight(noon):
    bad = await recorded()
    reaction, moment, waits, row = Told(fails_for=(bad,)), noon, [], {}
    for attempt in range(1, TRIES + 1):
        with clock.frozen(moment):
            assert await outbox.drain({VERB: (reaction,)}) == 1
            row = (await queue())[bad]
            assert row["attempts"] == attempt
            waits.append((row["next_try_at"] - moment).total_seconds())
        with clock.frozen(row["next_try_at"] - timedelta(milliseconds=1)):
            assert await outbox.drain({VERB: (reaction,)}) == 0  # not before its time
        moment = row["next_try_at"]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256] and outbox.delay(20) == timedelta(minutes=5)
    assert row["parked_at"] and len(reaction.seen) == TRIES and not await written()
    with clock.frozen(moment + timedelta(days=30)):
        assert await outbox.drain({VERB: (reaction,)}) == 0
        other = await recorded()
        reaction.fails_for = ()
        assert await outbox.drain({VERB: (reaction,)}) == 1  # others go on
        assert await outbox.unpark() == 1 and await outbox.unpark() == 0
        assert await outbox.drain({VERB: (reaction,)}) == 1
    assert await written() == {str(bad), str(other)} and not await queue()


async def test_one_parked_event_is_tried_again_by_its_id(noon):
    ids = [await recorded() for _ in range(2)]
    await raw("UPDATE outbox SET parked_at = $1, attempts = 8", noon)
    assert await outbox.unpark(str(ids[0])) == 1
    left = await queue()
    assert (left[ids[0]]["parked_at"], left[ids[0]]["attempts"]) == (None, 0) and left[ids[1]]["parked_at"]


async def test_parked_and_late_events_show_at_readyz(client, noon):
    await recorded()
    quiet = (await client.get("/readyz")).json()
    assert (quiet["waiting"], quiet["parked"], quiet["ready"]) == (1, 0, True) and "events_late" not in quiet[
        "degraded"
    ]
    with clock.frozen(noon + timedelta(minutes=3)):
        late = (await client.get("/readyz")).json()
        assert "events_late" in late["degraded"] and late["oldest_seconds"] == 180
        await raw("UPDATE outbox SET parked_at = $1", clock.now())
        parked = (await client.get("/readyz")).json()
    assert (parked["waiting"], parked["parked"], parked["oldest_seconds"]) == (0, 1, 0)
    assert "events_parked" in parked["degraded"] and "events_late" not in parked["degraded"]


async def test_a_reaction_may_call_a_command_and_both_are_undone_together():
    id = await recorded()

    async def commands(event: Event) -> None:
        async with transaction():  # as a command opens it
            await events.record(OTHER, event.subject, actor=SYSTEM)
        raise RuntimeError("after the command")

    await outbox.drain({VERB: (commands,)})
    assert set(await queue()) == {id} and len(await raw("SELECT 1 FROM event")) == 1

    async def well(event: Event) -> None:
        async with transaction():
            await events.record(OTHER, event.subject, actor=SYSTEM)

    with clock.frozen(clock.now() + timedelta(hours=1)):
        heard = Told()
        await outbox.drain({VERB: (well,), OTHER: (heard,)})
    assert len(heard.seen) == 1 and not await queue()


# ── workers ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_workers_side_by_side_never_handle_an_event_twice(monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 7)
    ids = [await recorded() for _ in range(60)]
    reaction = Told()
    taken = await asyncio.gather(*(outbox.drain({VERB: (reaction,)}) for _ in range(4)))
    assert sum(taken) == 60 and sorted(reaction.seen) == sorted(ids) and not await queue()


async def test_a_worker_killed_in_the_middle_loses_nothing():
    ids = [await recorded() for _ in range(5)]
    reached = asyncio.Event()

    async def dies(event: Event) -> None:
        await raw("INSERT INTO number_series (series, last) VALUES ($1, 1)", str(event.id))
        if event.id == third:
            reached.set()
            await asyncio.sleep(60)

    third = sorted((await queue()).values(), key=lambda row: row["next_try_at"])[2]["event"]
    worker = asyncio.ensure_future(outbox.drain({VERB: (dies,)}))
    await asyncio.wait_for(reached.wait(), PATIENCE)
    assert await outbox.drain({VERB: (Told(),)}) == 0  # all five are in that worker's hands
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert not await written() and set(await queue()) == set(ids)
    assert await outbox.drain({VERB: (Told(),)}) == 5 and await written() == {str(id) for id in ids}


async def test_a_connection_cut_in_the_middle_loses_nothing():
    ids = [await recorded() for _ in range(3)]

    async def cut(event: Event) -> None:
        pid = (await raw("SELECT pg_backend_pid() AS pid"))[0]["pid"]
        assert db.DB.pool is not None
        async with db.DB.pool.acquire() as other:
            await other.execute("SELECT pg_terminate_backend($1)", pid)

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await outbox.drain({VERB: (cut,)})
    assert set(await queue()) == set(ids)
    assert await outbox.drain({VERB: (Told(),)}) == 3 and await written() == {str(id) for id in ids}


async def test_what_commits_late_is_not_passed_over(noon):
    """Never "newer than the last one": commits arrive out of order."""
    written_first, go = asyncio.Event(), asyncio.Event()

    async def slow() -> UUID:
        with clock.frozen(noon - timedelta(minutes=5)):
            async with transaction():
                id = await events.record(VERB, uuid4(), actor=PERSON)
                written_first.set()
                await go.wait()
        return id

    waiting = asyncio.ensure_future(slow())
    await written_first.wait()
    later, reaction = await recorded(), Told()
    await outbox.drain({VERB: (reaction,)})
    assert reaction.seen == [later]
    go.set()
    earlier = await waiting
    await outbox.drain({VERB: (reaction,)})
    assert reaction.seen == [later, earlier]


async def test_a_whole_evening_of_events_is_drained_in_batches():
    payload = msgspec.json.encode({"by": "系统"})
    at = datetime(2026, 11, 24, tzinfo=UTC)
    ids = [uuid4() for _ in range(250)]
    await raw(
        "INSERT INTO event (id, at, verb, subject, payload) SELECT id, $2, $3, id, $4 FROM unnest($1::uuid[]) AS id",
        ids, at, VERB, payload,
    )  # fmt: skip
    await raw("INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM event")
    with clock.frozen(make.at(at, seconds=1)):
        reaction = Told()
        assert await outbox.drain({VERB: (reaction,)}, most=100) == 100
        assert await outbox.drain({VERB: (reaction,)}) == 150
    assert sorted(reaction.seen) == sorted(ids)
