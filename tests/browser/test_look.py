"""Every screen: nothing serious for axe, no sideways scrolling at 200 % letters, and a first load that is small."""

import gzip
import json
import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Request

from backend import screen_build
from tasks.rectifications.item import Status
from tests import checklists_make, make
from tests.waiting import eventually

BUDGET = 300_000  # bytes of the first load, gzip, before photos (issue 6, scope 9)
DIST = screen_build.WEB / "dist/phone"

# Who looks at what; things of the cast in braces. Every route of the app is named by one of them, see below.
LOOKED_AT = {
    "": ["/sign-in"],
    "inspector": [
        "/today",
        "/visits/{visit}",
        "/visits/{visit}/checklists/{version}",
        "/visits/{visit}/checklists/{version}?q=S1",
        "/visits/{visit}/findings/{new}",
        "/visits/{visit}/findings/{filed}",
        "/queue",
    ],
    "handler": [
        "/today",
        "/items",
        "/items/{item}",
        "/items/{item}/hand-in",
        "/inbox",
        "/me",
        "/me/sessions",
        "/me/notices",
        "/feedback",
        "/feedback/{new}",
        "/enrol",
    ],
    "boss": [
        "/today",
        "/items",
        "/items/{passed}",
        "/items/{passed}/closure",
        "/items/{passed}?paper=items/{passed}",
        "/items/{passed}/check-assignment",
        "/items/{item}/hanging",
    ],
    "leader": ["/lead", "/months", "/months/2026-11", "/months/2026-11/cells/{new}/record"],
}
WITH_A_PAPER = ("/closure", "/hanging", "?paper=items/{passed}")


def routes() -> set[str]:
    """The patterns that the screens' route files name, without redirections."""
    found = [re.findall(r"path: '(/[^']+)'(?=(?:(?!path:).)*?component)", text.read_text(), re.S) for text in
             (screen_build.WEB / "phone/screens").glob("*/route.ts")]  # fmt: skip
    return {path for paths in found for path in paths}


def test_every_screen_is_looked_at():
    pattern = {route: re.compile(re.sub(r":\w+(\(.*?\))?", "[^/]+", route) + "$") for route in routes()}
    named = [path.split("?")[0] for paths in LOOKED_AT.values() for path in paths]
    assert len(pattern) > 4
    assert [route for route in pattern if not any(pattern[route].match(path) for path in named)] == []


@pytest.mark.parametrize("who", LOOKED_AT)
async def test_nothing_serious_for_axe_and_no_sideways_scrolling(browsers, who, record_property):
    it = await make.cast()
    filed = await make.finding(it)
    item, passed = await make.rectification(it, Status.working), await make.rectification(it, Status.passed)
    things = {"visit": it.visit, "item": item, "passed": passed, "filed": filed}
    things["new"] = "0197a000-0000-7000-8000-000000000001"
    things["version"] = await checklists_make.on_visit(it)
    phone = await browsers.phone()
    page = await phone.sign_in(getattr(it, who)) if who else await phone.open()
    flying = requests_of(page)
    await page.evaluate(Axe().axe_script)
    for path in LOOKED_AT[who]:
        await phone.go(path.format(**things))
        await page.locator("main h1").first.wait_for()
        await page.wait_for_timeout(50)  # what the page asks for, it asks for by now
        await eventually(lambda: flying, lambda left: not left)
        await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
        for theme, rules in (("dark", ["color-contrast"]), ("sunlight", ["color-contrast-enhanced"]), ("light", [])):
            await page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            assert await serious(page, rules) == [], (path, theme)
        assert await too_wide(page) == [], path
    record_property(f"screens looked at by {who or 'a stranger'}", len(LOOKED_AT[who]))


def requests_of(page: Page) -> set[Request]:
    """Those that have no answer yet, from now on."""
    flying = set[Request]()
    page.on("request", lambda one: flying.add(one))
    page.on("requestfinished", lambda one: flying.discard(one))
    page.on("requestfailed", lambda one: flying.discard(one))
    return flying


async def serious(page: Page, rules: list[str]) -> list[str]:
    """What axe finds of these rules, or of all."""
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found = await page.evaluate("(options) => axe.run(options)", {"resultTypes": ["violations"], **only})
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in grave]


async def too_wide(page: Page) -> list[str]:
    """What is wider than the phone at 200 %, or falls out of its head. A strip that scrolls by itself does neither."""
    return await page.evaluate(
        """() => { const root = document.documentElement, before = root.style.fontSize
        root.style.fontSize = '32px'
        const scrolls = (e) => e && e !== root
            && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement))
        const out = root.scrollWidth <= 390 ? [] : ['wider than the phone', ...[...document.querySelectorAll('main *')]
            .filter((e) => e.getBoundingClientRect().right > 391 && !scrolls(e.parentElement))
            .map((e) => e.outerHTML.slice(0, 120)).slice(0, 3)]
        const at = (part) => document.querySelector(`.top ${part}`)?.getBoundingClientRect()
        const [title, more] = [at('h1'), at('.menu')]
        if (title && more && more.top >= title.bottom) out.push('⋮ fell below the title')
        root.style.fontSize = before
        return out }"""
    )


def test_the_first_load_is_small(address, record_property):
    """What the start page needs to show the first screen: its script, style and what they import at once."""
    manifest = json.loads((DIST / "manifest.json").read_text())
    start = next(entry for entry in manifest.values() if entry.get("isEntry"))
    first = [entry for name, entry in manifest.items() if name.endswith(("SignIn.vue", "Today.vue"))]
    wanted, names = [start, *first], set[str]()
    while wanted:
        entry = wanted.pop()
        if entry["file"] not in names:
            names |= {entry["file"], *entry.get("css", [])}
            wanted += [manifest[name] for name in entry.get("imports", [])]
    files = [DIST / name for name in ("index.html", "manifest.webmanifest", *sorted(names))]
    size = sum(len(gzip.compress(path.read_bytes())) for path in files)
    whole = sum(len(gzip.compress(path.read_bytes())) for path in (DIST / "assets").iterdir()
                if path.suffix in (".js", ".css"))  # fmt: skip
    record_property(
        "first load of the phone app", f"{size / 1000:.0f} kB gzip of {whole / 1000:.0f} kB for all screens"
    )
    assert 20_000 < size <= BUDGET
