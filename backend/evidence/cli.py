"""`./duban evidence`: verify what is stored, copy it to the other store, take out what nobody refers to."""

import argparse
import asyncio
import logging
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from backend import db, settings
from backend.errors import NoRoom
from backend.evidence import stores, sweeping, verifying
from backend.evidence.storage import Store, StoreAway
from backend.evidence.verifying import BAD, Looked, Outcome

EVERY = 5.0  # seconds between lines of progress
WORDS = {
    Outcome.good: "完好",
    Outcome.copied: "已复制",
    Outcome.repaired: "已修复",
    Outcome.missing: "缺失",
    Outcome.damaged: "损坏",
}
PLACES = {settings.LOCAL: "本机磁盘", settings.S3: "S3 存储"}


def main(arguments: Sequence[str]) -> int:
    """Runs one of verify, copy, sweep. 0 when everything is there and whole, 1 with what is not."""
    chosen = parser().parse_args(arguments)
    logging.getLogger("duban.evidence").setLevel(logging.ERROR)  # what is wrong is said once, below
    return asyncio.run(_connected(chosen))


def parser() -> argparse.ArgumentParser:
    shape = argparse.ArgumentParser(prog="duban evidence", description="佐证材料的核对、搬迁和清理")
    verbs = shape.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="核对：每条记录的原件都在，且校验值一致")
    verify.add_argument("--in", dest="place", choices=list(PLACES), help="核对哪个存储，默认是正在使用的")
    copy = verbs.add_parser("copy", help="把全部材料复制到另一个存储，逐个核对；可以中断后再运行")
    copy.add_argument("--to", dest="place", choices=list(PLACES), required=True, help="复制到哪里")
    for verb in (verify, copy):
        verb.add_argument("--quick", action="store_true", help="已有的只核对大小，不重读内容")
    sweep = verbs.add_parser("sweep", help="找出没有任何记录的文件；只列出，加 --delete 才删除")
    sweep.add_argument("--delete", action="store_true", help="删除列出的文件")
    sweep.add_argument("--days", type=int, default=1, help="只看这么多天以前的，默认 1")
    sweep.add_argument("--most", action="store_true", help="无主文件占了大部分也删除：先确认数据库没有选错")
    return shape


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def run(chosen: argparse.Namespace) -> int:
    """What main() does once the pool is open."""
    try:
        match chosen.verb:
            case "verify":
                store = _store(chosen.place) if chosen.place else stores.store()
                return await _told(verifying.verify(store, quick=chosen.quick))
            case "copy":
                other = settings.S3 if chosen.place == settings.LOCAL else settings.LOCAL
                say(f"从{PLACES[other]}复制到{PLACES[chosen.place]} …")
                return await _told(verifying.copy(_store(other), _store(chosen.place), quick=chosen.quick))
            case _:
                return await _sweep(stores.store(), chosen)
    except StoreAway as away:
        say(f"文件存储不可用：{away.reason}。没有做完，可以再运行一次。")
    except NoRoom as full:
        say(f"目标存储空间不足，没有做完：{full.message}")
    return 1


async def _connected(chosen: argparse.Namespace) -> int:
    await db.open_pool(most=verifying.AT_ONCE)
    try:
        return await run(chosen)
    finally:
        await db.close_pool()


def _store(place: str) -> Store:
    return stores.s3() if place == settings.S3 else stores.disk()


async def _told(objects: AsyncIterator[Looked]) -> int:
    """Says what is wrong with each, how far it is, and the numbers at the end."""
    total, done, size = await verifying.count(), Counter[Outcome](), 0
    began = said = time.monotonic()
    async for looked in objects:
        done[looked.outcome] += 1
        size += looked.size
        if looked.outcome in BAD:
            say(f"{WORDS[looked.outcome]}  {looked.it.name}  佐证材料 {looked.it.evidence}")
        if (now := time.monotonic()) - said >= EVERY:
            said, left = now, (now - began) / done.total() * max(total - done.total(), 0)
            say(f"  {done.total()} / {total}，{size / 1e9:.1f} GB，约还需 {left / 60:.0f} 分钟")
    numbers = "，".join(f"{word} {done[outcome]} 个" for outcome, word in WORDS.items() if done[outcome])
    say(f"共 {done.total()} 个文件，{size / 1e9:.2f} GB：{numbers or '没有'}。")
    return 1 if any(done[outcome] for outcome in BAD) else 0


async def _sweep(store: Store, chosen: argparse.Namespace) -> int:
    async with sweeping.alone(patient=True):
        back = await sweeping.put_back_needed(store)
    if back:
        say(f"上次清理中断，已放回 {back} 个有记录的文件。")
    found = await sweeping.survey(store, timedelta(days=chosen.days))
    for name in found.strange:
        say(f"不认识，不动  {name}")
    for it in found.orphans:
        say(f"无主  {it.name}  {it.size} 字节  {it.since:%Y-%m-%d}")
    size = sum(it.size for it in found.orphans)
    say(f"看过 {found.seen} 个文件，无主 {len(found.orphans)} 个，{size / 1e6:.1f} MB。")
    if not chosen.delete:
        say("没有删除任何文件；确认后加 --delete。" if found.orphans else "不需要清理。")
        return 0
    if found.suspicious and not chosen.most:
        say("无主的太多，没有删除：请先确认 DUBAN_DATABASE_URL 指向的是这批材料的数据库；确认无误再加 --most。")
        return 1
    async with sweeping.alone(patient=True):
        left = await sweeping.finish_sweep(store)
    gone = 0
    for it in found.orphans:
        async with sweeping.alone(patient=True):
            gone += await sweeping.take_out(store, it.name)
    kept = len(found.orphans) - gone
    say(
        f"已删除 {gone} 个"
        + (f"，{kept} 个刚有了记录，保留" if kept else "")
        + (f"；上次中断的 {left} 个已处理" if left else "")
        + "。"
    )
    return 0
