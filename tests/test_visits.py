"""Visits: who opens one, who sees it, being there, coming late, handing it in once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from backend import clock, geo
from backend.columns import uuid7
from backend.db import raw
from backend.geo import Datum
from backend.roles import Role
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def events(verb: str) -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = $1", verb))[0]["n"]


def arrival(lat: float = make.TARGET[0], lng: float = make.TARGET[1], **said) -> dict:
    position = {"lat": lat, "lng": lng, "accuracy_m": said.pop("accuracy_m", 12.0), "datum": said.pop("datum", "wgs84")}
    return {"position": position, "phone_at": "2026-11-24T11:58:00+08:00", **said}


async def test_the_office_opens_a_visit_once(client, it):
    call = await calls.open_visit(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    told = answers[0].json()
    assert (told["status"], told["place_name"], told["arrivals"]) == ("released", "腰站村", [])
    assert [member["lead"] for member in told["team"]] == [True, False]
    assert await events("visit.opened") == 2  # the cast's own, and this one
    other = await call.made(client, json={**call.body, "purpose": "住房安全"})
    assert (other.status_code, make.problem(other)["code"]) == (409, "conflict")
    team = await call.made(client, json={**call.body, "team": [str(it.lead.person), str(it.boss.person)]})
    assert (team.status_code, make.problem(team)["code"]) == (409, "conflict")


@pytest.mark.parametrize("who", ["lead", "inspector", "handler", "principal", "reviewer", "leader", "stranger"])
async def test_nobody_but_the_office_opens_a_visit(client, it, who):
    call = await calls.open_visit(it)
    before = await calls.snapshot()
    answer = await call.made(client, headers=await make.signed_in(getattr(it, who)))
    assert (answer.status_code, make.problem(answer)["code"]) == (403, "not_yours_to_do")
    assert await calls.snapshot() == before


async def test_a_visit_needs_a_team_a_place_and_a_sensible_radius(client, it):
    call = await calls.open_visit(it)
    before, one = await calls.snapshot(), str(it.lead.person)
    for wrong, status, code, field in (
        ({"team": [one]}, 422, "team_too_small", "team"),
        ({"team": [one, one]}, 422, "team_too_small", "team"),
        ({"lead": str(it.boss.person)}, 422, "no_team_lead", "lead"),
        ({"radius_m": 9}, 400, "bad_radius", "radius_m"),
        ({"radius_m": 5001}, 400, "bad_radius", "radius_m"),
        ({"region": "999999999999"}, 422, "unknown_region", "region"),
        ({"team": [one, str(uuid7())]}, 422, "not_an_inspector", "team"),
    ):
        answer = await call.made(client, json={**call.body, **wrong})
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told.get("field")) == (status, code, field)
    assert await calls.snapshot() == before


async def test_the_office_opens_visits_in_its_own_area_only(client, it):
    elsewhere = await make.person("清原督查", Role.supervision_staff, at=await make.unit("清原县水务局"))
    call, headers = await calls.open_visit(it), await make.signed_in(elsewhere)
    before = await calls.snapshot()
    answer = await call.made(client, headers=headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (403, "not_yours_to_do")
    assert await calls.snapshot() == before
    own = {**call.body, "region": make.QINGYUAN}
    assert (await call.made(client, headers=headers, json=own)).status_code == 201


async def test_only_live_inspectors_are_sent_and_the_others_are_not_named_by_the_database(client, it):
    closed = await make.person("督查员冯", Role.inspector, at=await make.unit("市扶贫办"))
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), closed.person)
    former = await make.person("督查员陈", Role.inspector, at=await make.unit("市扶贫办"))
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", clock.now(), former.person)
    call = await calls.open_visit(it)
    before, lead = await calls.snapshot(), str(it.lead.person)
    for person in (closed, former, it.staff, it.handler):
        answer = await call.made(client, json={**call.body, "team": [lead, str(person.person)]})
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (422, "not_an_inspector", "team"), person.name
    assert await calls.snapshot() == before
    assert (await call.made(client, json={**call.body, "lead": str(it.inspector.person)})).status_code == 201


async def test_a_retry_is_answered_after_a_member_of_the_team_has_left(client, it):
    call = await calls.open_visit(it)
    assert (await call.made(client)).status_code == 201
    await raw("UPDATE person SET disabled_at = $1 WHERE id = $2", clock.now(), it.inspector.person)
    assert (await call.made(client)).status_code == 201


async def test_a_visit_is_seen_by_its_team_the_office_and_later_by_leaders(client, it):
    elsewhere = await make.unit("清原县水务局")
    county_office = await make.person("清原督查", Role.supervision_staff, at=elsewhere)
    other_inspector = await make.person("督查员冯", Role.inspector, at=await make.unit("市扶贫办"))
    path = f"/api/visits/{it.visit}"

    async def seeing() -> set[str]:
        found = set()
        people = (it.lead, it.inspector, it.staff, it.boss, it.leader, it.handler, it.reviewer, it.stranger)
        for person in (*people, county_office, other_inspector):
            headers = await make.signed_in(person)
            one = await client.get(path, headers=headers)
            listed = (await client.get("/api/visits", headers=headers)).json()["items"]
            assert (one.status_code == 200) == (len(listed) == 1), person.name
            if one.status_code == 200:
                found.add(person.name)
        return found

    team_and_office = {"组长刘", "督查员王", "督查办周", "主任吴"}
    assert await seeing() == team_and_office
    await raw("UPDATE visit SET status = 'submitted', submitted_at = $1", clock.now())
    assert await seeing() == team_and_office | {"市领导陈"}


async def test_an_arrival_is_recorded_once_with_both_clocks(client, it):
    call = await calls.arrive(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    told = answers[0].json()
    assert told["status"] == "in_field" and len(told["arrivals"]) == 1
    point = told["arrivals"][0]
    assert (point["inside"], point["late"], point["distance_m"]) == (True, False, 0.0)
    assert (point["phone_at"], point["received_at"]) == ("2026-11-24T03:58:00Z", "2026-11-24T04:00:00Z")
    assert await events("visit.arrived") == 1
    other = await call.made(client, json={**call.body, "reason": "绕路"})
    assert (other.status_code, make.problem(other)["code"]) == (409, "conflict")


async def test_height_heading_and_speed_are_kept_and_part_of_what_was_said(client, it):
    moving = {"altitude_m": 212.5, "heading_deg": 90.0, "speed_mps": 1.2}
    for call, table in ((await calls.arrive(it), "arrival"), (await calls.file_finding(it), "finding")):
        call.body["position"] |= moving
        assert (await call.made(client)).status_code == (await call.made(client)).status_code == 201
        kept = (await raw(f"SELECT altitude_m, heading_deg, speed_mps FROM {table}"))[0]
        assert dict(kept) == moving
        for other in (moving | {"altitude_m": 213.0}, dict.fromkeys(moving)):
            body = {**call.body, "position": {**call.body["position"], **other}}
            assert make.problem(await call.made(client, json=body))["code"] == "conflict"


@pytest.mark.parametrize(
    ("field", "value"), [("altitude_m", "high"), ("heading_deg", 361), ("speed_mps", -2), ("altitude_m", 1e9)]
)
async def test_a_position_that_cannot_be_is_explained(client, it, field, value):
    call = await calls.arrive(it)
    call.body["position"][field] = value
    problem = make.problem(await call.made(client))
    assert (problem["status"], problem["field"]) == (400, f"position.{field}")


@pytest.mark.parametrize("datum", Datum)
async def test_phones_that_speak_other_coordinates_arrive_at_the_same_place(client, it, datum):
    shifted = geo.from_wgs84(*make.TARGET, datum)
    headers = await make.signed_in(it.inspector)
    path = f"/api/visits/{it.visit}/arrivals/{uuid7()}"
    answer = await client.put(path, json=arrival(*shifted, datum=datum.value), headers=headers)
    point = answer.json()["arrivals"][0]
    assert point["distance_m"] < 1 and abs(point["lat"] - make.TARGET[0]) < 1e-5
    kept = (await raw("SELECT reported_lat, datum FROM arrival"))[0]
    assert (kept["reported_lat"], kept["datum"]) == (shifted[0], datum.value)


async def test_outside_the_radius_a_reason_is_asked_for_and_then_taken(client, it):
    far = make.TARGET[0] + 0.02  # some two kilometres north
    headers, id = await make.signed_in(it.inspector), uuid7()
    path = f"/api/visits/{it.visit}/arrivals/{id}"
    before = await calls.snapshot()
    for reason in ("", "  "):
        answer = await client.put(path, json=arrival(far, reason=reason), headers=headers)
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (422, "outside_radius", "reason")
        assert 2200 < told["details"]["distance_m"] < 2250
    answer = await client.put(path, json=arrival(far, accuracy_m=1001), headers=headers)
    assert make.problem(answer)["code"] == "accuracy_too_poor"
    assert await calls.snapshot() == before
    answer = await client.put(path, json=arrival(far, reason="道路塌方，步行前往。"), headers=headers)
    assert answer.status_code == 201 and answer.json()["arrivals"][0]["inside"] is False


async def test_only_the_team_records_and_only_its_lead_submits(client, it):
    await calls.submit(it)  # the arrival that a submission needs
    before = await calls.snapshot()
    office = await make.signed_in(it.staff)
    answer = await client.put(f"/api/visits/{it.visit}/arrivals/{uuid7()}", json=arrival(), headers=office)
    assert (answer.status_code, make.problem(answer)["code"]) == (403, "not_yours_to_do")
    for person, status in ((it.inspector, 403), (it.staff, 403), (it.stranger, 404), (it.leader, 404)):
        headers = await make.signed_in(person)
        answer = await client.post(f"/api/visits/{it.visit}/submission", headers=headers)
        assert answer.status_code == status, person.name
    assert await calls.snapshot() == before


async def test_a_visit_without_an_arrival_is_not_submitted(client, it):
    headers, before = await make.signed_in(it.lead), await calls.snapshot()
    answer = await client.post(f"/api/visits/{it.visit}/submission", headers=headers)
    told = make.problem(answer)
    assert (answer.status_code, told["code"], told["field"]) == (422, "no_arrival", "arrivals")
    assert await calls.snapshot() == before


async def test_a_visit_is_submitted_once_however_often_the_phone_tries(client, it):
    call = await calls.submit(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    assert answers[0].json()["submitted_at"] == "2026-11-24T04:00:00Z" and await events("visit.submitted") == 1


async def test_what_arrives_after_the_submission_is_taken_and_marked_late(client, it):
    await (await calls.submit(it)).made(client)
    headers = await make.signed_in(it.inspector)
    answer = await client.put(f"/api/visits/{it.visit}/arrivals/{uuid7()}", json=arrival(), headers=headers)
    assert answer.status_code == 201 and answer.json()["status"] == "submitted"
    assert sorted(point["late"] for point in answer.json()["arrivals"]) == [False, True]


async def test_the_list_is_walked_newest_first_to_its_end(client, it):
    made = [it.visit]
    for minutes in range(1, 5):
        with clock.frozen(clock.now() + timedelta(minutes=minutes)):
            made.append(await make.visit(it))
    headers, seen, cursor = await make.signed_in(it.inspector), [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = (await client.get("/api/visits", headers=headers, params={"limit": 2, **more})).json()
        seen += [UUID(visit["id"]) for visit in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]


async def test_who_is_no_inspector_any_more_has_no_visits_any_more(client, noon):
    it = await make.cast()
    headers = await make.signed_in(it.inspector)
    assert (await client.get(f"/api/visits/{it.visit}", headers=headers)).status_code == 200
    await raw("UPDATE role_grant SET revoked_at = $1 WHERE person = $2", clock.now(), it.inspector.person)
    assert (await client.get(f"/api/visits/{it.visit}", headers=headers)).status_code == 404
    assert (await client.get("/api/phone/today", headers=headers)).json()["assignments"] == []
