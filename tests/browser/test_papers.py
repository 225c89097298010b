"""Papers in view on the phone: beside a decision, behind a button, kept for where there is no signal."""

import io
import re
from dataclasses import replace
from uuid import UUID

import httpx
from playwright.async_api import Page, expect
from pypdf import PdfWriter

from backend import clock
from backend.columns import uuid7
from backend.evidence.rules import MediaType
from tasks.rectifications import commands
from tasks.rectifications.item import Status
from tests import make

INK = """(canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    let dark = 0
    for (let at = 0; at < data.length; at += 4) dark += data[at] + data[at + 1] + data[at + 2] < 300 ? 1 : 0
    return dark
}"""


async def drawn(page: Page) -> None:
    """The first page stands there with something on it."""
    canvas = page.locator(".paper [data-page='1'] canvas")
    await expect(canvas).to_have_attribute("width", re.compile(r"[1-9]\d\d+$"))
    assert await canvas.evaluate(INK) > 500


async def take(id: UUID) -> int:
    """How often the case file was given out."""
    return len(await make.happened(id, "case_file_taken"))


async def test_the_second_key_is_turned_with_the_case_file_in_view(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.passed)
    phone = await browsers.phone()
    page = await phone.sign_in(it.boss, f"/items/{id}/closure")
    await drawn(page)
    await expect(page.locator(".paper .at")).to_contain_text("第 1 /")
    await expect(page.locator(".paper [data-page='1'] .unseen")).to_contain_text("饮水管网冻裂，三户无水")
    assert await take(id) == 1
    wide = await page.locator("[data-page='1']").evaluate("(sheet) => sheet.clientWidth")
    desk = page.locator(".paper .desk")
    assert await desk.evaluate("(desk) => desk.clientHeight") < 600  # the answer is not below its last page
    await desk.evaluate("(desk) => desk.scrollTo(0, desk.scrollHeight)")
    await expect(page.locator(".paper .at")).not_to_contain_text("第 1 /")
    await desk.evaluate("(desk) => desk.scrollTo(0, 0)")
    await page.get_by_role("button", name="放大").click()
    assert await page.locator("[data-page='1']").evaluate("(sheet) => sheet.clientWidth") > 1.3 * wide
    await expect(page.get_by_role("link", name="不同意：退回")).to_be_visible()
    await page.fill("[data-field=opinion] textarea", "同意销号。")
    await page.get_by_role("button", name="同意：复核销号").click()
    await expect(page.get_by_text("已复核销号")).to_be_visible()
    assert (await make.row(id))["status"] == "closed"


async def test_a_paper_opens_over_the_screen_and_again_without_a_signal(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    phone = await browsers.phone()
    page = await phone.sign_in(it.handler, f"/items/{id}")
    await page.get_by_role("button", name="查看一案一档").click()
    await drawn(page)
    async with page.expect_download() as saving:
        await page.get_by_role("button", name="下载").click()
    assert (await saving.value).suggested_filename.endswith(".pdf")
    await page.go_back()
    await expect(page.locator(".paper-sheet")).to_have_count(0)
    await expect(page.locator(".facts")).to_be_visible()
    await page.get_by_role("button", name="查看一案一档").click()
    await drawn(page)
    assert await take(id) == 1  # nothing had changed: the copy on the phone was good

    await phone.offline()
    await page.reload()
    await drawn(page)
    await expect(page.locator(".paper .notice")).to_contain_text("没有信号，这是")
    await page.get_by_role("button", name="关闭").click()
    await expect(page.locator(".paper-sheet")).to_have_count(0)


async def test_a_paper_that_was_never_read_says_so_without_a_signal(browsers):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    phone = await browsers.phone()
    page = await phone.sign_in(it.handler, f"/items/{id}")
    await expect(page.locator(".facts")).to_be_visible()
    await phone.offline()
    await page.get_by_role("button", name="查看一案一档").click()
    await expect(page.get_by_role("alert")).to_contain_text("还没有存到手机里")
    await phone.online()
    await page.get_by_role("button", name="再试一次").click()
    await drawn(page)


async def test_a_report_handed_in_as_a_pdf_opens_beside_the_photos(browsers, address):
    it = await make.cast()
    id = await make.rectification(it, Status.working)
    paper = PdfWriter()
    paper.add_blank_page(595, 842)
    paper.write(out := io.BytesIO())
    photo = make.declaration(make.photo(1))
    report = replace(make.declaration(out.getvalue()), media_type=MediaType.pdf)
    await commands.hand_in(
        id, it.handler, id=uuid7(), note="管网已修复。", finished_on=clock.today(), similar_sweep="",
        confirmed_by="钱局长", manifest=[photo, report],
    )  # fmt: skip
    await make.receive(photo)
    async with httpx.AsyncClient(base_url=address, headers=await make.signed_in(it.handler)) as client:
        sent = await client.put(
            f"/api/evidence/{report.id}", content=out.getvalue(), headers={"content-type": "application/pdf"}
        )
        assert sent.is_success, sent.text
    phone = await browsers.phone()
    page = await phone.sign_in(it.reviewer, f"/items/{id}")
    await expect(page.get_by_role("button", name="整改后 1/1")).to_be_visible()
    await page.get_by_role("button", name="佐证材料 1（PDF）").click()
    await expect(page.locator(".paper .at")).to_have_text("第 1 / 1 页")


async def test_a_summary_that_is_not_there_yet_is_said(browsers):
    it = await make.cast()
    phone = await browsers.phone()
    page = await phone.sign_in(it.leader, "/lead")
    await page.get_by_role("button", name="通报").click()
    await expect(page.get_by_role("alert")).to_contain_text("还没有定稿")
