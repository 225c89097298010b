"""Door: keys of protected fields, that sign, and of Web Push: made once, looked at before every start, changed here.

What they do is in protected.py and signing.py.
"""

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
from piccolo.conf.apps import Finder

from backend import db, embedded, protected, signing
from backend.db import raw, transaction
from backend.errors import Unreadable
from backend.settings import PROTECTED, PUSH, SIGNING, KeyPlace, Settings
from backend.signing import PublicKey
from backend.supervisor import Trouble, say

BATCH = 200


def ensure(settings: Settings) -> None:
    """Before anything is served: makes the key files of a new embedded database, and refuses to start without a key
    that something is encrypted with, or without the one that signed so far. The tables are there. Raises Trouble.
    """
    _ensure_protected(settings)
    _ensure_signing(settings)
    if settings.embedded and not settings.outgoing.push_key:
        _make_file(settings.var / PUSH.file, "浏览器推送的密钥", "丢失后每个浏览器须重新开启推送")


def _ensure_protected(settings: Settings) -> None:
    needed = used(settings)
    if not settings.protected_keys and needed:
        raise Trouble(
            f"密钥文件 {settings.var / PROTECTED.file} 不见了，而数据库里有用它加密的内容："
            "请从备份恢复这个文件，不要新建。"
        )
    if not settings.protected_keys:
        _make_file(settings.var / PROTECTED.file, "个人信息的加密密钥", "丢失后加密的内容无法恢复")
        protected.forget()
    elif missing := sorted(needed.keys() - set(protected.key_ids())):
        raise Trouble(
            f"数据库里有用密钥 {'、'.join(missing)} 加密的内容，"
            "而它不在 DUBAN_PROTECTED_KEYS 或密钥文件里：请补上再启动。"
        )


def _ensure_signing(settings: Settings) -> None:
    if not settings.signing_keys and asyncio.run(published(settings)):
        raise Trouble(
            f"签名密钥文件 {settings.var / SIGNING.file} 不见了：请从备份恢复这个文件。确实找不回来时，"
            "运行 ./duban keys new --signing 另做一把；已出具的回执仍可用公布的公钥核验。"
        )
    if not settings.signing_keys:
        _make_file(settings.var / SIGNING.file, "回执和时间凭证的签名密钥", "丢失后只能换新密钥")
        signing.forget()


def run(settings: Settings, arguments: list[str]) -> int:
    """`./duban keys [new [--signing | --push] | reencrypt]`; without a word the list. Services run. Raises Trouble."""
    parser = argparse.ArgumentParser(prog="duban keys")
    parser.add_argument("verb", nargs="?", choices=["list", "new", "reencrypt"], default="list")
    parser.add_argument("--signing", action="store_true", help="new：另做一把签名密钥，而不是加密密钥")
    parser.add_argument("--push", action="store_true", help="new：另做一把浏览器推送的密钥")
    wanted = parser.parse_args(arguments)
    if wanted.verb == "new":
        add(settings, SIGNING if wanted.signing else PUSH if wanted.push else PROTECTED)
    elif wanted.verb == "reencrypt":
        _alone(settings)
        if asyncio.run(reencrypt()):
            return 1
    say("加密密钥（个人信息）：")
    for line in told(used(settings)):
        say(line)
    say("签名密钥（回执、时间凭证），附公钥指纹：")
    for line in told_signing(asyncio.run(published(settings))):
        say(line)
    return 0


def told(needed: Counter[str]) -> Iterator[str]:
    """One line per key, the newest first, with how many stored values need it."""
    ids = protected.key_ids()
    for place, id in enumerate(ids):
        does = "用于加密" if place == 0 else "仍须保留" if needed[id] else "已不再使用，旧备份仍要用它"
        yield f"  {id}  {needed[id]:>8} 个值  {does}"
    for id in sorted(needed.keys() - set(ids)):
        yield f"  {id}  {needed[id]:>8} 个值  缺少这把密钥，读不出来"


def told_signing(known: Sequence[str]) -> Iterator[str]:
    """One line per key that signs or signed: those at hand, the newest first, then the retired ones."""
    ring = signing.public_keys()
    for place, public in enumerate(ring):
        does = "用于签名" if place == 0 else "只核验时间凭证"
        yield f"  {public.id.hex()}  {public.fingerprint}  {does}"
    for text in sorted({*known} - {str(public) for public in ring}):
        public = PublicKey.read(text)
        yield f"  {public.id.hex()}  {public.fingerprint}  已停用，公钥仍公布"


def add(settings: Settings, place: KeyPlace = PROTECTED) -> None:
    """A new key before the others: in the key file, or on the terminal where the keys are in the environment."""
    path = settings.var / place.file
    lost = place is SIGNING and not settings.signing_keys and settings.embedded
    if not path.exists() and not lost:
        before = "里" if place is PUSH else "的最前面，用逗号与原有的隔开"
        say(f"新密钥，请放在 {place.setting} {before}：\n{protected.new_key()}")
        return
    _alone(settings)
    kept = path.read_text() if path.exists() else ""
    draft = path.with_name(f"{place.file}.new")
    draft.unlink(missing_ok=True)
    _write(draft, f"{protected.new_key()}\n{kept}")
    draft.replace(path)
    protected.forget()
    signing.forget()
    then = _THEN[place.setting]
    say(f"新密钥已写在 {path} 的最前面。请备份这个文件，{then}。")


_THEN = {
    PROTECTED.setting: "再运行 ./duban keys reencrypt",
    SIGNING.setting: "下次启动时公布它的公钥",
    PUSH.setting: "每个浏览器下次打开时会重新登记推送",
}


async def reencrypt() -> int:
    """Every protected value of every table under the newest key; how many could not be read, and stay as they are."""
    await db.open_pool(most=2)
    try:
        return sum([await reencrypted(table, columns) for table, columns in columns().items()])
    finally:
        await db.close_pool()


def columns() -> dict[str, tuple[str, ...]]:
    """The protected columns of each table: those made with columns.protected()."""
    found = {
        table._meta.tablename: tuple(c._meta.name for c in table._meta.columns if c._meta.secret)
        for table in Finder().get_table_classes()
    }
    return {table: names for table, names in sorted(found.items()) if names}


async def reencrypted(table: str, columns: tuple[str, ...]) -> int:
    """One table; how many rows could not be read. The pool is open."""
    unread, after = 0, UUID(int=0)
    while True:
        async with transaction():
            rows = await raw(
                f'SELECT * FROM "{table}" WHERE id > $1 ORDER BY id LIMIT {BATCH} FOR NO KEY UPDATE', after
            )
            for row in rows:
                unread += await _reencrypt_row(table, columns, row)
        if len(rows) < BATCH:
            return unread
        after = rows[-1]["id"]


async def _reencrypt_row(table: str, columns: tuple[str, ...], row: asyncpg.Record) -> bool:
    """True when something in it cannot be read: then the row stays whole as it is."""
    stale = [name for name in columns if row[name] and protected.key_of(row[name]) != protected.key_ids()[0]]
    changed: dict[str, str] = {}
    try:
        for name in stale:
            text = protected.decrypt(row[name], f"{table}.{name}", row["id"])
            changed[name] = protected.encrypt(text, f"{table}.{name}", row["id"])
            if f"{name}_index" in row.keys():  # noqa: SIM118  (a record is asked for its columns)
                changed[f"{name}_index"] = protected.index(text, name)
    except Unreadable:
        return True
    if changed:
        sets = ", ".join(f'"{name}" = ${place}' for place, name in enumerate(changed, 2))
        await raw(f'UPDATE "{table}" SET {sets} WHERE id = $1', row["id"], *changed.values())
    return False


def used(settings: Settings) -> Counter[str]:
    """How many stored values need which key."""
    return asyncio.run(_used(settings))


async def _used(settings: Settings) -> Counter[str]:
    line: asyncpg.Connection = await asyncpg.connect(**settings.database)  # pyright: ignore
    try:
        used: Counter[str] = Counter()
        for table, names in columns().items():
            if not await line.fetchval("SELECT to_regclass($1)", table):
                continue
            for name in names:
                rows = await line.fetch(
                    f'SELECT split_part("{name}", \'.\', 2) AS key, count(*) AS n FROM "{table}" '
                    f'WHERE "{name}" IS NOT NULL GROUP BY 1'
                )
                used.update({row["key"]: row["n"] for row in rows})
        return used
    finally:
        await line.close()


async def published(settings: Settings) -> list[str]:
    """Every public key that was ever published, the newest first."""
    line: asyncpg.Connection = await asyncpg.connect(**settings.database)  # pyright: ignore
    try:
        if not await line.fetchval("SELECT to_regclass('signing_key')"):
            return []
        return [row["public"] for row in await line.fetch("SELECT public FROM signing_key ORDER BY published_at DESC")]
    finally:
        await line.close()


def _make_file(path: Path, what: str, loss: str) -> None:
    """Whole or not at all, readable by its owner alone; a file that is there stays."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    _write(draft, f"{protected.new_key()}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    say(f"已生成{what} {path}：请单独备份，{loss}。")


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _alone(settings: Settings) -> None:
    """Processes read their keys once: one that runs on would not read what is written under a newer key."""
    if settings.embedded and embedded.postgres_answers(settings.var / "pg") and _up_runs(settings):
        raise Trouble("请先停止 ./duban up：正在运行的程序不认识新的密钥。")


def _up_runs(settings: Settings) -> bool:
    from backend import up

    return up.status(settings, "/healthz") == 200
