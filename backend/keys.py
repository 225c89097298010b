"""Door: keys of protected fields: made once, looked at before every start, changed by `keys`. See protected.py."""

import argparse
import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
from piccolo.conf.apps import Finder

from backend import db, embedded, protected
from backend.db import raw, transaction
from backend.errors import Unreadable
from backend.settings import KEY_FILE, Settings
from backend.supervisor import Trouble, say

BATCH = 200


def ensure(settings: Settings) -> None:
    """Before anything is served: makes the key file of a new embedded database, and refuses to start without a key
    that something is encrypted with. The tables are there. Raises Trouble.
    """
    needed = used(settings)
    if not settings.protected_keys and needed:
        raise Trouble(
            f"密钥文件 {settings.var / KEY_FILE} 不见了，而数据库里有用它加密的内容：请从备份恢复这个文件，不要新建。"
        )
    if not settings.protected_keys:
        _make_file(settings.var / KEY_FILE)
        protected.forget()
    elif missing := sorted(needed.keys() - set(protected.key_ids())):
        raise Trouble(
            f"数据库里有用密钥 {'、'.join(missing)} 加密的内容，"
            "而它不在 DUBAN_PROTECTED_KEYS 或密钥文件里：请补上再启动。"
        )


def run(settings: Settings, arguments: list[str]) -> int:
    """`./duban keys [new | reencrypt]`; without a word the list. The services run. Raises Trouble."""
    parser = argparse.ArgumentParser(prog="duban keys")
    parser.add_argument("verb", nargs="?", choices=["list", "new", "reencrypt"], default="list")
    wanted = parser.parse_args(arguments).verb
    if wanted == "new":
        add(settings)
    elif wanted == "reencrypt":
        _alone(settings)
        if asyncio.run(reencrypt()):
            return 1
    for line in told(used(settings)):
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


def add(settings: Settings) -> None:
    """A new key before the others: in the key file, or on the terminal where the keys are in the environment."""
    path = settings.var / KEY_FILE
    if not path.exists():
        say(f"新密钥，请放在 DUBAN_PROTECTED_KEYS 的最前面，用逗号与原有的隔开：\n{protected.new_key()}")
        return
    _alone(settings)
    kept = path.read_text()
    draft = path.with_name(f"{KEY_FILE}.new")
    draft.unlink(missing_ok=True)
    _write(draft, f"{protected.new_key()}\n{kept}")
    draft.replace(path)
    protected.forget()
    say(f"新密钥已写在 {path} 的最前面。请备份这个文件，再运行 ./duban keys reencrypt。")


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


def _make_file(path: Path) -> None:
    """Whole or not at all, readable by its owner alone; a file that is there stays."""
    draft = path.with_name(f"{KEY_FILE}.new")
    draft.unlink(missing_ok=True)
    _write(draft, f"{protected.new_key()}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
    say(f"已生成个人信息的加密密钥 {path}：请单独备份，丢失后加密的内容无法恢复。")


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
