"""负责人确认: a typed name is a claim; the principal's own word stands beside it, and may be waited for (T9)."""

from typing import Any
from uuid import UUID

import pytest

from backend.columns import uuid7
from backend.db import raw
from backend.errors import Forbidden, Incomplete, NotFound, WrongState
from backend.roles import Actor, Grant, Role
from tasks.rectifications import commands, confirming, queries
from tasks.rectifications.item import Status
from tests import calls, make
from tests.make import happened, parts, row


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
def waited_for(monkeypatch):
    """The office lets the first review wait for principals."""
    monkeypatch.setenv("DUBAN_PRINCIPAL_CONFIRMS", "1")


async def latest(id: UUID) -> UUID:
    return (await raw("SELECT id FROM hand_in WHERE rectification = $1 ORDER BY xmin::text::bigint DESC", id))[0]["id"]


async def hand_in(id: UUID, by: Actor, confirmed_by: str = "") -> None:
    line = make.declaration(make.photo(1))
    said: dict[str, Any] = {"note": "管网已修复。", "finished_on": None, "similar_sweep": ""}
    await commands.hand_in(id, by, id=uuid7(), confirmed_by=confirmed_by, manifest=[line], **said)
    await make.receive(line)


async def test_a_typed_name_stays_a_claim_until_the_principal_says_so(it):
    id = await make.rectification(it, Status.handed_in)
    shown = (await queries.detail(id, it.reviewer)).hand_ins[0]
    assert (shown.confirmed_by, shown.principal_answer, shown.principal_name) == ("钱局长", None, None)
    await confirming.confirm(id, await latest(id), it.principal, note="")
    shown = (await queries.detail(id, it.reviewer)).hand_ins[0]
    assert (shown.principal_answer, shown.principal_name, shown.confirmed_by) == ("upheld", "局长钱", "钱局长")
    assert (await row(id))["status"] == "handed_in"
    await make.pass_first(it, id)


async def test_a_principal_who_hands_in_has_said_so(it):
    id = await make.rectification(it, Status.working)
    await hand_in(id, it.principal)
    shown = (await queries.detail(id, it.staff)).hand_ins[0]
    assert (shown.confirmed_by, shown.principal_answer, shown.principal_name) == ("局长钱", "upheld", "局长钱")
    for note in ("", "再确认。"):
        with pytest.raises(WrongState):
            await confirming.confirm(id, await latest(id), it.principal, note=note)


async def test_the_principal_of_another_unit_confirms_nothing_here(it):
    """Handler here and principal elsewhere is a handler here."""
    id = await make.rectification(it, Status.working)
    other = await make.second(it)
    both = Actor(
        it.handler.person, it.handler.name, (*it.handler.grants, Grant(Role.unit_principal, other, make.XINBIN))
    )
    with pytest.raises(Incomplete) as refusal:
        await hand_in(id, both)
    assert refusal.value.field == "confirmed_by"
    await hand_in(id, both, "钱局长")
    assert (await queries.detail(id, it.staff)).hand_ins[0].principal_answer is None
    with pytest.raises(Forbidden):
        await confirming.confirm(id, await latest(id), both, note="")


async def test_what_the_principal_withdraws_is_not_counted_as_returned(it):
    id = await make.rectification(it, Status.handed_in)
    with pytest.raises(Incomplete):
        await confirming.withdraw(id, await latest(id), it.principal, note=" ")
    for _ in range(2):  # the phone tried twice
        await confirming.withdraw(id, await latest(id), it.principal, note="还有一户无水。")
    now = await row(id)
    assert (now["status"], now["returned"], await parts(id)) == ("working", 0, {it.responsible: "working"})
    assert len(await happened(id, "hand_in_withdrawn")) == 1
    with pytest.raises(WrongState):
        await make.pass_first(it, id)
    await make.hand_in(it.handler, id)
    await make.pass_first(it, id)


async def test_only_the_latest_hand_in_waits_for_a_word(it):
    id = await make.rectification(it, Status.handed_in)
    first = await latest(id)
    await make.send_back(it.reviewer, id)
    await raw("UPDATE hand_in SET at = at - interval '1 minute'")
    await make.hand_in(it.handler, id)
    before = await calls.snapshot()
    for answer in (confirming.confirm, confirming.withdraw):
        with pytest.raises(WrongState) as refusal:
            await answer(id, first, it.principal, note="旧的。")
        assert refusal.value.code == "blocked"
        with pytest.raises(NotFound):
            await answer(id, uuid7(), it.principal, note="没有的。")
        for other in (it.handler, it.reviewer, it.boss):
            with pytest.raises(Forbidden):
                await answer(id, first, other, note="不是我的。")
    assert await calls.snapshot() == before


async def test_after_the_first_pass_it_may_be_confirmed_but_not_withdrawn(it):
    id = await make.rectification(it, Status.passed)
    with pytest.raises(WrongState):
        await confirming.withdraw(id, await latest(id), it.principal, note="太迟。")
    await confirming.confirm(id, await latest(id), it.principal, note="")
    assert (await row(id))["status"] == "passed"


async def test_where_the_office_wants_it_the_first_review_waits_for_the_principal(it, waited_for):
    id = await make.rectification(it, Status.handed_in)
    with pytest.raises(Incomplete) as refusal:
        await make.pass_first(it, id)
    assert (refusal.value.message, refusal.value.field) == ("单位负责人还没有在系统中确认。", "principal_answer")
    button = next(move for move in (await queries.detail(id, it.reviewer)).moves if move.verb == "pass_first")
    assert [need.field for need in button.needs] == ["opinion", "principal_answer"]
    await confirming.confirm(id, await latest(id), it.principal, note="")
    await make.pass_first(it, id)


async def test_a_unit_without_a_principal_is_not_waited_for(it, waited_for):
    id = await make.rectification(it, Status.handed_in)
    await raw("UPDATE person SET disabled_at = added_at WHERE id = $1", it.principal.person)
    await make.pass_first(it, id)
    assert (await queries.detail(id, it.staff)).hand_ins[0].confirmed_by == "钱局长"
