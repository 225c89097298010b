"""How fast the form of a finding opens on a phone, warm, with the processor of this machine slowed down four times."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from backend import screen_build, settings, up
from backend.checks import CHROMIUM
from backend.columns import uuid7
from bench import _filing_scene as scene

GOAL_MS = 300
WARMING, FEWEST = 3, 20  # openings that only warm up, and how many are counted at least
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
    "locale": "zh-CN", "permissions": ["geolocation"], "geolocation": {"latitude": 41.8, "longitude": 124.9},
}  # fmt: skip
# From the tap until the field for the facts has been painted.
OPENED = """async (path) => {
  const start = performance.now()
  location.hash = path
  await new Promise((seen) => {
    const shown = () => document.querySelector('[name=facts]')?.getBoundingClientRect().height
    const look = () => shown() ? seen() : requestAnimationFrame(look)
    look()
  })
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)))
  return performance.now() - start
}"""

# What the page before had to do is done: it idles, or five seconds are over.
SETTLED = "new Promise((idle) => requestIdleCallback(() => setTimeout(idle, 100), { timeout: 5000 }))"


def main(argv: list[str]) -> int:
    """Prints the figures; leaves nothing behind."""
    wanted = _parser().parse_args(argv)
    browser = os.environ.get("DUBAN_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if browser is None:
        print("no Chromium here: install it, or name it in DUBAN_CHROMIUM")
        return 1
    given = settings.load()
    given.var.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=given.var))
    folder.chmod(0o755)  # the database's own user comes in here
    data = folder / "var" / "pg"
    if given.embedded and "DUBAN_VAR" not in os.environ:
        os.environ["DUBAN_VAR"] = str(folder / "var")
    try:
        with up.services(settings.load()), scene.own_database(folder):
            _run(wanted, browser, folder)
    finally:
        if data.is_symlink():
            shutil.rmtree(data.resolve().parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _run(wanted: argparse.Namespace, browser: str, folder: Path) -> None:
    from backend import migrate

    screen_build.ensure()
    migrate.run()
    before = _load()
    [(username, visit), _] = asyncio.run(scene.cast(2))
    port = scene.free_port()
    with scene.server(["backend", "web"], port, folder / "web.log", DUBAN_PORT=str(port)):
        took = asyncio.run(_opened(browser, f"http://127.0.0.1:{port}", username, visit, wanted))
    cold, warm = took[:WARMING], took[WARMING:]
    rank = quantiles(warm, n=10, method="inclusive")
    print(f"processor slowed {wanted.slower:g} times; {os.cpu_count()} cores, load {before:.1f} to {_load():.1f}")
    print(f"the first {WARMING} times: {', '.join(f'{ms:.0f}' for ms in cold)} ms")
    print(f"warm, {len(warm)} times: median {median(warm):.0f} ms, p90 {rank[8]:.0f} ms, longest {max(warm):.0f} ms")
    print(f"aim: {GOAL_MS} ms at the median, with a load below {os.cpu_count()}")


def _load() -> float:
    return os.getloadavg()[0]


async def _opened(browser: str, address: str, username: str, visit: UUID, wanted: argparse.Namespace) -> list[float]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = await (await running.new_context(**PHONE)).new_page()
        await page.goto(f"{address}/phone/")
        await page.fill("[name=username]", username)
        await page.fill("[name=password]", scene.PASSWORD)
        await page.click("button.primary")
        await page.wait_for_selector(".visit")
        line = await page.context.new_cdp_session(page)
        await line.send("Emulation.setCPUThrottlingRate", {"rate": wanted.slower})
        took: list[float] = []
        for _ in range(WARMING + max(FEWEST, wanted.times)):
            took.append(await page.evaluate(OPENED, f"/visits/{visit}/findings/{uuid7()}"))
            await page.evaluate("location.hash = '/today'")
            await page.wait_for_selector(".visit")
            await page.evaluate(SETTLED)
        await running.close()
        return took


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./duban bench form", description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--slower", type=float, default=4.0)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
