"""Keys of protected fields and keys that sign: made once, missed before anything starts, changed without loss."""

import asyncio
import base64
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend import attesting, keys, protected, settings, signing
from backend.columns import uuid7
from backend.db import raw
from backend.households import commands, queries
from backend.households.queries import nothing
from backend.households.rules import Relation, ViewReason
from backend.outgoing import Outgoing
from backend.settings import ROOT, Settings
from backend.supervisor import Trouble
from tests import make
from tests.calls import ID_NUMBER, OTHER_ID_NUMBER

OLD, NEW, THIRD = (base64.b64encode(bytes([n]) * 32).decode() for n in (3, 4, 9))


@pytest.fixture
def ring(monkeypatch) -> Iterator:
    def set_to(*given: str) -> Settings:
        monkeypatch.setenv("DUBAN_PROTECTED_KEYS", ",".join(given))
        protected.forget()
        return settings.load()

    yield set_to
    protected.forget()


@pytest.fixture
async def family(client, noon, ring):
    """A household and somebody in it, under the old key."""
    ring(OLD)
    it = await make.cast()
    id = await make.household(it, id_number=ID_NUMBER)
    await commands.add_person(
        id, it.staff, nothing, id=uuid7(), name="佟桂兰", relation=Relation.spouse, id_number=OTHER_ID_NUMBER
    )
    return it, id


def test_the_protected_columns_are_found_by_their_mark():
    assert keys.columns() == {
        "calendar_feed": ("secret",),
        "channel": ("address", "secret", "code"),
        "household": ("head_name", "id_number", "phone"),
        "household_person": ("name", "id_number"),
        "person": ("totp_secret",),
    }


async def test_a_missing_key_is_named_before_anything_starts(family, ring):
    old = protected.key_ids()[0]
    await in_a_thread(keys.ensure, settings.load())
    with pytest.raises(Trouble, match=old):
        await in_a_thread(keys.ensure, ring(NEW))
    await in_a_thread(keys.ensure, ring(NEW, OLD))


async def test_a_lost_key_file_is_not_replaced(family, tmp_path):
    lost = replace(settings.load(), protected_keys=(), var=tmp_path)
    with pytest.raises(Trouble, match="不要新建"):
        await in_a_thread(keys.ensure, lost)
    assert not list(tmp_path.iterdir())


async def test_an_empty_database_gets_a_key_file_once(client, tmp_path):
    first = replace(settings.load(), protected_keys=(), var=tmp_path)
    await in_a_thread(keys.ensure, first)
    file = tmp_path / settings.PROTECTED.file
    made = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and [*tmp_path.iterdir()] == [file]
    assert len(settings.load({"DUBAN_VAR": str(tmp_path)}).protected_keys) == 1
    await in_a_thread(keys.ensure, first)
    assert file.read_text() == made


def test_a_new_key_comes_first_in_the_file_and_the_old_one_stays(tmp_path: Path):
    file = tmp_path / settings.PROTECTED.file
    file.write_text(f"{OLD}\n")
    file.chmod(0o600)
    keys.add(replace(settings.load(), var=tmp_path))
    newest, old = settings.load({"DUBAN_VAR": str(tmp_path)}).protected_keys
    assert old == bytes([3]) * 32 != newest
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and [*tmp_path.iterdir()] == [file]


async def test_a_new_key_is_printed_where_the_environment_holds_them(tmp_path, capsys):
    keys.add(replace(settings.load(), var=tmp_path))
    said = capsys.readouterr()
    assert len(base64.b64decode((said.out + said.err).split()[-1])) == 32 and not list(tmp_path.iterdir())


async def test_after_re_encryption_the_old_key_is_needed_no_more(family, ring):
    it, id = family
    ring(NEW, OLD)
    assert {row.id for row in await queries.found_by_id_number(ID_NUMBER, it.staff, nothing)} == {id}
    assert await reencrypted() == 0
    now = ring(NEW)
    assert [line.split()[1] for line in keys.told(await in_a_thread(keys.used, now))] == ["5"]
    for number in (ID_NUMBER, OTHER_ID_NUMBER):
        assert {row.id for row in await queries.found_by_id_number(number, it.staff, nothing)} == {id}
    full = await commands.view(
        id, it.staff, nothing, id=uuid7(), reason_code=ViewReason.verification, reason="换钥后核对信息"
    )
    assert (full.head_name, full.phone, full.persons[0].name) == ("佟守义", "13904130077", "佟桂兰")
    await in_a_thread(keys.ensure, now)


async def test_re_encryption_goes_over_more_rows_than_fit_one_batch_and_twice_is_once(family, ring, monkeypatch):
    it, _ = family
    for n in range(5):
        await make.household(it, household_number=f"{n:04}")
    monkeypatch.setattr(keys, "BATCH", 2)
    ring(NEW, OLD)
    assert await reencrypted() == 0
    stored = await raw("SELECT id, head_name, phone FROM household ORDER BY id")
    assert {protected.key_of(row["head_name"]) for row in stored} == {protected.key_ids()[0]}
    assert await reencrypted() == 0
    assert await raw("SELECT id, head_name, phone FROM household ORDER BY id") == stored


async def test_what_cannot_be_read_is_counted_and_left_as_it_is(family, ring):
    it, id = family
    other = await make.household(it, household_number="0099")
    await raw("UPDATE household SET phone = (SELECT phone FROM household WHERE id = $2) WHERE id = $1", id, other)
    before = await raw("SELECT * FROM household WHERE id = $1", id)
    ring(NEW, OLD)
    assert await reencrypted() == 1
    assert await raw("SELECT * FROM household WHERE id = $1", id) == before
    told = list(keys.told(await in_a_thread(keys.used, settings.load())))
    assert "仍须保留" in told[1]


async def test_an_id_number_is_taken_also_under_the_old_key(family, ring):
    it, _ = family
    ring(NEW, OLD)
    with pytest.raises(commands.Conflict):
        await make.household(it, household_number="0099", id_number=ID_NUMBER)


async def reencrypted() -> int:
    return sum([await keys.reencrypted(table, columns) for table, columns in keys.columns().items()])


async def in_a_thread(work, *given):
    """The command line has an event loop of its own."""
    return await asyncio.to_thread(work, *given)


# ── keys that sign ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def signing_ring(monkeypatch) -> Iterator:
    def set_to(*given: str) -> Settings:
        monkeypatch.setenv("DUBAN_SIGNING_KEYS", ",".join(given))
        signing.forget()
        return settings.load()

    yield set_to
    signing.forget()


async def published() -> list[str]:
    return [row["public"] for row in await raw("SELECT public FROM signing_key ORDER BY published_at, id")]


async def test_public_halves_are_published_once_and_for_ever(client, signing_ring):
    for ring in ((OLD,), (NEW, OLD), (NEW,)):
        signing_ring(*ring)
        await attesting.publish()
    new = str(signing.public_keys()[0])
    signing_ring(OLD)
    assert await published() == [str(signing.public_keys()[0]), new]


async def test_a_web_process_publishes_its_keys_before_it_answers(fresh):
    env = {**os.environ, "DUBAN_SIGNING_KEYS": THIRD}
    started = (
        "import asyncio; from backend.app import connections, create_app\n"
        "async def start():\n    async with connections(create_app()): pass\n"
        "asyncio.run(start())"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", started], check=True, cwd=ROOT, env=env)
    raw_key = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32).public_key().public_bytes_raw()
    assert await published() == [str(signing.PublicKey("duban", raw_key))]


async def test_the_list_names_what_each_key_is_for_and_what_it_is_known_by(client, signing_ring):
    for ring in ((OLD,), (NEW, THIRD)):
        signing_ring(*ring)
        await attesting.publish()
    told = list(keys.told_signing(await keys.published(settings.load())))
    now = signing.public_keys()
    assert [line.split()[0] for line in told[:2]] == [key.id.hex() for key in now]
    assert all(key.fingerprint in line for key, line in zip(now, told, strict=False))
    assert ["用于签名" in told[0], "时间凭证" in told[1], "已停用" in told[2]] == [True] * 3 and len(told) == 3


async def test_a_lost_signing_key_file_is_not_replaced_unasked(client, signing_ring, tmp_path):
    signing_ring(OLD)
    await attesting.publish()
    lost = replace(settings.load(), signing_keys=(), embedded=True, var=tmp_path)
    with pytest.raises(Trouble, match="keys new --signing"):
        await in_a_thread(keys.ensure, lost)
    assert not list(tmp_path.iterdir())
    await in_a_thread(keys.add, lost, settings.SIGNING)
    file = tmp_path / settings.SIGNING.file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and len(file.read_text().split()) == 1


async def test_an_empty_database_gets_a_signing_key_file_once(client, tmp_path):
    first = replace(settings.load(), signing_keys=(), var=tmp_path)
    await in_a_thread(keys.ensure, first)
    file = tmp_path / settings.SIGNING.file
    made = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and [*tmp_path.iterdir()] == [file]
    assert len(settings.load({"DUBAN_VAR": str(tmp_path)}).signing_keys) == 1
    await in_a_thread(keys.ensure, first)
    assert file.read_text() == made


def test_a_new_signing_key_comes_first_and_leaves_the_other_keys_alone(tmp_path: Path):
    for place in (settings.PROTECTED, settings.SIGNING):
        (tmp_path / place.file).write_text(f"{OLD if place is settings.SIGNING else NEW}\n")
        (tmp_path / place.file).chmod(0o600)
    keys.add(replace(settings.load(), var=tmp_path), settings.SIGNING)
    found = settings.load({"DUBAN_VAR": str(tmp_path)})
    assert found.signing_keys[1:] == (bytes([3]) * 32,) and found.protected_keys == (bytes([4]) * 32,)


async def test_the_embedded_shape_makes_a_key_of_web_push_once(client, tmp_path):
    first = replace(settings.load(), embedded=True, var=tmp_path, outgoing=Outgoing())
    await in_a_thread(keys.ensure, first)
    file = tmp_path / settings.PUSH.file
    made = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(settings.load({"DUBAN_VAR": str(tmp_path)}).outgoing.push_key) == 32
    await in_a_thread(keys.ensure, first)
    assert file.read_text() == made
    await in_a_thread(keys.add, replace(first, embedded=False), settings.PUSH)
    assert file.read_text().splitlines()[1] == made.strip()


async def test_the_command_lists_both_rings(client, capsys):
    assert await in_a_thread(keys.run, settings.load(), []) == 0
    said = capsys.readouterr().out
    assert protected.key_ids()[0] in said and signing.public_keys()[0].fingerprint in said
    for secret in (*settings.load().protected_keys, *settings.load().signing_keys):
        assert base64.b64encode(secret).decode() not in said and secret.hex() not in said
