"""现场核查: who must go, who may, near which place; and that the unit learns nothing before it is concluded."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.geo import Datum, Place
from backend.people import commands as people
from backend.roles import Role
from inspections.findings.rules import ClosingClass, Severity
from tasks.rectifications import commands, publicity, queries, sampling, site_checks
from tasks.rectifications.item import Status
from tasks.rectifications.site_checks import Conclusion
from tasks.rectifications.words import CheckResult
from tests import calls, make
from tests.make import Cast, happened, parts, row

FAR = Place(make.TARGET[0] + 0.05, make.TARGET[1], 12.0, Datum.wgs84)  # some 5.5 km north


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def said(it: Cast, result: CheckResult = CheckResult.passed, **other: Any) -> Conclusion:
    content: dict[str, Any] = {
        "result": result, "note": "已看过。", "place": Place(*make.TARGET, 12.0, Datum.wgs84),
        "present": frozenset({it.inspector.person, it.lead.person}),
    }  # fmt: skip
    return Conclusion(**(content | other))


def photos(*numbers: int) -> list[Any]:
    return [make.declaration(make.photo(n)) for n in numbers or (20,)]


async def close(it: Cast, id: UUID) -> None:
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意销号。")


@pytest.mark.parametrize(
    "content",
    [{"severity": Severity.serious}, {"severity": Severity.grave}, {"listed": True},
     {"closing_class": ClosingClass.long_term, "due_on": clock.today() + timedelta(days=400)}],
    ids=["serious", "grave", "listed", "long-term"],
)  # fmt: skip
async def test_some_items_are_not_closed_without_somebody_going_there(it, content):
    id = await make.rectification(it, Status.passed, **content)
    with pytest.raises(WrongState) as refusal:
        await close(it, id)
    assert refusal.value.message == "要先通过现场核查。"
    await make.checked(it, id)
    if "closing_class" in content:  # shown in public as well
        with clock.frozen(clock.now() - timedelta(days=8)):
            await publicity.publish(id, it.staff, id=uuid7(), text="已修复。")
    await close(it, id)
    assert (await row(id))["status"] == "closed"


async def test_what_was_returned_once_is_looked_at_on_site(it):
    id = await make.rectification(it, Status.handed_in)
    await make.send_back(it.reviewer, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    with pytest.raises(WrongState):
        await close(it, id)
    await make.checked(it, id)
    await close(it, id)


async def test_an_ordinary_item_is_closed_without_a_check_when_the_sample_spares_it(it):
    id = await make.rectification(it, Status.passed)
    assert (await happened(id, "sampled"))[0]["drawn"] is False  # the tests' rate is nought
    await close(it, id)


async def test_what_was_drawn_is_checked_and_the_draw_can_be_replayed(it, monkeypatch):
    monkeypatch.setenv("DUBAN_SAMPLE_PERCENT", "100")
    id = await make.rectification(it, Status.passed)
    with pytest.raises(WrongState):
        await close(it, id)
    told = (await happened(id, "sampled"))[0]
    seed = (await raw("SELECT * FROM sample_seed"))[0]
    assert (told["day"], told["percent"], told["drawn"]) == (str(seed["day"]), 100, True)
    assert sampling.draw(seed["seed"], id, told["percent"]) == sampling.Draw(told["lot"], True)
    await make.checked(it, id)
    await close(it, id)


async def test_one_secret_a_day_is_made_once_however_many_ask_at_once(it):
    ids = [await make.rectification(it, Status.handed_in) for _ in range(4)]
    await asyncio.gather(*(make.pass_first(it, id) for id in ids))
    assert len(await raw("SELECT 1 FROM sample_seed")) == 1
    with clock.frozen(clock.now() + timedelta(days=1)):
        await make.rectification(it, Status.passed)
    assert len({row["seed"] for row in await raw("SELECT seed FROM sample_seed")}) == 2


async def test_at_least_two_go_none_of_them_of_the_unit_or_keeping_away_from_it(it):
    id = await make.rectification(it, Status.passed)
    at_unit = await make.person("本单位督查", Role.inspector, at=it.responsible)
    office = await make.unit("市扶贫办")
    moonlights = await make.person("兼职督查", Role.inspector, at=office)
    await raw(
        "INSERT INTO role_grant (id, person, unit, role, granted_at) VALUES ($1, $2, $3, 'unit_handler', $4)",
        uuid7(), moonlights.person, it.responsible, clock.now(),
    )  # fmt: skip
    left = await make.person("离任督查", Role.inspector, at=office)
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), left.person)
    away = await make.person("回避督查", Role.inspector, at=office)
    await people.declare_recusal(away, id=uuid7(), unit=it.lead_unit, reason="配偶在该单位。")
    before = await calls.snapshot()
    for other, code in (
        (None, "incomplete"), (it.handler, "not_a_checker"), (it.leader, "not_a_checker"), (left, "not_a_checker"),
        (at_unit, "checker_of_responsible_unit"), (moonlights, "checker_of_responsible_unit"),
        (away, "checker_recused"),
    ):  # fmt: skip
        checkers = frozenset({it.inspector.person, other.person if other else it.inspector.person})
        with pytest.raises(Incomplete) as refusal:
            await site_checks.assign(id, it.staff, id=uuid7(), checkers=checkers)
        assert (refusal.value.code, refusal.value.field) == (code, "checkers")
    with pytest.raises(Incomplete):
        await site_checks.assign(id, it.staff, id=uuid7(), checkers=frozenset({uuid7(), uuid7()}))
    assert await calls.snapshot() == before
    fit = {one.person for one in (await site_checks.fit(id, it.staff)).items}
    assert fit == {one.person for one in (it.inspector, it.lead, it.staff, it.boss)}  # none of those just refused
    await site_checks.assign(id, it.staff, id=uuid7(), checkers=frozenset({it.inspector.person, it.staff.person}))


async def test_who_may_be_sent_is_told_to_the_office_that_sends_alone(it, client):
    id = await make.rectification(it, Status.passed)
    told = await client.get(f"/api/rectifications/{id}/checkers", headers=await make.signed_in(it.staff))
    assert {one["name"] for one in told.json()["items"]} == {"督查员王", "组长刘", "督查办周", "主任吴"}
    for who, status in ((it.reviewer, 403), (it.handler, 403), (it.stranger, 404)):
        answer = await client.get(f"/api/rectifications/{id}/checkers", headers=await make.signed_in(who))
        assert answer.status_code == status, who.name


async def test_who_keeps_away_from_the_item_is_told_no_names(it, client):
    id = await make.rectification(it, Status.passed)
    await people.declare_recusal(it.staff, id=uuid7(), unit=it.responsible, reason="配偶在该单位。")
    told = await client.get(f"/api/rectifications/{id}/checkers", headers=await make.signed_in(it.staff))
    assert (told.status_code, told.json()["detail"]) == (403, "您已申请回避与本事项有关的单位。")


async def test_of_too_many_to_list_it_is_said_and_each_is_found_by_name(it, client):
    id = await make.rectification(it, Status.passed)
    first = await site_checks.fit(id, it.staff, most=2)
    assert (len(first.items), first.more) == (2, True)
    found = await site_checks.fit(id, it.staff, named="员王", most=2)
    assert ([one.name for one in found.items], found.more) == (["督查员王"], False)
    headers = await make.signed_in(it.staff)
    told = await client.get(f"/api/rectifications/{id}/checkers", params={"q": "吴"}, headers=headers)
    assert [one["name"] for one in told.json()["items"]] == ["主任吴"]
    none = await client.get(f"/api/rectifications/{id}/checkers", params={"q": "%"}, headers=headers)
    assert (none.json()["items"], none.json()["more"]) == ([], False)


async def test_the_same_assignment_with_other_people_is_another_one(it):
    id, key = await make.rectification(it, Status.passed), uuid7()
    both = frozenset({it.inspector.person, it.lead.person})
    for _ in range(2):
        await site_checks.assign(id, it.staff, id=key, checkers=both)
    with pytest.raises(Conflict):
        await site_checks.assign(id, it.staff, id=key, checkers=frozenset({it.inspector.person, it.staff.person}))
    assert len(await raw("SELECT 1 FROM site_checker")) == 2


async def test_far_from_the_place_or_without_one_a_reason_is_needed(it):
    id = await make.rectification(it, Status.passed)
    key = await make.site_check(it, id)
    for place in (FAR, None):
        with pytest.raises(Incomplete) as refusal:
            await site_checks.conclude(id, key, it.inspector, said(it, place=place), manifest=photos())
        assert refusal.value.field == "outside_reason"
    reason = "进村桥断，隔河查看。"
    await site_checks.conclude(id, key, it.inspector, said(it, place=FAR, outside_reason=reason), manifest=photos())
    told = (await queries.detail(id, it.staff)).site_checks[0]
    assert told.outside_reason == reason and told.distance_m is not None and 5400 < told.distance_m < 5700
    assert [checker.present for checker in told.checkers] == [True, True]


async def test_where_the_finding_has_no_place_nobody_has_to_explain_theirs(it):
    id = await make.rectification(it, Status.passed, place=None)
    await site_checks.conclude(id, await make.site_check(it, id), it.lead, said(it, place=FAR), manifest=photos())
    assert (await queries.detail(id, it.staff)).site_checks[0].distance_m is None


async def test_the_claimed_place_is_kept_as_claimed_and_as_computed(it):
    id = await make.rectification(it, Status.passed)
    place = Place(make.TARGET[0] + 0.0018, make.TARGET[1] + 0.0053, 12.0, Datum.gcj02)
    await site_checks.conclude(id, await make.site_check(it, id), it.lead, said(it, place=place), manifest=photos())
    kept = (await raw("SELECT * FROM site_check"))[0]
    assert (kept["reported_lat"], kept["reported_lng"], kept["datum"]) == (place.lat, place.lng, "gcj02")
    assert abs(kept["lat"] - kept["reported_lat"]) > 0.0005 and kept["distance_m"] < 200


async def test_two_of_those_sent_must_have_been_there_with_a_fresh_photo(it):
    id = await make.rectification(it, Status.passed)
    key = await make.site_check(it, id)
    used = (await raw("SELECT evidence FROM hand_in_evidence"))[0]["evidence"]
    before = await calls.snapshot()
    for present in (set(), {it.inspector.person}, {it.inspector.person, it.staff.person}):
        with pytest.raises(Incomplete) as refusal:
            await site_checks.conclude(id, key, it.inspector, said(it, present=frozenset(present)), manifest=photos())
        assert refusal.value.field == "checkers"
    with pytest.raises(Incomplete):
        await site_checks.conclude(id, key, it.inspector, said(it), manifest=[])
    again = [replace(photos()[0], id=used)]
    with pytest.raises(Incomplete) as refusal:
        await site_checks.conclude(id, key, it.inspector, said(it), manifest=again)
    assert refusal.value.code == "evidence.used_before" and await calls.snapshot() == before


async def test_only_who_was_sent_concludes(it):
    id = await make.rectification(it, Status.passed)
    key = await make.site_check(it, id)
    for nobody in (it.staff, it.boss, it.reviewer, it.handler, it.principal):
        with pytest.raises(Forbidden):
            await site_checks.conclude(id, key, nobody, said(it), manifest=photos())
    with pytest.raises(NotFound):
        await site_checks.conclude(id, uuid7(), it.inspector, said(it), manifest=photos())


async def test_a_checker_of_neither_team_nor_area_sees_the_item_while_sent_to_it(it, client):
    id = await make.rectification(it, Status.passed)
    far = await make.unit("清原县督查办", area=make.QINGYUAN)
    one, two = [await make.person(name, Role.inspector, at=far) for name in ("清原甲", "清原乙")]
    with pytest.raises(NotFound):
        await queries.detail(id, one)
    key = uuid7()
    await site_checks.assign(id, it.staff, id=key, checkers=frozenset({one.person, two.person}))
    assert {move.verb for move in (await queries.detail(id, one)).moves} == {"pass_check", "fail_check"}
    present = frozenset({one.person, two.person})
    await site_checks.conclude(id, key, two, said(it, present=present), manifest=photos())
    assert (await queries.detail(id, one)).moves == []


async def test_a_failed_check_goes_back_to_the_units_named_and_counts_as_returned(it):
    id = await make.shared(it)
    for handler in (it.handler, it.handler2):
        await make.acknowledge(handler, id)
        await make.hand_in(handler, id)
    for unit in await parts(id):
        await make.pass_first(it, id, unit)
    other = await make.second(it)
    await make.checked(it, id, CheckResult.failed, units=frozenset({other}), false_rectification=True)
    assert await parts(id) == {it.responsible: "passed", other: "working"}
    found = await row(id)
    assert (found["status"], found["returned"]) == ("working", 1)
    assert (await happened(id, "check_failed"))[0]["false_rectification"] is True
    await make.hand_in(it.handler2, id)
    await make.pass_first(it, id, other)
    with pytest.raises(BadRequest):
        await make.checked(it, id, CheckResult.failed, units=frozenset({it.lead_unit}))


async def test_a_check_counts_in_its_own_round_only(it):
    id = await make.rectification(it, Status.passed, severity=Severity.serious)
    await make.checked(it, id)
    await make.send_back(it.staff, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    with pytest.raises(WrongState) as refusal:
        await close(it, id)
    assert refusal.value.message == "要先通过现场核查。"
    await make.checked(it, id)
    await close(it, id)


async def test_nobody_goes_for_what_was_sent_back_meanwhile(it):
    id = await make.rectification(it, Status.passed)
    stale = await make.site_check(it, id)
    await make.send_back(it.staff, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    with pytest.raises(WrongState):  # what they saw was the state before
        await site_checks.conclude(id, stale, it.inspector, said(it), manifest=photos())
    assert (await queries.detail(id, it.staff)).site_checks[0].called_off_at == clock.now()
    await make.checked(it, id)
    await close(it, id)


async def test_a_new_assignment_calls_the_other_people_off(it):
    id = await make.rectification(it, Status.passed)
    first = await make.site_check(it, id)
    second = uuid7()
    await site_checks.assign(id, it.boss, id=second, checkers=frozenset({it.staff.person, it.lead.person}))
    with pytest.raises(WrongState) as refusal:
        await site_checks.conclude(id, first, it.inspector, said(it), manifest=photos())
    assert "改派" in refusal.value.message
    present = frozenset({it.staff.person, it.lead.person})
    with pytest.raises(Forbidden):
        await site_checks.conclude(id, second, it.inspector, said(it, present=present), manifest=photos())
    await site_checks.conclude(id, second, it.staff, said(it, present=present), manifest=photos())


async def test_a_check_concluded_by_two_at_once_has_one_result(it):
    for _ in range(3):
        id = await make.rectification(it, Status.passed)
        key = await make.site_check(it, id)
        done = await asyncio.gather(
            site_checks.conclude(id, key, it.inspector, said(it), manifest=photos(21)),
            site_checks.conclude(id, key, it.lead, said(it, CheckResult.failed), manifest=photos(22)),
            return_exceptions=True,
        )
        assert None in done and [isinstance(one, WrongState) for one in done].count(True) == 1, done
        result = (await raw("SELECT result FROM site_check WHERE id = $1", key))[0]["result"]
        assert (await row(id))["status"] == {"passed": "passed", "failed": "working"}[result]
        assert len(await happened(id, f"check_{result}")) == 1


async def test_the_same_conclusion_again_is_the_same_also_when_the_item_went_on(it):
    id, manifest = await make.rectification(it, Status.passed), photos()
    key = await make.site_check(it, id)
    await site_checks.conclude(id, key, it.inspector, said(it), manifest=manifest)
    await close(it, id)
    before = await calls.snapshot()
    await site_checks.conclude(id, key, it.inspector, said(it), manifest=manifest)
    with pytest.raises(Conflict):
        await site_checks.conclude(id, key, it.inspector, said(it), manifest=photos(23))
    with pytest.raises(WrongState):
        await site_checks.conclude(id, key, it.inspector, said(it, CheckResult.failed), manifest=manifest)
    assert await calls.snapshot() == before


async def test_an_open_check_holds_up_the_closing_and_ends_with_the_item(it):
    id = await make.rectification(it, Status.passed)
    await make.site_check(it, id)
    with pytest.raises(WrongState) as refusal:
        await close(it, id)
    assert refusal.value.message == "现场核查还没有结论。"
    await make._void(it, id)
    assert (await raw("SELECT called_off_at FROM site_check"))[0]["called_off_at"] == clock.now()


async def test_the_unit_learns_nothing_of_a_check_before_it_is_concluded(it, client, settle, monkeypatch):
    monkeypatch.setenv("DUBAN_SAMPLE_PERCENT", "100")
    id = await make.rectification(it, Status.passed)
    own = await make.person("本单位督查", Role.supervision_leader, at=it.responsible)
    helper = await make.person("配合单位何", Role.unit_handler, at=await make.unit("新宾县财政局"))
    await raw(
        "INSERT INTO rectification_unit (id, rectification, unit, role) VALUES ($1, $2, $3, 'cooperating')",
        uuid7(), id, await make.unit("新宾县财政局"),
    )  # fmt: skip
    people = {name: await make.signed_in(who) for name, who in (
        ("handler", it.handler), ("principal", it.principal), ("own", own), ("helper", helper),
    )}  # fmt: skip

    async def seen() -> dict[str, Any]:
        await settle()
        pages = {}
        for name, headers in people.items():
            for path in (
                f"/api/rectifications/{id}", f"/api/rectifications/{id}/timeline", "/api/rectifications",
                "/api/notices", "/api/phone/today", "/api/me",
            ):  # fmt: skip
                answer = await client.get(path, headers=headers)
                told = answer.json()
                for newly_made in ("as_of", "time"):
                    told.pop(newly_made, None)
                pages[name, path] = (answer.status_code, told)
        return pages

    before = await seen()
    await make.site_check(it, id)
    assert json.dumps(list((await seen()).values())) == json.dumps(list(before.values()))
    assert "sampled" not in str(before) and "lot" not in str(before)
    for name in ("inspector", "lead"):  # who goes hears of it, and nobody else
        page = (await client.get("/api/notices", headers=await make.signed_in(getattr(it, name)))).json()
        assert "rectification.check_assigned" in {notice["verb"] for notice in page["items"]}
    assert len(await raw("SELECT 1 FROM notice WHERE verb = 'rectification.check_assigned'")) == 2
    office = (await client.get(f"/api/rectifications/{id}/timeline", headers=await make.signed_in(it.staff))).json()
    assert "rectification.check_assigned" in {entry["verb"] for entry in office["items"]}
    await site_checks.conclude(
        id, (await raw("SELECT id FROM site_check"))[0]["id"], it.lead, said(it, CheckResult.failed), manifest=photos()
    )
    told = (await seen())["handler", f"/api/rectifications/{id}"][1]
    assert told["site_checks"][0]["result"] == "failed"
