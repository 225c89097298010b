"""A request that comes twice is the same only when all of it is: units and dates too, which no record keeps (2.1)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from inspections.findings.rules import Severity
from tasks.rectifications.item import Status
from tests import calls, make
from tests.calls import Call


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def said_again(client, call: Call, **changed: Any) -> int:
    """Twice the same, then with something else in it: the status of the last."""
    for _ in range(2):
        answer = await call.made(client)
        assert answer.status_code == 201, answer.text
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        answer = await call.made(client, json=call.body | changed)
    return answer.status_code


def item_of(call: Call) -> UUID:
    return UUID(call.path.split("/")[3])


async def test_towards_another_date_it_is_another_resumption(client, it):
    assert await said_again(client, await calls.resume(it), due_on="2027-05-31") == 409


async def test_to_other_units_it_is_another_reopening(client, it):
    assert await said_again(client, await calls.reopen(it), units=[]) == 409


async def test_back_to_other_units_it_is_another_conclusion(client, it):
    id = await make.shared(it, severity=Severity.serious)
    for by, unit in ((it.handler, it.responsible), (it.handler2, await make.second(it))):
        await make.acknowledge(by, id)
        await make.hand_in(by, id)
        await make.pass_first(it, id, unit)
    check = await make.site_check(it, id)
    call = await calls.by(
        it.inspector,
        "POST",
        f"/api/rectifications/{id}/site-checks/{check}/conclusion",
        {
            "result": "failed",
            "note": "一户仍无水。",
            "present": [str(it.inspector.person), str(it.lead.person)],
            "position": {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 12.0},
            "evidence": [make.manifest_line(make.photo(9))],
            "units": [str(it.responsible)],
        },
    )
    assert await said_again(client, call, units=[]) == 409
    assert await make.parts(id) == {it.responsible: "working", await make.second(it): "passed"}


async def test_back_to_other_units_it_is_another_answer_to_the_public(client, it):
    assert await said_again(client, await calls.rule_public_objection(it), units=[]) == 409


async def test_with_another_date_it_is_another_redirection(client, it):
    assert await said_again(client, await calls.rule(it), due_on="2026-12-30") == 409


async def test_the_event_of_an_issue_names_units_and_flags(client, it):
    """So that the item can be rebuilt from its events alone (trust.md 5)."""
    call = await calls.issue(it)
    call.body |= {"public": True}
    assert (await call.made(client)).status_code == 201
    told = (await make.happened(item_of(call), "issued"))[0]
    assert told["responsible_units"] == [str(it.responsible)] and told["lead_units"] == [str(it.lead_unit)]
    assert len(told["cooperating_units"]) == 1 and (told["public"], told["listed"]) == (True, False)


async def test_the_event_of_a_closing_says_when_it_was_closed(client, it):
    id = await make.rectification(it, Status.closed)
    told = (await make.happened(id, "closed"))[0]
    assert told["closed_at"] == "2026-11-24T04:00:00Z" and told["look_back_on"] == "2027-02-22"
    assert (await make.row(id))["closed_at"] == clock.now()
