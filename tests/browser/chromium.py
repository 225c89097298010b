"""The real browser of these tests, and a phone in it: a window of a phone's size that signs in and loses its signal."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from backend import pictures
from backend.checks import CHROMIUM, WINDOWLESS
from backend.people import passwords
from backend.people.tables import Person
from backend.roles import Actor
from tests import make, waiting

PATIENCE = waiting.PATIENCE * 1000 / 2  # milliseconds
PASSWORD = "Shang-jia-he 2026"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
    "timezone_id": "Asia/Shanghai",
}
# The page is the worker's: from now on it opens without a signal. (Not wait_for_function: our policy forbids eval.)
CONTROLLED = """new Promise((done) => navigator.serviceWorker.controller ? done()
    : navigator.serviceWorker.addEventListener('controllerchange', () => done(), { once: true }))"""
LACKING = "没有 Chromium，浏览器测试没有运行：请安装，例如 apt install chromium，或用 DUBAN_CHROMIUM 指明。"


@cache
def found(*, whole: bool = False) -> str | None:
    """The browser of this machine. `whole`: the one that also shows notifications; without, the fastest there is."""
    named = os.environ.get("DUBAN_CHROMIUM")
    names = CHROMIUM if whole else (WINDOWLESS, *CHROMIUM)
    return named or next((path for name in names if (path := shutil.which(name))), None)


@cache
def fonts() -> str:
    return pictures.fonts()


class Phone:
    """One window with its own storage. What goes wrong inside the page is kept in `faults`."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address, self.faults = context, address, list[str]()
        self.page: Page = None  # pyright: ignore[reportAttributeAccessIssue]

    async def open(self, path: str = "") -> Page:
        """A new tab at `/phone/#path`; it is `page` from now on."""
        self.page = await self.context.new_page()
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        await self.page.goto(f"{self.address}/phone/{f'#{path}' if path else ''}")
        return self.page

    async def sign_in(self, person: Actor, path: str = "/today") -> Page:
        """As a person does it, with the password that this gives the account; ends on that page, able to go offline."""
        hashed = await passwords.hashed(PASSWORD)
        await Person.update({Person.password_hash: hashed}).where(Person.id == person.person)
        page = self.page or await self.open()
        await page.fill("[name=username]", await make.username(person))
        await page.fill("[name=password]", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_url(lambda url: "/sign-in" not in url)
        await page.evaluate(CONTROLLED)
        if path != "/today":
            await self.go(path)
        return page

    async def go(self, path: str) -> None:
        """To another screen, as a link would."""
        await self.page.evaluate("(path) => { location.hash = path }", path)

    async def offline(self) -> None:
        await self.context.set_offline(True)

    async def online(self) -> None:
        await self.context.set_offline(False)

    async def kill(self) -> None:
        """The tab is gone without a goodbye."""
        await self.page.close(run_before_unload=False)

    def _heard(self, kind: str, text: str) -> None:
        # Refused requests and a lost signal are the browser's to complain about, and ours to test.
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(text)


class Browsers:
    """Makes phones, and puts them away."""

    def __init__(self, chromium: Browser, address: str) -> None:
        self.chromium, self.address, self.phones = chromium, address, list[Phone]()

    async def phone(self, *, rights: tuple[str, ...] = ("geolocation", "camera"), **more: Any) -> Phone:
        """`rights`: what the page may use without being asked; `more`: options of Playwright's context."""
        context = await self.chromium.new_context(**{**PHONE, "permissions": list(rights), **more})
        context.set_default_timeout(PATIENCE)
        made = Phone(context, self.address)
        self.phones.append(made)
        return made

    async def put_away(self) -> list[str]:
        """What went wrong inside of them."""
        faults = [fault for phone in self.phones for fault in phone.faults]
        for phone in self.phones:
            await phone.context.close()
        self.phones.clear()
        return faults


@asynccontextmanager
async def chromium(*, whole: bool = False) -> AsyncIterator[Browser]:
    """The browser, running without a screen."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found(whole=whole), args=FLAGS, env={**os.environ, "FONTCONFIG_FILE": fonts()}
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def own_folder(folder: Path, address: str, **more: Any) -> AsyncIterator[Phone]:
    """A phone of its own process whose storage lies in `folder`: entered again, it is the same phone, restarted."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(folder), executable_path=found(), args=FLAGS, env={**os.environ, "FONTCONFIG_FILE": fonts()},
            **{**PHONE, "permissions": ["geolocation", "camera"], **more},
        )  # fmt: skip
        context.set_default_timeout(PATIENCE)
        yield Phone(context, address)
        await context.close()
