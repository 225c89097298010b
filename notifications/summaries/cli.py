"""The command line `verify-summary YYYY-MM`: whether what was kept of a month comes out again, byte for byte."""

import argparse
import asyncio
import re
import sys

from backend import clock, db
from notifications.summaries import paragraphs, verifying
from notifications.summaries.verifying import Verified
from notifications.summaries.words import Kind
from tasks.monthly import queries as monthly

KINDS = {Kind.preview: "预览", Kind.frozen: "定稿", Kind.supplement: "补充"}


def main(arguments: list[str]) -> int:
    """0 when everything that was kept of the month comes out again; 1 otherwise, and when nothing was kept."""
    parser = argparse.ArgumentParser(prog="duban verify-summary")
    parser.add_argument("month", type=_month, help="月份，如 2026-11")
    return asyncio.run(_run(parser.parse_args(arguments).month))


def _month(text: str) -> str:
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise argparse.ArgumentTypeError("月份写作 2026-11")
    return text


async def _run(month: str) -> int:
    await db.open_pool(most=2)
    try:
        return 0 if await verified(month) else 1
    finally:
        await db.close_pool()


async def verified(month: str) -> bool:
    """Says of everything that was kept of the month whether it comes out again; whether all of it did."""
    found: list[Verified] = []
    for period in await monthly.periods_of(month):
        _say(f"{paragraphs.month_of(month)}　{period.title}")
        of_period = await verifying.of_period(period)
        for it in of_period:
            _say(_told(it))
        found += of_period
    if not found:
        _say("这个月没有保存过汇总。")
    return bool(found) and all(it.intact and it.same for it in found)


def _told(it: Verified) -> str:
    """What came of it, in a sentence."""
    name = KINDS[it.kind] + (f"第{it.number}号" if it.number else "")
    if not it.intact:
        verdict = "不一致：保存的内容与其校验值不符，已被改动"
    elif not it.same:
        verdict = f"不一致：按现有记录重新生成的是 {it.made_again}"
    else:
        verdict = "一致"
    early = "；早于截止时间生成，当时服务器时钟有误" if it.early else ""
    return f"  {name}　{clock.local(it.made_at):%Y-%m-%d %H:%M}　{it.sha256}　{verdict}{early}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
