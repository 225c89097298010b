"""Trust reports from real rows through HTTP: what a photo's claims are compared with, and what a reader is told."""

import io
from datetime import timedelta
from uuid import UUID

import pytest
from PIL import Image, ImageEnhance

from backend import clock, db
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import jobs
from bench._reuse_photos import photo as scene
from tasks.rectifications.item import Status
from tests import calls, make, trust_make
from tests.trust_make import levels, report, said

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def test_an_honest_photo_with_everything_fits(client, it, noon):
    await (await calls.arrive(it)).made(client)
    token = await trust_make.token(client, it.inspector, noon - MINUTE, noon - MINUTE, MINUTE)
    file = await trust_make.taken(client, it, 0, capture=token)
    await trust_make.read(file)
    told = await report(client, it.staff, file)
    assert told["level"] == "fits" and set(levels(told).values()) == {"fits"}
    assert levels(told).keys() == {
        "target_distance", "arrival_distance", "accuracy", "repeated_place", "clock", "clock_jump", "bracket",
        "exif_time", "exif_place", "source", "edited", "seen_before",
    }  # fmt: skip
    assert said(told, "exif_time") == "照片里没有拍摄信息，网页拍照通常如此"
    assert (told["uses"], told["elsewhere"]) == ([], None)


async def test_a_photo_far_from_the_target_by_a_phone_with_another_clock(client, it, noon):
    await (await calls.arrive(it)).made(client)
    token = await trust_make.token(client, it.inspector, noon - HOUR, noon - HOUR - 2 * DAY, HOUR)
    file = await trust_make.taken(client, it, 0, position=trust_make.position(4200), source="gallery", capture=token)
    await trust_make.read(file, exif_at=noon - 400 * DAY, exif_zone_known=True, software="Photoshop", traces=["editor"])
    told = await report(client, it.staff, file)
    assert told["level"] == "contradicts" and told["sentence"] == "有的情况相互不一致，请核实"
    not_fitting = {check: level for check, level in levels(told).items() if level != "fits"}
    assert not_fitting == {
        "target_distance": "contradicts",
        "arrival_distance": "contradicts",
        "clock": "contradicts",
        "clock_jump": "contradicts",
        "exif_time": "contradicts",
        "source": "unclear",
        "edited": "unclear",
    }
    assert said(told, "target_distance") == "拍摄位置距目标 4.2 公里，超出 500 米范围（定位精度 12 米）"
    assert said(told, "clock") == "手机时间比服务器慢 2 天"
    values = {check["check"]: (check["value"], check["unit"]) for check in told["checks"]}
    assert values["clock"] == (-172_800.0, "s") and values["target_distance"][0] == pytest.approx(4200, abs=5)


async def test_the_report_is_told_in_english_to_who_asks_for_it(client, it):
    file = await trust_make.taken(client, it, 0)
    told = (await trust_make.shown(client, it.staff, file, **{"Accept-Language": "en-GB,en"}))["report"]
    assert told["sentence"] == "Some points cannot be compared; please judge by what you know"
    assert told["checks"][0]["name"] == "Distance to the target"


async def test_the_same_photo_in_two_counties_is_told_with_where_when_and_by_whom(client, it, noon):
    with clock.frozen(noon - 40 * DAY):
        qingyuan = await trust_make.elsewhere(it)
        first = await trust_make.taken(client, it, 5, visit=qingyuan, position=None)
    file = await trust_make.taken(client, it, 5)
    told = await report(client, it.staff, file)
    assert levels(told)["seen_before"] == "contradicts" and told["elsewhere"] is None
    finding = (await raw("SELECT finding FROM finding_evidence WHERE evidence = $1", first))[0]["finding"]
    assert told["uses"] == [
        {
            "evidence": str(first), "likeness": "exact", "earlier": True, "at": "2026-10-15T04:00:00Z",
            "by_name": "督查员王", "kind": "finding", "place": "红透山镇",
            "link": f"/api/visits/{qingyuan}/findings/{finding}",
        }
    ]  # fmt: skip
    assert (await client.get(told["uses"][0]["link"], headers=await make.signed_in(it.staff))).status_code == 200
    # The first use is not to blame for the second, and both are told of it.
    of_first = await report(client, it.staff, first)
    assert levels(of_first)["seen_before"] == "fits" and [use["earlier"] for use in of_first["uses"]] == [False]


async def test_two_photos_of_one_finding_are_one_lot_and_two_findings_of_one_visit_may_share_one(client, it, noon):
    content = make.photo(6)
    lines = [trust_make.line(content), trust_make.line(content)]
    with clock.frozen(noon - HOUR):
        await trust_make.filed(client, it, lines)
        files = [await trust_make.send(client, it.inspector, told, content) for told in lines]
    assert levels(await report(client, it.staff, files[1]))["seen_before"] == "fits"
    third = await report(client, it.staff, await trust_make.taken(client, it, 6))
    assert levels(third)["seen_before"] == "unclear"
    assert said(third, "seen_before") == "同一张照片在本事项或本次检查中已用过 2 次"


async def test_a_before_photo_handed_in_as_an_after_photo(client, it, noon):
    with clock.frozen(noon - 7 * DAY):
        item = await make.rectification(it, Status.working)
        before = (await raw("SELECT evidence AS id FROM finding_evidence WHERE finding = $1", item))[0]
        await trust_make.send(client, it.inspector, before, make.photo(0))
    call = await calls.by(it.handler, "POST", f"/api/rectifications/{item}/hand-ins")
    lines = [
        trust_make.line(make.photo(0)),
        trust_make.line(make.photo(3), captured_at=(noon - 8 * DAY).isoformat()),
        trust_make.line(make.photo(4), position=trust_make.position(5000)),
    ]
    call.body = {
        "id": str(uuid7()), "note": "管网已修复。", "finished_on": "2026-11-23", "similar_sweep": "",
        "confirmed_by": "钱局长", "evidence": lines,
    }  # fmt: skip
    assert (await call.made(client)).status_code == 201
    files = [
        await trust_make.send(client, it.handler, told, make.photo(number))
        for told, number in zip(lines, (0, 3, 4), strict=True)
    ]
    same, older, far = [levels(await report(client, it.reviewer, file)) for file in files]
    assert (same["before_as_after"], same["seen_before"], same["after_finding"]) == ("contradicts", "fits", "fits")
    assert (older["before_as_after"], older["after_finding"]) == ("fits", "contradicts")
    assert (far["target_distance"], far["before_as_after"]) == ("contradicts", "fits")
    assert "arrival_distance" not in far  # units record no arrival
    # Counted over the hand-in, beside the finding's own.
    answer = await client.get(f"/api/rectifications/{item}/evidence", headers=await make.signed_in(it.reviewer))
    records = {record["kind"]: record for record in answer.json()["items"]}
    trust = records["hand_in"]["trust"]
    counts = {it["check"]: (it["level"], it["fits"], it["unclear"], it["contradicts"]) for it in trust["checks"]}
    assert (trust["level"], trust["files"], set(records["hand_in"]["files"])) == ("contradicts", 3, {*map(str, files)})
    assert counts["before_as_after"] == ("contradicts", 2, 0, 1) and counts["after_finding"] == ("contradicts", 2, 0, 1)
    assert counts["clock"] == ("unclear", 0, 3, 0)
    assert (records["finding"]["files"], records["finding"]["trust"]["files"]) == ([str(before["id"])], 1)


def jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


async def test_an_edited_copy_is_noticed_by_what_it_looks_like(client, it, noon):
    picture = scene("village", 4).resize((640, 480))
    original = jpeg(picture, 92)
    copy = jpeg(ImageEnhance.Brightness(picture.crop((8, 6, 632, 474)).resize((600, 450))).enhance(1.1), 70)
    with clock.frozen(noon - 7 * DAY):
        first = trust_make.line(original)
        await trust_make.filed(client, it, [first], visit=await trust_make.elsewhere(it))
        await trust_make.send(client, it.inspector, first, original)
    second = trust_make.line(copy)
    await trust_make.filed(client, it, [second])
    file = await trust_make.send(client, it.inspector, second, copy)
    for one in (UUID(first["id"]), file):
        await jobs.prepare(one)  # decoded in the real child, which tells what it looks like
    told = await report(client, it.staff, file)
    assert levels(told)["seen_before"] == "unclear" and said(told, "seen_before") == "此前有 1 张十分相似的照片"
    assert [(use["evidence"], use["likeness"], use["place"]) for use in told["uses"]] == [
        (first["id"], "near", "红透山镇")
    ]


async def test_a_finding_counts_its_photos_and_a_list_of_findings_does_not(client, it):
    content = make.photo(1)
    lines = [trust_make.line(content), trust_make.line(make.photo(2), position=trust_make.position(9000))]
    finding = await trust_make.filed(client, it, lines)
    path = f"/api/visits/{it.visit}/findings"
    office = await make.signed_in(it.staff)
    trust = (await client.get(f"{path}/{finding}", headers=office)).json()["trust"]
    assert (trust["level"], trust["files"]) == ("contradicts", 2)
    distance = next(check for check in trust["checks"] if check["check"] == "target_distance")
    assert distance == {
        "check": "target_distance", "name": "与目标的距离", "level": "contradicts", "fits": 1, "unclear": 0,
        "contradicts": 1,
    }  # fmt: skip
    assert "trust" not in (await client.get(path, headers=office)).json()["items"][0]
    own = await make.signed_in(it.inspector)
    assert (await client.get(f"{path}/{finding}", headers=own)).json()["trust"] is None


async def test_a_person_in_two_places_and_a_phone_that_counts_backwards(client, it, noon):
    tokens = [
        await trust_make.token(client, it.inspector, noon - HOUR, noon - HOUR, HOUR, counter) for counter in (40, 39)
    ]
    with clock.frozen(noon - 5 * MINUTE):
        await trust_make.taken(client, it, 1, position=trust_make.position(-50_000), capture=tokens[0])
    second = await trust_make.taken(client, it, 2, capture=tokens[1])
    told = await report(client, it.staff, second)
    assert (levels(told)["speed"], levels(told)["counter"]) == ("contradicts", "unclear")
    assert "合每小时 600 公里" in said(told, "speed")


async def test_the_same_coordinates_day_after_day(client, it, noon):
    for days in range(5, 0, -1):
        with clock.frozen(noon - days * DAY):
            await trust_make.taken(client, it, days)
    told = await report(client, it.staff, await trust_make.taken(client, it, 9))
    assert levels(told)["repeated_place"] == "contradicts"
    assert said(told, "repeated_place").startswith("另有 5 次拍摄的坐标与此完全相同")


async def statements(client, path: str, headers: dict[str, str]) -> int:
    heard: list[str] = []
    async with db.DB.pool.acquire() as connection:
        connection.add_query_logger(note := lambda record: heard.append(record.query))
    assert (await client.get(path, headers=headers)).status_code == 200
    async with db.DB.pool.acquire() as connection:
        connection.remove_query_logger(note)
    return len(heard)


async def test_thirty_photos_cost_no_more_statements_than_one(client, it, noon):
    qingyuan = await trust_make.elsewhere(it)
    with clock.frozen(noon - DAY):
        for number in (0, 1):
            await trust_make.taken(client, it, number, visit=qingyuan)
    one = await trust_make.filed(client, it, [trust_make.line(make.photo(0))])
    many = await trust_make.filed(client, it, [trust_make.line(make.photo(number)) for number in range(30)])
    await raw("UPDATE evidence SET state = 'received', received_at = declared_at")
    headers = await make.signed_in(it.staff)
    path = f"/api/visits/{it.visit}/findings"
    once = await statements(client, f"{path}/{one}", headers)
    assert await statements(client, f"{path}/{many}", headers) <= once <= 20
    file = (await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", one))[0]["evidence"]
    assert await statements(client, f"/api/evidence/{file}", headers) <= 20


async def test_files_without_a_place_a_time_or_bytes_contradict_nothing(client, it):
    told = {**make.manifest_line(make.photo(3)), "captured_at": None, "position": None, "source": "unknown"}
    await trust_make.filed(client, it, [told])
    shown = await report(client, it.staff, UUID(told["id"]))
    assert set(levels(shown).values()) == {"unclear"} and "seen_before" not in levels(shown)
