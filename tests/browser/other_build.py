"""A web whose screens are a copy of the build, so that a test can put a newer version there: DUBAN_TEST_SCREENS."""

import os
from pathlib import Path
from typing import Any

from backend import screens, settings, web


def load(target: str) -> Any:
    screens.PHONE = Path(os.environ["DUBAN_TEST_SCREENS"])
    return web.load_app(target)


if __name__ == "__main__":
    web.serve(settings.load(), load=load)
