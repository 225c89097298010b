"""Findings: filed whole and once, never edited, seen with their visit, late but never lost."""

import asyncio
from typing import Any

import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.geo import Datum, from_wgs84
from tests import calls, make


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def filed() -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = 'finding.filed'"))[0]["n"]


async def test_a_finding_is_filed_once_however_often_the_phone_tries(client, it):
    call = await calls.file_finding(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201} and len({answer.text for answer in answers}) == 1
    told, said = answers[0].json(), call.body
    for field in ("topic", "facts", "severity", "closing_class", "asks", "region", "place_note", "danger_to_life"):
        assert told[field] == said[field], field
    assert (told["topic_name"], told["declared"], told["arrived"], told["late"]) == ("饮水安全", 1, 0, False)
    assert (told["found_at"], told["received_at"]) == ("2026-11-24T03:58:00Z", "2026-11-24T04:00:00Z")
    assert (told["responsible_units"], told["lead_units"]) == ([str(it.responsible)], [str(it.lead_unit)])
    assert await filed() == 1 and len(await raw("SELECT 1 FROM evidence")) == 1


CHANGES: dict[str, Any] = {
    "topic": "03", "facts": "另一件事。", "found_at": "2026-11-24T11:59:00+08:00", "severity": "grave",
    "closing_class": "fix_now", "non_implementation": None, "asks": "", "region": make.SHANGJIAHE,
    "place_note": "村口", "position": None, "danger_to_life": True, "no_evidence_reason": "另有说明",
    "responsible_units": [], "lead_units": [], "household": None, "person": None, "evidence": [],
}  # fmt: skip


async def test_the_same_id_with_anything_changed_is_a_conflict(client, it):
    call = await calls.file_finding(it)
    assert set(CHANGES) == set(call.body)  # every part of a finding is tried
    assert (await call.made(client)).status_code == 201
    before = await calls.snapshot()
    for field, value in CHANGES.items():
        changed = {**call.body, field: value}
        if field == "evidence":
            changed |= {"evidence": [make.manifest_line(make.photo(9))]}
        answer = await call.made(client, json=changed)
        assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict"), field
    lead = await make.signed_in(it.lead)
    assert (await call.made(client, headers=lead)).status_code == 409  # another person's finding
    assert await calls.snapshot() == before
    assert (await call.made(client)).status_code == 201


async def test_a_finding_without_a_file_says_why(client, it):
    call = await calls.file_finding(it)
    before = await calls.snapshot()
    for reason in ("", " \n"):
        answer = await call.made(client, json={**call.body, "evidence": [], "no_evidence_reason": reason})
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["field"]) == (422, "no_evidence", "evidence")
    assert await calls.snapshot() == before
    answer = await call.made(client, json={**call.body, "evidence": [], "no_evidence_reason": "入户时主人不同意拍照。"})
    assert answer.status_code == 201


async def test_what_it_points_at_must_exist_and_no_unit_reviews_itself(client, it):
    call = await calls.file_finding(it)
    before = await calls.snapshot()
    for wrong, status, code in (
        ({"topic": "9999"}, 400, "unknown_reference"),
        ({"region": "999999999999"}, 422, "unknown_region"),
        ({"responsible_units": [str(uuid7())]}, 400, "unknown_reference"),
        ({"lead_units": [str(it.responsible)]}, 422, "unit_in_two_roles"),
    ):
        answer = await call.made(client, json={**call.body, **wrong})
        assert (answer.status_code, make.problem(answer)["code"]) == (status, code), wrong
    assert await calls.snapshot() == before


async def test_only_the_team_files_and_a_stranger_does_not_even_see_the_visit(client, it):
    call = await calls.file_finding(it)
    before = await calls.snapshot()
    for person, status in ((it.staff, 403), (it.boss, 403), (it.leader, 404), (it.handler, 404), (it.stranger, 404)):
        answer = await call.made(client, headers=await make.signed_in(person))
        assert answer.status_code == status, person.name
    answer = await call.made(client, path=call.path.replace(str(it.visit), str(uuid7())))
    assert answer.status_code == 404 and await calls.snapshot() == before


async def test_a_finding_takes_the_place_of_its_visit_when_it_names_none(client, it):
    call = await calls.file_finding(it)
    answer = await call.made(client, json={**call.body, "region": None, "position": None})
    assert answer.status_code == 201 and answer.json()["region"] == make.YAOZHAN and answer.json()["lat"] is None


async def test_positions_are_kept_as_sent_and_beside_them_in_wgs84(client, it):
    call = await calls.file_finding(it)
    lat, lng = from_wgs84(*make.TARGET, Datum.gcj02)
    position = {"lat": lat, "lng": lng, "accuracy_m": 12.0, "datum": "gcj02"}
    told = (await call.made(client, json={**call.body, "position": position})).json()
    assert abs(told["lat"] - make.TARGET[0]) < 1e-6 and abs(told["lng"] - make.TARGET[1]) < 1e-6
    kept = (await raw("SELECT reported_lat, reported_lng, datum FROM finding"))[0]
    assert (kept["reported_lat"], kept["reported_lng"], kept["datum"]) == (lat, lng, "gcj02")


async def test_after_the_submission_a_finding_is_marked_late(client, it):
    await (await calls.submit(it)).made(client)
    told = (await (await calls.file_finding(it)).made(client)).json()
    assert told["late"] is True and await filed() == 1


async def test_a_phone_with_a_wrong_clock_is_believed_in_its_own_field_only(client, it):
    call = await calls.file_finding(it)
    told = (await call.made(client, json={**call.body, "found_at": "1970-01-01T00:00:00Z"})).json()
    assert told["found_at"] == "1970-01-01T00:00:00Z" and told["received_at"] == "2026-11-24T04:00:00Z"
    at = (await raw("SELECT at FROM event WHERE verb = 'finding.filed'"))[0]["at"]
    assert at == clock.now()


async def test_arrived_of_declared_is_counted_as_files_come_in(client, it):
    photos = [make.photo(11), make.photo(12)]
    call = await calls.file_finding(it)
    call.body["evidence"] = [make.manifest_line(photo) for photo in photos]
    await call.made(client)
    for count, (line, photo) in enumerate(zip(call.body["evidence"], photos, strict=True)):
        told = (await client.get(call.path, headers=call.headers)).json()
        assert (told["declared"], told["arrived"]) == (2, count)
        assert [file["id"] for file in told["evidence"]] == [line["id"] for line in call.body["evidence"]]
        await client.put(f"/api/evidence/{line['id']}", content=photo, headers=call.headers)
    assert (await client.get(call.path, headers=call.headers)).json()["arrived"] == 2


async def test_findings_are_read_with_their_visit_and_nowhere_else(client, it):
    call = await calls.file_finding(it)
    await call.made(client)
    second = await make.visit(it)
    path = f"/api/visits/{it.visit}/findings"
    for person, sees in (
        (it.lead, True),
        (it.staff, True),
        (it.leader, False),
        (it.handler, False),
        (it.stranger, False),
    ):
        headers = await make.signed_in(person)
        answer = await client.get(path, headers=headers)
        assert answer.status_code == (200 if sees else 404)
        assert (await client.get(call.path, headers=headers)).status_code == (200 if sees else 404)
        if sees:
            assert len(answer.json()["items"]) == 1
    other = call.path.replace(str(it.visit), str(second))
    assert (await client.get(other, headers=call.headers)).status_code == 404  # another visit's finding
    assert (await client.put(other, json=call.body, headers=call.headers)).status_code == 409


async def test_everyone_signed_in_reads_the_topics(client, it):
    answer = await client.get("/api/topics", headers=await make.signed_in(it.handler))
    assert [topic["code"] for topic in answer.json()["items"]] == ["03", "0304"]


async def test_a_place_in_another_county_is_a_slip_of_the_finger(client, noon):
    it = await make.cast()
    call = await calls.by(it.inspector, "PUT", f"/api/visits/{it.visit}/findings/{uuid7()}", calls.finding_body(it))
    elsewhere = await call.made(client, json=call.body | {"region": make.QINGYUAN})
    assert (elsewhere.status_code, make.problem(elsewhere)["code"]) == (422, "region_elsewhere")
    township = await call.made(client, json=call.body | {"region": make.SHANGJIAHE})
    assert township.status_code == 201, township.text
