"""The month on the phone beyond filing: exemptions asked for, decided, revoked; records corrected and withdrawn."""

from playwright.async_api import Page, expect

from backend import clock
from backend.db import raw
from backend.roles import Actor
from tasks.monthly import jobs
from tests import monthly_make
from tests.browser.chromium import Browsers


async def month() -> str:
    """The running one, begun."""
    await jobs.start_periods()
    return f"{clock.today():%Y-%m}"


async def at_the_cell(browsers: Browsers, who: Actor) -> Page:
    """The first cell of 市水务局."""
    phone = await browsers.phone()
    page = await phone.sign_in(who, f"/months/{await month()}")
    await page.locator("td button[aria-label^=水务局]").first.click()
    await expect(page.get_by_role("heading", name="检查记录")).to_be_visible()
    return page


async def step(page: Page, name: str, reason: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()
    await page.fill("[name=reason]", reason)
    await page.get_by_role("button", name=f"提交：{name}").click()
    await expect(page.get_by_text(f"已{name}。")).to_be_visible()


async def test_an_exemption_is_asked_for_granted_by_another_and_revoked(browsers):
    """On a day before the cutoff: the rule of the test ends with the month."""
    town = await monthly_make.fushun(**monthly_make.IN_FORCE, cutoff_day=31)
    page = await at_the_cell(browsers, town.reviewer)
    await page.get_by_role("button", name="申请豁免").click()
    await page.get_by_role("button", name="提交：申请豁免").click()
    await expect(page.get_by_role("alert")).to_have_text("要写明豁免理由。")
    await page.get_by_role("button", name="取消").click()
    await step(page, "申请豁免", "该区本月没有脱贫村。")
    await expect(page.locator(".cell-sheet .tag", has_text="待审批")).to_be_visible()

    office = await at_the_cell(browsers, town.boss)
    await step(office, "准予豁免", "情况属实。")
    await expect(office.locator(".cell-sheet .tag", has_text="已准予")).to_be_visible()
    [asked] = await raw("SELECT * FROM monthly_exemption")
    assert (asked["answer"], asked["decision"], asked["decided_by"]) == ("upheld", "情况属实。", town.boss.person)
    await step(office, "撤销豁免", "已有监测对象。")
    assert (await raw("SELECT revoke_reason FROM monthly_exemption"))[0]["revoke_reason"] == "已有监测对象。"


async def test_a_record_is_corrected_and_withdrawn_with_reasons(browsers):
    town = await monthly_make.fushun(**monthly_make.IN_FORCE)
    page = await at_the_cell(browsers, town.reviewer)
    await page.get_by_role("button", name="填报检查记录").click()
    await page.fill("[name=found]", "水表未安装到位。")
    await page.fill("[name=found_count]", "2")
    await page.locator(".record .button.primary").click()
    await expect(page.get_by_text("检查记录已送达。")).to_be_visible()

    await page.locator("td button[aria-label^=水务局]").first.click()
    await page.get_by_role("link", name="更正").click()
    await expect(page.locator("[name=found]")).to_have_value("水表未安装到位。")
    await page.fill("[name=found_count]", "3")
    await page.locator(".record .button.primary").click()
    await expect(page.get_by_role("alert")).to_have_text("要写明理由。")
    await page.fill("[name=reason]", "漏记一户。")
    await page.locator(".record .button.primary").click()
    await expect(page.locator("td button[aria-label*='发现问题 3 个']")).to_be_visible()

    await page.locator("td button[aria-label^=水务局]").first.click()
    await expect(page.get_by_text("更正理由：漏记一户。")).to_be_visible()
    await step(page, "撤回", "记在别的县区。")
    rows = await raw("SELECT found_count, corrects IS NULL AS first, withdraw_reason FROM monthly_record ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [(2, True, "记在别的县区。"), (3, False, None)]
