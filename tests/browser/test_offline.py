"""The phone app from the first load on: without a signal, across an update, when the sign-in ends."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Page, expect

from backend import clock, screen_build
from backend.db import raw
from tests import make
from tests.browser.chromium import Browsers
from tests.journeys.conftest import a_queue, a_web_of
from tests.waiting import eventually

SHELF = """(name) => new Promise((done) => { const asked = indexedDB.open('duban'); asked.onsuccess = () => {
    const count = asked.result.transaction(name).objectStore(name).count()
    count.onsuccess = () => done(count.result) } })"""
FINE = {"latitude": make.TARGET[0], "longitude": make.TARGET[1], "accuracy": 9}


async def a_draft(page: Page, it) -> None:
    """Begins to write a finding and does not hand it over."""
    await page.goto(re.sub("#.*", f"#/visits/{it.visit}/findings/new", page.url))
    await page.locator(".done").click()
    await page.fill("[name=facts]", "村部东侧管网冻裂。")
    await eventually(lambda: page.evaluate(SHELF, "drafts"))


async def test_after_the_first_load_it_opens_without_a_signal(browsers):
    it = await make.cast()
    phone = await browsers.phone()
    page = await phone.sign_in(it.inspector)
    await expect(page.locator(".visit")).to_contain_text("腰站村")
    await phone.offline()
    await page.reload()
    await expect(page.locator(".visit")).to_contain_text("腰站村")
    await expect(page.get_by_text("截至", exact=False)).to_be_visible()
    await expect(page.locator(".top [role=status]")).to_have_text(re.compile("无信号"))
    await phone.kill()
    page = await phone.open()
    await expect(page.locator(".visit")).to_contain_text("腰站村")


async def test_the_first_sign_in_says_that_it_needs_a_signal(browsers):
    phone = await browsers.phone()
    page = await phone.open()
    await expect(page.get_by_role("button", name="登录", exact=True)).to_be_visible()
    await phone.offline()
    await page.fill("[name=username]", "wang")
    await page.fill("[name=password]", "x")
    await page.click("button.primary")
    await expect(page.get_by_role("alert")).to_contain_text("连不上服务器")
    await expect(page.get_by_text("第一次登录要有信号")).to_be_visible()


async def test_a_wrong_password_is_said_by_the_server(browsers):
    it = await make.cast()
    phone = await browsers.phone()
    page = await phone.open()
    await page.fill("[name=username]", await make.username(it.inspector))
    await page.fill("[name=password]", "not this one")
    await page.click("button.primary")
    await expect(page.get_by_role("alert")).to_have_text("用户名、口令或动态码不对。")


@pytest.mark.parametrize("minutes", [9, -42])
async def test_a_wrong_clock_is_told_and_is_no_obstacle(browsers, minutes):
    it = await make.cast()
    phone = await browsers.phone(geolocation=FINE)
    ahead = minutes * 60_000
    await phone.context.add_init_script(f"const real = Date.now; Date.now = () => real() + {ahead}")
    page = await phone.sign_in(it.inspector)
    way = "快" if minutes > 0 else "慢"
    await expect(page.locator("[data-clock]")).to_contain_text(f"手机时间比服务器{way} {abs(minutes)} 分钟")
    await expect(page.locator(".as-of")).to_contain_text("截至 刚刚")  # by the server's clock
    await page.locator(".visit").click()
    await page.get_by_role("button", name="到达记录").click()
    await expect(page.locator("[data-status]")).to_have_text(re.compile("已到达"))


async def test_little_room_is_told_before_it_is_full(browsers):
    it = await make.cast()
    phone = await browsers.phone()
    used = "{ usage: 850, quota: 1000 }"
    await phone.context.add_init_script(f"navigator.storage.estimate = () => Promise.resolve({used})")
    page = await phone.sign_in(it.inspector)
    await expect(page.get_by_text("能用的空间已用了八成以上")).to_be_visible()


async def test_a_sign_in_taken_back_clears_what_was_copied_and_keeps_what_was_written(browsers):
    it = await make.cast()
    phone = await browsers.phone(geolocation=FINE)
    page = await phone.sign_in(it.inspector)
    await a_draft(page, it)
    await phone.go("/today")
    assert await page.evaluate(SHELF, "documents") > 0
    await raw("UPDATE session SET revoked_at = $1 WHERE person = $2", clock.now(), it.inspector.person)
    await page.get_by_role("button", name="更新").click()
    await expect(page.get_by_text("这次登录已被收回")).to_be_visible()
    assert await page.evaluate(SHELF, "documents") == 0
    assert await page.evaluate(SHELF, "drafts") == 1
    await page.get_by_text("去登录").click()
    await expect(page.get_by_text("没有上传的内容还在，登录后继续上传")).to_be_visible()
    await phone.sign_in(it.inspector)
    await expect(page.get_by_text("草稿 1 份")).to_be_visible()


async def test_signing_out_with_a_draft_warns_and_the_draft_waits_for_its_owner(browsers):
    it = await make.cast()
    phone = await browsers.phone(geolocation=FINE)
    page = await phone.sign_in(it.inspector)
    await a_draft(page, it)
    await phone.go("/me")
    question = page.get_by_role("dialog", name="退出登录？")
    await page.locator("[data-sign-out]").click()
    await expect(question).to_contain_text("草稿 1 份")
    await question.get_by_role("button", name="不退出").click()
    await expect(page.locator("[data-sign-out]")).to_be_visible()
    await page.locator("[data-sign-out]").click()
    await question.get_by_role("button", name="退出", exact=True).click()
    await expect(page.locator("[name=username]")).to_be_visible()
    assert (await page.evaluate(SHELF, "documents"), await page.evaluate(SHELF, "drafts")) == (0, 1)
    await phone.sign_in(it.lead)
    await expect(page.get_by_text("都传完了")).to_be_visible()  # another person on the same phone
    await phone.go("/me")
    await page.locator("[data-sign-out]").click()
    await expect(question).not_to_contain_text("草稿")
    await question.get_by_role("button", name="退出", exact=True).click()
    await expect(page.locator("[name=username]")).to_be_visible()
    await phone.sign_in(it.inspector)
    await expect(page.get_by_text("草稿 1 份")).to_be_visible()


async def test_what_one_person_has_open_is_not_on_the_screen_of_the_next_who_signs_in_in_another_tab(browsers):
    it = await make.cast()
    phone = await browsers.phone(geolocation=FINE)
    first = await phone.sign_in(it.inspector)
    await a_draft(first, it)
    await phone.open("/sign-in")
    await phone.sign_in(it.lead)
    await expect(first).to_have_url(re.compile("#/today"))
    await expect(first.locator("[name=facts]")).to_have_count(0)
    assert await first.evaluate(SHELF, "drafts") == 1


async def test_a_sign_in_that_is_over_keeps_the_copies_for_the_next_one(browsers):
    it = await make.cast()
    phone = await browsers.phone()
    page = await phone.sign_in(it.inspector)
    await raw("UPDATE session SET ends_at = $1 WHERE person = $2", clock.now(), it.inspector.person)
    await page.get_by_role("button", name="更新").click()
    await expect(page.get_by_text("登录已过期，内容都在手机里")).to_be_visible()
    await expect(page.locator(".visit")).to_contain_text("腰站村")
    assert await page.evaluate(SHELF, "documents") > 0


@pytest.fixture
def copied(database: None, address: str, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web with a copy of the screens, and where the copy lies."""
    folder = tmp_path / "phone"
    shutil.copytree(screen_build.WEB / "dist/phone", folder)
    command = [sys.executable, "-m", "tests.browser.other_build"]
    with a_queue(tmp_path) as queue, a_web_of(queue, tmp_path, command, DUBAN_TEST_SCREENS=str(folder)) as web:
        yield web.env["address"], folder


def newer(folder: Path) -> None:
    """The next version: a page that says so, and a worker that knows it is another one."""
    version = json.loads((folder / "version.json").read_text())["version"]
    for name, old, new in (("index.html", "<body>", '<body data-made="next">'), ("sw.js", version, "next-one-00")):
        text = (folder / name).read_text()
        assert old in text
        for squeezed in (".br", ".gz"):
            (folder / f"{name}{squeezed}").unlink()
        (folder / name).write_text(text.replace(old, new))


async def test_an_update_waits_for_the_person_and_drafts_survive_it(browser, copied, fresh):
    address, folder = copied
    it = await make.cast()
    browsers = Browsers(browser, address)
    phone = await browsers.phone(geolocation=FINE)
    page = await phone.sign_in(it.inspector)
    await a_draft(page, it)
    newer(folder)
    await phone.go("/today")
    await page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
    strip = page.get_by_text("新版本已就绪，点此更新")
    await expect(strip).to_be_visible()
    assert await page.locator("body").get_attribute("data-made") is None
    await phone.go(f"/visits/{it.visit}/findings/new")
    await expect(page.locator(".shutter")).to_be_visible()
    await expect(strip).to_have_count(0)  # never while the camera is open
    await page.locator(".done").click()
    await phone.go("/today")
    await strip.click()
    await expect(page.locator("body")).to_have_attribute("data-made", "next")
    await expect(page.get_by_text("草稿 1 份")).to_be_visible()
    await phone.offline()
    await page.reload()
    await expect(page.locator("body")).to_have_attribute("data-made", "next")
    assert await browsers.put_away() == []


async def test_who_decides_sets_up_one_time_codes_where_they_are_enforced(browser, database, fresh, tmp_path):
    command = [sys.executable, "-m", "backend", "web"]
    screen_build.ensure()
    with a_queue(tmp_path) as queue, a_web_of(queue, tmp_path, command, DUBAN_TOTP="enforced") as web:
        browsers = Browsers(browser, web.env["address"])
        it = await make.cast()
        phone = await browsers.phone()
        page = await phone.sign_in(it.boss)
        await expect(page.get_by_role("heading", name="启用动态码")).to_be_visible()
        await phone.go("/items")  # there is no way round it
        await expect(page.get_by_role("heading", name="启用动态码")).to_be_visible()
        await page.get_by_role("button", name="开始设置").click()
        secret = (await page.locator("[data-secret]").inner_text()).replace(" ", "")
        await page.fill("[name=code]", "000000")
        await page.get_by_role("button", name="启用", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("动态码不对")
        await page.fill("[name=code]", pyotp.TOTP(secret).now())
        await page.get_by_role("button", name="启用", exact=True).click()
        await expect(page.get_by_role("heading", name="启用动态码")).to_have_count(0)
        await expect(page.locator(".as-of").first).to_contain_text("截至")
        assert await browsers.put_away() == []
