"""What an office does with an item on the phone: issue, redirect, check, publish, hang, resume, reopen, drop."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from playwright.async_api import Page, expect

from backend import clock
from backend.db import raw
from backend.roles import Actor
from backend.screen_build import WEB
from tasks.rectifications.item import Status, Verb
from tasks.rectifications.rules import MOVES
from tasks.rectifications.who import program
from tests import make
from tests.browser.chromium import Browsers

ACTS = (WEB / "phone/items/acts.ts").read_text()


def test_every_move_of_a_person_has_a_form_on_the_phone():
    named = set(re.findall(r"'(\w+)'", " ".join(re.findall(r"verbs: \[(.*?)\]", ACTS))))
    assert {verb.value for verb in Verb if MOVES[verb].by is not program} - named == set()


async def opened(browsers: Browsers, who: Actor, id: UUID, act: str) -> Page:
    phone = await browsers.phone()
    page = await phone.sign_in(who, f"/items/{id}/{act}")
    await expect(page.locator(".act .button.primary")).to_be_visible()
    return page


async def write(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        await page.fill(f"[data-field={name}] :is(input, textarea)", value)


async def submit(page: Page, said: str) -> None:
    await page.locator(".act .button.primary").click()
    await expect(page.get_by_text(f"已{said}").first).to_be_visible()


async def pick(page: Page, field: str, *names: str) -> None:
    await page.locator(f"[data-field={field}] .button").first.click()
    for name in names:
        await page.locator(".pick-sheet[open] .line", has_text=name).click()
    if await page.locator(".pick-sheet[open]").count():
        await page.get_by_role("button", name="完成").click()


async def responsible(id: UUID) -> list[str]:
    rows = await raw(
        "SELECT name FROM rectification_unit JOIN unit ON unit.id = unit WHERE rectification = $1 "
        "AND role = 'responsible' AND ended_at IS NULL",
        id,
    )
    return [row["name"] for row in rows]


async def test_a_draft_is_issued_or_dropped(browsers):
    it = await make.cast()
    await make.second(it)
    id = await make.rectification(it, Status.draft)
    page = await opened(browsers, it.staff, id, "issue")
    await expect(page.locator("[data-field=asks] textarea")).to_have_value("修复管网并回访。")
    day = clock.today() + timedelta(days=9)
    await write(page, due_on=f"{day}", due_text="下周内办结")
    await page.get_by_label("新宾县水务局（责任）").check()
    await pick(page, "responsible_units", "新宾县住建局")
    await page.get_by_label("列入挂牌督战").check()
    await submit(page, "交办")
    row = await make.row(id)
    assert (row["status"], row["due_on"], row["listed"]) == ("issued", day, True)
    assert (row["deadline_text"], await responsible(id)) == ("下周内办结", ["新宾县住建局"])

    other = await make.rectification(it, Status.draft)
    page = await opened(browsers, it.staff, other, "dropping")
    await page.locator(".act .button.primary").click()
    await expect(page.get_by_role("alert")).to_have_text("要写明理由。")
    await write(page, note="与另一事项重复。")
    await submit(page, "撤销草稿")
    assert (await make.row(other))["status"] == "voided"


async def test_an_item_of_nobodys_duty_goes_to_another_unit(browsers):
    it = await make.cast()
    id = await make.rectification(it)
    await make.unit("新宾县住建局")
    await make.objection(it, id)
    page = await opened(browsers, it.staff, id, "objection-ruling")
    await page.get_by_label("职责异议成立，改派其他单位").check()
    await write(page, note="供水归住建。")
    await page.locator(".act .button.primary").click()
    await expect(page.get_by_role("alert")).to_have_text("要选改派的责任单位。")
    await pick(page, "to_unit", "新宾县住建局")
    await submit(page, "裁定异议")
    assert await responsible(id) == ["新宾县住建局"]


async def test_checkers_are_sent_and_the_result_is_shown_in_public(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    page = await opened(browsers, it.staff, id, "check-assignment")
    await pick(page, "checkers", "督查员王")
    await page.locator(".act .button.primary").click()
    await expect(page.get_by_role("alert")).to_have_text("核查人员至少 2 人。")
    await pick(page, "checkers", "组长刘")
    await submit(page, "指派现场核查")
    sent = await raw("SELECT name FROM site_checker JOIN person ON person.id = person ORDER BY name")
    assert {row["name"] for row in sent} == {"督查员王", "组长刘"}

    page = await opened(browsers, it.staff, id, "publicity")
    await write(page, text="腰站村饮水管网已修复。")
    await submit(page, "公示")
    page = await opened(browsers, it.staff, id, "public-objection-taken")
    await write(page, note="还有两户水压不足。")
    await submit(page, "登记公示异议")
    [taken] = await raw("SELECT * FROM public_objection")
    assert taken["note"] == "还有两户水压不足。"


async def test_what_cannot_be_done_in_winter_is_hung_and_resumed_with_the_case_in_view(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    page = await opened(browsers, it.boss, id, "hanging")
    await expect(page.locator(".in-view .paper .at")).to_contain_text("第 1 /")
    await page.get_by_label("季节").check()
    await write(page, note="冻土不能施工。", review_on=f"{clock.today() + timedelta(days=90)}", paper="抚督〔2026〕9号")
    await submit(page, "挂账")
    assert (await make.row(id))["status"] == "hung"
    page = await opened(browsers, it.boss, id, "resumption")
    await write(page, note="已解冻。", due_on=f"{clock.today() + timedelta(days=60)}")
    await submit(page, "解除挂账")
    assert (await make.row(id))["status"] == "working"


async def test_a_cleared_item_that_came_back_is_reopened(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.closed)
    page = await opened(browsers, it.boss, id, "reopening")
    await write(page, note="又漏水了。", due_on=f"{clock.today() + timedelta(days=20)}")
    await page.locator(".act .button.primary").click()
    await expect(page.get_by_role("alert")).to_contain_text("要有新的佐证")
    file: Any = {"name": "again.jpg", "mimeType": "image/jpeg", "buffer": make.photo(9, size=(640, 480))}
    await page.locator("[data-gallery]").first.set_input_files(file)
    await expect(page.locator(".photos .thumbs li")).to_have_count(1)
    await submit(page, "重开")
    assert (await make.row(id))["status"] == "working" and (await make.row(id))["reopened"] == 1
