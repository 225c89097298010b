"""Who reads how much of a trust report, what stays unseen beside it, and who explains."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import reuse
from backend.evidence.looks import COUNT
from backend.roles import Role
from tasks.rectifications.item import Status
from tests import calls, make, trust_make
from tests.trust_make import report, shown

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def handed_in(it: make.Cast) -> tuple[UUID, UUID, UUID]:
    """An item with its before-photo and its after-photo."""
    item = await make.rectification(it, Status.handed_in)
    before = (await raw("SELECT evidence AS id FROM finding_evidence WHERE finding = $1", item))[0]["id"]
    after = (await raw("SELECT evidence AS id FROM hand_in_evidence"))[0]["id"]
    return item, before, after


async def test_the_judges_read_the_whole_and_the_sender_gets_hints(client, it):
    item, before, after = await handed_in(it)
    expected = {
        it.staff: ("whole", "whole"),
        it.boss: ("whole", "whole"),
        it.leader: ("whole", "whole"),
        it.reviewer: ("whole", "whole"),
        it.lead: ("whole", "whole"),
        it.inspector: ("hints", "whole"),  # the sender of the one, a judge of the other
        it.handler: ("nothing", "hints"),  # the other way round, and no judge
        it.principal: ("nothing", "hints"),
    }
    for person, wanted in expected.items():
        for file, much in zip((before, after), wanted, strict=True):
            told = await shown(client, person, file)
            # No position was declared for either file, which is what a sender can mend.
            what = "whole" if told["report"] else "hints" if told["hints"] else "nothing"
            assert what == much, (person.name, file == before)
    stranger = await make.signed_in(it.stranger)
    assert (await client.get(f"/api/evidence/{after}", headers=stranger)).status_code == 404
    path = f"/api/rectifications/{item}/evidence"
    assert (await client.get(path, headers=stranger)).status_code == 404
    assert (await client.get(path)).status_code == 401
    of_unit = (await client.get(path, headers=await make.signed_in(it.handler))).json()["items"]
    assert [record["kind"] for record in of_unit] == ["finding", "hand_in"]
    assert all(record["trust"] is None for record in of_unit)


async def test_a_judge_elsewhere_who_sees_the_item_as_a_party_reads_nothing(client, it):
    item, before, after = await handed_in(it)
    finance = await make.unit("新宾县财政局")
    await raw(
        "INSERT INTO rectification_unit (id, rectification, unit, role) VALUES ($1, $2, $3, 'cooperating')",
        uuid7(), item, finance,
    )  # fmt: skip
    party = await make.person("财政郑", Role.unit_handler, at=finance)
    await raw(
        "INSERT INTO role_grant (id, person, unit, role, granted_at) VALUES ($1, $2, $3, 'lead_unit_reviewer', $4)",
        uuid7(), party.person, await make.unit("清原县水务局", area=make.QINGYUAN), clock.now(),
    )  # fmt: skip
    for file in (before, after):
        told = await shown(client, party, file)
        assert (told["report"], told["hints"]) == (None, [])
    both = await raw("SELECT 1 FROM role_grant WHERE person = $1", party.person)
    assert len(both) == 2


async def test_hints_say_what_to_do_better_and_are_the_same_whatever_is_known_elsewhere(client, it, noon):
    at = trust_make.position(9000, 400.0)
    file = await trust_make.taken(client, it, 7, position=at, source="gallery")
    told = await shown(client, it.inspector, file)
    assert (told["report"], told["hints"]) == (None, ["定位精度太低，建议到开阔处重拍"])
    english = await shown(client, it.inspector, file, **{"Accept-Language": "en"})
    assert english["hints"] == ["The position is too coarse: please take it again in the open"]
    with clock.frozen(noon - DAY):
        await trust_make.taken(client, it, 7, visit=await trust_make.elsewhere(it))
    assert await shown(client, it.inspector, file) == told


async def test_what_is_secret_out_of_sight_changes_not_one_byte(client, it, noon):
    """Two worlds: without and with a team's unsubmitted visit in another county, which the reader may not see."""
    office = await make.signed_in(await trust_make.county_office())
    with clock.frozen(noon - HOUR):
        for number in range(3):
            await trust_make.taken(client, it, number, position=trust_make.position(10 + number))
    file = await trust_make.taken(client, it, 5)
    finding = (await raw("SELECT finding FROM finding_evidence WHERE evidence = $1", file))[0]["finding"]
    paths = (f"/api/evidence/{file}", f"/api/visits/{it.visit}/findings/{finding}")

    async def told() -> list[bytes]:
        answers = [await client.get(path, headers=office) for path in paths]
        assert all(answer.status_code == 200 for answer in answers)
        return [answer.content + repr(sorted(answer.headers.items())).encode() for answer in answers]

    without = await told()
    with clock.frozen(noon - 2 * DAY):
        hidden = await trust_make.elsewhere(it)
        same = await trust_make.taken(client, it, 5, visit=hidden)
    # The same photo before, the same coordinates, and the same person a minute earlier sixty kilometres away: often.
    for number in range(30):
        with clock.frozen(noon - MINUTE - timedelta(seconds=number)):
            await trust_make.taken(client, it, 10 + number, visit=hidden, position=trust_make.position(60_000))
    for days in range(3, 9):
        with clock.frozen(noon - days * DAY):
            await trust_make.taken(client, it, 50 + days, visit=hidden)
    assert await told() == without
    # Who sees the visit is told of it all.
    seen = await report(client, it.staff, file)
    assert {check["check"]: check["level"] for check in seen["checks"]}["speed"] == "contradicts"
    assert [use["evidence"] for use in seen["uses"]] == [str(same)]
    # Once it is submitted it is no secret, and still out of sight: that it is somewhere, and nothing more.
    await trust_make.submit(it, hidden)
    opened = (await client.get(paths[0], headers=office)).json()["report"]
    assert (opened["uses"], opened["elsewhere"]) == ([], "在您无权查看的事项中也出现过")
    with clock.frozen(noon - DAY):
        await trust_make.taken(client, it, 5, visit=hidden)
    often = (await client.get(paths[0], headers=office)).json()["report"]
    assert trust_make.said(often, "seen_before") == trust_make.said(opened, "seen_before")
    everything = (await client.get(paths[0], headers=office)).text
    for word in (str(same), str(hidden), "红透山", "2026-11-22"):
        assert word not in everything


async def test_where_and_when_somebody_was_out_of_sight_is_not_to_be_read_off_their_photos_in_sight(client, it, noon):
    """Two worlds: without and with the same person's photos on a visit that is submitted, in another county."""
    county = await make.signed_in(await trust_make.county_office())

    async def counted(number: int, counter: int, **said: Any) -> UUID:
        token = await trust_make.token(client, it.inspector, clock.now(), clock.now(), MINUTE, counter)
        return await trust_make.taken(client, it, number, capture=token, **said)

    for hours in (2, 1):
        with clock.frozen(noon - hours * HOUR):
            await counted(hours, 10 - hours, position=trust_make.position(hours))
    file = await counted(5, 20)
    path = f"/api/evidence/{file}"
    without = (await client.get(path, headers=county)).json()
    with clock.frozen(noon - 9 * DAY):
        hidden = await trust_make.elsewhere(it)
    # A minute earlier sixty kilometres away, counted higher; and on six days the very same coordinates.
    with clock.frozen(noon - MINUTE):
        await counted(10, 30, visit=hidden, position=trust_make.position(60_000))
    for days in range(3, 9):
        with clock.frozen(noon - days * DAY):
            await counted(10 + days, days, visit=hidden)
    await trust_make.submit(it, hidden)
    assert (await client.get(path, headers=county)).json() == without
    seen = trust_make.levels(await report(client, it.staff, file))
    assert [seen[check] for check in ("speed", "repeated_place", "counter")] == [
        "contradicts",
        "contradicts",
        "unclear",
    ]


async def test_what_was_explained_of_a_secret_is_not_told_where_there_is_nothing_to_explain(client, it, noon):
    county = await trust_make.county_office()
    other = await make.person("市巡查办吴", Role.supervision_staff, at=await make.unit("市巡查办", area=make.FUSHUN))
    with clock.frozen(noon - DAY):
        hidden = await trust_make.elsewhere(it)
        await trust_make.taken(client, it, 5, visit=hidden)
    file = await trust_make.taken(client, it, 5)
    without = await report(client, county, file)
    body = {"id": str(uuid7()), "check": "seen_before", "because": "红透山检查时误传，已核实。"}
    call = await calls.by(other, "POST", f"/api/evidence/{file}/explanations", body)
    assert (await call.made(client)).status_code == 201
    assert "红透山检查" in str(await report(client, it.staff, file))
    assert await report(client, county, file) == without


async def test_photos_that_are_secret_take_no_place_in_the_search_for_like_ones(client, it, noon):
    """Two worlds: without and with more like photos than are told, all of them nearer, on a visit out of sight."""
    county = await make.signed_in(await trust_make.county_office())
    with clock.frozen(noon - DAY):
        before = await trust_make.taken(client, it, 1)
        hidden = await trust_make.elsewhere(it)
        secret = await trust_make.taken(client, it, 2, visit=hidden)
    file = await trust_make.taken(client, it, 5)
    for one, look in ((before, 2), (file, 1), (secret, 1)):
        await trust_make.read(one, looks=[look] * COUNT)
    path = f"/api/evidence/{file}"
    without = (await client.get(path, headers=county)).json()
    assert [use["evidence"] for use in without["report"]["uses"]] == [str(before)]
    finding = await trust_make.filed(client, it, [trust_make.line(make.photo(9))], visit=hidden)
    await trust_make.multiplied(secret, reuse.MOST + 10, finding)
    assert (await client.get(path, headers=county)).json() == without
    seen = await report(client, it.staff, file)
    assert trust_make.levels(seen)["search_cut"] == "unclear"
    assert "超过 50 张" in trust_make.said(seen, "search_cut") and len(seen["uses"]) == reuse.MOST


async def test_the_same_bytes_are_found_however_often_they_came(client, it, noon):
    with clock.frozen(noon - DAY):
        before = await trust_make.taken(client, it, 5)
        finding = await trust_make.filed(client, it, [trust_make.line(make.photo(9))])
        await trust_make.multiplied(before, 300, finding, same=True)
    file = await trust_make.taken(client, it, 5)
    told = await report(client, it.staff, file)
    assert "301 次" in trust_make.said(told, "seen_before") and len(told["uses"]) == 301
    assert "search_cut" not in trust_make.levels(told)


async def test_a_draft_is_a_secret_of_the_office_that_holds_it(client, it, noon):
    county = await trust_make.county_office()
    told = {**make.manifest_line(make.photo(5))}
    body = (await calls.draft(it)).body | {"region": make.QINGYUAN, "evidence": [told]}
    with clock.frozen(noon - DAY):
        call = await calls.by(it.staff, "POST", "/api/rectifications", body)
        assert (await call.made(client)).status_code == 201
        await trust_make.send(client, it.staff, told, make.photo(5))
    file = await trust_make.taken(client, it, 5)
    here, city = await report(client, county, file), await report(client, it.boss, file)
    assert (here["uses"], here["elsewhere"]) == ([], None)
    assert [(use["kind"], use["link"]) for use in city["uses"]] == [("entry", f"/api/rectifications/{body['id']}")]


async def test_a_file_on_two_records_is_told_of_by_the_one_in_sight(client, it, noon):
    """A phone may name a file in two findings: the second must not be described by the first."""
    hidden, content = await trust_make.elsewhere(it), make.photo(5)
    told = trust_make.line(content)
    with clock.frozen(noon - DAY):
        await trust_make.filed(client, it, [told], visit=hidden)
        await trust_make.filed(client, it, [told])
        await trust_make.send(client, it.inspector, told, content)
    file = await trust_make.taken(client, it, 5)
    seen = await report(client, await trust_make.county_office(), file)
    assert [use["place"] for use in seen["uses"]] == ["腰站村"] and "红透山" not in str(seen)


# ── explaining ───────────────────────────────────────────────────────────────────────────────────────────────────


async def explained(call: calls.Call) -> list[dict[str, Any]]:
    rows = await raw("SELECT verb FROM event WHERE verb = 'evidence.explained'")
    assert len(rows) == len(await raw("SELECT 1 FROM evidence_explanation"))
    return [dict(row) for row in await raw("SELECT * FROM evidence_explanation")]


async def test_an_explanation_stands_beside_its_check_and_changes_no_level(client, it):
    call = await calls.explain(it)
    path = call.path.removesuffix("/explanations")
    before = (await client.get(path, headers=call.headers)).json()["report"]
    answer = await call.made(client)
    assert answer.status_code == 201, answer.text
    after = answer.json()["report"]
    (clocked,) = [check for check in after["checks"] if check["check"] == "clock"]
    assert clocked["explanations"] == [
        {
            "id": call.body["id"], "because": "村里没有信号，已电话核实。", "by_name": "审核李",
            "at": "2026-11-24T04:00:00Z",
        }
    ]  # fmt: skip
    assert [check["level"] for check in after["checks"]] == [check["level"] for check in before["checks"]]
    assert after["level"] == before["level"] == "unclear"
    # Whoever reads the report reads it; whoever does not, does not.
    others = (await client.get(path, headers=await make.signed_in(it.boss))).json()
    assert others["report"]["checks"] == after["checks"]
    own = (await client.get(path, headers=await make.signed_in(it.handler))).text
    assert "电话核实" not in own
    said = (await raw("SELECT * FROM event WHERE verb = 'evidence.explained'"))[0]
    assert str(said["subject"]) == path.rsplit("/", 1)[1] and said["actor"] == it.reviewer.person
    assert await raw("SELECT 1 FROM outbox WHERE event = $1", said["id"]) == []


async def test_the_same_explanation_is_once_however_often_it_comes(client, it):
    call = await calls.explain(it)
    answers = await asyncio.gather(*(call.made(client) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201} and len(await explained(call)) == 1
    for changed in ({"because": "另有原因。"}, {"check": "bracket"}):
        answer = await call.made(client, json=call.body | changed)
        assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict")
    more = await call.made(client, json=call.body | {"id": str(uuid7()), "because": "补充说明。"})
    assert more.status_code == 201 and len(await explained(call)) == 2


async def test_the_ladder_of_explaining(client, it):
    call = await calls.explain(it)
    before = await calls.snapshot()
    refused: list[tuple[Any, dict[str, Any], int, str]] = [
        (None, {}, 401, "sign_in_needed"),
        (it.stranger, {}, 404, "not_found"),
        (it.inspector, {}, 403, "not_yours_to_do"),  # who sent it
        (it.staff, {}, 403, "not_yours_to_do"),  # of the sender's unit
        (it.handler, {}, 403, "not_yours_to_do"),  # whose work is looked at
        (it.reviewer, {"check": "accuracy"}, 422, "nothing_to_explain"),  # says nothing: there is no position
        (it.reviewer, {"check": "before_as_after"}, 422, "nothing_to_explain"),  # a finding has no before
        (it.reviewer, {"check": "guilt"}, 400, "malformed"),
        (it.reviewer, {"because": " "}, 400, "malformed"),
        (it.reviewer, {"because": "长" * 1001}, 400, "malformed"),
        (it.reviewer, {"at": "2026-11-24T04:00:00Z"}, 400, "unknown_field"),
    ]
    for person, changed, status, code in refused:
        headers = await make.signed_in(person) if person else {}
        answer = await call.made(client, headers=headers, json=call.body | changed)
        assert (answer.status_code, make.problem(answer)["code"]) == (status, code), (changed, answer.text)
    missing = await call.made(client, path=f"/api/evidence/{uuid7()}/explanations")
    assert missing.status_code == 404 and await calls.snapshot() == before
    assert (await call.made(client)).status_code == 201


async def test_who_may_explain_is_told_so(client, it):
    _, before, after = await handed_in(it)
    may = {
        person.name: [(await report(client, person, file))["may_explain"] for file in (before, after)]
        for person in (it.staff, it.reviewer, it.leader)
    }
    assert may == {"督查办周": [False, True], "审核李": [True, True], "市领导陈": [False, True]}
    colleague = await make.person("审核孙", Role.lead_unit_reviewer, at=it.responsible)
    assert (await client.get(f"/api/evidence/{after}", headers=await make.signed_in(colleague))).status_code == 404


async def test_an_explanation_cannot_be_changed_behind_the_programs_back(client, it):
    call = await calls.explain(it)
    assert (await call.made(client)).status_code == 201
    for statement in ("UPDATE evidence_explanation SET because = '改了'", "DELETE FROM evidence_explanation"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await raw(statement)
