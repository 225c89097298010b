"""What the verbs of a rectification write: numbers, dates, units, returns, voiding; what reactions make of findings."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from backend import clock, geo
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound, WrongState
from backend.roles import SYSTEM, Role
from inspections.findings.queries import as_filed
from inspections.findings.rules import ClosingClass
from inspections.visits import commands as visits
from tasks.rectifications import commands, queries, voiding
from tasks.rectifications.deadlines import Wanted
from tasks.rectifications.item import Status
from tasks.rectifications.words import ReturnReason, Source, UnitRole
from tests import calls, make
from tests.waiting import PATIENCE


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def row(id: UUID) -> dict:
    return dict((await raw("SELECT * FROM rectification WHERE id = $1", id))[0])


async def verbs(subject: UUID) -> list[str]:
    rows = await raw("SELECT verb FROM event WHERE subject = $1 AND verb LIKE 'rectification.%'", subject)
    return sorted(row["verb"] for row in rows)


async def submit(it: make.Cast, settle) -> None:
    await visits.arrive(
        it.visit, it.inspector, id=uuid7(), place=geo.Place(*make.TARGET, 12.0, geo.Datum.wgs84),
        phone_at=clock.now(), reason="",
    )  # fmt: skip
    await visits.submit(it.visit, it.lead)
    await settle()


async def test_twenty_items_at_once_get_twenty_numbers_without_a_gap(it):
    drafts = [await make.rectification(it, Status.draft) for _ in range(20)]
    await asyncio.gather(*(commands.issue(id, it.staff) for id in drafts))
    numbers = sorted([(await row(id))["number"] for id in drafts])
    assert numbers == [f"ZG-210422-20261124-{n:04}" for n in range(1, 21)]


async def test_a_refused_issue_uses_up_no_number(it):
    bare = await make.rectification(it, Status.draft, responsible_units=frozenset())
    with pytest.raises(Incomplete):
        await commands.issue(bare, it.staff)
    assert (await row(await make.rectification(it)))["number"] == "ZG-210422-20261124-0001"


async def test_numbers_start_anew_on_a_legal_day_of_shanghai(it):
    await make.rectification(it)
    with clock.frozen(clock.datetime.fromisoformat("2026-11-25T00:00:30+08:00")):  # still the 24th in UTC
        assert (await row(await make.rectification(it)))["number"] == "ZG-210422-20261125-0001"


@pytest.mark.parametrize(
    ("closing_class", "due"), [(ClosingClass.fix_now, date(2026, 11, 27)), (ClosingClass.by_date, date(2026, 12, 9))]
)
async def test_the_closing_class_gives_the_date(it, closing_class, due):
    found = await row(await make.rectification(it, closing_class=closing_class))
    assert found["due_on"] == due and found["due_at"] == clock.datetime.combine(
        due + timedelta(days=1), clock.datetime.min.time(), clock.SHANGHAI
    )
    assert found["issued_at"] == clock.now()


async def test_a_long_term_item_waits_for_the_office_to_set_a_date(it, settle):
    draft = await make.rectification(it, Status.draft, closing_class=ClosingClass.long_term)
    await commands.issue_or_hold(draft, SYSTEM)
    with pytest.raises(Incomplete) as refusal:
        await commands.issue(draft, it.staff)
    assert refusal.value.field == "due_on"
    await commands.issue(draft, it.staff, due=Wanted(on=date(2027, 6, 30)), asks="分两年完成。")
    found = await row(draft)
    assert (found["status"], found["due_on"], found["asks"]) == ("issued", date(2027, 6, 30), "分两年完成。")
    assert await verbs(draft) == ["rectification.drafted", "rectification.held", "rectification.issued"]


@pytest.mark.parametrize(
    ("due", "code"),
    [
        (date(2026, 11, 24), "due_in_the_past"),
        (date(2020, 1, 1), "due_in_the_past"),
        (date(1, 1, 1), "due_in_the_past"),
        (date(2062, 12, 9), "due_too_far"),
        (date(9999, 12, 31), "due_too_far"),
    ],
)
async def test_a_date_in_the_past_or_of_another_age_is_refused(it, due, code):
    draft = await make.rectification(it, Status.draft)
    before = await calls.snapshot()
    with pytest.raises(BadRequest) as refusal:
        await commands.issue(draft, it.staff, due=Wanted(on=due))
    assert (refusal.value.code, refusal.value.field) == (code, "due_on")
    assert await calls.snapshot() == before


async def test_units_named_at_issue_are_added_and_none_has_two_roles(it):
    draft = await make.rectification(it, Status.draft)
    other = await make.unit("新宾县财政局")
    before = await calls.snapshot()
    for units in (
        {UnitRole.lead: frozenset({it.responsible})},
        {UnitRole.cooperating: frozenset({it.responsible})},
        {UnitRole.cooperating: frozenset({it.lead_unit})},
        {UnitRole.cooperating: frozenset({other}), UnitRole.lead: frozenset({other})},
    ):
        with pytest.raises(BadRequest) as refusal:
            await commands.issue(draft, it.staff, units=units)
        assert refusal.value.code == "unit_in_two_roles"
    with pytest.raises(BadRequest) as refusal:
        await commands.issue(draft, it.staff, units={UnitRole.cooperating: frozenset({uuid7()})})
    assert refusal.value.code == "unknown_reference"
    assert await calls.snapshot() == before
    await commands.issue(draft, it.staff, units={UnitRole.cooperating: frozenset({other})})
    item = await queries.parties(draft)
    assert item.of(UnitRole.cooperating) == {other} and item.of(UnitRole.responsible) == {it.responsible}


async def test_a_principal_confirms_by_handing_in_and_a_handler_names_one(it):
    for person, said, confirmed in ((it.principal, "", "局长钱"), (it.handler, "钱局长", "钱局长")):
        id = await make.rectification(it, Status.working)
        line = make.declaration(make.photo(2))
        said_twice = {"note": "已修复。", "finished_on": None, "similar_sweep": "", "confirmed_by": said}
        key = uuid7()
        for _ in range(2):
            await commands.hand_in(id, person, id=key, **said_twice, manifest=[line])
        rows = await raw("SELECT confirmed_by FROM hand_in WHERE rectification = $1", id)
        assert [row["confirmed_by"] for row in rows] == [confirmed]
    id = await make.rectification(it, Status.working)
    with pytest.raises(Incomplete) as refusal:
        await commands.hand_in(
            id, it.handler, id=uuid7(), note="已修复。", finished_on=None, similar_sweep="", confirmed_by="",
            manifest=[make.declaration(make.photo(2))],
        )  # fmt: skip
    assert refusal.value.field == "confirmed_by"


async def test_a_hand_in_repeated_with_other_files_is_a_conflict(it):
    id, key = await make.rectification(it, Status.working), uuid7()
    said = {"note": "已修复。", "finished_on": None, "similar_sweep": "", "confirmed_by": "钱局长"}
    await commands.hand_in(id, it.handler, id=key, **said, manifest=[make.declaration(make.photo(2))])
    before = await calls.snapshot()
    for manifest in ([], [make.declaration(make.photo(3))]):
        with pytest.raises(Conflict):
            await commands.hand_in(id, it.handler, id=key, **said, manifest=manifest)
    assert await calls.snapshot() == before


async def test_an_id_used_on_one_item_is_a_conflict_on_another(it):
    one, other = await make.rectification(it), await make.rectification(it)
    key, said = uuid7(), {"responsible_person": "赵", "phone": ""}
    await commands.acknowledge(one, it.handler, id=key, **said)
    with pytest.raises(Conflict):
        await commands.acknowledge(other, it.handler, id=key, **said)
    with pytest.raises(Conflict):
        await commands.acknowledge(one, it.principal, id=key, **said)
    assert (await row(other))["status"] == "issued"


async def test_the_review_waits_for_the_last_photo(it):
    id = await make.rectification(it, Status.working)
    lines = [make.declaration(make.photo(n)) for n in (4, 5)]
    await commands.hand_in(
        id,
        it.handler,
        id=uuid7(),
        note="已修复。",
        finished_on=None,
        similar_sweep="",
        confirmed_by="钱局长",
        manifest=lines,
    )
    for line in lines:
        with pytest.raises(Incomplete) as refusal:
            await commands.pass_first(id, it.reviewer, id=uuid7(), opinion="齐全。")
        assert refusal.value.field == "evidence"
        await make.receive(line)
    await commands.pass_first(id, it.reviewer, id=uuid7(), opinion="齐全。")
    assert (await row(id))["status"] == "passed"


async def test_returns_are_counted_and_the_date_does_not_move(it, noon):
    id = await make.rectification(it, Status.handed_in)
    due = (await row(id))["due_at"]
    said = {"reason_code": ReturnReason.partly_done, "note": "还有一户无水。"}
    await commands.send_back(id, it.reviewer, id=uuid7(), **said)
    with clock.frozen(noon + timedelta(hours=1)):
        await make._hand_in(it, id)
        await make._pass(it, id)
    with clock.frozen(noon + timedelta(hours=2)):  # after the first pass the office may too
        await commands.send_back(id, it.staff, id=uuid7(), **said)
    told = await queries.detail(id, it.handler)
    assert (told.status, told.returned, told.due_at) == ("working", 2, due)
    assert [review.verb for review in told.reviews] == ["send_back", "pass_first", "send_back"]
    assert len(told.hand_ins) == 2


async def test_the_office_cannot_send_back_what_the_lead_unit_has_not_looked_at(it):
    id = await make.rectification(it, Status.handed_in)
    with pytest.raises(Forbidden):
        await commands.send_back(id, it.staff, id=uuid7(), reason_code=ReturnReason.other, note="退回。")


async def test_one_person_with_both_roles_does_not_turn_both_keys(it):
    id = await make.rectification(it, Status.handed_in)
    both = await make.person("兼职何", Role.lead_unit_reviewer, Role.supervision_leader, at=it.lead_unit)
    await commands.pass_first(id, both, id=uuid7(), opinion="齐全。")
    before = await calls.snapshot()
    with pytest.raises(Forbidden):
        await commands.close_out(id, both, id=uuid7(), opinion="同意。")
    assert await calls.snapshot() == before
    await commands.close_out(id, it.boss, id=uuid7(), opinion="同意。")
    assert (await row(id))["closed_at"] == clock.now()


async def test_voiding_takes_two_and_keeps_the_row(it):
    id, other = await make.rectification(it), await make.rectification(it)
    with pytest.raises(WrongState):
        await voiding.void(id, it.staff)
    with pytest.raises(BadRequest) as refusal:
        await voiding.ask_void(id, it.boss, id=uuid7(), note="重复。", duplicate_of=id)
    assert refusal.value.code == "duplicate_of_itself"
    with pytest.raises(NotFound):
        await voiding.ask_void(id, it.boss, id=uuid7(), note="重复。", duplicate_of=uuid7())
    key = uuid7()
    for _ in range(2):
        await voiding.ask_void(id, it.boss, id=key, note="重复。", duplicate_of=other)
    with pytest.raises(WrongState):
        await voiding.ask_void(id, it.boss, id=uuid7(), note="又一次。", duplicate_of=None)
    with pytest.raises(Forbidden):
        await voiding.void(id, it.boss)
    await voiding.void(id, it.staff)
    assert (await row(id))["status"] == "voided"
    asked = (await raw("SELECT * FROM voiding WHERE rectification = $1", id))[0]
    assert (asked["asked_by"], asked["decided_by"], asked["duplicate_of"]) == (
        it.boss.person,
        it.staff.person,
        other,
    )
    assert [verb for verb in await verbs(id) if "void" in verb] == ["rectification.void_asked", "rectification.voided"]


async def test_two_items_called_each_others_duplicate_at_once_do_not_hang(it):
    one, other = await make.rectification(it), await make.rectification(it)
    done = await asyncio.wait_for(
        asyncio.gather(
            voiding.ask_void(one, it.boss, id=uuid7(), note="重复。", duplicate_of=other),
            voiding.ask_void(other, it.boss, id=uuid7(), note="重复。", duplicate_of=one),
            return_exceptions=True,
        ),
        timeout=PATIENCE,
    )
    assert all(one is None or isinstance(one, WrongState | Conflict) for one in done), done


async def test_a_draft_is_made_once_per_finding(it):
    finding = await make.finding(it)
    filed = (await as_filed([finding]))[0]
    made = await asyncio.gather(
        *(commands.draft_from_finding(filed, SYSTEM, source=Source.unannounced) for _ in range(5)),
        return_exceptions=True,
    )
    assert made.count(True) == 1
    assert all(one is False or isinstance(one, Conflict) for one in made if one is not True), made
    assert len(await raw("SELECT 1 FROM rectification")) == 1
    assert await verbs(finding) == ["rectification.drafted"]


# ── what follows from a visit ────────────────────────────────────────────────────────────────────────────────────


async def test_a_submitted_visit_turns_every_finding_into_an_issued_item_once(it, settle):
    findings = {await make.finding(it) for _ in range(3)}
    await settle()
    assert not await raw("SELECT 1 FROM rectification")
    await submit(it, settle)
    rows = await raw("SELECT id, status FROM rectification")
    assert {row["id"] for row in rows} == findings and {row["status"] for row in rows} == {"issued"}
    before = await calls.snapshot()
    await raw("INSERT INTO outbox (event, attempts, next_try_at) SELECT id, 0, at FROM event")  # all of it again
    await settle()
    assert await calls.snapshot() == before


async def test_danger_to_life_does_not_wait_for_the_submission(it, settle):
    calm, urgent = await make.finding(it), await make.finding(it, danger_to_life=True)
    await settle()
    assert [row["id"] for row in await raw("SELECT id FROM rectification WHERE status = 'issued'")] == [urgent]
    await submit(it, settle)
    assert {row["id"] for row in await raw("SELECT id FROM rectification WHERE status = 'issued'")} == {calm, urgent}


async def test_what_is_filed_after_the_submission_is_late_and_issued_at_once(it, settle):
    await submit(it, settle)
    late = await make.finding(it)
    await settle()
    assert (await row(late))["status"] == "issued"
    assert (await raw("SELECT late FROM finding WHERE id = $1", late))[0]["late"]


async def test_a_finding_that_names_no_unit_is_held_for_the_office(it, settle):
    finding = await make.finding(it, responsible_units=frozenset(), lead_units=frozenset())
    await submit(it, settle)
    assert (await row(finding))["status"] == "draft"
    assert await verbs(finding) == ["rectification.drafted", "rectification.held"]
    told = await raw("SELECT person FROM notice WHERE subject = $1", finding)
    assert {row["person"] for row in told} == {it.staff.person, it.boss.person}
    await commands.issue(finding, it.staff, units={UnitRole.responsible: frozenset({it.responsible})})
    await settle()
    assert (await queries.detail(finding, it.handler)).status == "issued"


async def test_items_know_every_level_above_their_place(it):
    found = await row(await make.rectification(it))
    levels = {name: found[name] for name in ("province", "prefecture", "county", "township", "region")}
    assert levels == {
        "province": make.LIAONING, "prefecture": make.FUSHUN, "county": make.XINBIN, "township": make.SHANGJIAHE,
        "region": make.YAOZHAN,
    }  # fmt: skip


# ── two at once ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_nobody_turns_both_keys_by_turning_them_at_the_same_time(it):
    id = await make.rectification(it, Status.handed_in)
    both = replace(it.boss, grants=(*it.boss.grants, *it.reviewer.grants))
    for _ in range(5):
        await asyncio.gather(
            commands.pass_first(id, both, id=uuid7(), opinion="好。"),
            commands.close_out(id, both, id=uuid7(), opinion="好。"),
            return_exceptions=True,
        )
    assert (await row(id))["status"] == "passed"


async def test_a_hand_in_is_not_passed_in_the_moment_it_arrives_without_its_photos(it):
    for _ in range(5):
        id = await make.rectification(it, Status.working)
        await asyncio.gather(
            commands.hand_in(
                id, it.handler, id=uuid7(), note="好。", finished_on=None, similar_sweep="", confirmed_by="钱",
                manifest=[make.declaration(make.photo(7))],
            ),
            commands.pass_first(id, it.reviewer, id=uuid7(), opinion="好。"),
            return_exceptions=True,
        )  # fmt: skip
        assert (await row(id))["status"] == "handed_in"


# ── voiding ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_declined_voiding_lets_the_item_go_on_and_can_be_asked_again(it):
    id = await make.rectification(it, Status.working)
    await voiding.ask_void(id, it.boss, id=uuid7(), note="重复。", duplicate_of=None)
    await voiding.decline_void(id, it.staff, note="不重复。")
    await voiding.decline_void(id, it.staff, note="不重复。")  # the same request twice
    await commands.report(id, it.handler, id=uuid7(), note="继续。", percent=20)
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        await voiding.ask_void(id, it.boss, id=uuid7(), note="确实重复。", duplicate_of=None)
        await voiding.void(id, it.staff)
        await voiding.void(id, it.staff)
    assert (await row(id))["status"] == "voided"
    assert (await verbs(id)).count("rectification.voided") == 1
    assert (await verbs(id)).count("rectification.void_declined") == 1


async def test_a_draft_voided_before_issue_was_never_there_for_the_units_it_names(it, client, settle):
    id = await make.rectification(it, Status.draft)
    await voiding.ask_void(id, it.boss, id=uuid7(), note="误报。", duplicate_of=None)
    await voiding.void(id, it.staff)
    await settle()
    headers = await make.signed_in(it.handler)
    assert (await client.get(f"/api/rectifications/{id}", headers=headers)).status_code == 404
    assert (await client.get("/api/notices", headers=headers)).json()["items"] == []


async def test_a_retried_hand_in_with_other_photos_is_a_conflict(it):
    id = await make.rectification(it, Status.working)
    line = make.declaration(make.photo(3))
    said = {"id": uuid7(), "note": "好。", "finished_on": None, "similar_sweep": "", "confirmed_by": "钱"}
    await commands.hand_in(id, it.handler, **said, manifest=[line])
    await commands.hand_in(id, it.handler, **said, manifest=[line])
    with pytest.raises(Conflict):
        await commands.hand_in(id, it.handler, **said, manifest=[replace(line, sha256="0" * 64)])


async def test_a_photo_that_hangs_on_the_item_already_is_no_after_photo(it):
    id = await make.rectification(it, Status.handed_in)
    before = (await raw("SELECT evidence FROM hand_in_evidence"))[0]["evidence"]
    await commands.send_back(id, it.reviewer, id=uuid7(), reason_code=ReturnReason.not_done, note="不行。")
    line = replace(make.declaration(make.photo(1)), id=before)
    with pytest.raises(Incomplete) as refusal:
        await commands.hand_in(
            id, it.handler, id=uuid7(), note="好。", finished_on=None, similar_sweep="", confirmed_by="钱",
            manifest=[line],
        )  # fmt: skip
    assert refusal.value.code == "evidence.used_before"
