"""The phone app in a real browser against a real server and worker, started once for all of these tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, expect

from backend import screen_build
from tests.browser import chromium
from tests.browser.chromium import Browsers
from tests.journeys.conftest import a_queue, a_web, a_worker

expect.set_options(timeout=chromium.PATIENCE)


# Of this folder: a worker that went on would work in the database of the files that come after it in this process.
@pytest.fixture(scope="package")
def address(database: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the screens, as their sources are now, and the API are served."""
    if chromium.found(whole=True) is None:
        pytest.skip(chromium.LACKING)
    screen_build.ensure()
    folder = tmp_path_factory.mktemp("town")
    with a_queue(folder) as queue, a_worker(queue, folder), a_web(queue, folder, DUBAN_WEB_WORKERS="1") as web:
        yield web.env["address"]


@pytest.fixture(scope="package")
async def browser(address: str) -> AsyncIterator[Browser]:
    async with chromium.chromium() as running:
        yield running


@pytest.fixture
async def browsers(browser: Browser, address: str, fresh: None) -> AsyncIterator[Browsers]:
    """Phones for one test, about an empty database. No script of ours may have failed in any of them."""
    made = Browsers(browser, address)
    yield made
    faults = await made.put_away()
    assert faults == []


@pytest.fixture
async def whole_browsers(address: str, fresh: None) -> AsyncIterator[Browsers]:
    """The same from a browser of its own that shows notifications, too."""
    async with chromium.chromium(whole=True) as running:
        made = Browsers(running, address)
        yield made
        faults = await made.put_away()
    assert faults == []
