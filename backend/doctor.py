"""Door: `doctor` says what is found, what is missing and what to do. Looking changes nothing but one probe in S3."""

import asyncio
import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import redis

from backend import binaries, clock, db, embedded, embedded_queue, outbox, outgoing, places, up
from backend.binaries import Binary
from backend.evidence.s3 import S3
from backend.evidence.storage import StoreAway
from backend.settings import PROTECTED, SIGNING, Bucket, KeyPlace, Settings
from backend.settings import S3 as S3_STORE
from backend.supervisor import OsUser, Trouble
from notifications.operations import queries as operations
from notifications.operations import rules
from notifications.operations.rules import Standing
from notifications.operations.rules import Trouble as Wrong

LATEST_SEEN_YEAR = 2026  # the clock of a machine that says less was never set
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")  # without them a commit is no promise


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `bad` makes the machine unusable; the text then says what to do."""

    name: str
    text: str
    bad: bool = False


def run(settings: Settings) -> int:
    """Prints one line per finding. 0 when Duban can run here."""
    found = [*look(settings), *_running(settings)]
    for row in up.table([{"": "✗" if f.bad else "✓", "n": f.name, "t": f.text} for f in found]):
        print(row)
    bad = sum(f.bad for f in found)
    print(f"\n有 {bad} 处需要处理。" if bad else "\n可以运行。")
    return 1 if bad else 0


def retry_parked() -> int:
    """Puts every parked event back in line; how many. The database must be running."""
    return asyncio.run(_retry_parked())


async def _retry_parked() -> int:
    await db.open_pool(most=1)
    try:
        return await outbox.unpark()
    finally:
        await db.close_pool()


def look(settings: Settings) -> Iterator[Finding]:
    """Everything worth knowing about this machine and this var/."""
    yield Finding("Python", f"{sys.version.split()[0]}（{sys.prefix}）", sys.version_info < (3, 11))
    yield _clock()
    yield _disk(settings.var)
    yield _evidence(settings.evidence)
    if settings.bucket is not None:
        yield asyncio.run(_bucket(settings, settings.bucket))
    yield _keys("加密密钥", settings, settings.protected_keys, PROTECTED)
    yield _keys("签名密钥", settings, settings.signing_keys, SIGNING)
    yield Finding("对外消息", outgoing.told(settings.outgoing))
    if settings.embedded:
        yield from _services(settings)
    else:
        yield Finding("形态", "数据库和队列由 DUBAN_DATABASE_URL、DUBAN_REDIS_URL 指定")
    running = not settings.embedded or embedded.postgres_answers(settings.var / "pg") is not None
    if running:
        yield from _try("数据库", lambda: asyncio.run(_database(settings)))
        yield from _try("队列", lambda: [_queue(settings)])
    yield _port(settings)


def _try(name: str, ask: Callable[[], list[Finding]]) -> Iterator[Finding]:
    try:
        yield from ask()
    except (OSError, asyncpg.PostgresError, redis.RedisError) as wrong:
        yield Finding(name, f"连不上：{wrong}", bad=True)


def _clock() -> Finding:
    now = clock.local(clock.now())
    if now.utcoffset() != timedelta(hours=8) or now.year < LATEST_SEEN_YEAR:
        return Finding("时钟", f"{now:%Y-%m-%d %H:%M} 不对：请校准本机时间和时区数据", bad=True)
    return Finding("时钟", f"北京时间 {now:%Y-%m-%d %H:%M}，请核对")


def _disk(var: Path) -> Finding:
    there = next(folder for folder in (var, *var.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    return Finding("磁盘", f"{there} 还剩 {free / 1e9:.1f} GB", free < places.LEAST_FREE)


def _evidence(folder: Path) -> Finding:
    there = next(found for found in (folder, *folder.parents) if found.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return Finding("佐证材料", f"{folder} 可写")
    return Finding("佐证材料", f"{folder} 不可写：请改目录主人，或用 DUBAN_EVIDENCE 换一个", bad=True)


async def _bucket(settings: Settings, bucket: Bucket) -> Finding:
    """The store, or the one to be moved to: reached, let in, and never writing over what it has."""
    used = "" if settings.store == S3_STORE else "（还没有启用，DUBAN_STORE 是 local）"
    where = f"{bucket.endpoint} 的 {bucket.name}{used}"
    store = S3(bucket, settings.evidence / "incoming")
    logging.getLogger("duban.evidence").setLevel(logging.ERROR)  # what is wrong is said once, here
    try:
        if trouble := await store.trouble():
            return Finding("S3 存储", f"{where}：{trouble}", bad=True)
        if not await store.keeps_what_it_has():
            return Finding("S3 存储", f"{where}：会覆盖已有的文件（不认 If-None-Match），不能用来存原件", bad=True)
    except StoreAway as away:
        return Finding("S3 存储", f"{where}：{away.reason}", bad=True)
    return Finding("S3 存储", f"{where} 可用，不覆盖已有的文件")


def _keys(name: str, settings: Settings, keys: tuple[bytes, ...], place: KeyPlace) -> Finding:
    if not keys:
        return Finding(name, f"还没有，./duban up 会在 {settings.var / place.file} 生成")
    where = place.setting if os.environ.get(place.setting) else str(settings.var / place.file)
    return Finding(name, f"{len(keys)} 把，在 {where}；请确认另有备份")


def _services(settings: Settings) -> Iterator[Finding]:
    try:
        user = places.service_user(settings)
    except Trouble as trouble:
        yield Finding("服务用户", str(trouble), bad=True)
        return
    data = settings.var / "pg"
    yield _binary("PostgreSQL", user, lambda who: binaries.find_postgres(who, data, copy=False))
    yield _binary("队列程序", user, lambda who: binaries.find_queue(who, copy=False))
    yield _data(data, user.name)
    pid = embedded.postgres_answers(data)
    yield Finding("数据库进程", f"运行中（{pid}）" if pid else "没有运行，./duban up 会启动它")
    queue = embedded_queue.answers((settings.var / "run").resolve() / "queue.sock")
    yield Finding("队列进程", "运行中" if queue else "没有运行，./duban up 会启动它")


def _binary(name: str, user: OsUser, find: Callable[[OsUser], Binary]) -> Finding:
    note = ""
    try:
        try:
            binary = find(user)
        except Trouble:
            binary = find(places.named(os.geteuid()))
            note = f"，启动时复制到 {user.name} 够得着的地方"
    except Trouble as trouble:
        return Finding(name, str(trouble), bad=True)
    return Finding(name, f"{binary.version}（{binary.source}，{binary.path}）{note}")


def _data(data: Path, user: str) -> Finding:
    if data.is_symlink() and not data.exists():
        return Finding("数据目录", f"{data} 指向的 {data.readlink()} 不存在：数据盘没有挂载？", bad=True)
    if not data.exists():
        return Finding("数据目录", f"还没有，./duban up 会在 {data} 建立，由 {user} 运行")
    if not os.access(data, os.R_OK | os.X_OK):
        return Finding("数据目录", f"{data} 进不去：请换用它的主人运行，或用 DUBAN_VAR 换一个", bad=True)
    if not (data / places.READY).exists():
        return Finding("数据目录", f"{data} 没有建完，下次启动时移到一旁、重新建立")
    return Finding(
        "数据目录",
        f"{data.resolve()} 完整，PostgreSQL {(data / 'PG_VERSION').read_text().strip()}，由 {user} 运行",
    )


async def _database(settings: Settings) -> list[Finding]:
    given: dict[str, Any] = {**settings.database}
    line = await asyncpg.connect(**given, timeout=5)
    try:
        version = str(await line.fetchval("SHOW server_version"))
        tables = await line.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        found = [
            Finding(
                "数据库",
                f"连得上，{version}，{tables} 张表" + ("" if tables else "，运行 ./duban migrate 建表"),
            )
        ]
        if lax := [name for name in DURABLE if await line.fetchval(f"SHOW {name}") == "off"]:
            said = f"{'、'.join(lax)} 是 off：断电会丢掉已出回执的记录，请改为 on"
            found.append(Finding("数据库", said, bad=True))
        if await line.fetchval("SELECT to_regclass('public.outbox') IS NOT NULL"):
            parked = await line.fetchval("SELECT count(*) FROM outbox WHERE parked_at IS NOT NULL")
            found.append(Finding("待办", f"{parked} 件搁置，见 docs/operations.md" if parked else "没有搁置的"))
        if await line.fetchval("SELECT to_regclass('public.delivery') IS NOT NULL"):
            since = clock.now() - timedelta(days=1)
            failed = await line.fetchval(
                "SELECT count(*) FROM delivery WHERE state = 'gave_up' AND ended_at > $1", since
            )
            said = f"一天内 {failed} 条未能送达，见 docs/operations.md" if failed else "一天内没有未送达的"
            found.append(Finding("送达", said))
        if await line.fetchval("SELECT to_regclass('public.migration') IS NOT NULL"):
            done = await line.fetchval("SELECT count(*) FROM migration")
            found.append(Finding("数据表升级", f"已执行 {done} 个"))
        return found
    finally:
        await line.close()


def _running(settings: Settings) -> Iterator[Finding]:
    if not settings.embedded or embedded.postgres_answers(settings.var / "pg") is not None:
        yield from _try("运行情况", lambda: asyncio.run(_standing()))


async def _standing() -> list[Finding]:
    """What the office's inbox and /readyz say of the worker, the sweeps and the deliveries, and what to do."""
    await db.open_pool(most=1)
    try:
        if (await db.raw("SELECT to_regclass('public.incident') IS NULL AS missing"))[0]["missing"]:
            return []
        found = await operations.standing()
    finally:
        await db.close_pool()
    told = [
        Finding("运行情况", f"{rules.words(it.trouble, it.count, english=False)}{_which(it)}。"
                           f"{rules.advice(it.trouble, english=False)}", it.trouble == Wrong.worker_away)
        for it in found
    ]  # fmt: skip
    return told or [Finding("运行情况", "后台处理、定时处理、通知发送都正常")]


def _which(it: Standing) -> str:
    return f"（{'、'.join(it.which)}）" if it.which else ""


def _queue(settings: Settings) -> Finding:
    began = time.monotonic()
    redis.Redis.from_url(settings.redis_url, socket_timeout=5).ping()
    return Finding("队列", f"连得上，{(time.monotonic() - began) * 1000:.1f} 毫秒")


def _port(settings: Settings) -> Finding:
    if up.status(settings, "/healthz") == 200:
        return Finding("网页服务", f"运行中 {up.address(settings)}")
    try:
        up.port_is_free(settings)
    except Trouble as trouble:
        return Finding("网页服务", str(trouble), bad=True)
    return Finding("网页服务", f"没有运行，{up.address(settings)} 空着")
