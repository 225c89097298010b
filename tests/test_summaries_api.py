"""Who reads which part of a month's summary, as JSON, workbook and paper."""

import io
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient, Response
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from backend import clock
from backend.db import raw
from backend.papers.text import MAY_BREAK
from backend.roles import Actor, Role
from notifications.summaries import cli, verifying
from notifications.summaries.words import Kind
from tasks.monthly import queries as monthly
from tests import make, monthly_make, summaries_make
from tests.conftest import Tables, empty
from tests.monthly_make import at
from tests.summaries_make import City, ensure

PATH = "/api/summaries/2026-11"
FORMULA = '=HYPERLINK("http://x","点我")'


# Not the `fresh` database of one test: the month stays for this whole file; the last two tests spoil it.
@pytest.fixture(scope="module")
async def c(tables: Tables) -> AsyncIterator[City]:
    """November frozen, with two gaps, two items handed over, and one supplement."""
    c = await summaries_make.city(date(2026, 11, 1))
    await ensure(at(11, 1))
    with clock.frozen(at(11, 10)):
        await c.checks("2026-11", {("市卫健委", make.XINBIN), ("市教育局", make.XINBIN)})
        record = await c.check("2026-11", "市水务局", make.XINBIN, found_count=3)
        await c.item(date(2026, 11, 14), hand_over=record, facts=FORMULA)
        await c.item(date(2026, 11, 30), hand_over=record, region=make.QINGYUAN)
    await ensure(at(11, 16, 0, 10))
    with clock.frozen(at(11, 16, 10)):
        await c.check("2026-11", "市卫健委", make.XINBIN, finished_at=at(11, 14))
    await ensure(at(11, 17, 0, 10))
    yield c
    await empty(tables)
    make.forget()


@pytest.fixture
async def client(app, c: City) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://duban.test") as http:
        yield http


async def asked(client: AsyncClient, person: Actor, path: str = PATH) -> Response:
    with clock.frozen(at(11, 18)):
        return await client.get(path, headers=await make.signed_in(person))


async def told(client: AsyncClient, person: Actor, path: str = PATH) -> dict[str, Any]:
    answer = await asked(client, person, path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_ladder(client: AsyncClient, c: City) -> None:
    nobody = await make.person("管理员", Role.sys_admin, at=await make.unit("市扶贫办", area=make.FUSHUN))
    elsewhere = await make.person("外县领导", Role.leader_viewer, at=await make.unit("某乡", area=make.SHANGJIAHE))
    for path in (PATH, f"{PATH}.xlsx", f"{PATH}.pdf", f"{PATH}/verification"):
        assert (await client.get(path)).status_code == 401
        for person in (nobody, c.it.inspector):
            assert (await asked(client, person, path)).status_code == 404, (path, person.name)
    for wrong in ("2026-13", "2020-01", "2026-11.docx", "november", "2026-11-15"):
        assert (await asked(client, c.leader, f"/api/summaries/{wrong}")).status_code == 404, wrong
    assert (await asked(client, c.leader, f"{PATH}?of=x")).status_code == 400
    assert (await asked(client, c.leader, f"{PATH}?rule=x")).status_code == 400
    assert (await asked(client, elsewhere)).status_code == 404


async def test_leaders_office_and_lead_units_read_the_whole(client: AsyncClient, c: City) -> None:
    for person in (c.leader, c.rule.staff, c.reviewer, c.it.reviewer):
        it = await told(client, person)
        assert it["whole"] and len(it["summary"]["cells"]) == 56 and len(it["sha256"]) == 64, person.name
        assert it["summary"]["counts"]["missing"] == 2 and len(it["supplements"]) == 1
    facts = [line["facts"] for line in (await told(client, c.leader))["summary"]["handed_over"]]
    assert facts == [FORMULA, "饮水管网冻裂，三户无水。"]
    agriculture = (await told(client, c.reviewer))["summary"]["handed_over"]
    assert [line["facts"] for line in agriculture] == [None, None], "what it does not see of an item it is not told"
    water = (await told(client, c.it.reviewer))["summary"]["handed_over"]
    assert [line["facts"] for line in water] == facts


async def test_a_county_reads_its_column_and_nothing_of_others(client: AsyncClient, c: City) -> None:
    for person in (c.county_head, c.it.handler):
        it = await told(client, person)
        summary, text = it["summary"], (await asked(client, person)).text
        assert not it["whole"] and {cell["region"] for cell in summary["cells"]} == {make.XINBIN}
        assert [region["code"] for region in summary["regions"]] == [make.XINBIN]
        assert (summary["counts"]["cells"], summary["counts"]["missing"]) == (8, 2)
        assert summary["items"] == summary["regions"][0]["items"] and summary["candidates"] == []
        assert [line["region"] for line in summary["handed_over"]] == [make.XINBIN]
        assert make.PLACES[make.QINGYUAN][1] not in text and "抚顺县" not in text
        (late,) = it["supplements"]
        assert [line["region"] for line in late["supplement"]["lines"]] == [make.XINBIN]
        assert late["text"] == (
            f"11月16日，市卫健委补报了对{make.PLACES[make.XINBIN][1]}的检查记录（检查在14日，记录16日送达），"
            "由未完成变为逾期完成。"
        )
    qingyuan = await make.person("清原县长", Role.leader_viewer, at=c.rule.units[make.QINGYUAN])
    assert (await told(client, qingyuan))["supplements"] == [], "what concerns another county is not told"
    assert (await told(client, c.county_head, f"{PATH}/verification"))["items"] == []


async def test_before_the_freeze_there_is_the_preview_of_this_moment(client: AsyncClient, c: City) -> None:
    with clock.frozen(at(12, 3)):
        headers = await make.signed_in(c.leader)
        await ensure(at(12, 3))
        it = (await client.get("/api/summaries/2026-12", headers=headers)).json()
        assert (it["summary"]["kind"], it["sha256"], it["summary"]["counts"]["not_started"]) == ("preview", None, 56)
        assert (await client.get("/api/summaries/2026-12?of=frozen", headers=headers)).status_code == 404
        for kind in ("pdf", "xlsx"):
            assert (await client.get(f"/api/summaries/2026-12.{kind}", headers=headers)).status_code == 200


async def test_months_are_listed_newest_first(client: AsyncClient, c: City) -> None:
    page = await told(client, c.leader, "/api/summaries?limit=1")
    assert [(it["kind"], it["number"], it["month"]) for it in page["items"]] == [("supplement", 1, "2026-11")]
    rest = await told(client, c.leader, f"/api/summaries?limit=5&cursor={page['next']}")
    assert [it["kind"] for it in rest["items"]] == ["frozen"] and rest["next"] is None
    assert (await told(client, c.it.inspector, "/api/summaries"))["items"] == []
    for person in (c.reviewer, c.county_head):
        kinds = [it["kind"] for it in (await told(client, person, "/api/summaries"))["items"]]
        assert kinds == ["supplement", "frozen"], person.name
    qingyuan = await make.person("清原县长", Role.leader_viewer, at=c.rule.units[make.QINGYUAN])
    (only,) = (await told(client, qingyuan, "/api/summaries"))["items"]
    assert only["kind"] == "frozen", "a supplement about another county is not even listed"


async def test_what_was_kept_is_read_by_itself(client: AsyncClient, c: City) -> None:
    supplement, frozen = (await told(client, c.leader, "/api/summaries"))["items"]
    it = await told(client, c.leader, f"/api/summaries/kept/{frozen['id']}")
    assert (it["sha256"], it["summary"]["kind"], it["supplements"]) == (frozen["sha256"], "frozen", [])
    path = f"/api/summaries/kept/{supplement['id']}"
    assert (await told(client, c.county_head, path))["summary"]["supplement"]["lines"]
    qingyuan = await make.person("清原副县长", Role.leader_viewer, at=c.rule.units[make.QINGYUAN])
    for person in (qingyuan, c.it.inspector):
        assert (await asked(client, person, path)).status_code == 404, person.name
    assert (await asked(client, c.leader, f"/api/summaries/kept/{c.rule.rule}")).status_code == 404


async def test_what_was_kept_comes_out_again(client: AsyncClient, c: City) -> None:
    items = (await told(client, c.leader, f"{PATH}/verification"))["items"]
    assert [(it["kind"], it["number"], it["intact"], it["same"], it["early"]) for it in items] == [
        ("frozen", 0, True, True, False), ("supplement", 1, True, True, False)
    ]  # fmt: skip


async def test_the_workbook_opens_with_numbers_dates_and_texts_that_stay_texts(client: AsyncClient, c: City) -> None:
    answer = await asked(client, c.leader, f"{PATH}.xlsx")
    assert "filename*=UTF-8''2026" in answer.headers["content-disposition"]
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert book.sheet_names == ["总表矩阵", "分部门", "分县区", "检查汇总", "问题明细", "未完成", "补充"]
    rows = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    matrix = rows["总表矩阵"]
    assert matrix[0][0] == "2026年11月检查汇总（定稿）" and matrix[1][0] == "牵头部门"
    assert [row[0] for row in matrix[2:10]] == list(monthly_make.DEPARTMENTS)
    assert matrix[10][:2] == ["发现问题合计", 16.0] and "SHA-256" in "".join(str(row[0]) for row in matrix[11:])
    water = dict(zip(rows["分部门"][1], rows["分部门"][9], strict=True))
    assert (water["牵头部门"], water["应检查"], water["发现问题"], water["交办逾期"]) == ("市水务局", 7.0, 17.0, 1.0)
    total = dict(zip(rows["分县区"][1], rows["分县区"][9], strict=True))
    assert (total["县区"], total["本期应结"], total["结案率"]) == ("合计", 1.0, 0.0)
    first = dict(zip(rows["问题明细"][1], rows["问题明细"][2], strict=True))
    assert (first["问题描述"], first["整改期限"], first["是否逾期"]) == (FORMULA, date(2026, 11, 14), "是")
    assert [row[0] for row in rows["未完成"][2:4]] == ["检查未完成"] * 2
    late = dict(zip(rows["补充"][1], rows["补充"][2], strict=True))
    assert (late["内容"], late["现状态"], late["说明"]) == ("补报", "逾期完成", "检查在14日，记录16日送达")
    assert (await asked(client, c.leader, f"{PATH}.xlsx")).content == answer.content, "the same bytes again"
    assert b"<f>" not in answer.content


async def test_the_paper_says_it_on_one_look_with_its_hash(client: AsyncClient, c: City) -> None:
    answer = await asked(client, c.leader, f"{PATH}.pdf")
    pages = [page.extract_text().replace(MAY_BREAK, "") for page in PdfReader(io.BytesIO(answer.content)).pages]
    first = "".join(pages[0].split())
    for words in ("2026年11月检查汇总（定稿）", "54/56", "市卫健委：新宾满族自治县。", "数据截至11月15日24时", "第1页"):
        assert words in first, words
    sha256 = (await told(client, c.leader))["sha256"]
    assert all(f"SHA-256{sha256}" in "".join(page.split()) for page in pages)
    assert (await asked(client, c.leader, f"{PATH}.pdf")).content == answer.content
    part = await asked(client, c.county_head, f"{PATH}.pdf")
    assert "抚顺县" not in "".join(page.extract_text() for page in PdfReader(io.BytesIO(part.content)).pages)


async def test_the_command_line_says_whether_a_month_comes_out_again(
    client: AsyncClient, c: City, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["November"])
    capsys.readouterr()
    assert await cli.verified("2026-11") and not await cli.verified("2026-10")
    said = capsys.readouterr().out
    assert said.count("　一致") == 2 and "定稿" in said and "补充第1号" in said and "没有保存过" in said


async def test_bytes_that_were_tampered_with_are_found(client: AsyncClient, c: City) -> None:
    await raw("ALTER TABLE monthly_summary DISABLE TRIGGER append_only")
    try:
        await raw("UPDATE monthly_summary SET body = convert_to(replace(convert_from(body, 'UTF8'), '\"missing\":2', "
                  "'\"missing\":0'), 'UTF8') WHERE kind = 'frozen'")  # fmt: skip
    finally:
        await raw("ALTER TABLE monthly_summary ENABLE TRIGGER append_only")
    found = await verifying.of_period(await monthly.period(await c.period("2026-11")))
    assert [it.intact for it in found if it.kind == Kind.frozen] == [False]


async def test_of_two_rules_one_is_named(client: AsyncClient, c: City) -> None:
    other = await monthly_make.rule(c.rule, title="另一项检查", valid_from=date(2026, 11, 1))
    await ensure(at(11, 18))
    answer = await asked(client, c.leader)
    assert (answer.status_code, make.problem(answer)["code"]) == (400, "rule_wanted")
    assert {it["rule"] for it in make.problem(answer)["details"]["rules"]} == {str(other), str(c.rule.rule)}
    assert (await told(client, c.leader, f"{PATH}?rule={other}"))["summary"]["rule"]["title"] == "另一项检查"
