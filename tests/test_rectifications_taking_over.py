"""承接: a unit is merged into another in the middle of an item; the heir goes on where it was, nobody asks again."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Forbidden, NotFound, WrongState
from backend.roles import SYSTEM, Actor, Role
from backend.units import commands as units
from tasks.rectifications import commands, extensions, jobs, looking_back, measures, objections, queries, timeline
from tasks.rectifications.item import Status
from tests import calls, make
from tests.make import happened, parts, row
from tests.rectification_proofs import complete, facts, folded

YESTERDAY = date(2026, 11, 23)


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def heir(name: str = "新宾县水利局", *roles: Role) -> tuple[UUID, Actor]:
    """The unit that will do the work, and somebody of it."""
    id = await make.unit(name)
    return id, await make.person(f"经办{name}", *(roles or (Role.unit_handler, Role.unit_principal)), at=id)


async def merged(unit: UUID, into: UUID, on: date = YESTERDAY) -> int:
    await units.end_unit(SYSTEM, unit=unit, on=on, successor=into)
    return await jobs.hand_over_parts()


async def agrees(id: UUID) -> None:
    """The rows are what the events tell."""
    await complete(id)
    assert (await folded(id)).facts() == await facts(id)


@pytest.mark.parametrize("status", [Status.issued, Status.working, Status.handed_in, Status.passed, Status.hung])
async def test_the_heir_goes_on_where_the_item_stands(it, status):
    id = await make.rectification(it, status)
    before, new = await row(id), (await heir())[0]
    clocks = await raw("SELECT accept_by, object_until FROM rectification_unit WHERE unit = $1", it.responsible)
    assert await merged(it.responsible, new) == 1
    assert await row(id) == before, "status and dates stay"
    assert list(await parts(id)) == [new]
    after = await raw("SELECT accept_by, object_until FROM rectification_unit WHERE unit = $1", new)
    assert [tuple(one.values()) for one in after] == [tuple(one.values()) for one in clocks]
    told = {unit.unit: unit for unit in (await queries.detail(id, it.staff)).units}
    assert told[it.responsible].ended_at and told[it.responsible].taken_over_by == new
    assert await jobs.hand_over_parts() == 0 and len(await happened(id, "taken_over")) == 1
    await agrees(id)


async def test_the_heirs_handler_may_act_the_old_one_may_not_and_nobody_else_sees_it(it):
    id = await make.rectification(it, Status.working)
    new, theirs = await heir()
    with pytest.raises(NotFound):
        await queries.detail(id, theirs)
    await merged(it.responsible, new)
    with pytest.raises(Forbidden):
        await make.hand_in(it.handler, id)
    assert {move.verb for move in (await queries.detail(id, it.handler)).moves} == set()
    assert (await queries.detail(id, it.handler)).status == "working", "history stays in sight"
    with pytest.raises(NotFound):
        await queries.detail(id, it.stranger)
    await make.hand_in(theirs, id)
    await make.pass_first(it, id)
    assert await parts(id) == {new: "passed"}
    await agrees(id)


async def test_what_was_under_way_is_the_heirs(it):
    """Measures, last progress, an objection, an extension: all are answered to, or settled by, the heir."""
    id = await make.rectification(it, Status.working)
    await commands.report(id, it.handler, id=uuid7(), note="过半。", percent=60)
    measure, asked = await make.measure(it.handler, id), await make.extension(it, id)
    new, theirs = await heir()
    await merged(it.responsible, new)
    it_now = (await queries.parties(id)).parts[new]
    assert (it_now.percent, it_now.measures_open) == (60, 1)
    await measures.finish(id, measure, theirs, note="已更换。")
    await extensions.grant(id, asked, it.staff, opinion="同意。")
    assert (await happened(id, "extended"))[0]["units"] == [str(new)]
    assert (await happened(id, "measure_done"))[0]["unit"] == str(new)
    await make.hand_in(theirs, id)
    await agrees(id)


async def test_an_objection_that_waits_is_ruled_on_as_the_heirs(it):
    id = await make.rectification(it, Status.issued)
    objection = await make.objection(it, id)
    new, theirs = await heir()
    await merged(it.responsible, new)
    with clock.frozen(clock.now() + timedelta(days=10)):
        assert await jobs.sweep_silent() == 0, "it holds up silence as before"
    with pytest.raises(WrongState):
        await objections.object_to(
            id, theirs, id=uuid7(), ground=objections.Ground.fact, note="再提一次。", unit=new
        )  # fmt: skip
    await objections.decline(id, objection, it.staff, note="不成立。")
    assert (await happened(id, "objection_declined"))[0]["unit"] == str(new)
    await agrees(id)


async def test_an_objection_upheld_takes_the_part_from_the_heir(it):
    id = await make.rectification(it, Status.working)
    objection = await make.objection(it, id)
    asked = await make.extension(it, id)
    new, _ = await heir()
    await merged(it.responsible, new)
    other = await make.second(it)
    await objections.redirect(id, objection, it.staff, to_unit=other, note="改派。")
    assert await parts(id) == {other: "issued"}
    lapsed = await raw("SELECT answer FROM extension WHERE id = $1", asked)
    assert lapsed[0]["answer"] == "lapsed"
    await agrees(id)


async def test_of_two_parts_the_less_advanced_stays(it):
    id = await make.shared(it)
    other = await make.second(it)
    await make.acknowledge(it.handler, id)
    await make.acknowledge(it.handler2, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)
    assert await merged(other, it.responsible) == 1
    assert await parts(id) == {it.responsible: "working"}, "what the one still had to do is not done"
    assert (await row(id))["status"] == "working"
    await agrees(id)
    steps = [entry for entry in await timeline.whole(id, it.boss) if entry.verb == "rectification.taken_over"]
    assert steps[0].facts == {"unit": "新宾县住建局", "to_unit": "新宾县水务局"}
    assert "status" not in {change.field for change in steps[0].changes}


async def test_a_lead_unit_that_becomes_responsible_judges_no_more(it):
    id = await make.rectification(it, Status.handed_in)
    await merged(it.responsible, it.lead_unit)
    with pytest.raises(NotFound):  # her unit has another role now
        await make.pass_first(it, id)
    await commands.pass_first(id, it.staff, id=uuid7(), opinion="没有牵头单位，由督查办初审。")
    assert await parts(id) == {it.lead_unit: "passed"}
    await agrees(id)


async def test_the_heir_of_a_lead_unit_reviews(it):
    id = await make.rectification(it, Status.handed_in)
    new, reviewer = await heir("市水利局", Role.lead_unit_reviewer)
    await merged(it.lead_unit, new)
    with pytest.raises(Forbidden):
        await make.pass_first(it, id)
    await commands.pass_first(id, reviewer, id=uuid7(), opinion="资料齐全。")
    assert await parts(id) == {it.responsible: "passed"}
    await agrees(id)


async def test_it_goes_down_the_line_to_whoever_is_there_today(it):
    id = await make.rectification(it, Status.working)
    middle, (last, theirs) = await make.unit("新宾县水利站"), await heir()
    await merged(it.responsible, middle)
    await make.measure(await make.person("站长", Role.unit_handler, at=middle), id)
    await units.end_unit(SYSTEM, unit=middle, on=YESTERDAY, successor=last)
    assert await jobs.hand_over_parts() == 1
    assert (await queries.parties(id)).heirs == {it.responsible: last, middle: last}
    assert (await queries.parties(id)).parts[last].measures_open == 1
    other = await make.rectification(it, Status.draft)
    with pytest.raises(BadRequest):
        await commands.issue(other, it.staff)  # a draft is the office's matter: it says who took over
    assert await jobs.hand_over_parts() == 0
    await agrees(id)
    with pytest.raises(BadRequest) as refusal:
        await commands.report(id, theirs, id=uuid7(), note="进展。", percent=1, unit=it.responsible)
    assert refusal.value.code == "unit_ended"


async def test_not_before_its_last_day_is_over_and_not_without_a_successor(it):
    id = await make.rectification(it, Status.working)
    new, _ = await heir()
    assert await merged(it.responsible, new, on=clock.today()) == 0
    assert list(await parts(id)) == [it.responsible]
    with clock.frozen(clock.now() + timedelta(days=1)):
        assert await jobs.hand_over_parts() == 1
    await units.end_unit(SYSTEM, unit=it.lead_unit, on=YESTERDAY)
    assert await jobs.hand_over_parts() == 0


async def test_what_is_closed_stays_with_the_old_unit_until_it_is_reopened(it):
    id = await make.rectification(it, Status.closed)
    new, _ = await heir()
    assert await merged(it.responsible, new) == 0
    due = clock.today() + timedelta(days=20)
    await looking_back.reopen(
        id, it.boss, id=uuid7(), note="反弹。", due_on=due, manifest=[make.declaration(make.photo(31))]
    )
    assert await jobs.hand_over_parts() == 1 and await parts(id) == {new: "working"}
    await agrees(id)


async def test_both_units_are_told(it, settle):
    await make.rectification(it, Status.working)
    new, theirs = await heir()
    await settle()
    await merged(it.responsible, new)
    await settle()
    told = {row["person"] for row in await raw("SELECT person FROM notice WHERE verb = 'rectification.taken_over'")}
    wanted = (it.handler, it.principal, theirs, it.reviewer, it.staff, it.boss)
    assert told == {one.person for one in wanted}


async def test_an_administrator_ends_a_unit_over_http_and_the_parts_follow(client, it):
    id = await make.rectification(it, Status.working)
    call = await calls.end_unit(it)
    call.body["on"] = YESTERDAY.isoformat()
    for _ in range(2):
        answer = await call.made(client)
        assert (answer.status_code, answer.json()["successor"]) == (201, call.body["successor"]), answer.text
    refused = await call.made(client, headers=await make.signed_in(it.boss))
    assert refused.status_code == 403
    assert await jobs.hand_over_parts() == 1
    assert await parts(id) == {UUID(call.body["successor"]): "working"}
    shown = await client.get(f"/api/rectifications/{id}/case-file.zip", headers=await make.signed_in(it.boss))
    assert shown.status_code == 200
