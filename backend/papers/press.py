"""Prints papers: data and photos in, a PDF out, set by typst in a child process with limits (press_child.py).

In a child, because typst keeps what it has read: sixty photos stay in memory, in a web process for ever. Templates are
the .typ files beside this one; they get the data as data, so that no text can become markup.
"""

import asyncio
import json
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import BinaryIO

import pylopdf_fonts_zh_cn

from backend import clock, settings
from backend.errors import Busy, NoRoom
from backend.papers.text import printed

HERE = Path(__file__).parent
CHILD = HERE / "press_child.py"
ENVIRONMENT = {"MALLOC_ARENA_MAX": "2", "RAYON_NUM_THREADS": "2"}
AT_ONCE = 1  # papers of one process; each has a core to itself
LEFT_BEHIND = timedelta(hours=1)  # older folders are those of processes that were killed


class Unprintable(RuntimeError):
    """A template and its data do not fit: a bug of ours, never of the text."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one paper may cost. Bytes and seconds; `turn` is how long it waits for the press."""

    memory: int = 2 * 2**30
    cpu: int = 60
    output: int = 256 * 2**20
    wall: float = 60.0
    turn: float = 20.0


LIMITS = Limits()
_press = asyncio.Semaphore(AT_ONCE)


async def pdf(
    template: str, paper: object, pictures: Mapping[str, Path], made_at: datetime, *, limits: Limits = LIMITS
) -> BinaryIO:
    """The paper as a PDF, open at its beginning and gone from the disk when closed.

    The same template, paper, pictures, fonts and `made_at` (its date of creation) give the same bytes. `pictures` are
    JPEG files by the names under which the paper shows them; one that is not there is left to the template. Raises Busy
    when the press is taken for too long or does not come to an end, NoRoom, Unprintable.
    """
    async with _workshop(limits) as folder:
        asked = _asked(folder, template, paper, pictures, made_at)
        await _set(folder, asked | {"result": "paper.pdf"}, limits)
        return (folder / "paper.pdf").open("rb")


async def pages(template: str, paper: object, pictures: Mapping[str, Path], made_at: datetime) -> list[bytes]:
    """The same as pictures of its pages (PNG, 80 dpi), for looking at."""
    async with _workshop(LIMITS) as folder:
        asked = _asked(folder, template, paper, pictures, made_at)
        await _set(folder, asked | {"result": "{0p}.png"}, LIMITS)
        return [page.read_bytes() for page in sorted(folder.glob("*.png"))]


@cache
def desk() -> Path:
    """Where papers are set: on the disk, never in a /tmp that is memory."""
    folder = settings.load().var / "papers"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@asynccontextmanager
async def _workshop(limits: Limits) -> AsyncIterator[Path]:
    """A folder for one paper, when it is its turn."""
    try:
        async with asyncio.timeout(limits.turn):
            await _press.acquire()
    except TimeoutError:
        raise Busy("正在生成其他文件，请稍后再试。", "press_taken", retry_after=5) from None
    try:
        _sweep()
        with tempfile.TemporaryDirectory(dir=desk(), ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    finally:
        _press.release()


def _sweep() -> None:
    limit = (clock.now() - LEFT_BEHIND).timestamp()
    for folder in desk().iterdir():
        with suppress(FileNotFoundError):  # its process has just ended
            if folder.stat().st_mtime < limit:
                shutil.rmtree(folder, ignore_errors=True)


def _asked(
    folder: Path, template: str, paper: object, pictures: Mapping[str, Path], made_at: datetime
) -> dict[str, object]:
    return {
        "folder": str(folder),
        "template": template,
        "ppi": 80,
        "paper": printed(paper),
        "pictures": {name: str(path) for name, path in pictures.items()},
        "fonts": [str(fonts) for fonts in font_folders()],
        "made_at": int(made_at.timestamp()),
    }


async def _set(folder: Path, asked: dict[str, object], limits: Limits) -> None:
    for file in HERE.glob("*.typ"):
        shutil.copyfile(file, folder / file.name)
    most = {"memory": limits.memory, "cpu": limits.cpu, "output": limits.output}
    answer = await _ask_child(json.dumps(asked | most).encode(), limits)
    if answer.get("trouble") == "no_room":
        raise NoRoom("服务器存储空间不足，文件暂时不能生成，请告知管理员。")
    if not answer.get("set"):
        raise Unprintable(str(answer.get("trouble")))


def font_folders() -> list[Path]:
    """The office's own first."""
    own = settings.load().fonts
    return [*([own] if own else []), pylopdf_fonts_zh_cn.serif_path().parent]


async def _ask_child(asked: bytes, limits: Limits) -> dict[str, object]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-B", str(CHILD), env=ENVIRONMENT,
        stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(limits.wall):
            text, _ = await process.communicate(asked)
    except TimeoutError:
        raise Busy("文件内容太多，没有在规定时间内生成，请稍后再试。", "press_too_slow", retry_after=60) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not text:
        raise Unprintable(f"{CHILD.name} ended with {process.returncode} and said {text[:200]!r}")
    return json.loads(text)
