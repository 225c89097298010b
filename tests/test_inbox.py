"""The inbox: the right people hear of what happened, once, in words without names, and read it for themselves."""

from datetime import timedelta
from uuid import UUID

import pytest

from backend import clock
from backend.calendar import commands as calendar
from backend.columns import uuid7
from backend.db import raw
from backend.roles import SYSTEM, Role
from backend.worker import REACTIONS
from inspections.findings.rules import ClosingClass
from notifications.inbox import wording
from notifications.inbox.rules import HEARS, Subject
from tasks.rectifications import (
    commands,
    confirming,
    extensions,
    hanging,
    jobs,
    looking_back,
    objections,
    publicity,
    taking_over,
    voiding,
)
from tasks.rectifications.item import Status
from tasks.rectifications.words import CheckResult, Ground, LookBackResult, ReturnReason
from tests import calls, make

# Written by hand: who hears of each event when everybody of the cast has a part in the item.
HEARD = {
    "rectification.held": {"staff", "boss"},
    "rectification.issued": {"handler", "principal", "reviewer"},
    "rectification.rescheduled": {"handler", "principal", "reviewer"},
    "rectification.answer_time_moved": {"handler", "principal"},
    "rectification.decision_time_moved": {"handler", "principal", "staff", "boss"},
    "rectification.acknowledged": {"staff", "boss"},
    "rectification.accepted_silently": {"handler", "principal", "staff", "boss"},
    "rectification.objected": {"reviewer", "staff", "boss"},
    "rectification.objection_declined": {"handler", "principal"},
    "rectification.taken_over": {
        "handler",
        "principal",
        "reviewer",
        "staff",
        "boss",
    },  # see test_…_taking_over
    "rectification.redirected": {"handler", "principal", "reviewer"},  # lost it; who got it: test_…_objections.py
    "rectification.objection_upheld": {"handler", "principal", "reviewer", "lead", "inspector"},
    "rectification.extension_asked": {"staff", "boss"},
    "rectification.extended": {"handler", "principal", "reviewer"},
    "rectification.extension_declined": {"handler", "principal"},
    "rectification.handed_in": {"principal", "reviewer", "staff", "boss"},
    "rectification.hand_in_confirmed": {"reviewer"},
    "rectification.hand_in_withdrawn": {"handler", "reviewer", "staff", "boss"},
    "rectification.sent_back": {"handler", "principal"},
    "rectification.passed": {"boss", "handler", "principal"},
    "rectification.check_assigned": {"lead", "inspector"},  # who goes; above all nobody of the unit
    "rectification.check_passed": {"staff", "boss"},
    "rectification.check_failed": {"handler", "principal", "reviewer", "staff", "boss"},
    "rectification.published": {"handler", "principal"},
    "rectification.public_objection_taken": {"boss"},  # staff took it down
    "rectification.public_objection_upheld": {"handler", "principal", "reviewer"},
    "rectification.closed": {"handler", "principal", "reviewer", "lead", "inspector"},
    "rectification.looked_back": {"staff", "boss"},
    "rectification.reopened": {"handler", "principal", "reviewer"},
    "rectification.hung": {"handler", "principal", "reviewer"},
    "rectification.resumed": {"handler", "principal", "reviewer"},
    "rectification.void_asked": {"staff"},  # the leader who asked hears nothing
    "rectification.void_declined": {"boss"},
    "rectification.voided": {"handler", "principal", "reviewer", "lead", "inspector"},
}
NAMES = ("lead", "inspector", "handler", "principal", "reviewer", "staff", "boss", "leader", "stranger")


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def told(it: make.Cast, verb: str) -> set[str]:
    people = {row["person"] for row in await raw("SELECT person FROM notice WHERE verb = $1", verb)}
    return {name for name in NAMES if getattr(it, name).person in people}


async def test_every_event_reaches_its_audience_and_nobody_else(it, settle):
    finding = {"responsible_units": frozenset(), "lead_units": frozenset()}
    held = await make.rectification(it, Status.draft, **finding)
    await commands.issue_or_hold(held, it.staff)
    id = await make.rectification(it, Status.handed_in)
    await commands.send_back(id, it.reviewer, id=uuid7(), reason_code=ReturnReason.not_done, note="还差一户。")
    await make.rectification(it, Status.closed)
    await make.rectification(it, Status.voided)
    kept = await make.rectification(it)
    await voiding.ask_void(kept, it.boss, id=uuid7(), note="重复。", duplicate_of=None)
    await voiding.decline_void(kept, it.staff, note="不重复。")
    await _beside_the_main_path(it, settle)
    await make.objection(it, await make.rectification(it, closing_class=ClosingClass.fix_now))
    await calendar.settle(it.staff, clock.today() + timedelta(days=1), working=False, source="放假通知")
    await jobs.count_dates_again()
    await settle()
    assert set(HEARD) == {verb for verb, hearing in HEARS.items() if hearing.about == Subject.rectification}
    heard = {verb: await told(it, verb) for verb in HEARD}
    # The one who did it does not hear of it: staff held the draft by hand here.
    assert heard == HEARD | {"rectification.held": {"boss"}}


async def _beside_the_main_path(it: make.Cast, settle) -> None:
    """Every other event once, none by somebody who would hear of it."""
    moved, kept, wrong = [await make.rectification(it) for _ in range(3)]
    to_unit = await make.unit("新宾县自来水公司")
    await objections.redirect(moved, await make.objection(it, moved), it.staff, to_unit=to_unit, note="改派。")
    await objections.decline(kept, await make.objection(it, kept), it.staff, note="不成立。")
    await objections.uphold(wrong, await make.objection(it, wrong, Ground.fact), it.boss, note="属实。")
    later = await make.rectification(it, Status.working)
    await extensions.decline(later, await make.extension(it, later), it.staff, opinion="不。")
    await extensions.grant(later, await make.extension(it, later), it.staff, opinion="好。")
    await make._hang(it, later)
    await hanging.resume(later, it.staff, id=uuid7(), note="好了。", due_on=clock.today() + timedelta(days=60))
    checked = await make.rectification(it, Status.passed)
    await make.site_check(it, checked)
    await settle()  # who is told of a check is who is sent at the moment
    await make.checked(it, checked)
    await make.checked(it, checked, CheckResult.failed)
    shown = await make.rectification(it, Status.passed)
    objection = await make.public_objection(it, shown)
    await publicity.uphold_objection(shown, objection, it.staff, note="属实。")
    back = await make.rectification(it, Status.closed)
    said = {"result": LookBackResult.rebounded, "note": "又断水。", "manifest": []}
    await looking_back.look_back(back, it.inspector, id=uuid7(), **said)
    await looking_back.reopen(back, it.boss, id=uuid7(), note="反弹。", due_on=clock.today() + timedelta(days=20))
    silent = await make.rectification(it)
    await commands.accept_silently(silent, SYSTEM, unit=it.responsible)
    for answer in (confirming.confirm, confirming.withdraw):
        handed = await make.rectification(it, Status.handed_in)
        hand_in = (await raw("SELECT id FROM hand_in WHERE rectification = $1", handed))[0]["id"]
        await answer(handed, hand_in, it.principal, note="已看过。")
    merged = await make.rectification(it)
    await taking_over.take_over(merged, SYSTEM, unit=it.responsible, heir=to_unit)


async def test_an_event_handled_twice_tells_once(it, settle):
    await make.rectification(it)
    await settle()
    before = await raw("SELECT id FROM notice ORDER BY id")
    await raw("INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM event")
    await settle()
    assert await raw("SELECT id FROM notice ORDER BY id") == before and len(before) == 3


async def test_closed_accounts_and_roles_taken_back_hear_nothing(it, settle):
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), it.handler.person)
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", clock.now(), it.reviewer.person)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), it.inspector.person)
    await make.rectification(it, Status.voided)
    await settle()
    assert await told(it, "rectification.issued") == {"principal"}
    assert await told(it, "rectification.voided") == {"principal", "lead"}


async def test_the_office_of_another_area_hears_nothing(it, settle):
    elsewhere = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))
    await make.rectification(it, Status.working)
    await settle()
    assert await told(it, "rectification.acknowledged") == {"staff", "boss"}
    assert not await raw("SELECT 1 FROM notice WHERE person = $1", elsewhere.person)


async def test_the_inbox_is_in_chinese_and_in_english_and_names_nobody(client, it, settle):
    id = await make.rectification(it)
    await settle()
    headers = await make.signed_in(it.handler)
    page = (await client.get("/api/notices", headers=headers)).json()
    assert (page["unread"], page["next"], len(page["items"])) == (1, None, 1)
    notice = page["items"][0]
    assert notice["title"] == "新交办整改事项：ZG-210422-20261124-0001"
    assert (notice["urgency"], notice["why"], notice["read_at"]) == ("at_once", "responsible_units", None)
    assert notice["link"] == f"/api/rectifications/{id}"
    assert (await client.get(notice["link"], headers=headers)).status_code == 200
    english = (await client.get("/api/notices", headers={**headers, "Accept-Language": "en-GB,en"})).json()
    assert english["items"][0]["title"] == "A rectification was issued to you: ZG-210422-20261124-0001"
    assert "腰站" not in str(page) and "管网" not in str(page)


def test_every_event_that_is_heard_has_words_in_both_languages_and_a_reaction():
    assert set(wording.TITLES) == set(HEARS)
    assert all(chinese and english for chinese, english in wording.TITLES.values())
    assert all(verb in REACTIONS for verb in HEARS)


async def test_what_everyone_is_told_leads_to_what_they_may_see(client, it, settle):
    await make.rectification(it, Status.closed)
    await settle()
    for name in NAMES:
        headers = await make.signed_in(getattr(it, name))
        for notice in (await client.get("/api/notices", headers=headers)).json()["items"]:
            assert (await client.get(notice["link"], headers=headers)).status_code == 200, (name, notice["verb"])


async def test_a_notice_is_read_once_by_its_own_reader(client, it):
    call = await calls.read_notice(it)
    for person in (it.principal, it.stranger):
        answer = await call.made(client, headers=await make.signed_in(person))
        assert (answer.status_code, make.problem(answer)["code"]) == (404, "not_found")
    assert (await call.made(client)).status_code == 204
    with clock.frozen(clock.now() + timedelta(hours=1)):
        assert (await call.made(client)).status_code == 204
    page = (await client.get("/api/notices", headers=call.headers)).json()
    assert page["unread"] == 0 and page["items"][0]["read_at"] == "2026-11-24T04:00:00Z"
    assert (await client.get("/api/notices?unread=true", headers=call.headers)).json()["items"] == []


async def test_reading_everything_spares_what_came_in_meanwhile(client, it, settle, noon):
    for minutes in range(4):
        with clock.frozen(noon + timedelta(minutes=minutes)):
            await make.rectification(it)
            await settle()
    headers = await make.signed_in(it.handler)
    ids = [notice["id"] for notice in (await client.get("/api/notices", headers=headers)).json()["items"]]
    assert len(ids) == 4 and [UUID(id) for id in ids] == sorted((UUID(id) for id in ids), reverse=True)
    answer = await client.post("/api/notices/readings", json={"up_to": ids[1]}, headers=headers)
    assert answer.status_code == 204
    page = (await client.get("/api/notices?unread=true", headers=headers)).json()
    assert [notice["id"] for notice in page["items"]] == ids[:1] and page["unread"] == 1
    others = (await client.get("/api/notices", headers=await make.signed_in(it.principal))).json()
    assert others["unread"] == 4  # nobody reads for somebody else


async def test_the_inbox_is_walked_to_its_end(client, it, settle, noon):
    for minutes in range(5):
        with clock.frozen(noon + timedelta(minutes=minutes)):
            await make.rectification(it)
            await settle()
    headers, seen, cursor = await make.signed_in(it.handler), [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get("/api/notices", headers=headers, params={"limit": 2, **more})).json()
        seen += [notice["id"] for notice in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == 5
