"""What comes by the hundred thousand: written by one statement, handed over together, and still each on its own."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from backend import clock, events, outbox
from backend.db import raw, transaction
from backend.events import Event
from backend.outbox import TRIES, Together
from backend.roles import SYSTEM
from tests.waiting import eventually

VERB, OTHER = "visit.opened", "visit.arrived"
CHANGE = (
    "INSERT INTO number_series (series, last) SELECT $1 || n, n FROM generate_series(1, $2::integer) AS n RETURNING "
)


@pytest.fixture(autouse=True)
async def empty(fresh):
    """An empty database behind every test of this file."""


async def written(many: int, verb: str = VERB) -> list[UUID]:
    async with transaction():
        change = CHANGE + "gen_random_uuid() AS id, last"
        told = await events.record_each(change, (f"{uuid4()} ", many), verb, actor=SYSTEM, told={"n": "last"})
    assert told["n"] == many
    rows = await raw("SELECT id FROM event WHERE verb = $1 ORDER BY payload, id", verb)
    return [row["id"] for row in rows]


async def waiting() -> dict[UUID, dict]:
    return {row["event"]: dict(row) for row in await raw("SELECT * FROM outbox")}


class Heard:
    """A reaction to many that remembers what it was told together, writes of each, and fails where it is asked to."""

    def __init__(self, *fails_for: UUID) -> None:
        self.fails_for = set(fails_for)
        self.calls: list[list[UUID]] = []

    async def __call__(self, told: Sequence[Event]) -> None:
        self.calls.append([event.id for event in told])
        await raw(
            "INSERT INTO number_series (series, last) SELECT 'heard ' || id, 1 FROM unnest($1::uuid[]) AS id",
            self.calls[-1],
        )
        if self.fails_for & set(self.calls[-1]):
            raise RuntimeError("not today")


async def heard() -> set[UUID]:
    rows = await raw("SELECT series FROM number_series WHERE series LIKE 'heard %'")
    return {UUID(row["series"].removeprefix("heard ")) for row in rows}


# ── written by one statement ─────────────────────────────────────────────────────────────────────────────────────


async def test_each_row_is_an_event_with_the_same_bytes_as_if_it_had_been_told_alone(noon):
    day, unit = date(2026, 12, 1), UUID(int=5)
    async with transaction():
        alone = await events.record(VERB, uuid4(), actor=SYSTEM, zebra="don't", on=day, unit=unit, n=7, apple=None)
        change = (
            "SELECT gen_random_uuid() AS id, $1::date AS day, $2::uuid AS of_unit, $3::integer AS n, NULL::uuid AS no"
        )
        await events.record_each(
            change, (day, unit, 7), VERB, actor=SYSTEM,
            told={"on": "day", "unit": "of_unit", "n": "n", "apple": "no"}, zebra="don't",
        )  # fmt: skip
    rows = {row["id"]: dict(row) for row in await raw("SELECT * FROM event")}
    first = rows.pop(alone)
    (second,) = rows.values()
    assert second["payload"] == first["payload"] and second["subject"] == second["id"]
    assert {(row["at"], row["actor"], row["verb"], row["request"]) for row in (first, second)} == {
        (noon, None, VERB, None)
    }
    assert set(await waiting()) == {first["id"], second["id"]}


async def test_no_row_is_no_event_and_an_unknown_verb_is_refused():
    async with transaction():
        change = CHANGE + "gen_random_uuid() AS id"
        assert (await events.record_each(change, ("a", 0), VERB, actor=SYSTEM, told={}))["n"] == 0
        with pytest.raises(KeyError):
            await events.record_each(change, ("a", 1), "visit.dreamt", actor=SYSTEM, told={})
    assert not await raw("SELECT 1 FROM event") and not await waiting()


async def test_rows_and_events_come_and_go_together():
    with pytest.raises(asyncpg.PostgresError):
        async with transaction():
            await events.record_each(CHANGE + "NULL::uuid AS id", ("a", 2), VERB, actor=SYSTEM, told={})
    assert not await raw("SELECT 1 FROM event") and not await raw("SELECT 1 FROM number_series")


# ── handed over together ─────────────────────────────────────────────────────────────────────────────────────────


async def test_events_of_one_verb_are_handed_over_together_in_batches():
    ids = await written(outbox.TOGETHER + 20)
    reaction = Heard()
    assert await outbox.drain({VERB: (Together(reaction),)}) == len(ids)
    assert [len(call) for call in reaction.calls] == [outbox.TOGETHER, 20]
    assert sorted(id for call in reaction.calls for id in call) == sorted(ids) and not await waiting()


async def test_of_a_backlog_several_batches_are_under_way_at_a_time(monkeypatch):
    monkeypatch.setattr(outbox, "TOGETHER", 3)
    monkeypatch.setattr(outbox, "BATCH", 3)
    several = 1 + outbox.BESIDE
    ids, begun = await written(3 + 3 * several), list[set[UUID]]()

    async def reaction(told: Sequence[Event]) -> None:
        begun.append({event.id for event in told})
        if len(begun) == 2:  # the first was full: now there are several
            await eventually(lambda: len(begun) == 1 + several)

    assert await outbox.drain({VERB: (Together(reaction),)}) == len(ids) and not await waiting()
    assert set().union(*begun) == set(ids) and {len(call) for call in begun} == {3}


async def test_of_what_is_reacted_to_alone_one_batch_is_under_way_at_a_time(monkeypatch):
    monkeypatch.setattr(outbox, "TOGETHER", 3)
    monkeypatch.setattr(outbox, "BATCH", 3)
    await written(6), await written(9, OTHER)
    busy, most = 0, 0

    async def alone(event: Event) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await raw("SELECT 1")
        busy -= 1

    assert await outbox.drain({VERB: (Together(Heard()),), OTHER: (alone,)}) == 15
    assert most == 1 and not await waiting()


async def test_two_verbs_are_two_calls_and_one_by_one_reactions_stay_so():
    ids, others = await written(3), await written(2, OTHER)
    many, single = Heard(), []

    async def alone(event: Event) -> None:
        single.append(event.id)

    await outbox.drain({VERB: (Together(many),), OTHER: (alone, Together(many))})
    assert sorted(map(sorted, many.calls)) == sorted([sorted(ids), *([other] for other in others)])
    assert sorted(single) == sorted(others)


async def test_a_batch_with_one_that_is_reacted_to_alone_is_small(monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 4)
    with clock.frozen(clock.now() - timedelta(minutes=1)):
        first = await written(3)
    (single,) = await written(1, OTHER)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        await written(6)
    many, order = Heard(), []

    async def alone(event: Event) -> None:
        order.append(len(many.calls))

    with clock.frozen(clock.now() + timedelta(minutes=2)):
        await outbox.drain({VERB: (Together(many),), OTHER: (alone,)})
    assert sorted(map(len, many.calls)) == [3, 6] and set(first) in map(set, many.calls)
    assert order == [0] and not await waiting() and single  # beside the three it stands before, in one batch


async def test_what_came_last_does_not_wait_for_a_hundred_thousand(monkeypatch):
    monkeypatch.setattr(outbox, "BATCH", 10)
    monkeypatch.setattr(outbox, "TOGETHER", 10)
    with clock.frozen(clock.now() - timedelta(minutes=1)):
        await written(200)
    await written(1, OTHER)
    many, before = Heard(), []

    async def urgent(event: Event) -> None:
        before.append(len(many.calls))

    await outbox.drain({VERB: (Together(many),), OTHER: (urgent,)})
    assert before and before[0] <= 2 and not await waiting()


async def test_one_poisoned_event_holds_up_no_other(noon, caplog):
    ids = await written(9)
    bad = ids[4]
    reaction = Heard(bad)
    assert await outbox.drain({VERB: (Together(reaction),)}) == 9
    assert await heard() == set(ids) - {bad}
    assert [len(call) for call in reaction.calls] == [
        9,
        4,
        5,
        2,
        1,
        1,
        3,
    ]  # together, then by halves
    assert all(line.exc_info[1].__context__ is None for line in caplog.records), "each log tells of one failure"
    left = await waiting()
    assert set(left) == {bad} and left[bad]["attempts"] == 1 and left[bad]["last_error"] == "RuntimeError: not today"
    assert left[bad]["next_try_at"] == noon + timedelta(seconds=2)


async def test_what_failed_before_is_tried_apart_from_what_is_fresh(noon):
    bad = (await written(1))[0]
    reaction = Heard(bad)
    await outbox.drain({VERB: (Together(reaction),)})
    with clock.frozen(noon + timedelta(seconds=2)):
        fresh = set(await written(4)) - {bad}
        reaction.calls.clear()
        await outbox.drain({VERB: (Together(reaction),)})
    assert sorted(map(set, reaction.calls), key=len) == [{bad}, fresh]
    assert await heard() == fresh


async def test_a_poisoned_event_is_parked_after_eight_tries_like_any_other(noon):
    bad, moment = (await written(1))[0], noon
    for _ in range(TRIES):
        with clock.frozen(moment):
            await outbox.drain({VERB: (Together(Heard(bad)),)})
            moment = (await waiting())[bad]["next_try_at"]
    assert (await waiting())[bad]["parked_at"] and not await heard()


async def test_a_statement_the_database_refuses_leaves_the_rest_of_the_batch_alive():
    ids, others = await written(5), await written(2, OTHER)

    async def breaks(told: Sequence[Event]) -> None:
        await raw("SELECT 1 / 0")

    await outbox.drain({VERB: (Together(breaks),), OTHER: (Together(Heard()),)})
    assert set(await waiting()) == set(ids) and await heard() == set(others)


def test_a_reaction_is_called_by_the_name_of_its_function():
    async def tell_many(told: Sequence[Event]) -> None: ...

    async def tell(event: Event) -> None: ...

    assert (outbox.name(Together(tell_many)), outbox.name(tell)) == ("tell_many", "tell")
