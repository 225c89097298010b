"""The month over HTTP: who sees which cells, records, exemptions, and the ladder of every verb."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.evidence.rules import Caption
from backend.roles import SYSTEM, Actor, Role
from backend.units import commands as units
from tasks.monthly import evidence_settings, jobs
from tests import make, monthly_make
from tests.make import QINGYUAN, XINBIN
from tests.monthly_make import at, body, problem

MONTH = "/api/monthly/2026-03"


class March:
    """1 March 2026, 9 o'clock: the month has begun. The reviewer's cell for 新宾, and everybody's headers."""

    city: monthly_make.Fushun
    cells: dict[tuple[UUID, str], UUID]
    cell: UUID
    people: dict[str, Actor]

    async def by(self, who: str) -> dict[str, str]:
        """The headers of a session that begins now."""
        return await make.signed_in(self.people[who]) if who in self.people else {}


@pytest.fixture
async def it(client):
    with clock.frozen(at(3, 1)):
        it = March()
        it.city = await monthly_make.fushun(valid_from=date(2026, 3, 1))
        await make.topic()
        await make.region()
        it.cells = await monthly_make.begun(it.city)
        it.cell = it.cells[it.city.units["市水务局"], XINBIN]
        it.people = {
            "reviewer": it.city.reviewer,
            "staff": it.city.staff,
            "boss": it.city.boss,
            "other": await make.person("何", Role.lead_unit_reviewer, at=it.city.units["市住建局"]),
            "county": await make.person("赵", Role.unit_handler, at=await make.unit()),
            "elsewhere": await make.person("郑", Role.unit_handler, at=await make.unit("清原县水务局", area=QINGYUAN)),
            "handler": await make.person("钱", Role.unit_handler, at=it.city.units["市水务局"]),
            "leader": await make.person("陈", Role.leader_viewer, at=await make.unit("市领导小组", area=make.FUSHUN)),
            "auditor": await make.person(
                "林", Role.security_auditor, at=await make.unit("市委督查室", area=make.FUSHUN)
            ),
        }
    return it


async def put(client, it: March, who: str, said: dict[str, Any], id: UUID | None = None):
    return await client.put(f"/api/monthly/records/{id or uuid7()}", json=said, headers=await it.by(who))


async def matrix(client, it: March, who: str = "staff", **query: str) -> dict[str, Any]:
    answer = await client.get(MONTH, params=query, headers=await it.by(who))
    assert answer.status_code == 200, answer.text
    return answer.json()["periods"][0]


async def events(verb: str) -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = $1", verb))[0]["n"]


# ── sight ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("who", "cells"), [("staff", 56), ("leader", 56), ("reviewer", 7), ("handler", 7), ("county", 8), ("auditor", None)]
)
async def test_everybody_sees_their_lines_and_columns(client, it, who: str, cells: int | None) -> None:
    with clock.frozen(at(3, 2)):
        seen = (await client.get(MONTH, headers=await it.by(who))).json()["periods"]
        assert [len(period["cells"]) for period in seen] == ([cells] if cells else [])
        assert [period["counts"]["cells"] for period in seen] == ([cells] if cells else [])


async def test_a_month_that_nobody_asked_for_is_empty(client, it) -> None:
    answer = await client.get("/api/monthly/2025-03", headers=await it.by("staff"))
    assert answer.status_code == 200 and answer.json()["periods"] == []
    assert (await client.get("/api/monthly/2026-13", headers=await it.by("staff"))).status_code == 400
    assert (await client.get(MONTH)).status_code == 401


async def test_a_matrix_says_how_long_it_still_is_and_what_each_cell_needs(client, it) -> None:
    with clock.frozen(at(3, 11)):
        seen = await matrix(client, it, "reviewer")
    assert (seen["left_says"], seen["workdays_left"]) == ("还剩2个工作日，3月15日24时截止", 2)
    assert seen["seconds_left"] == int(timedelta(days=4, hours=15).total_seconds())
    assert seen["cells"][0]["needs_says"] == "还需要检查记录1条（3月15日24时前）"
    assert [move["verb"] for move in seen["cells"][0]["moves"]] == ["file", "ask_exemption"]
    with clock.frozen(at(3, 15)):
        assert (await matrix(client, it))["left_says"] == "今天24时截止"
    with clock.frozen(at(3, 16)):
        seen = await matrix(client, it, "reviewer")
        assert seen["left_says"] == "已于3月15日24时截止" and seen["counts"]["missing"] == 7
        assert [move["verb"] for move in seen["cells"][0]["moves"]] == ["file"]


async def test_as_of_looks_back_and_not_ahead(client, it) -> None:
    with clock.frozen(at(3, 10)):
        await monthly_make.file(it.city.reviewer, it.cell, at(3, 10, 8))
    with clock.frozen(at(3, 20)):
        assert (await matrix(client, it, as_of=at(3, 9).isoformat()))["counts"]["done"] == 0
        assert (await matrix(client, it, as_of=at(3, 16, 0).isoformat()))["counts"]["done"] == 1
        ahead = await client.get(MONTH, params={"as_of": at(3, 21).isoformat()}, headers=await it.by("staff"))
        assert ahead.status_code == 400


async def test_what_waits_is_asked_of_who_has_to_do_it(client, it) -> None:
    async def waiting(who: str) -> dict[str, Any]:
        answer = await client.get("/api/monthly/waiting", headers=await it.by(who))
        assert answer.status_code == 200, answer.text
        return answer.json()

    with clock.frozen(at(3, 5)):
        assert (await client.get("/api/monthly/waiting")).status_code == 401
        assert len((await waiting("reviewer"))["cells"]) == 7
        for who in ("staff", "county", "leader", "auditor"):
            assert await waiting(who) == {"cells": [], "rules": []}
        await monthly_make.file(it.city.reviewer, it.cell, at(3, 5, 8))
        other = it.cells[it.city.units["市水务局"], QINGYUAN]
        said = {"cell": str(other), "reason": "洪水封路"}
        await client.put(f"/api/monthly/exemptions/{uuid7()}", json=said, headers=await it.by("reviewer"))
        left = (await waiting("reviewer"))["cells"]
        assert len(left) == 6 and str(it.cell) not in {row["cell"]["id"] for row in left}
        asked = (await waiting("staff"))["cells"]
        assert [(row["lead_name"], row["region_name"]) for row in asked] == [("市水务局", "清原满族自治县")]
        rule = await monthly_make.proposed(it.city)
        assert [row["id"] for row in (await waiting("boss"))["rules"]] == [str(rule)]
        assert (await waiting("staff"))["rules"] == []  # who entered it does not approve it
    with clock.frozen(at(3, 20)):
        late = (await waiting("reviewer"))["cells"]
        assert {row["cell"]["needs_says"] for row in late} == {"已过截止时间，仍需补报检查记录"}
        assert (await waiting("staff"))["cells"] == []  # nothing is exempted any more
    with clock.frozen(at(4, 17)):
        assert (await waiting("reviewer"))["cells"] == []


# ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_ladder_of_telling_of_a_check(client, it, settle) -> None:
    said, id = body(it.cell, at(3, 10)), uuid7()
    with clock.frozen(at(3, 10, 10)):
        assert (await put(client, it, "nobody", said)).status_code == 401
        assert (await put(client, it, "other", said)).status_code == 404
        assert (await put(client, it, "staff", said | {"cell": str(uuid7())})).status_code == 404
        for who in ("staff", "county", "handler", "leader"):
            refused = await put(client, it, who, said)
            assert (refused.status_code, refused.json()["code"]) == (403, "not_yours_to_do")
        assert (await put(client, it, "reviewer", said | {"went": []})).status_code == 422
        assert (await put(client, it, "reviewer", said | {"found_count": 0})).status_code == 422
        assert (await put(client, it, "reviewer", said | {"finished_at": at(2, 27).isoformat()})).json()["code"] == (
            "outside_period"
        )
        assert (await put(client, it, "reviewer", said | {"finished_at": "2026-03-10"})).status_code == 400
        assert (await put(client, it, "reviewer", said | {"received_at": at(3, 1).isoformat()})).status_code == 400
        assert await events("month.record_filed") == 0
        assert (await raw("SELECT count(*) AS n FROM monthly_record"))[0]["n"] == 0
        made = await put(client, it, "reviewer", said, id)
        assert made.status_code == 201, made.text
        again = await put(client, it, "reviewer", said, id)
        assert (again.status_code, again.json()["receipt"]) == (201, made.json()["receipt"])
        assert (await put(client, it, "reviewer", said | {"place": "别处"}, id)).status_code == 409
    assert await events("month.record_filed") == 1
    answer = made.json()
    assert (answer["cell"]["state"], answer["cell"]["found"], answer["cell"]["solved"]) == ("done", 3, 1)
    assert [move["verb"] for move in answer["cell"]["moves"]] == ["file", "correct", "withdraw"]
    assert answer["records"][0]["on_time"] and answer["records"][0]["by_name"] == "李红梅"


async def test_a_month_that_has_not_begun_takes_no_record(client, it) -> None:
    with clock.frozen(at(2, 28)):  # the clock had jumped and is back
        refused = await put(client, it, "reviewer", body(it.cell, at(2, 28)))
    assert (refused.status_code, refused.json()["code"]) == (409, "not_begun")


async def test_what_comes_late_is_taken_and_marked(client, it, settle) -> None:
    with clock.frozen(at(3, 16)):
        late = (await put(client, it, "reviewer", body(it.cell, at(3, 14)))).json()
        await settle()
        said = (await client.get("/api/notices", headers=await it.by("staff"))).json()["items"][0]
    assert late["cell"]["state"] == "done_late"
    assert late["records"][0]["late_says"] == late["cell"]["late_says"] == "检查在14日，记录16日送达"
    assert said["title"] == "市水务局补报 2026-03 对新宾满族自治县的检查"
    assert said["link"] == MONTH


async def test_nobody_is_told_of_what_comes_in_time(client, it, settle) -> None:
    with clock.frozen(at(3, 10)):
        await put(client, it, "reviewer", body(it.cell, at(3, 10, 8)))
        await settle()
        assert (await client.get("/api/notices", headers=await it.by("staff"))).json()["items"] == []


async def test_two_records_of_a_cell_at_once_both_count(client, it) -> None:
    with clock.frozen(at(3, 10, 10)):
        said = body(it.cell, at(3, 10))
        both = await asyncio.gather(*(put(client, it, "reviewer", said) for _ in range(2)))
        assert [answer.status_code for answer in both] == [201, 201]
        cell = next(cell for cell in (await matrix(client, it))["cells"] if cell["id"] == str(it.cell))
    assert (cell["checks"], cell["found"]) == (2, 6)


async def test_the_same_record_at_once_is_there_once(client, it) -> None:
    with clock.frozen(at(3, 10, 10)):
        said, id = body(it.cell, at(3, 10)), uuid7()
        both = await asyncio.gather(*(put(client, it, "reviewer", said, id) for _ in range(3)))
    assert [answer.status_code for answer in both] == [201] * 3
    assert await events("month.record_filed") == 1


async def test_a_correction_stands_in_and_both_are_kept(client, it) -> None:
    with clock.frozen(at(3, 10, 10)):
        first = await monthly_make.file(it.city.reviewer, it.cell, at(3, 10))
    with clock.frozen(at(3, 17)):
        said = body(it.cell, at(3, 10), corrects=str(first), found_count=5)
        assert (await put(client, it, "reviewer", said)).json()["code"] == "incomplete"  # no reason
        other = it.cells[it.city.units["市水务局"], QINGYUAN]
        wrong = await put(client, it, "reviewer", said | {"cell": str(other), "reason": "少报"})
        assert wrong.status_code == 400
        made = await put(client, it, "reviewer", said | {"reason": "少报2个问题"})
        assert made.status_code == 201, made.text
        again = await put(client, it, "reviewer", said | {"reason": "再改"})
        assert (again.status_code, again.json()["code"]) == (409, "already_corrected")
    answer = made.json()
    assert (answer["cell"]["state"], answer["cell"]["checks"], answer["cell"]["found"]) == ("done", 1, 5)
    assert [record["corrected_by"] for record in answer["records"]] == [answer["records"][1]["id"], None]
    with clock.frozen(at(3, 20)):
        frozen = await matrix(client, it, as_of=at(3, 16, 0).isoformat())
        assert frozen["counts"]["found"] == 2  # the numbers of the 15th stay


async def test_withdrawing_takes_a_reason_and_keeps_the_record(client, it) -> None:
    with clock.frozen(at(3, 10, 10)):
        id = await monthly_make.file(it.city.reviewer, it.cell, at(3, 10))
    path = f"/api/monthly/records/{id}/withdrawal"
    with clock.frozen(at(3, 12)):
        assert (await client.post(path, json={"reason": "填错县区"})).status_code == 401
        for who, status in (("other", 404), ("staff", 403), ("county", 403)):
            refused = await client.post(path, json={"reason": "填错县区"}, headers=await it.by(who))
            assert refused.status_code == status, who
        assert (await client.post(path, json={}, headers=await it.by("reviewer"))).status_code == 422
        for _ in range(2):
            done = await client.post(path, json={"reason": "填错县区"}, headers=await it.by("reviewer"))
            assert done.status_code == 201, done.text
        other = await client.post(path, json={"reason": "别的"}, headers=await it.by("reviewer"))
        assert (other.status_code, other.json()["code"]) == (409, "already_withdrawn")
    assert await events("month.record_withdrawn") == 1
    answer = done.json()
    assert (answer["cell"]["state"], answer["cell"]["checks"]) == ("not_started", 0)
    assert answer["records"][0]["withdraw_reason"] == "填错县区"


# ── handed over ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_a_check_hands_over_becomes_rectifications(client, it, settle) -> None:
    photo = make.manifest_line(make.photo(31))
    with clock.frozen(at(3, 10, 10)):
        own = problem(files=[photo["id"]], region=make.YAOZHAN, responsible=str(await make.unit()))
        dated = problem(due_on="2026-03-25")
        said = body(it.cell, at(3, 10), handed_over=[own, dated], evidence=[photo])
        made = await put(client, it, "reviewer", said, id := uuid7())
        assert made.status_code == 201, made.text
        await settle()
        await settle()
        again = await put(client, it, "reviewer", said, id)
        assert again.status_code == 201
        seen = (await client.get(f"{MONTH}/cells/{it.cell}", headers=await it.by("reviewer"))).json()
    assert [row["status"] for row in seen["records"][0]["handed_over"]] == ["issued", "issued"]
    assert seen["cell"]["handed_over"] == 2
    item = (await client.get(f"/api/rectifications/{own['id']}", headers=await it.by("reviewer"))).json()
    assert (item["source"], item["region"], item["declared"]) == ("monthly_check", make.YAOZHAN, 1)
    assert {(part["role"], part["name"]) for part in item["units"]} == {
        ("lead", "市水务局"),
        ("responsible", "新宾县水务局"),
    }
    second = (await client.get(f"/api/rectifications/{dated['id']}", headers=await it.by("staff"))).json()
    assert (second["due_on"], second["number"] is not None) == ("2026-03-25", True)
    assert (await raw("SELECT count(*) AS n FROM rectification"))[0]["n"] == 2
    shown = await client.get(f"/api/evidence/{photo['id']}", headers=await it.by("county"))
    assert shown.status_code == 200


async def test_a_worker_that_was_down_over_the_15th_changes_no_cell(client, it, settle) -> None:
    with clock.frozen(at(3, 13, 17)):
        dated = problem(due_on="2026-03-14")
        said = body(it.cell, at(3, 13), handed_over=[dated])
        assert (await put(client, it, "reviewer", said)).status_code == 201
    with clock.frozen(at(3, 16, 18)):  # three days on, the first thing the worker does
        assert (await matrix(client, it, as_of=at(3, 16, 0).isoformat()))["counts"]["done"] == 1
        await settle()
        item = (await client.get(f"/api/rectifications/{dated['id']}", headers=await it.by("staff"))).json()
    assert (item["status"], item["due_on"]) == ("issued", "2026-03-31")  # its own date is over: 15 days from today


async def test_whose_photos_do_not_come_is_told_once_and_where(client, it, settle) -> None:
    photo = make.manifest_line(make.photo(32))
    with clock.frozen(at(3, 10, 10)):
        await put(client, it, "reviewer", body(it.cell, at(3, 10), evidence=[photo]))
    with clock.frozen(at(3, 11, 11)):
        assert [await jobs.sweep_missing(), await jobs.sweep_missing()] == [1, 0]
        await settle()
        notices = (await client.get("/api/notices", headers=await it.by("reviewer"))).json()["items"]
        links = {notice["verb"]: notice["link"] for notice in notices}
        assert links == {"month.files_missing": f"{MONTH}/cells/{it.cell}", "month.period_started": MONTH}
        sent = await client.put(f"/api/evidence/{photo['id']}", content=make.photo(32), headers=await it.by("reviewer"))
        assert sent.status_code == 200, sent.text
        left = (await client.get("/api/notices", headers=await it.by("reviewer"))).json()["items"]
        assert [notice["verb"] for notice in left] == ["month.period_started"]
    caption = await evidence_settings.caption(UUID(photo["id"]))
    assert caption == Caption(make.PLACES[XINBIN][1], "2026-03 每月检查", "市水务局")


async def test_a_photo_of_a_check_has_a_trust_report(client, it) -> None:
    photo = make.manifest_line(make.photo(33))
    with clock.frozen(at(3, 10, 10)):
        await put(client, it, "reviewer", body(it.cell, at(3, 10), evidence=[photo]))
        seen = await evidence_settings.settings([UUID(photo["id"])], it.city.staff)
        assert [(told.kind, told.place) for told in seen.values()] == [
            ("monthly_check", "2026-03 市水务局检查新宾满族自治县")
        ]
        assert await evidence_settings.settings([UUID(photo["id"])], it.people["other"]) == {}
        shown = await client.get(f"/api/evidence/{photo['id']}", headers=await it.by("staff"))
        assert shown.status_code == 200
        hidden = await client.get(f"/api/evidence/{photo['id']}", headers=await it.by("other"))
        assert hidden.status_code == 404


async def test_more_cannot_be_handed_over_than_was_found(client, it) -> None:
    with clock.frozen(at(3, 10, 10)):
        said = body(it.cell, at(3, 10), found_count=1, solved_count=1, handed_over=[problem()])
        refused = await put(client, it, "reviewer", said)
        assert (refused.status_code, refused.json()["code"]) == (422, "counts_do_not_fit")
        elsewhere = body(it.cell, at(3, 10), handed_over=[problem(region=QINGYUAN)])
        refused = await put(client, it, "reviewer", elsewhere)
        assert (refused.status_code, refused.json()["field"]) == (400, "handed_over.0.region")
        unknown = body(it.cell, at(3, 10), handed_over=[problem(topic="9999")])
        assert (await put(client, it, "reviewer", unknown)).status_code in (400, 422)


async def test_the_successor_of_a_department_tells_of_its_checks(client, it) -> None:
    with clock.frozen(at(3, 5)):
        heir = await make.unit("市水利局", area=make.FUSHUN)
        await units.end_unit(SYSTEM, unit=it.city.units["市水务局"], on=date(2026, 3, 4), successor=heir)
        it.people["heir"] = await make.person("孙", Role.unit_principal, at=heir)
        assert (await put(client, it, "reviewer", body(it.cell, at(3, 5, 8)))).status_code == 403
        made = await put(client, it, "heir", body(it.cell, at(3, 5, 8)))
        assert made.status_code == 201, made.text
    lead = made.json()["lead"]
    assert (lead["name"], lead["taken_over_by_name"]) == ("市水务局", "市水利局")


# ── exemptions ───────────────────────────────────────────────────────────────────────────────────────────────────


async def ask(client, it: March, who: str = "reviewer", id: UUID | None = None, reason: str = "洪水封路"):
    said = {"cell": str(it.cell), "reason": reason}
    return await client.put(f"/api/monthly/exemptions/{id or uuid7()}", json=said, headers=await it.by(who))


async def decide(client, it: March, id: UUID, who: str, answer: str = "upheld", opinion: str = "同意"):
    said = {"answer": answer, "opinion": opinion}
    return await client.post(f"/api/monthly/exemptions/{id}/decision", json=said, headers=await it.by(who))


async def test_the_ladder_of_an_exemption(client, it, settle) -> None:
    id = uuid7()
    with clock.frozen(at(3, 5)):
        assert (await ask(client, it, "nobody")).status_code == 401
        assert (await ask(client, it, "other")).status_code == 404
        assert (await ask(client, it, "county")).status_code == 403
        assert (await ask(client, it, reason=" ")).status_code == 422
        asked = await ask(client, it, id=id)
        assert asked.status_code == 201 and asked.json()["receipt"]
        assert (await ask(client, it, id=id)).status_code == 201
        assert (await ask(client, it)).json()["code"] == "already_asked"
        assert asked.json()["cell"]["state"] == "not_started"
        assert asked.json()["cell"]["needs_says"] == "豁免申请待审批"
        await settle()
        notice = (await client.get("/api/notices", headers=await it.by("staff"))).json()["items"][0]
        assert notice["title"] == "市水务局申请 2026-03 不检查新宾满族自治县，待审批"

        assert (await decide(client, it, id, "nobody")).status_code == 401
        assert (await decide(client, it, id, "other")).status_code == 404
        assert (await decide(client, it, uuid7(), "staff")).status_code == 404
        assert (await decide(client, it, id, "reviewer")).status_code == 403
        assert (await decide(client, it, id, "staff", opinion="")).status_code == 422
        assert (await decide(client, it, id, "staff", answer="maybe")).status_code == 400
        for _ in range(2):
            granted = await decide(client, it, id, "staff")
            assert granted.status_code == 201, granted.text
        assert (await decide(client, it, id, "boss", "declined")).status_code == 409
        assert (granted.json()["cell"]["state"], granted.json()["cell"]["exempt_by_name"]) == ("exempt", "周")

        revoke = f"/api/monthly/exemptions/{id}/revocation"
        said = {"reason": "路通了"}
        assert (await client.post(revoke, json=said, headers=await it.by("reviewer"))).status_code == 403
        assert (await client.post(revoke, json={}, headers=await it.by("boss"))).status_code == 422
        for _ in range(2):
            back = await client.post(revoke, json=said, headers=await it.by("boss"))
            assert back.status_code == 201, back.text
        assert back.json()["cell"]["state"] == "not_started"
        assert (await ask(client, it)).status_code == 201  # and may be asked for anew
    for verb in ("asked", "revoked"):
        assert await events(f"month.exemption_{verb}") == (2 if verb == "asked" else 1)
    assert await events("month.exempted") == 1


async def test_who_asked_does_not_grant(client, it) -> None:
    with clock.frozen(at(3, 5)):
        await ask(client, it, "staff", id := uuid7())
        refused = await decide(client, it, id, "staff")
        assert (refused.status_code, refused.json()["detail"]) == (403, "申请人不能审批自己的申请。")
        assert (await decide(client, it, id, "boss", "declined", "路已抢通")).status_code == 201


async def test_two_decisions_at_once_are_one(client, it) -> None:
    with clock.frozen(at(3, 5)):
        await ask(client, it, id=(id := uuid7()))
        both = await asyncio.gather(
            decide(client, it, id, "staff"), decide(client, it, id, "boss", "declined", "不同意")
        )
    assert sorted(answer.status_code for answer in both) == [201, 409]
    assert await events("month.exempted") + await events("month.exemption_declined") == 1


async def test_a_correction_and_a_withdrawal_at_once_are_one(client, it) -> None:
    with clock.frozen(at(3, 10, 10)):
        id = await monthly_make.file(it.city.reviewer, it.cell, at(3, 10))
        corrected = put(client, it, "reviewer", body(it.cell, at(3, 10), corrects=str(id), reason="少报"))
        headers = await it.by("reviewer")
        withdrawn = client.post(f"/api/monthly/records/{id}/withdrawal", json={"reason": "填错"}, headers=headers)
        both = await asyncio.gather(corrected, withdrawn)
    assert sorted(answer.status_code for answer in both) == [201, 409]


async def test_after_the_cutoff_nothing_is_exempted(client, it) -> None:
    with clock.frozen(at(3, 15, 23, 59)):
        await ask(client, it, id=(id := uuid7()))
    with clock.frozen(at(3, 16, 0)):
        assert (await decide(client, it, id, "staff")).json()["code"] == "cutoff_passed"
        assert (await ask(client, it)).json()["code"] == "cutoff_passed"
        seen = (await client.get(f"{MONTH}/cells/{it.cell}", headers=await it.by("reviewer"))).json()
    assert (seen["cell"]["state"], seen["exemptions"][0]["lapsed"]) == ("missing", True)


async def test_what_is_done_needs_no_exemption(client, it) -> None:
    with clock.frozen(at(3, 5)):
        await monthly_make.file(it.city.reviewer, it.cell, at(3, 5, 8))
        assert (await ask(client, it)).json()["code"] == "already_done"


# ── a cell ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_cell_is_found_in_its_month_by_who_sees_it(client, it) -> None:
    with clock.frozen(at(3, 5)):
        path = f"{MONTH}/cells/{it.cell}"
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers=await it.by("other"))).status_code == 404
        assert (await client.get(path, headers=await it.by("elsewhere"))).status_code == 404
        assert (
            await client.get(f"/api/monthly/2026-04/cells/{it.cell}", headers=await it.by("staff"))
        ).status_code == 404
        seen = (await client.get(path, headers=await it.by("county"))).json()
    assert (seen["lead"]["name"], seen["region"]["name"]) == ("市水务局", "新宾满族自治县")
    assert seen["cell"]["moves"] == [] and seen["records"] == []
