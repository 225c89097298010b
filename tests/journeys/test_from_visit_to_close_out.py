"""The main loop over real HTTP with the real worker: from a finding in a village to a cleared item."""

import asyncio
import signal
from typing import Any

import httpx

from backend.columns import uuid7
from backend.db import raw
from backend.roles import Actor
from tests import make
from tests.journeys.conftest import Process
from tests.waiting import eventually

HANDED_OVER_WITHIN = 120  # seconds, whatever was killed (trust.md G3)


class Person:
    """Somebody with a signed-in device."""

    def __init__(self, http: httpx.AsyncClient, actor: Actor, headers: dict[str, str]) -> None:
        self.http, self.actor, self.headers = http, actor, headers

    async def get(self, path: str, status: int = 200) -> Any:
        response = await self.http.get(path, headers=self.headers)
        assert response.status_code == status, response.text
        return response.json()

    async def post(self, path: str, status: int = 201, **body: Any) -> Any:
        response = await self.http.post(path, headers=self.headers, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def put(self, path: str, body: dict[str, Any], status: int = 201) -> Any:
        response = await self.http.put(path, headers=self.headers, json=body)
        assert response.status_code == status, response.text
        return response.json()

    async def send(self, line: dict[str, Any], content: bytes) -> Any:
        response = await self.http.put(f"/api/evidence/{line['id']}", headers=self.headers, content=content)
        assert response.status_code == 200, response.text
        return response.json()


async def device(http: httpx.AsyncClient, actor: Actor) -> Person:
    return Person(http, actor, await make.signed_in(actor))


async def arrive_and_file(wang: Person, it: make.Cast, photos: int = 3) -> tuple[str, list[dict[str, Any]]]:
    await wang.put(
        f"/api/visits/{it.visit}/arrivals/{uuid7()}",
        {
            "position": {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 15},
            "phone_at": "2026-11-24T11:50:00+08:00",
        },
    )
    finding = str(uuid7())
    contents = [make.photo(number, size=(640, 480)) for number in range(photos)]
    lines = [make.manifest_line(content) for content in contents]
    body = {
        "topic": "0304",
        "facts": "饮水管网冻裂，三户无水。",
        "asks": "修复管网。",
        "found_at": "2026-11-24T11:55:00+08:00",
        "closing_class": "fix_now",
        "position": {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 15},
        "responsible_units": [str(it.responsible)],
        "lead_units": [str(it.lead_unit)],
        "evidence": lines,
    }
    filed = await wang.put(f"/api/visits/{it.visit}/findings/{finding}", body)
    assert (filed["declared"], filed["arrived"]) == (3, 0)
    for line, content in zip(lines, contents, strict=True):
        await wang.send(line, content)
    return finding, lines


async def test_a_finding_in_a_village_becomes_a_cleared_item(http: httpx.AsyncClient, worker: Process):
    it = await make.cast()
    wang, liu, zhao, li, wu, chen, sun = [
        await device(http, actor)
        for actor in (it.inspector, it.lead, it.handler, it.reviewer, it.boss, it.leader, it.stranger)
    ]
    zhou = await device(http, it.staff)

    # The inspector sees where to go, records the arrival, files what is there, with three photos.
    today = await wang.get("/api/phone/today")
    assert [assignment["visit"]["place_name"] for assignment in today["assignments"]] == ["腰站村"]
    finding, lines = await arrive_and_file(wang, it)
    assert (await wang.get(f"/api/visits/{it.visit}/findings/{finding}"))["arrived"] == 3
    await liu.post(f"/api/visits/{it.visit}/submission")

    # 发现问题立即通报: the responsible unit has it in its list and its inbox within seconds.
    listed = await eventually(lambda: _items(zhao))
    item = f"/api/rectifications/{listed[0]['id']}"
    assert listed[0]["number"].startswith("ZG-210422-")
    notices = await eventually(lambda: _notices(zhao))
    assert [(notice["title"][:7], notice["urgency"]) for notice in notices] == [("新交办整改事项", "at_once")]
    assert [move["verb"] for move in (await zhao.get(item))["moves"]] == ["acknowledge"]

    # The unit signs for it, reports, hands in with an after-photo, is sent back once, and hands in again.
    await zhao.post(f"{item}/acknowledgement", id=str(uuid7()), responsible_person="赵经办", phone="13812345678")
    await zhao.post(f"{item}/reports", id=str(uuid7()), note="已组织抢修。", percent=60)
    await hand_in(zhao, item, 10)
    await li.post(f"{item}/returns", id=str(uuid7()), reason_code="evidence_missing", note="看不清水表。")
    assert (await zhao.get(item))["returned"] == 1
    after = await hand_in(zhao, item, 11)

    # The lead unit passes it; neither it nor the unit can turn the second key; the office's leader does.
    await li.post(f"{item}/first-pass", id=str(uuid7()), opinion="已修复。")
    for nobody in (li, zhao, zhou):
        await nobody.post(f"{item}/closure", 403, id=str(uuid7()), opinion="同意")
    refused = await wu.post(f"{item}/closure", 409, id=str(uuid7()), opinion="同意")
    assert refused["detail"] == "要先通过现场核查。"  # it was returned once

    # Two of the team go back. The unit does not hear of it before they have said what they saw.
    check = str(uuid7())
    team = [str(it.inspector.person), str(it.lead.person)]
    await zhou.post(f"{item}/site-checks", id=check, checkers=team)
    assert (await zhao.get(item))["site_checks"] == []
    seen = make.manifest_line(make.photo(12, size=(640, 480)))
    here = {"lat": make.TARGET[0], "lng": make.TARGET[1], "accuracy_m": 15}
    await wang.post(
        f"{item}/site-checks/{check}/conclusion", result="passed", note="已通水。", present=team, position=here,
        evidence=[seen],
    )  # fmt: skip
    assert (await zhao.get(item))["site_checks"][0]["result"] == "passed"
    closed = await wu.post(f"{item}/closure", id=str(uuid7()), opinion="同意销号。")
    assert closed["status"] == "closed"
    assert [move["verb"] for move in closed["moves"]] == ["look_back", "reopen"]

    # The timeline tells the whole story; who is concerned sees it, nobody else does.
    story = [entry["sentence"] for entry in (await zhou.get(f"{item}/timeline"))["items"]]
    told = [sentence for sentence in story if sentence != "佐证材料送达"]
    assert told == [
        "检查组到达现场", "登记问题", "检查组提交检查", "形成整改事项", "交办", "签收", "报进展", "申请销号",
        "退回", "申请销号", "初审通过", "指派现场核查", "现场核查通过", "复核销号",
    ]  # fmt: skip
    for sees in (wang, liu, zhao, li, wu, zhou, chen):
        assert (await sees.get(item))["status"] == "closed"
    await sun.get(item, 404)
    await sun.get(f"{item}/timeline", 404)
    await sun.get(f"/api/evidence/{after['id']}", 404)
    assert await _items(sun) == []

    # Before and after can be looked at by those who see the item, as display copies; originals only after saying why.
    for line in (*lines, after):
        await eventually(lambda line=line: _state(zhou, line["id"]), lambda state: state == "ready")
        picture = await http.get(f"/api/evidence/{line['id']}/thumbnail", headers=chen.headers)
        assert picture.headers["content-type"] == "image/jpeg"
        assert (await http.get(f"/api/evidence/{line['id']}/original", headers=wu.headers)).status_code == 403


async def test_nothing_is_lost_or_doubled_when_queue_and_worker_die_in_the_middle(
    http: httpx.AsyncClient, worker: Process, queue: Process
):
    it = await make.cast()
    wang, liu, zhao = [await device(http, actor) for actor in (it.inspector, it.lead, it.handler)]
    await arrive_and_file(wang, it)

    worker.kill()
    queue.kill()
    await liu.post(f"/api/visits/{it.visit}/submission")
    assert await _items(zhao) == []
    assert "queue" in (await wang.get("/readyz"))["degraded"]

    worker.start()  # the queue is still away: the database alone is enough
    listed = await eventually(lambda: _items(zhao), within=HANDED_OVER_WITHIN)
    item = f"/api/rectifications/{listed[0]['id']}"
    queue.start()
    await zhao.post(f"{item}/acknowledgement", id=str(uuid7()), responsible_person="赵经办")

    for pause in (0.0, 0.02, 0.05, 0.1):  # killed at moments of its work, not of ours
        await zhao.post(f"{item}/reports", id=str(uuid7()), note=f"进展 {pause}", percent=10)
        after = await hand_in(zhao, item, int(pause * 100) + 20)
        await asyncio.sleep(pause)
        worker.kill()
        worker.start()
        li = await device(http, it.reviewer)
        await li.post(f"{item}/returns", id=str(uuid7()), reason_code="not_done", note="再查。")
    await eventually(lambda: _state(zhao, after["id"]), lambda state: state == "ready", within=HANDED_OVER_WITHIN)
    await eventually(not_handed_over, lambda left: left == 0, within=HANDED_OVER_WITHIN)

    counts = await raw(
        "SELECT (SELECT count(*) FROM rectification) AS items, (SELECT count(*) FROM notice) AS notices, "
        "(SELECT count(*) FROM (SELECT 1 FROM notice GROUP BY event, person HAVING count(*) > 1) AS n) AS twice, "
        "(SELECT count(DISTINCT event) FROM notice) AS heard, "
        "(SELECT count(*) FROM event WHERE verb IN ('rectification.issued', 'rectification.acknowledged', "
        "'rectification.handed_in', 'rectification.sent_back')) AS said"
    )
    assert dict(counts[0]) | {"notices": 0} == {"items": 1, "notices": 0, "twice": 0, "heard": 10, "said": 10}
    worker.kill(signal.SIGTERM)


async def hand_in(zhao: Person, item: str, number: int) -> dict[str, Any]:
    content = make.photo(number, size=(640, 480))
    line = make.manifest_line(content)
    await zhao.post(
        f"{item}/hand-ins", id=str(uuid7()), note="已修复，通水正常。", confirmed_by="钱局长", evidence=[line]
    )
    await zhao.send(line, content)
    return line


async def _items(person: Person) -> list[Any]:
    return (await person.get("/api/rectifications"))["items"]


async def _notices(person: Person) -> list[Any]:
    return (await person.get("/api/notices"))["items"]


async def _state(person: Person, evidence: str) -> str:
    return (await person.get(f"/api/evidence/{evidence}"))["state"]


async def not_handed_over() -> int:
    """Events whose consequences are still to come."""
    return (await raw("SELECT count(*) AS left FROM outbox"))[0]["left"]
