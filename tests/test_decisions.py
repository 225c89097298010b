"""待我处理: what waits for whom, what does not, in which order, and nothing out of sight."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import SYSTEM, Actor, Role
from backend.units import commands as units
from inspections.findings.rules import Severity
from tasks.decisions import queries
from tasks.decisions.rules import ASKED, DECISIONS
from tasks.rectifications import confirming, jobs, rules, voiding
from tasks.rectifications.item import Status, Verb
from tests import make
from tests.make import Cast


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def waiting(client, person: Actor, **asked: object) -> dict[str, list[str]]:
    answer = await client.get("/api/decisions", headers=await make.signed_in(person), params=asked)
    assert answer.status_code == 200, answer.text
    return {row["item"]["id"]: row["verbs"] for row in answer.json()["items"]}


def test_only_moves_that_somebody_makes_are_asked():
    assert set(ASKED) <= rules.MOVES.keys() and Verb.acknowledge not in DECISIONS


async def test_it_is_closed_to_strangers_and_careless_questions(client, it):
    assert (await client.get("/api/decisions")).status_code == 401
    answer = await client.get("/api/decisions?limit=0", headers=await make.signed_in(it.boss))
    assert answer.status_code == 400
    assert await waiting(client, it.stranger) == {} and await waiting(client, it.leader) == {}


async def test_what_waits_for_whom_along_the_main_path(client, it):
    issued = str(await make.rectification(it, Status.issued))
    working = str(await make.rectification(it, Status.working))
    handed_in = str(await make.rectification(it, Status.handed_in))
    passed = str(await make.rectification(it, Status.passed))
    for status in (Status.closed, Status.voided, Status.hung):
        await make.rectification(it, status)
    assert await waiting(client, it.handler) == {issued: ["acknowledge"], working: ["hand_in"]}
    assert await waiting(client, it.handler, decisions_only=True) == {}
    principals = await waiting(client, it.principal, decisions_only=True)
    assert principals == {handed_in: ["confirm_hand_in"], passed: ["confirm_hand_in"]}
    assert await waiting(client, it.reviewer) == {handed_in: ["pass_first"]}
    assert await waiting(client, it.boss) == {passed: ["close_out"]}
    assert await waiting(client, it.staff) == {}  # the second key is not theirs


async def test_procedures_wait_for_the_office_with_their_own_date_first(client, it):
    other = await make.rectification(it, Status.passed)
    item = await make.rectification(it, Status.working)
    await make.extension(it, item)
    contested = await make.rectification(it, Status.issued)
    await make.objection(it, contested)
    void = await make.rectification(it, Status.working)
    await voiding.ask_void(void, it.boss, id=uuid7(), note="重复。", duplicate_of=None)
    assert await waiting(client, it.staff) == {
        str(item): ["grant_extension"], str(contested): ["decline_objection"], str(void): ["void"],
    }  # fmt: skip
    boss = await waiting(client, it.boss)
    assert set(boss) == {str(item), str(contested), str(other)}  # who asked for the voiding does not confirm it
    answer = await client.get("/api/decisions?limit=2", headers=await make.signed_in(it.boss))
    told = answer.json()
    assert told["more"] and told["next"] is None and len(told["items"]) == 2
    assert told["count"] == {"count": 3, "more": False}, "how many there are in all, beside those listed"
    assert all(row["decide_by"] is not None for row in told["items"])


async def test_a_hand_in_of_a_unit_that_was_merged_waits_for_the_principal_of_its_heir(client, it, noon):
    """The heir has a part of its own, whose hand-in was confirmed before."""
    item = await make.shared(it)
    heir = next(iter(it.handler2.units()))
    principal = await make.person("局长郑", Role.unit_principal, at=heir)
    for n, handler in enumerate((it.handler2, it.handler)):
        with clock.frozen(noon + timedelta(hours=n)):
            await make.acknowledge(handler, item)
            await make.hand_in(handler, item)
    [own] = await raw("SELECT id FROM hand_in WHERE unit = $1", heir)
    await confirming.confirm(item, own["id"], principal, note="属实。")
    assert await waiting(client, principal, decisions_only=True) == {}
    await units.end_unit(SYSTEM, unit=it.responsible, on=date(2026, 11, 23), successor=heir)
    await jobs.hand_over_parts()
    assert await waiting(client, principal, decisions_only=True) == {str(item): ["confirm_hand_in"]}


async def test_a_list_that_was_cut_off_says_at_least_how_many_there_are(client, it, monkeypatch):
    monkeypatch.setattr(queries, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(queries, "ONE_TOO_MANY", 3)
    head = await make.signed_in(it.reviewer)
    for wait, more in ((2, False), (3, True)):
        while len(await raw("SELECT 1 FROM rectification")) < wait:
            await make.rectification(it, Status.handed_in)
        told = (await client.get("/api/decisions", headers=head)).json()
        assert (len(told["items"]), told["count"], told["more"]) == (2, {"count": 2, "more": more}, more)


async def test_what_lead_units_have_to_review_keeps_nothing_from_the_office(client, it, monkeypatch):
    monkeypatch.setattr(queries, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(queries, "ONE_TOO_MANY", 3)
    for _ in range(3):
        await make.rectification(it, Status.handed_in)
    passed = str(await make.rectification(it, Status.passed))
    assert await waiting(client, it.boss) == {passed: ["close_out"]}


async def test_of_each_kind_that_waits_the_first_is_looked_at(client, it, monkeypatch):
    monkeypatch.setattr(queries, "MOST_LOOKED_AT", 3)
    monkeypatch.setattr(queries, "ONE_TOO_MANY", 4)
    for _ in range(4):
        await make.rectification(it, Status.passed)
    own = str(await make.rectification(it, Status.handed_in, lead_units=frozenset()))
    draft = str(await make.rectification(it, Status.draft))
    found = await waiting(client, it.boss)
    assert found.keys() >= {own, draft} and len(found) == 3


async def test_what_others_have_to_review_keeps_nothing_from_who_sees_it_by_another_role(client, it, noon, monkeypatch):
    """Somebody of the office who reviews for a lead unit as well."""
    monkeypatch.setattr(queries, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(queries, "ONE_TOO_MANY", 3)
    education = await make.unit("新宾县教育局")
    both = await make.person("两头周", Role.lead_unit_reviewer, Role.supervision_staff, at=education)
    for _ in range(3):
        await make.rectification(it, Status.handed_in)
    later = (noon + timedelta(days=60)).date()
    own = await make.rectification(it, Status.handed_in, lead_units=both.units(), due_on=later)
    assert await waiting(client, both) == {str(own): ["pass_first"]}
    # And of extensions those that the office decides on, not those of items elsewhere that its unit leads.
    qingyuan = await make.unit("清原县水务局")
    both = await make.person("两头关", Role.lead_unit_reviewer, Role.supervision_staff, at=qingyuan)
    for _ in range(3):
        await make.extension(it, await make.rectification(it, Status.working, lead_units=both.units()))
    with clock.frozen(noon + timedelta(days=1)):
        await make.extension(it, own := await make.rectification(it, Status.working))
    await raw("UPDATE rectification SET county = $2 WHERE id = $1", own, make.QINGYUAN)
    assert await waiting(client, both) == {str(own): ["grant_extension"]}


async def test_a_units_own_work_does_not_make_its_decisions_uncertain(client, it, monkeypatch):
    monkeypatch.setattr(queries, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(queries, "ONE_TOO_MANY", 3)
    for _ in range(3):
        await make.rectification(it, Status.working)
    handed_in = await make.rectification(it, Status.handed_in)
    head = await make.signed_in(it.principal)
    told = (await client.get("/api/decisions?decisions_only=true", headers=head)).json()
    assert [row["item"]["id"] for row in told["items"]] == [str(handed_in)]
    assert (told["count"], told["more"]) == ({"count": 1, "more": False}, False)
    assert (await client.get("/api/decisions", headers=head)).json()["count"] == {"count": 2, "more": True}


async def test_an_item_with_several_parts_that_wait_takes_no_other_items_place(client, it, monkeypatch):
    monkeypatch.setattr(queries, "MOST_LOOKED_AT", 1)
    monkeypatch.setattr(queries, "ONE_TOO_MANY", 2)
    parts = frozenset({it.responsible, await make.second(it), await make.unit("新宾县交通局")})
    for _ in range(2):
        item = await make.rectification(it, responsible_units=parts)
        for handler in (it.handler, it.handler2):
            await make.acknowledge(handler, item)
            await make.hand_in(handler, item)
    told = (await client.get("/api/decisions", headers=await make.signed_in(it.reviewer))).json()
    assert told["count"] == {"count": 1, "more": True}, "two parts of one item are one that waits"


async def test_without_a_lead_unit_what_one_of_two_units_handed_in_waits_for_the_office(client, it):
    parts = frozenset({it.responsible, await make.second(it)})
    item = await make.rectification(it, responsible_units=parts, lead_units=frozenset())
    await make.acknowledge(it.handler, item)
    await make.acknowledge(it.handler2, item)
    assert await waiting(client, it.boss) == {}
    await make.hand_in(it.handler, item)
    assert await waiting(client, it.boss) == {str(item): ["pass_first"]}
    assert await queries.beside(make.XINBIN, [make.XINBIN]) == {make.XINBIN: 1}


async def test_what_has_passed_is_counted_for_the_office_where_the_table_of_moves_asks_it(client, it, noon):
    """With a check, and a publicity, that is not there, under way or over; each item in a township of its own."""
    items: dict[str, UUID] = {}
    for checks in ((), (make.site_check,), (make.checked,)):
        for shows in ((), (make.publicity,), (make.publicity, _over)):
            items[f"21042290{len(items)}000"] = item = await make.rectification(it, Status.passed)
            for step in (*checks, *shows):
                await step(it, item)
    for place, item in items.items():
        await raw("UPDATE rectification SET township = $2 WHERE id = $1", item, place)
    usual = await make.row(item)
    wants = {"severity": "serious", "listed": True, "returned": 1, "closing_class": "long_term", "sampled": True}
    for want, value in {"status": "passed", **wants, "public": True}.items():
        await raw(f"UPDATE rectification SET {want} = $1", value)
        asked = [await waiting(client, who, decisions_only=True) for who in (it.staff, it.boss)]
        others = {place: -1 for place, item in items.items() if not any(str(item) in one for one in asked)}
        assert await queries.beside(make.FUSHUN, [*items]) == others, want
        await raw(f"UPDATE rectification SET {want} = $1", usual[want])


async def _over(_: Cast, item: UUID) -> None:
    await raw("UPDATE publicity SET until = $2 WHERE rectification = $1", item, clock.now() - timedelta(days=1))


async def test_a_check_waits_for_the_office_and_then_for_its_checkers(client, it):
    item = await make.rectification(it, Status.passed, severity=Severity.serious)
    assert await waiting(client, it.staff) == {str(item): ["assign_check"]}
    assert await waiting(client, it.boss) == {str(item): ["assign_check"]}
    await make.site_check(it, item)
    assert await waiting(client, it.inspector) == {str(item): ["pass_check"]}
    assert await waiting(client, it.staff) == {}


async def test_a_draft_without_its_unit_waits_for_the_office(client, it):
    nobody = {"responsible_units": frozenset(), "lead_units": frozenset()}
    draft = await make.rectification(it, Status.draft, **nobody)
    assert await waiting(client, it.staff) == {str(draft): ["issue"]}
