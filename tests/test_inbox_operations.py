"""What failed for good is told once to those who run this Duban, as a number and nothing else."""

import asyncio
from datetime import timedelta

import pytest

from backend import clock, outbox
from backend.db import raw
from backend.roles import Role
from backend.worker import REACTIONS
from notifications.inbox import jobs
from tests import make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def park(it: make.Cast, noon, n: int = 1) -> None:
    """So many events whose reaction fails until it is given up."""

    async def fails(_: object) -> None:
        raise RuntimeError("饮水管网")

    for _ in range(n):
        await make.rectification(it)
    for tries in range(outbox.TRIES):
        with clock.frozen(noon + timedelta(minutes=10 * tries)):
            await outbox.drain({"rectification.issued": (fails,)})


async def inbox(client, who) -> list[dict]:
    return (await client.get("/api/notices?about=operations", headers=await make.signed_in(who))).json()["items"]


async def test_parked_events_are_told_once_to_administrators_and_the_highest_office(client, it, noon, settle):
    admin = await make.person("管理员", Role.sys_admin)
    county = await make.person("县督查办", Role.supervision_staff, at=it.responsible)
    await park(it, noon, 3)
    assert sum(await asyncio.gather(*(jobs.sweep_parked() for _ in range(4)))) == 3
    assert await jobs.sweep_parked() == 0
    await settle()
    for person in (admin, it.staff, it.boss):
        (notice,) = await inbox(client, person)
        assert notice["title"] == "有 3 个事件处理失败，请管理员查看" and notice["urgency"] == "at_once"
        shown = (await client.get(notice["link"], headers=await make.signed_in(person))).json()["now"]
        assert ("events_parked", 3) in [(trouble["trouble"], trouble["count"]) for trouble in shown]
    for person in (county, it.handler, it.reviewer, it.leader, it.stranger):
        assert await inbox(client, person) == []
    (payload,) = [row["payload"] for row in await raw("SELECT payload FROM event WHERE verb = 'outbox.parked'")]
    assert "饮水" not in payload.decode()


async def test_let_go_and_failed_again_it_is_told_again(client, it, noon, settle):
    await park(it, noon)
    assert await jobs.sweep_parked() == 1
    with clock.frozen(noon + timedelta(hours=3)):
        assert await outbox.unpark() == 1
        assert await jobs.sweep_parked() == 0
    await raw("UPDATE outbox SET parked_at = $1 WHERE attempts = 0 AND event IN "
              "(SELECT id FROM event WHERE verb = 'rectification.issued')", noon)  # fmt: skip
    assert await jobs.sweep_parked() == 1
    assert await outbox.drain(REACTIONS) > 0
    assert len(await inbox(client, it.staff)) == 2


async def test_where_telling_itself_fails_it_does_not_go_on_for_ever(it, noon):
    await park(it, noon)
    assert await jobs.sweep_parked() == 1
    await raw("UPDATE outbox SET parked_at = $1", noon)
    assert await jobs.sweep_parked() == 0
