"""Door: `./duban redraw` makes display copies anew from the originals, when captions changed or copies are lost."""

import argparse
import asyncio
import logging
from datetime import date, datetime, time
from uuid import UUID

from backend import clock, db, worker
from backend.db import raw
from backend.evidence import gate_pool, jobs
from backend.evidence.rules import State
from backend.supervisor import say

BATCH = 100
FIRST = UUID(int=0)

log = logging.getLogger("duban.redraw")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="duban redraw", description="从原件重做照片的展示件和缩略图，并重新读取照片信息。"
    )
    parser.add_argument("--since", metavar="日期", help="只做这一天（含）以后收到的，例如 2026-11-01")
    wanted = parser.parse_args(arguments)
    try:
        since = datetime.combine(date.fromisoformat(wanted.since), time(), clock.SHANGHAI) if wanted.since else None
    except ValueError:
        parser.error(f"--since 不是日期：{wanted.since}")
    redrawn, failed = asyncio.run(_connected(since))
    say(f"完成：重做 {redrawn} 张，{failed} 张没有做成。")
    return 1 if failed else 0


async def _connected(since: datetime | None) -> tuple[int, int]:
    await db.open_pool(most=2)
    try:
        return await everything(since)
    finally:
        gate_pool.close()
        await db.close_pool()


async def everything(since: datetime | None = None) -> tuple[int, int]:
    """How many were redrawn, and how many stay as they were. One after the other: a worker may be busy beside it."""
    redrawn = failed = 0
    last = FIRST
    while ids := await _after(last, since):
        for last in ids:
            if await _redrawn(last):
                redrawn += 1
            else:
                failed += 1
        say(f"已重做 {redrawn} 张" + (f"，{failed} 张没有做成" if failed else ""))
    return redrawn, failed


async def _after(last: UUID, since: datetime | None) -> list[UUID]:
    rows = await raw(
        "SELECT id FROM evidence WHERE state = $1 AND id > $2 AND media_type LIKE 'image/%' "
        "AND ($3::timestamptz IS NULL OR received_at >= $3) ORDER BY id LIMIT $4",
        State.ready.value,
        last,
        since,
        BATCH,
    )
    return [row["id"] for row in rows]


async def _redrawn(file: UUID) -> bool:
    """False when it stays as it was; why stands in the log."""
    try:
        return await jobs.redraw(file, worker.CAPTIONERS)
    except OSError:
        log.exception("evidence %s not redrawn", file)
        return False
