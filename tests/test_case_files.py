"""The case file: what must stand in it, every hash of it, who gets it and who does not, and that it is recorded."""

import hashlib
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import unquote
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

import pytest
from httpx import Response
from pypdf import PdfReader

from backend import clock
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import jobs, receiving
from backend.evidence.rules import Declaration, MediaType, State
from backend.papers.text import MAY_BREAK
from backend.roles import SYSTEM, Actor, Role
from inspections.findings import commands as findings
from inspections.findings.queries import as_filed
from inspections.findings.rules import ClosingClass, NonImplementation, Severity
from tasks.case_files import wording
from tasks.rectifications import (
    commands,
    drafting,
    extensions,
    hanging,
    looking_back,
    measures,
    objections,
    publicity,
    told,
)
from tasks.rectifications.item import Status
from tasks.rectifications.words import (
    Answer,
    CheckResult,
    Ground,
    HangReason,
    LookBackResult,
    MeasureState,
    ReturnReason,
    Source,
    UnitRole,
)
from tests import make
from tests.make import Cast
from tests.recordings import recording

KINDS = ("pdf", "zip")


def words(response: Response) -> str:
    """The text of a PDF without the spaces, line ends and places to break of its layout."""
    pages = PdfReader(io.BytesIO(response.content)).pages
    return "".join("".join(page.extract_text() for page in pages).replace(MAY_BREAK, "").split())


def opened(response: Response) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


async def send(line: Declaration, content: bytes, actor: Actor) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    await receiving.receive(line.id, actor, len(content), chunks())
    await jobs.prepare(line.id)


async def filed(it: Cast, photos: list[bytes], **said: Any) -> tuple[UUID, list[Declaration]]:
    """A finding with these photos declared, made an item; none has arrived."""
    id, lines = uuid7(), [make.declaration(photo) for photo in photos]
    await findings.file(it.visit, it.inspector, make.filing(it, **said), id=id, manifest=lines)
    [found] = await as_filed([id])
    await commands.draft_from_finding(found, SYSTEM, source=Source.unannounced)
    return id, lines


async def handed_in(it: Cast, id: UUID, photos: list[bytes]) -> None:
    lines = [make.declaration(photo) for photo in photos]
    await commands.hand_in(
        id, it.handler, id=uuid7(), note="管网已修复。", finished_on=clock.today(), similar_sweep="全镇已排查。",
        confirmed_by="钱局长", manifest=lines,
    )  # fmt: skip
    for line, photo in zip(lines, photos, strict=True):
        await send(line, photo, it.handler)


async def a_case(it: Cast) -> UUID:
    """An item sent back once and cleared: three photos before, one of them not there yet, two and one after."""
    before = [make.photo(number, size=(640, 480)) for number in range(3)]
    id, lines = await filed(it, before)
    for line, photo in list(zip(lines, before, strict=True))[:2]:
        await send(line, photo, it.inspector)
    await commands.issue(id, it.staff, asks="入冬前完成。")
    with clock.frozen(make.at(clock.now(), hours=1)):
        await make._acknowledge(it, id)
        await handed_in(it, id, [make.photo(10, size=(480, 640)), make.photo(11)])
    with clock.frozen(make.at(clock.now(), hours=2)):
        reason = ReturnReason.evidence_missing
        await commands.send_back(id, it.reviewer, id=uuid7(), reason_code=reason, note="看不清水表。")
        await handed_in(it, id, [make.photo(12)])
    with clock.frozen(make.at(clock.now(), hours=3)):
        await make._pass(it, id)
        await make.checked(it, id)
        await make._close(it, id)
    return id


async def taken(client: Any, actor: Actor, id: UUID, kind: str, **more: str) -> Response:
    headers = {**await make.signed_in(actor), **more}
    return await client.get(f"/api/rectifications/{id}/case-file.{kind}", headers=headers)


async def records(id: UUID) -> list[dict[str, Any]]:
    rows = await raw("SELECT payload FROM event WHERE verb = 'rectification.case_file_taken' AND subject = $1", id)
    return [json.loads(row["payload"]) for row in rows]


async def test_the_pdf_tells_the_whole_case(client, noon):
    it = await make.cast()
    id = await a_case(it)
    response = await taken(client, it.leader, id, "pdf")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf")
    said = words(response)
    number = f"ZG-210422-{noon:%Y%m%d}-0001"
    for expected in (
        "一案一档", number, "已销号", "饮水安全", "一般，限期整改", "四不两直", "腰站村，村部东侧",
        "责任单位新宾县水务局", "牵头单位市水务局", "整改期限2026年12月9日", "次数退回1次",
        "整改前照片3张，已送达2张", "第1次整改后照片2张，已送达2张", "第2次整改后照片1张，已送达1张",
        "打印市领导陈，2026年11月24日", "登记人督查员王", "饮水管网冻裂，三户无水。", "修复管网并回访。",
        "北纬41.80010°，东经124.90020°，误差12米（手机上报，WGS-84）", "未经核验", "入冬前完成。",
        "赵经办，138****5678", "管网已修复。", "举一反三全镇已排查。", "整改前后对照", "佐证不足：看不清水表。",
        "督查办负责人", "状态：初审通过→已销号", "佐证材料送达2件", "未送达", "同意销号。", "归档人（签字）",
        "现场核查照片1张，已送达0张", "核查人员督查员王（到场）、组长刘（到场）", "结论核查通过", "核1-1",
    ):  # fmt: skip
        assert expected in said, expected
    assert "13812345678" not in said
    for row in await raw("SELECT sha256 FROM evidence"):
        assert row["sha256"] in said
    pages = PdfReader(io.BytesIO(response.content)).pages
    assert len(pages) == int(re.search(r"本卷共(\d+)页", said)[1])  # type: ignore[index]
    assert sum(len(page.images) for page in pages) == 2 + 2 * 2 + 2  # each after-photo has one of before beside it


async def test_the_zip_holds_what_its_manifest_says_to_the_last_byte(client, noon):
    it = await make.cast()
    id = await a_case(it)
    response = await taken(client, it.boss, id, "zip")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip")
    assert int(response.headers["content-length"]) == len(response.content)
    members = opened(response)
    manifest = json.loads(members.pop("manifest.json"))
    assert [line["name"] for line in manifest["members"]] == sorted(members) == list(members)
    for line in manifest["members"]:
        content = members[line["name"]]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (line["size"], line["sha256"])
    rows = {row["id"]: row for row in await raw("SELECT id, sha256, size, state FROM evidence")}
    assert (manifest["declared"], manifest["arrived"]) == (7, 5) and len(manifest["originals"]) == 7
    for original in manifest["originals"]:
        row = rows[UUID(original["evidence"])]
        assert (original["sha256"], original["size"], original["state"]) == (row["sha256"], row["size"], row["state"])
        assert (original["copy"] is None) == (row["state"] != State.ready)
    copies = {original["copy"] for original in manifest["originals"]} - {None}
    assert copies == {name for name in members if name.startswith("photos/")} and len(copies) == 5
    assert not {hashlib.sha256(it).hexdigest() for it in members.values()} & {row["sha256"] for row in rows.values()}
    readme = members["README.txt"].decode("utf-8-sig")
    assert "整改前照片 3 张，已送达 2 张" in readme and "certutil" in readme
    with ZipFile(io.BytesIO(response.content)) as archive:
        assert {(info.compress_type, info.date_time) for info in archive.infolist()} == {
            (ZIP_STORED, (2026, 11, 24, 15, 0, 0))
        }


async def test_item_and_timeline_are_those_of_the_api(client, noon):
    it = await make.cast()
    id = await a_case(it)
    members = opened(await taken(client, it.boss, id, "zip"))
    headers = await make.signed_in(it.boss)
    item = (await client.get(f"/api/rectifications/{id}", headers=headers)).json()
    del item["moves"]
    assert json.loads(members["item.json"]) == item
    story = (await client.get(f"/api/rectifications/{id}/timeline", headers=headers)).json()
    assert json.loads(members["timeline.json"])["items"] == story["items"]
    assert "13812345678" not in members["item.json"].decode() + members["timeline.json"].decode()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_case_gives_the_same_bytes_and_is_known_by_its_etag(client, noon, kind):
    it = await make.cast()
    id = await make.rectification(it, Status.issued)
    first, again = await taken(client, it.staff, id, kind), await taken(client, it.staff, id, kind)
    assert first.content == again.content and first.headers["etag"] == again.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    known = first.headers["etag"]
    for tags in (known, f"W/{known}", f'"other", {known}', "*"):
        unchanged = await taken(client, it.staff, id, kind, **{"If-None-Match": tags})
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", known)
    assert len(await records(id)) == 2
    assert (await taken(client, it.boss, id, kind, **{"If-None-Match": known})).status_code == 200
    with clock.frozen(make.at(noon, days=1)):
        assert (await taken(client, it.staff, id, kind, **{"If-None-Match": known})).status_code == 200
    await make._acknowledge(it, id)
    assert (await taken(client, it.staff, id, kind, **{"If-None-Match": known})).status_code == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_who_does_not_see_the_item_gets_no_file_and_no_hint(client, noon, kind):
    it = await make.cast()
    id, draft = await make.rectification(it, Status.working), await make.rectification(it, Status.draft)
    assert (await client.get(f"/api/rectifications/{id}/case-file.{kind}")).status_code == 401
    for actor, item in ((it.stranger, id), (it.handler, draft), (it.boss, uuid7())):
        refused = await taken(client, actor, item, kind, **{"If-None-Match": "*"})
        assert (refused.status_code, make.problem(refused)["code"]) == (404, "not_found")
    assert await records(id) == await records(draft) == []
    assert (await taken(client, it.handler, id, kind)).status_code == 200


async def test_taking_it_is_recorded_with_its_hash_and_is_no_part_of_the_story(client, noon):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    before = (await client.get(f"/api/rectifications/{id}/timeline", headers=await make.signed_in(it.boss))).json()
    responses = [await taken(client, it.handler, id, kind) for kind in KINDS]
    assert [(line["kind"], line["by"], line["size"], line["sha256"]) for line in await records(id)] == [
        (kind, "经办赵", len(response.content), hashlib.sha256(response.content).hexdigest())
        for kind, response in zip(KINDS, responses, strict=True)
    ]
    after = (await client.get(f"/api/rectifications/{id}/timeline", headers=await make.signed_in(it.boss))).json()
    assert after == before


async def test_it_is_saved_under_a_chinese_name(client, noon):
    it = await make.cast()
    issued, draft = await make.rectification(it, Status.issued), await make.rectification(it, Status.draft)
    number = f"ZG-210422-{noon:%Y%m%d}-0001"
    header = (await taken(client, it.boss, issued, "pdf")).headers["content-disposition"]
    assert header.startswith(f"attachment; filename=\"case-file-{number}.pdf\"; filename*=UTF-8''")
    assert unquote(header.split("''")[1]) == f"整改事项卷宗_{number}.pdf"
    header = (await taken(client, it.boss, draft, "zip")).headers["content-disposition"]
    assert f'filename="case-file-{draft}.zip"' in header and unquote(header).endswith("整改事项卷宗_未编号.zip")


async def test_what_people_wrote_is_printed_as_they_wrote_it(client, noon):
    it = await make.cast()
    hostile = '#set page(fill: red) $x$ *b* \\ #read("/etc/passwd") <a> @b // c {"d"}'
    id, _ = await filed(it, [make.photo()], facts=hostile + "😀\u202e", asks=hostile, place_note=hostile)
    response = await taken(client, it.boss, id, "pdf")
    said = words(response)
    assert said.count("".join(hostile.split())) == 4 and "〔U+1F600〕〔U+202E〕" in said
    members = opened(await taken(client, it.boss, id, "zip"))
    assert json.loads(members["item.json"])["facts"] == hostile + "😀\u202e"


async def test_the_longest_texts_are_printed_whole(client, noon):
    it = await make.cast()
    id, _ = await filed(it, [make.photo()], facts="冻" * 5000, asks="y" * 5000)
    said = words(await taken(client, it.boss, id, "pdf"))
    assert said.count("冻") >= 5000 and said.count("y") >= 5000


async def test_a_photo_that_cannot_be_shown_says_why(client, noon):
    it = await make.cast()
    id, [line] = await filed(it, [make.photo()])
    await raw("UPDATE evidence SET state = 'refused', refusal = 'evidence.undecodable' WHERE id = $1", line.id)
    response = await taken(client, it.boss, id, "zip")
    members = opened(response)
    assert "整改前照片 1 张，已送达 0 张，1 张不能展示" in members["README.txt"].decode("utf-8-sig")
    assert not [name for name in members if name.startswith("photos/")]
    assert "不能展示：照片无法打开" in words(await taken(client, it.boss, id, "pdf"))


async def test_recordings_films_and_papers_are_named_and_not_printed(client, noon):
    it = await make.cast()
    files = {MediaType.jpeg: make.photo(3)} | {kind: recording(kind) for kind in (MediaType.m4a, MediaType.pdf)}
    lines = [replace(make.declaration(content), media_type=kind) for kind, content in files.items()]
    id = uuid7()
    await findings.file(it.visit, it.inspector, make.filing(it), id=id, manifest=lines)
    await commands.draft_from_finding((await as_filed([id]))[0], SYSTEM, source=Source.unannounced)
    for line, content in zip(lines, files.values(), strict=True):
        await send(line, content, it.inspector)
    pdf = await taken(client, it.boss, id, "pdf")
    said = words(pdf)
    for expected in (
        "整改前照片1张，已送达1张；录音、录像、文件2件，已送达2件",
        "另有前2（录音MP4）、前3（PDF），校验值见佐证材料清单。",
        *(line.sha256 for line in lines),
    ):
        assert expected in said, expected
    assert sum(len(page.images) for page in PdfReader(io.BytesIO(pdf.content)).pages) == 1
    members = opened(await taken(client, it.boss, id, "zip"))
    assert [name for name in members if name.startswith("photos/")] == ["photos/before-01.jpg"]
    told = {
        line["name"]: (line["media_type"], line["copy"]) for line in json.loads(members["manifest.json"])["originals"]
    }
    assert told == {
        "前1": ("image/jpeg", "photos/before-01.jpg"), "前2": ("audio/mp4", None), "前3": ("application/pdf", None),
    }  # fmt: skip


async def test_a_finding_without_a_photo_says_why(client, noon):
    it = await make.cast()
    id, _ = await filed(it, [], no_evidence_reason="天黑，无法拍照。")
    said = words(await taken(client, it.boss, id, "pdf"))
    assert "无照片的原因天黑，无法拍照。" in said and "六、佐证材料清单无。" in said


async def test_everything_that_happened_on_the_way_is_printed(client, noon):
    it = await make.cast()
    id = await make.rectification(it, Status.issued, severity=Severity.grave)
    await objections.decline(id, await make.objection(it, id), it.boss, note="职责明确，继续整改。")
    await make._acknowledge(it, id)
    await extensions.grant(id, await make.extension(it, id), it.staff, opinion="同意延期。")
    with clock.frozen(make.at(noon, hours=1)):
        await make._hang(it, id)
    with clock.frozen(make.at(noon, hours=2)):
        await hanging.resume(id, it.staff, id=uuid7(), note="已解冻。", due_on=clock.today() + timedelta(days=60))
        await measures.finish(id, await make.measure(it.handler, id), it.handler, note="已更换60米。")
        await make._hand_in(it, id)
        await make._pass(it, id)
        asked = await make.public_objection(it, id)
        await publicity.decline_objection(id, asked, it.staff, note="经核实水压正常。")
        await make.checked(it, id)
    with clock.frozen(make.at(noon, days=10)):
        await make._close(it, id)
    with clock.frozen(make.at(noon, days=90)):
        photos = [[make.declaration(make.photo(number))] for number in (30, 31)]
        rebounded = LookBackResult.rebounded
        await looking_back.look_back(id, it.staff, id=uuid7(), result=rebounded, note="又冻裂。", manifest=photos[0])
        due = clock.today() + timedelta(days=20)
        await looking_back.reopen(id, it.boss, id=uuid7(), note="反弹。", due_on=due, manifest=photos[1])
        response = await taken(client, it.boss, id, "pdf")
    said = words(response)
    for expected in (
        "异议（第1次）提出单位新宾县水务局提出人局长钱", "理由不属职责", "结果不成立", "职责明确，继续整改。",
        "延期（第1次）申请单位新宾县水务局", "申请延至2026年12月25日", "结果准予延期", "同意延期。",
        "原因季节原因：冻土期。文件抚督〔2026〕9号", "解除说明已解冻。", "现场核查（第1次）", "结论核查通过",
        "更换冻裂管段。（新宾县水务局）已完成已更换60米。经办赵",
        "公示内容腰站村饮水管网已修复。", "公示异议登记人督查办周", "有人反映水压不足。", "经核实水压正常。",
        "回头看（第1次）", "结果反弹", "反弹重开（第1次）", "回头看照片1张，已送达0张", "重开照片1张",
        "次数延期1次，重开1次", "状态：已销号→整改中", "原因：季节原因", "挂账状态：整改中→挂账",
    ):  # fmt: skip
        assert expected in said, expected
    manifest = json.loads(opened(await taken(client, it.boss, id, "zip"))["manifest.json"])
    names = [original["name"] for original in manifest["originals"]]
    assert names == ["前1", "后1-1", "核1-1", "看1-1", "开1-1"]


async def test_the_unit_takes_no_check_away_before_it_is_concluded(client, noon):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    await make.site_check(it, id)
    for kind in KINDS:
        ours, theirs = await taken(client, it.staff, id, kind), await taken(client, it.handler, id, kind)
        told = [words(file) if kind == "pdf" else str(opened(file)) for file in (ours, theirs)]
        found = ["指派现场核查" in it or "check_assigned" in it or "现场核查（" in it for it in told]
        assert found == [True, False], kind


async def test_an_item_from_a_paper_says_where_it_comes_from(client, noon):
    it = await make.cast()
    id, line = uuid7(), make.declaration(make.photo())
    units = {UnitRole.responsible: frozenset({it.responsible})}
    said = drafting.Draft(
        source=Source.paper, topic="0304", facts="饮水工程未验收。", region=make.YAOZHAN, units=units,
        found_where="抚脱贫发〔2020〕3号第四条",
    )  # fmt: skip
    await drafting.draft(it.staff, said, id=id, manifest=[line])
    found = words(await taken(client, it.staff, id, "pdf"))
    for expected in ("出处抚脱贫发〔2020〕3号第四条", "饮水工程未验收。", "整改前照片1张，已送达0张", "未编号"):
        assert expected in found, expected


@pytest.mark.parametrize(
    ("names", "enum"),
    [
        (wording.STATUS, Status), (wording.SEVERITY, Severity), (wording.CLOSING_CLASS, ClosingClass),
        (wording.NON_IMPLEMENTATION, NonImplementation), (wording.UNIT_ROLE, UnitRole), (wording.SOURCE, Source),
        (wording.RETURN_REASON, ReturnReason), (wording.ROLE, Role), (wording.FILE_STATE, State),
        (wording.ANSWER, Answer), (wording.GRANTED, Answer), (wording.GROUND, Ground),
        (wording.HANG_REASON, HangReason), (wording.CHECK_RESULT, CheckResult),
        (wording.LOOK_BACK_RESULT, LookBackResult), (wording.MEASURE_STATE, MeasureState),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)  # fmt: skip
def test_every_code_has_a_word(names, enum):
    assert set(names) == set(enum)


def test_words_of_a_step_read_as_people_say_them():
    said = [
        ("status", "working", "整改中"), ("status", "dissolved", "dissolved"),
        ("due_on", "2026-12-09", "2026年12月9日"), ("percent", 40, "40%"),
        ("distance_m", 86.4, "86 米"), ("late", True, "是"), ("files", 3, "3 件"),
        ("responsible_units", ["甲局", "乙局"], "甲局、乙局"), ("responsible_units", [], "无"), ("note", "好", "好"),
        ("reason_code", "not_done", "未整改"), ("number", None, "无"),
    ]  # fmt: skip
    assert [wording.told(field, value) for field, value, _ in said] == [words for *_, words in said]
    assert "rectification.case_file_taken" in told.MACHINERY
