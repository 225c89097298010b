"""What is wrong with this Duban itself: seen by the numbers, told once, explained, and over when it is over."""

from datetime import timedelta

import pytest

from backend import clock, heartbeats, worker
from backend.db import raw
from backend.roles import Role
from notifications.operations import commands, jobs, queries, rules
from notifications.operations.rules import Standing, Trouble
from tests import make

pytestmark = pytest.mark.usefixtures("fresh")


async def beat(name: str = "drain", every: float = 5.0, failure: Exception | None = None) -> None:
    await heartbeats.beat(name, every, failure)


async def standing() -> dict[Trouble, int]:
    return {it.trouble: it.count for it in await queries.standing()}


async def verbs() -> list[str]:
    return [row["verb"] for row in await raw("SELECT verb FROM event WHERE verb LIKE 'operations.%' ORDER BY at, id")]


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("english", [False, True])
def test_every_trouble_has_a_sentence_and_an_advice(trouble: Trouble, english: bool) -> None:
    assert "{" not in rules.words(trouble, 3, english=english)
    assert rules.advice(trouble, english=english)


async def test_all_is_well_while_the_worker_says_so(noon) -> None:
    await beat()
    assert await standing() == {}


async def test_a_worker_that_never_was_or_is_silent_is_away(noon) -> None:
    assert await standing() == {Trouble.worker_away: 1}
    await beat()
    with clock.frozen(noon + timedelta(seconds=121)):
        assert await standing() == {Trouble.worker_away: 1}


async def test_a_sweep_that_misses_its_turns_is_late_and_says_what_it_failed_with(noon) -> None:
    await beat("sweep_silent", 60.0)
    with clock.frozen(noon + timedelta(seconds=239)):
        await beat("drain")
        assert await standing() == {}
    with clock.frozen(noon + timedelta(seconds=241)):
        await beat("sweep_silent", 60.0, ValueError("what it says may name people"))
        [late] = await queries.standing()
        assert (late.trouble, late.count, late.which) == (Trouble.sweeps_late, 1, ("sweep_silent (ValueError)",))
        await beat("sweep_silent", 60.0)
        assert await standing() == {}


async def test_what_an_upgrade_took_away_is_not_late_for_ever(noon) -> None:
    await beat("sweep_of_yesterday", 60.0)
    await heartbeats.retire(list(worker.CRON))
    with clock.frozen(noon + timedelta(hours=1)):
        await beat("drain")
        assert await standing() == {}


async def test_a_clock_that_jumps_back_makes_nothing_late(noon) -> None:
    with clock.frozen(noon + timedelta(days=1)):
        await beat()
    await beat()
    assert await standing() == {}


@pytest.mark.parametrize("failure", [None, ValueError()])
async def test_a_clock_that_had_run_ahead_hides_no_silence(noon, failure) -> None:
    with clock.frozen(noon + timedelta(days=1)):
        await beat("fold_tallies", 15.0, ValueError())
        await beat()
    await beat(failure=failure)
    with clock.frozen(noon + timedelta(seconds=121)):
        assert await standing() == {Trouble.worker_away: 1}


async def test_an_incident_is_told_once_and_ends_when_it_was_quiet_for_a_while(noon) -> None:
    wrong = [Standing(Trouble.deliveries_failed, 2)]
    for _ in range(3):
        await commands.note(wrong)
    assert await verbs() == ["operations.troubled"]
    with clock.frozen(noon + timedelta(minutes=4)):
        await commands.note([])
        assert await verbs() == ["operations.troubled"]  # it may come back at once
        await commands.note([Standing(Trouble.deliveries_failed, 5)])
    for minute in range(5, 12):
        with clock.frozen(noon + timedelta(minutes=minute)):
            await commands.note([])
    assert await verbs() == ["operations.troubled", "operations.recovered"]
    [row] = await raw("SELECT count, ended_at FROM incident")
    assert (row["count"], row["ended_at"]) == (5, noon + timedelta(minutes=4))


async def test_a_clock_that_jumps_ahead_ends_no_incident_and_one_that_comes_back_keeps_none_for_ever(noon) -> None:
    await commands.note([Standing(Trouble.deliveries_failed, 2)])
    for ahead in (timedelta(days=1), timedelta(days=1, minutes=1)):
        with clock.frozen(noon + ahead):
            await commands.note([])
    assert await verbs() == ["operations.troubled"]  # nobody has seen it quiet for five minutes
    with clock.frozen(noon + timedelta(days=1, minutes=2)):
        await commands.note([Standing(Trouble.deliveries_failed, 2)])  # seen, it is believed, tomorrow
    for minute in range(1, 8):
        with clock.frozen(noon + timedelta(minutes=minute)):
            await commands.note([])
    assert await verbs() == ["operations.troubled", "operations.recovered"]


async def test_a_worker_that_comes_back_tells_how_long_it_was_away(noon) -> None:
    await jobs.came_back()
    assert await verbs() == []  # the first start is no incident
    await beat()
    with clock.frozen(noon + timedelta(days=3)):
        await jobs.came_back()
        await beat()
        await jobs.watch()
    [row] = await raw("SELECT trouble, began_at FROM incident")
    assert (row["trouble"], row["began_at"]) == ("worker_away", noon)
    assert await verbs() == ["operations.troubled"]


async def test_administrators_and_the_highest_office_are_told_in_a_sentence(client, settle, noon) -> None:
    it = await make.cast()
    admin = await make.person("管理员", Role.sys_admin)
    await commands.note([Standing(Trouble.deliveries_failed, 4)])
    await settle()
    for who in (admin, it.staff):
        [notice] = (await client.get("/api/notices", headers=await make.signed_in(who))).json()["items"]
        assert notice["title"] == "系统运行异常：24 小时内有 4 条通知没有送达"
    assert (await client.get("/api/notices", headers=await make.signed_in(it.handler))).json()["items"] == []


async def test_the_office_and_administrators_read_what_is_wrong_and_what_to_do(client, noon) -> None:
    it = await make.cast()
    assert (await client.get("/api/operations")).status_code == 401
    assert (await client.get("/api/operations", headers=await make.signed_in(it.handler))).status_code == 403
    told = (await client.get("/api/operations", headers=await make.signed_in(it.staff))).json()
    assert [one["trouble"] for one in told["now"]] == ["worker_away"]
    assert "./duban worker" in told["now"][0]["advice"] and told["incidents"] == []


async def test_readyz_names_the_troubles_and_metrics_count_them_for_everybody(client, noon) -> None:
    assert "worker_away" in (await client.get("/readyz")).json()["degraded"]
    await beat("fold_tallies", 15.0)
    text = (await client.get("/metrics")).text
    assert 'duban_sweep_age_seconds{sweep="fold_tallies"} 0.0' in text
    assert 'duban_trouble{trouble="worker_away"} 0.0' in text and "duban_outbox_waiting 0.0" in text
    assert "worker_away" not in (await client.get("/readyz")).json()["degraded"]


async def test_the_worker_notes_each_turn_of_a_sweep_good_or_bad(noon) -> None:
    assert await worker._attempt("x", _fails) is not None
    assert await worker._attempt("x", jobs.watch) is None


async def _fails() -> None:
    raise RuntimeError
