"""检查表 on the phone: answered without a signal as tapped, a failure leads to a finding, all of it arrives once."""

import re
from typing import Any
from uuid import UUID

from playwright.async_api import Page, expect

from backend.db import raw
from inspections.checklists import commands, queries
from inspections.checklists.rules import Conformity
from tests import checklists_make, make
from tests.browser.chromium import Phone
from tests.browser.test_filing import AT_THE_PLACE, filed, hand, shoot


async def at_the_checklist(browsers: Any) -> tuple[Any, UUID, Phone, Page]:
    it = await make.cast()
    version = await checklists_make.on_visit(it)
    phone = await browsers.phone(geolocation=AT_THE_PLACE)
    page = await phone.sign_in(it.inspector)
    await page.locator(".visit").click()
    await expect(page.locator("[data-checklist]")).to_contain_text("已答 0/3")
    return it, version, phone, page


async def tap(page: Page, answer: str) -> None:
    name = re.compile(f"^(✓ )?{answer}$")
    await page.locator(".answers").get_by_role("button", name=name).click()


async def given() -> list[Any]:
    return list(
        await raw(
            "SELECT asked.code, given.answer, given.finding, given.note FROM checklist_answer AS given "
            "JOIN checklist_question AS asked ON asked.id = given.question ORDER BY given.number"
        )
    )


async def test_answers_and_a_finding_made_offline_survive_the_death_of_the_page_and_arrive_once(browsers):
    it, _, phone, page = await at_the_checklist(browsers)
    await phone.offline()
    await page.locator("[data-checklist]").click()
    await expect(page.locator("[data-question]")).to_have_text("水龙头能正常出水吗？")
    assert await page.locator(".answers button").all_inner_texts() == ["符合", "不符合"]
    await tap(page, "不符合")
    await expect(page.locator("[data-tapped]")).to_contain_text("已存在本机")
    await page.locator("[data-file]").click()
    await shoot(page, 1)
    await expect(page.locator("[name=facts]")).to_have_value("饮水安全核查第 1 问“水龙头能正常出水吗？”不符合：")
    await expect(page.locator(".chip[aria-pressed=true]")).to_have_text("饮水安全")
    await page.fill("[name=facts]", "三户水龙头不出水。")
    await hand(page)
    await expect(page.locator("[data-finding]")).to_contain_text("等信号上传")
    await page.get_by_role("button", name="下一问").click()
    await tap(page, "不适用")
    await expect(page.locator("[data-question]")).to_have_text("管水员到岗吗？")
    await phone.kill()
    page = await phone.open(f"/visits/{it.visit}")
    await expect(page.locator("[data-checklist]")).to_contain_text("已答 2/3")
    await page.locator("[data-checklist]").click()
    await expect(page.locator("[data-question]")).to_have_text("管水员到岗吗？")
    await tap(page, "符合")
    await expect(page.locator("[data-sum]")).to_have_text("都答完了。")
    assert await given() == [] and await filed(it) == []
    await phone.go("/queue")
    await expect(page.locator("[data-answers='4']")).to_contain_text("饮水安全核查")
    await phone.online()
    await expect(page.locator("[data-sent]")).to_have_count(2)
    await expect(page.locator("[data-sent]", has_text="4 个回答")).to_contain_text("饮水安全核查")
    [found] = await filed(it)
    assert (found.facts, found.topic, found.arrived) == ("三户水龙头不出水。", "0304", 1)
    answers = [(row["code"], row["answer"], row["finding"]) for row in await given()]
    assert answers == [
        ("S1", "fails", None),
        ("S1", "fails", found.id),
        ("S2", "not_applicable", None),
        ("S3", "passes", None),
    ]
    [checklist] = (await queries.of_visits([it.visit]))[it.visit]
    assert (checklist.answered, [question.lacks for question in checklist.questions]) == (3, [False] * 3)
    await phone.go(f"/visits/{it.visit}")
    await expect(page.locator("[data-checklist]")).to_contain_text("已答 3/3")
    await expect(page.locator("[data-checklist]")).to_contain_text("不符合 1")


async def test_a_reason_stands_in_for_a_finding_and_an_answer_is_changed(browsers):
    _, _, _, page = await at_the_checklist(browsers)
    await page.locator("[data-checklist]").click()
    await tap(page, "不符合")
    await page.fill("[name=note]", "当场已修好")
    await page.get_by_role("button", name="保存原因").click()
    await page.get_by_role("button", name="下一问").click()
    await tap(page, "符合")
    await page.get_by_role("button", name="改", exact=True).click()
    await expect(page.locator("[data-question]")).to_have_text("公示了水质检测结果吗？")
    await tap(page, "不符合")
    await expect(page.locator("[data-given]")).to_contain_text("不符合 · 督查员王")
    told = [(row["code"], row["answer"], row["note"]) for row in await given()]
    assert told == [("S1", "fails", ""), ("S1", "fails", "当场已修好"), ("S2", "passes", ""), ("S2", "fails", "")]


async def test_what_a_colleague_said_otherwise_is_shown_until_it_is_settled(browsers):
    it, version, phone, page = await at_the_checklist(browsers)
    await phone.offline()
    await page.locator("[data-checklist]").click()
    await tap(page, "符合")
    otherwise = checklists_make.reply("S1", Conformity.fails, note="阀门冻住")
    await commands.answer(it.visit, version, it.lead, otherwise, id=checklists_make.uuid7())
    await phone.online()
    await page.get_by_role("button", name="上一问").click()
    differs = page.locator("[data-differs]")
    await expect(differs).to_contain_text("检查组答得不一样")
    await expect(page.locator("[data-given]")).to_be_visible()
    await tap(page, "不符合")
    await expect(page.locator("[data-given]")).to_contain_text("不符合 · 督查员王")
    await expect(differs).to_have_count(0)
    [checklist] = (await queries.of_visits([it.visit]))[it.visit]
    stands = checklist.questions[0].stands
    assert stands and (stands.answer, stands.by_name, stands.note) == ("fails", "督查员王", "阀门冻住")
    assert checklist.questions[0].differing == []
