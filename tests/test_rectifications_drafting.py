"""Items that do not come from a visit: entered by the office, with where they come from, and issued like others."""

from datetime import date

import pytest

from backend.columns import uuid7
from backend.db import raw
from backend.errors import BadRequest, Conflict, Forbidden, Incomplete, NotFound
from backend.roles import SYSTEM, Role
from tasks.rectifications import commands, drafting, queries
from tasks.rectifications.drafting import Draft
from tasks.rectifications.words import Source, UnitRole
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def said(it: make.Cast, **other) -> Draft:
    content = {
        "source": Source.audit,
        "topic": "0304",
        "facts": "供水工程资金未拨付。",
        "region": make.XINBIN,
        "units": {UnitRole.responsible: frozenset({it.responsible}), UnitRole.lead: frozenset({it.lead_unit})},
        "found_where": "市审计局〔2026〕3号审计报告第 12 页",
        "no_evidence_reason": "见审计报告。",
    }
    return Draft(**(content | other))


async def test_an_item_from_an_audit_is_entered_issued_and_worked_on(it):
    id = uuid7()
    await drafting.draft(it.staff, said(it), id=id)
    await commands.issue(id, it.staff)
    told = await queries.detail(id, it.handler)
    assert (told.status, told.source, told.finding) == ("issued", "audit", None)
    assert told.found_where == "市审计局〔2026〕3号审计报告第 12 页"
    await make._acknowledge(it, id)
    await commands.hand_in(
        id, it.handler, id=uuid7(), note="已拨付。", finished_on=date(2026, 11, 24), similar_sweep="",
        confirmed_by="钱局长", manifest=[],
    )  # fmt: skip
    assert (await queries.detail(id, it.handler)).status == "handed_in"  # no site, no photos: none is asked for


async def test_what_came_with_photos_is_cleared_with_photos(it):
    id = uuid7()
    before = make.declaration(make.photo(3))
    await drafting.draft(it.staff, said(it, no_evidence_reason=""), id=id, manifest=[before])
    assert [file.id for file in (await queries.detail(id, it.staff)).evidence] == [before.id]
    await commands.issue(id, it.staff)
    await make._acknowledge(it, id)
    for manifest, field in (([], "evidence"), ([before], "evidence")):
        with pytest.raises(Incomplete) as refusal:
            await commands.hand_in(
                id, it.handler, id=uuid7(), note="好。", finished_on=None, similar_sweep="", confirmed_by="钱局长",
                manifest=manifest,
            )  # fmt: skip
        assert refusal.value.field == field


async def test_without_a_file_or_a_reason_it_is_not_issued(it):
    id = uuid7()
    await drafting.draft(it.staff, said(it, no_evidence_reason=""), id=id)
    with pytest.raises(Incomplete) as refusal:
        await commands.issue(id, it.staff)
    assert refusal.value.field == "evidence"


async def test_only_the_office_of_the_place_enters_items(it):
    far = await make.unit("清原县督查办", area=make.QINGYUAN)
    elsewhere = await make.person("清原督查员", Role.supervision_staff, at=far)
    before = await calls.snapshot()
    for nobody in (it.handler, it.principal, it.reviewer, it.inspector, it.leader, elsewhere):
        with pytest.raises(Forbidden):
            await drafting.draft(nobody, said(it), id=uuid7())
    for place in ("999999999999",):
        with pytest.raises(BadRequest) as refusal:
            await drafting.draft(it.staff, said(it, region=place), id=uuid7())
        assert refusal.value.field == "region"
    assert await calls.snapshot() == before
    await drafting.draft(SYSTEM, said(it), id=uuid7())


async def test_the_same_draft_again_is_the_same_item(it):
    id = uuid7()
    for _ in range(2):
        await drafting.draft(it.staff, said(it), id=id)
    for other in ({"facts": "别的事。"}, {"units": {UnitRole.responsible: frozenset({it.lead_unit})}}):
        with pytest.raises(Conflict):
            await drafting.draft(it.staff, said(it, **other), id=id)
    events = await raw("SELECT 1 FROM event WHERE verb = 'rectification.drafted'")
    assert len(events) == len(await raw("SELECT 1 FROM rectification")) == 1


async def test_a_draft_with_other_units_is_another_one_also_after_its_issue(it):
    """Its receipt would be for a body that nobody stored."""
    id = uuid7()
    await drafting.draft(it.staff, said(it), id=id)
    await raw("UPDATE rectification SET status = 'issued' WHERE id = $1", id)
    await drafting.draft(it.staff, said(it), id=id)
    with pytest.raises(Conflict):
        await drafting.draft(it.staff, said(it, units={UnitRole.responsible: frozenset({it.lead_unit})}), id=id)


async def test_a_draft_by_hand_is_not_there_for_the_units_it_names(it):
    id = uuid7()
    await drafting.draft(it.staff, said(it), id=id)
    with pytest.raises(NotFound):
        await queries.detail(id, it.handler)
