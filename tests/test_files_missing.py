"""Files that were declared and did not come: shown as k of n, told to their sender once after a day, gone when here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor
from backend.worker import CRON
from inspections.findings import commands as findings
from inspections.findings import jobs as finding_jobs
from tasks.rectifications import commands, drafting, jobs, looking_back, objections, site_checks
from tasks.rectifications.drafting import Draft
from tasks.rectifications.item import Status
from tasks.rectifications.words import CheckResult, Ground, LookBackResult, Source, UnitRole
from tests import calls, make

DAY = timedelta(hours=24)


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def swept() -> int:
    return await finding_jobs.sweep_missing() + await jobs.sweep_missing()


async def inbox(client, who: Actor, at: Any, **headers: str) -> dict[str, Any]:
    with clock.frozen(at):
        return (await client.get("/api/notices", headers=await make.signed_in(who) | headers)).json()


async def filed(it: make.Cast, photos: int = 3) -> tuple[UUID, list[Any]]:
    id, manifest = uuid7(), [make.declaration(make.photo(n)) for n in range(photos)]
    await findings.file(it.visit, it.inspector, make.filing(it), id=id, manifest=manifest)
    return id, manifest


async def test_who_filed_a_finding_is_told_a_day_later_what_has_not_come_and_nobody_else(client, it, noon, settle):
    id, manifest = await filed(it)
    await make.receive(manifest[0])
    with clock.frozen(noon + DAY - timedelta(seconds=1)):
        assert await swept() == 0
    with clock.frozen(noon + DAY):
        assert await swept() == 1
        await settle()
    told = await inbox(client, it.inspector, noon + DAY)
    assert told["unread"] == 1
    notice = told["items"][0]
    assert notice["verb"] == "finding.files_missing" and notice["why"] == "sender"
    assert notice["title"] == "所登记问题的照片还没有传齐：3 个文件还差 2 个，请打开拍摄用的手机继续上传"
    headers = await make.signed_in(it.inspector)
    shown = (await client.get(notice["link"], headers=headers)).json()
    assert (shown["id"], shown["arrived"], shown["declared"]) == (str(id), 1, 3)
    english = await inbox(client, it.inspector, noon + DAY, **{"Accept-Language": "en"})
    assert "2 of 3 missing" in english["items"][0]["title"]
    assert [(await inbox(client, who, noon + DAY))["items"] for who in (it.lead, it.staff, it.boss)] == [[], [], []]


async def test_it_is_told_exactly_once_however_often_and_by_how_many_it_is_swept(it, noon, settle):
    for _ in range(3):
        await filed(it)
    with clock.frozen(noon + DAY):
        done = await asyncio.gather(*(swept() for _ in range(6)))
        assert sum(done) == 3
        await settle()
    with clock.frozen(noon + 9 * DAY):
        assert await swept() == 0
        await settle()
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'finding.files_missing'")) == 3
    assert len(await raw("SELECT 1 FROM notice")) == 3


async def test_the_notice_says_how_it_stands_now_and_lapses_when_the_files_come(client, it, noon, settle):
    _, manifest = await filed(it)
    with clock.frozen(noon + DAY):
        await swept()
        await settle()
    await make.receive(manifest[0])
    told = await inbox(client, it.inspector, noon + DAY)
    assert "3 个文件还差 2 个" in told["items"][0]["title"]
    for line in manifest[1:]:
        await make.receive(line)
    assert await inbox(client, it.inspector, noon + DAY) == {"items": [], "next": None, "unread": 0, "unread_of": {}}


async def test_files_that_came_in_time_are_not_spoken_of(it, noon, settle):
    _, manifest = await filed(it)
    for line in manifest:
        await make.receive(line)
    with clock.frozen(noon + DAY):
        assert await swept() == 0


async def test_what_came_between_looking_and_telling_is_not_spoken_of(it, noon):
    _, manifest = await filed(it, 1)
    with clock.frozen(noon + DAY):
        missing = (await finding_jobs.evidence.missing("finding_evidence", "finding"))[0]
        await make.receive(manifest[0])
        assert not await findings.remind(missing)
    assert await raw("SELECT 1 FROM event WHERE verb = 'finding.files_missing'") == []


async def test_a_file_that_cannot_be_shown_has_come_all_the_same(it, noon):
    _, manifest = await filed(it, 1)
    await raw("UPDATE evidence SET state = 'refused', received_at = $2 WHERE id = $1", manifest[0].id, noon)
    with clock.frozen(noon + DAY):
        assert await swept() == 0


async def test_a_closed_account_is_not_told(it, noon, settle):
    await filed(it)
    await raw("UPDATE person SET disabled_at = $2 WHERE id = $1", it.inspector.person, noon)
    with clock.frozen(noon + DAY):
        assert await swept() == 1
        await settle()
    assert await raw("SELECT 1 FROM notice") == []


async def test_a_reminder_changes_nothing_that_somebody_at_a_screen_has_read(client, it, noon):
    call = await calls.hand_in(it)
    before = (await call.made(client)).json()["version"]
    path = f"/api/rectifications/{call.path.split('/')[3]}"
    with clock.frozen(noon + DAY):
        assert await jobs.sweep_missing() == 1
    assert (await client.get(path, headers=await make.signed_in(it.reviewer))).json()["version"] == before


def test_the_worker_sweeps_for_both():
    assert {finding_jobs.sweep_missing, jobs.sweep_missing} <= {work for work, _ in CRON.values()}


# ── hand-ins and the other records with files ────────────────────────────────────────────────────────────────────

Record = Callable[[make.Cast, list[Any]], Awaitable[tuple[Actor, UUID, UUID]]]


async def hand_in(it: make.Cast, files: list[Any]) -> tuple[Actor, UUID, UUID]:
    id, key = await make.rectification(it, Status.working), uuid7()
    await commands.hand_in(
        id,
        it.handler,
        id=key,
        note="已修复。",
        finished_on=None,
        similar_sweep="",
        confirmed_by="钱局长",
        manifest=files,
    )
    return it.handler, id, key


async def objection(it: make.Cast, files: list[Any]) -> tuple[Actor, UUID, UUID]:
    id, key = await make.rectification(it), uuid7()
    await objections.object_to(id, it.principal, id=key, ground=Ground.jurisdiction, note="不归我管。", manifest=files)
    return it.principal, id, key


async def site_check(it: make.Cast, files: list[Any]) -> tuple[Actor, UUID, UUID]:
    id = await make.rectification(it, Status.passed)
    key = await make.site_check(it, id)
    said = site_checks.Conclusion(
        result=CheckResult.passed, note="已看过。", present=frozenset({it.inspector.person, it.lead.person}),
        place=calls.geo.Place(*make.TARGET, 12.0, calls.geo.Datum.wgs84),
    )  # fmt: skip
    await site_checks.conclude(id, key, it.inspector, said, manifest=files)
    return it.inspector, id, key


async def look_back(it: make.Cast, files: list[Any]) -> tuple[Actor, UUID, UUID]:
    id, key = await make.rectification(it, Status.closed), uuid7()
    await looking_back.look_back(id, it.staff, id=key, result=LookBackResult.holds, note="稳定。", manifest=files)
    return it.staff, id, key


async def reopening(it: make.Cast, files: list[Any]) -> tuple[Actor, UUID, UUID]:
    id, key = await make.rectification(it, Status.closed), uuid7()
    await looking_back.reopen(
        id, it.boss, id=key, note="又断水。", due_on=clock.today() + timedelta(days=9), manifest=files
    )
    return it.boss, id, key


async def draft(it: make.Cast, files: list[Any]) -> tuple[Actor, UUID, UUID]:
    id = uuid7()
    said = Draft(
        source=Source.audit, topic="0304", facts="审计发现。", region=make.YAOZHAN,
        units={role: frozenset() for role in UnitRole},
    )  # fmt: skip
    await drafting.draft(it.staff, said, id=id, manifest=files)
    return it.staff, id, id


VERB = "rectification.files_missing"
MEMBER = {
    hand_in: "hand_ins", objection: "objections", site_check: "site_checks", look_back: "look_backs",
    reopening: "reopenings", draft: None,
}  # fmt: skip


@pytest.mark.parametrize("record", MEMBER)
async def test_every_record_with_files_says_how_many_came_and_its_sender_is_told_once(
    client, it, noon, settle, record: Record
):
    files = [make.declaration(make.photo(n)) for n in (31, 32)]
    sender, id, key = await record(it, files)
    await make.receive(files[0])
    for row in await raw("SELECT id FROM evidence WHERE NOT id = ANY($1::uuid[])", [file.id for file in files]):
        await raw("UPDATE evidence SET state = 'ready', received_at = $2 WHERE id = $1", row["id"], noon)
    with clock.frozen(noon + DAY):
        assert (await swept(), await swept()) == (1, 0)
        await settle()
        headers = await make.signed_in(sender)
        told = [it for it in (await client.get("/api/notices", headers=headers)).json()["items"] if it["verb"] == VERB]
        shown = (await client.get(f"/api/rectifications/{id}", headers=headers)).json()
        story = (await client.get(f"/api/rectifications/{id}/timeline", headers=headers)).json()["items"]
    assert [notice["title"] for notice in told] == [
        "所提交整改材料还没有传齐：2 个文件还差 1 个，请打开拍摄用的手机继续上传"
    ]
    assert (told[0]["subject"], told[0]["link"]) == (str(key), f"/api/rectifications/{id}")
    listed = shown[MEMBER[record]][-1] if MEMBER[record] else shown
    assert (listed["arrived"], listed["declared"]) == (1, 2)
    assert VERB not in {step["verb"] for step in story}
    await make.receive(files[1])
    with clock.frozen(noon + DAY):
        verbs = [notice["verb"] for notice in (await client.get("/api/notices", headers=headers)).json()["items"]]
    assert VERB not in verbs
