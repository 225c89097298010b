"""Filing in a dead spot: what is written without a signal arrives once, with its photos, and the phone holds the proof."""

from typing import Any

from playwright.async_api import Page, expect

from inspections.findings import queries as findings
from tests import make
from tests.browser.chromium import Phone

AT_THE_PLACE = {"latitude": 41.85, "longitude": 124.6, "accuracy": 9.0}


async def at_work(browsers: Any, **more: Any) -> tuple[Any, Phone, Page]:
    """An inspector with a visit of the day, signed in at the place."""
    it = await make.cast()
    phone = await browsers.phone(geolocation=AT_THE_PLACE, **more)
    page = await phone.sign_in(it.inspector)
    await expect(page.locator(".visit")).to_be_visible()
    return it, phone, page


async def shoot(page: Page, times: int) -> None:
    """So many photos with the camera of the page."""
    shutter = page.locator(".shutter")
    for n in range(times):
        await expect(shutter).to_be_enabled()
        await shutter.click()
        await expect(page.locator(".camera .thumb img")).to_have_count(n + 1)
    await page.locator(".done").click()


async def fill(page: Page, facts: str) -> None:
    await page.get_by_role("button", name="饮水安全", exact=True).click()
    await page.fill("[name=facts]", facts)


async def hand(page: Page) -> None:
    await page.locator("[data-hand]").click()
    await page.wait_for_url(lambda url: "/findings/" not in url)


async def filed(visit: Any) -> list[Any]:
    return (await findings.of_visits([visit]))[visit]


async def test_three_photos_taken_offline_survive_the_death_of_the_page_and_arrive_once(browsers):
    it, phone, page = await at_work(browsers)
    await phone.offline()
    await phone.go(f"/visits/{it.visit}/findings/new")
    await shoot(page, 3)
    await fill(page, "饮水管网冻裂，三户无水。")
    await hand(page)
    await phone.kill()
    page = await phone.open("/queue")
    await expect(page.locator("[data-count]")).to_have_text("3 张照片中 0 张已送达")
    assert await filed(it.visit) == []
    await phone.online()
    await expect(page.locator("[data-sent]")).to_have_count(1, timeout=15_000)
    [found] = await filed(it.visit)
    assert (found.facts, found.declared, found.arrived) == ("饮水管网冻裂，三户无水。", 3, 3)
