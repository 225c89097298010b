"""The procedures beside the main path, each as a story over real HTTP, with the real worker telling people."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor, Role
from inspections.findings.rules import Severity
from tasks.rectifications.item import Status
from tests import make
from tests.journeys.test_from_visit_to_close_out import Person, device
from tests.waiting import eventually

HERE = {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 15}


def day(days: int) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


def path(id: UUID) -> str:
    return f"/api/rectifications/{id}"


async def unit_of(name: str) -> tuple[UUID, Actor]:
    """Another unit of the place, and its principal."""
    unit = await make.unit(name)
    return unit, await make.person(f"{name}局长", Role.unit_principal, at=unit)


async def days_pass(item: UUID, days: int) -> None:
    """As if everything about the item had happened this much earlier."""
    for statement in (
        "UPDATE rectification SET due_on = due_on - $2::int, due_at = due_at - $2::int * interval '1 day' "
        "WHERE id = $1",
        "UPDATE rectification_unit SET accept_by = accept_by - $2::int * interval '1 day' WHERE rectification = $1",
        "UPDATE publicity SET until = until - $2::int * interval '1 day' WHERE rectification = $1",
    ):
        await raw(statement, item, days)


async def hand_in(person: Person, item: str, number: int) -> None:
    content = make.photo(number, size=(64, 48))
    line = make.manifest_line(content)
    await person.post(f"{item}/hand-ins", id=str(uuid7()), note="已修复。", confirmed_by="钱局长", evidence=[line])
    await person.send(line, content)


async def waiting(person: Person) -> list[str]:
    return [row["id"] for row in (await person.get("/api/phone/today"))["rectifications"]["items"]]


async def titles(person: Person) -> list[str]:
    return [notice["title"] for notice in (await person.get("/api/notices"))["items"]]


def stands(shown: dict[str, Any]) -> dict[str, str]:
    """Status of each responsible unit's part that is still theirs."""
    return {
        part["unit"]: part["status"]
        for part in shown["units"]
        if part["role"] == "responsible" and part["ended_at"] is None
    }


async def passed_again(it: make.Cast, http: httpx.AsyncClient, item: str, number: int) -> None:
    """The unit hands in once more, the lead unit passes it."""
    await hand_in(await device(http, it.handler), item, number)
    await (await device(http, it.reviewer)).post(f"{item}/first-pass", id=str(uuid7()), opinion="已修复。")


async def checked(it: make.Cast, http: httpx.AsyncClient, item: str, result: str, **said: Any) -> None:
    """Two of the team are sent, go there, and say what they saw."""
    check, team = str(uuid7()), [str(it.inspector.person), str(it.lead.person)]
    await (await device(http, it.staff)).post(f"{item}/site-checks", id=check, checkers=team)
    known = (await (await device(http, it.handler)).get(item))["site_checks"]
    assert check not in [one["id"] for one in known]  # the unit hears of it once it is over
    await (await device(http, it.inspector)).post(
        f"{item}/site-checks/{check}/conclusion", result=result, note="已看过。", present=team, position=HERE,
        evidence=[make.manifest_line(make.photo(30))], **said,
    )  # fmt: skip


async def test_an_item_that_two_units_disown_ends_with_the_third(townspeople: httpx.AsyncClient):
    http, it = townspeople, await make.cast()
    (second, lu), (third, tang) = await unit_of("新宾县住建局"), await unit_of("新宾县自来水公司")
    id = await make.rectification(it)
    item = path(id)
    qian, zhou, wu = [await device(http, actor) for actor in (it.principal, it.staff, it.boss)]
    other, last = await device(http, lu), await device(http, tang)
    assert await waiting(qian) == [str(id)]

    for person, office, to in ((qian, zhou, second), (other, wu, third)):
        objection = str(uuid7())
        await person.post(f"{item}/objections", id=objection, ground="jurisdiction", note="不归我单位管。")
        where = f"{item}/objections/{objection}/decision"
        await person.post(where, 403, upheld=True, to_unit=str(to), note="自己改派。")
        await office.post(where, upheld=True, to_unit=str(to), note="改派。")
        await person.post(f"{item}/acknowledgement", 403, id=str(uuid7()), responsible_person="某人")
        assert await waiting(person) == []

    assert await waiting(last) == [str(id)]
    shown = await last.post(f"{item}/acknowledgement", id=str(uuid7()), responsible_person="唐工")
    assert stands(shown) == {str(third): "working"} and shown["returned"] == 0
    assert [one["to_unit_name"] for one in shown["objections"]] == ["新宾县住建局", "新宾县自来水公司"]
    story = [entry["sentence"] for entry in (await qian.get(f"{item}/timeline"))["items"]]
    assert story[-5:] == ["提出异议", "异议成立，改派", "提出异议", "异议成立，改派", "签收"]

    for person in (last, other):
        await told(person, "改派")


async def test_more_time_is_granted_and_runs_out_all_the_same(townspeople: httpx.AsyncClient):
    http, it = townspeople, await make.cast()
    id = await make.rectification(it, Status.working)
    item, extension = path(id), str(uuid7())
    qian, zhao, zhou, wu = [await device(http, one) for one in (it.principal, it.handler, it.staff, it.boss)]
    before = await zhao.get(item)
    await zhao.post(f"{item}/extensions", 403, id=extension, due_on=day(30), note="管材未到。")
    await qian.post(f"{item}/extensions", id=extension, due_on=day(30), note="管材未到。", done_so_far="已开挖。")
    granted = await zhou.post(f"{item}/extensions/{extension}/decision", upheld=True, opinion="同意。")
    assert (granted["due_on"], granted["original_due_on"]) == (day(30), before["due_on"])
    assert (granted["extended"], granted["overdue"]) == (1, False)

    await days_pass(id, 31)
    late = await qian.get(item)
    assert late["overdue"] and [row["id"] for row in (await wu.get("/api/rectifications?overdue=true"))["items"]] == [
        str(id)
    ]
    assert (await zhao.get("/api/phone/today"))["rectifications"]["overdue"] == 1
    refused = await qian.post(f"{item}/extensions", 409, id=str(uuid7()), due_on=day(60), note="还不行。")
    assert refused["detail"] == "期限已过，不能再申请延期。"
    await passed_again(it, http, item, 1)
    closed = await wu.post(f"{item}/closure", id=str(uuid7()), opinion="同意销号。")
    assert (closed["status"], closed["overdue"], closed["original_due_on"]) == ("closed", False, before["due_on"])


async def test_what_somebody_says_in_public_sends_it_back(townspeople: httpx.AsyncClient):
    http, it = townspeople, await make.cast()
    id = await make.rectification(it, Status.passed, public=True)
    item = path(id)
    zhou, wu, zhao = [await device(http, actor) for actor in (it.staff, it.boss, it.handler)]

    async def close(status: int) -> dict[str, Any]:
        return await wu.post(f"{item}/closure", status, id=str(uuid7()), opinion="同意销号。")

    assert (await close(409))["detail"] == "要先公示。"
    publicity, objection = str(uuid7()), str(uuid7())
    await zhou.post(f"{item}/publicity", id=publicity, text="腰站村饮水管网已修复。")
    assert (await close(409))["detail"] == "公示期未满。"
    await zhou.post(f"{item}/publicity/{publicity}/objections", id=objection, note="有村民反映水压不足。")
    await days_pass(id, 8)
    assert (await close(409))["detail"] == "公示异议还没有处理。"
    back = await zhou.post(f"{item}/public-objections/{objection}/decision", upheld=True, note="属实。")
    assert (back["status"], back["returned"]) == ("working", 1) and await waiting(zhao) == [str(id)]

    await passed_again(it, http, item, 2)
    assert (await close(409))["detail"] == "要先通过现场核查。"
    await checked(it, http, item, "passed")
    assert (await close(409))["detail"] == "要先公示。"  # the first one showed what was not so
    await zhou.post(f"{item}/publicity", id=str(uuid7()), text="腰站村饮水管网再次修复。")
    await days_pass(id, 8)
    assert (await close(201))["status"] == "closed"


async def test_two_people_find_on_site_that_it_is_not_done(townspeople: httpx.AsyncClient):
    http, it = townspeople, await make.cast()
    id = await make.rectification(it, Status.passed, severity=Severity.serious)
    item = path(id)
    zhao, wu, wang = [await device(http, actor) for actor in (it.handler, it.boss, it.inspector)]
    await checked(it, http, item, "failed", false_rectification=True)
    shown = await zhao.get(item)
    assert (shown["status"], shown["returned"]) == ("working", 1)
    said = shown["site_checks"][0]
    assert (said["result"], said["false_rectification"], len(said["evidence"])) == ("failed", True, 1)
    content = make.photo(30)
    sent = await wang.send({"id": said["evidence"][0]["id"]}, content)
    assert sent["state"] in ("received", "ready")
    await told(zhao, "核查")

    await passed_again(it, http, item, 3)
    assert (await wu.post(f"{item}/closure", 409, id=str(uuid7()), opinion="同意"))["detail"] == "要先通过现场核查。"
    await checked(it, http, item, "passed")
    assert (await wu.post(f"{item}/closure", id=str(uuid7()), opinion="同意销号。"))["status"] == "closed"


async def test_what_did_not_last_goes_on_under_the_same_number(townspeople: httpx.AsyncClient):
    http, it = townspeople, await make.cast()
    id = await make.rectification(it, Status.closed)
    item = path(id)
    wang, wu, zhao, zhou = [await device(http, actor) for actor in (it.inspector, it.boss, it.handler, it.staff)]
    closed = await wu.get(item)
    assert closed["look_back_on"] == day(90)
    refused = await wu.post(f"{item}/reopening", 422, id=str(uuid7()), note="听说又断水。", due_on=day(20))
    assert refused["field"] == "evidence"
    photo = [make.manifest_line(make.photo(31))]
    await wang.post(f"{item}/look-backs", id=str(uuid7()), result="rebounded", note="又断水。", evidence=photo)
    await zhou.post(f"{item}/reopening", 403, id=str(uuid7()), note="又断水。", due_on=day(20))
    again = await wu.post(f"{item}/reopening", id=str(uuid7()), note="又断水。", due_on=day(20))
    assert (again["number"], again["status"], again["reopened"]) == (closed["number"], "working", 1)
    assert (again["due_on"], again["closed_at"]) == (day(20), None) and await waiting(zhao) == [str(id)]
    await told(zhao, "重开")
    await passed_again(it, http, item, 4)
    assert (await wu.post(f"{item}/closure", id=str(uuid7()), opinion="同意销号。"))["status"] == "closed"
    story = [entry["sentence"] for entry in (await zhao.get(f"{item}/timeline"))["items"]]
    assert story.count("复核销号") == 2 and "反弹重开" in story


async def test_of_three_units_one_is_late_and_only_that_one_is_asked(townspeople: httpx.AsyncClient):
    http, it = townspeople, await make.cast()
    (second, lu), (third, tang) = await unit_of("新宾县住建局"), await unit_of("新宾县自来水公司")
    id = await make.rectification(it, responsible_units=frozenset({it.responsible, second, third}))
    item, one = path(id), str(it.responsible)
    first, middle, last = [await device(http, actor) for actor in (it.principal, lu, tang)]
    li, wu = await device(http, it.reviewer), await device(http, it.boss)
    for person in (first, middle, last):
        await person.post(f"{item}/acknowledgement", id=str(uuid7()), responsible_person="某人")
    for person, unit, number in ((first, one, 5), (middle, str(second), 6)):
        await hand_in(person, item, number)
        assert await waiting(person) == []
        await li.post(f"{item}/first-pass", id=str(uuid7()), opinion="齐全。", unit=unit)
    shown = await last.get(item)
    assert shown["status"] == "working"
    assert stands(shown) == {one: "passed", str(second): "passed", str(third): "working"}
    assert [await waiting(person) for person in (first, middle, last)] == [[], [], [str(id)]]

    # One of the two is sent back; the other stays passed. The date is everybody's.
    back = await wu.post(f"{item}/returns", id=str(uuid7()), reason_code="partly_done", note="一户无水。", unit=one)
    assert stands(back) == {one: "working", str(second): "passed", str(third): "working"}
    assert [await waiting(person) for person in (first, middle, last)] == [[str(id)], [], [str(id)]]
    await told(first, "退回")
    assert "退回" not in "".join(await titles(middle))
    await days_pass(id, 40)
    todays = [(await person.get("/api/phone/today"))["rectifications"] for person in (first, middle, last)]
    assert [today["overdue"] for today in todays] == [1, 0, 1]

    for person, unit, number in ((first, one, 7), (last, str(third), 8)):
        assert (await wu.post(f"{item}/closure", 409, id=str(uuid7()), opinion="同意"))["code"] == "wrong_state"
        await hand_in(person, item, number)
        await li.post(f"{item}/first-pass", id=str(uuid7()), opinion="齐全。", unit=unit)
    assert (await wu.get(item))["status"] == "passed"
    await checked(it, http, item, "passed")  # it was returned once
    assert (await wu.post(f"{item}/closure", id=str(uuid7()), opinion="同意销号。"))["status"] == "closed"


async def told(person: Person, word: str) -> None:
    """Waits until a notice with this word in its title is there."""
    await eventually(lambda: titles(person), lambda titles: word in "".join(titles))
