"""Region files on disk: the command `./duban regions`, and the shipped fixture. Rows: see region_rows.py."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from backend import db
from backend.roles import SYSTEM
from backend.units import queries
from backend.units.region_loading import Loaded, load_regions
from backend.units.region_rows import RegionRow, RowError, read

FIXTURE = Path(__file__).with_name("region_fixture.csv")
FIXTURE_SOURCE = "国家统计局统计用区划代码 2023-06-30（经 china-division 2.7.0；仅江门市、泾县、西吉县、抚顺市）"
SHOWN = 20
TELL_EVERY = 50_000


class BadFile(Exception):
    """The file has errors and nothing of it was loaded."""

    def __init__(self, errors: list[RowError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = errors


def main(argv: Sequence[str]) -> int:
    """`./duban regions FILE [--source TEXT] [--complete]`: 0 when loaded, 1 when refused."""
    wanted = parser().parse_args(list(argv))
    try:
        loaded = asyncio.run(_run(wanted.file, wanted.source or wanted.file.name, wanted.complete))
    except BadFile as bad:
        _say(f"文件有 {len(bad.errors)} 处错误，没有导入任何内容：")
        for error in bad.errors[:SHOWN]:
            _say(f"  第 {error.line} 行：{error.message}")
        if len(bad.errors) > SHOWN:
            _say(f"  …… 另有 {len(bad.errors) - SHOWN} 处。")
        return 1
    except (FileNotFoundError, IsADirectoryError, PermissionError) as wrong:
        _say(f"打不开文件 {wanted.file}：{wrong.strerror}。")
        return 1
    _say(f"已导入：新增 {loaded.new} 个，变更 {loaded.changed} 个，不变 {loaded.same} 个，停用 {loaded.ended} 个。")
    return 0


def parser() -> argparse.ArgumentParser:
    shape = argparse.ArgumentParser(prog="duban regions", description="导入行政区划文件（CSV，UTF-8）。")
    shape.add_argument("file", type=Path, help="含 code、name 两列；上级在前，下级在后")
    shape.add_argument("--source", default="", help="来源说明，例如公布机关和日期；不写则记文件名")
    shape.add_argument("--complete", action="store_true", help="文件已含所涉省份的全部区划：其中没有的，自今天起停用")
    return shape


async def load_file(file: Path, source: str, *, complete: bool = False, told: bool = False) -> Loaded:
    """Load a file whole or not at all; the pool is open. Raises BadFile, OSError."""
    errors: list[RowError] = []
    known = await queries.region_codes()
    with file.open("rb") as lines:
        rows = _whole(read(lines, errors, known), errors)
        return await load_regions(SYSTEM, _told(rows) if told else rows, source, complete=complete)


async def load_fixture() -> Loaded:
    """The four areas of the founding papers, for the demo and for tests (region_fixture.md)."""
    return await load_file(FIXTURE, FIXTURE_SOURCE)


async def _run(file: Path, source: str, complete: bool) -> Loaded:
    await db.open_pool(most=2)
    try:
        return await load_file(file, source, complete=complete, told=True)
    finally:
        await db.close_pool()


def _whole(rows: Iterable[RegionRow], errors: list[RowError]) -> Iterator[RegionRow]:
    """The rows up to the first error; then only looks for more errors, and raises BadFile inside the load."""
    for row in rows:
        if not errors:
            yield row
    if errors:
        raise BadFile(errors)


def _told(rows: Iterable[RegionRow]) -> Iterator[RegionRow]:
    count = 0
    for count, row in enumerate(rows, 1):
        if count % TELL_EVERY == 0:
            _say(f"已读 {count} 行 …")
        yield row
    _say(f"共 {count} 行，正在写入 …")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
