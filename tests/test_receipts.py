"""Receipts: what was stored is attested once it is committed, for ever the same, and checked by anybody offline."""

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from backend import clock, receipt_check, receipts, signing, time_tokens
from backend.columns import uuid7
from backend.db import raw
from backend.receipts import KINDS, Receipt
from backend.settings import ROOT
from backend.signing import Unsigned
from tests import calls, make, uploads_make
from tests.test_evidence_api import declared

# The calls whose answer carries a receipt, with its kind; `issue` and the like carry no id of their own.
RECEIPTED = {
    "POST /api/visits": "visit",
    "PUT /api/visits/{visit_id}/arrivals/{arrival_id}": "arrival",
    "PUT /api/visits/{visit_id}/findings/{finding_id}": "finding",
    "POST /api/visits/{visit_id}/submission": "submission",
    "PUT /api/visits/{visit_id}/checklists/{version_id}/answers/{answer_id}": "checklist_answer",
    "PUT /api/evidence/{evidence_id}": "file",
    "POST /api/rectifications": "draft",
    "POST /api/rectifications/{item_id}/acknowledgement": "acknowledgement",
    "POST /api/rectifications/{item_id}/reports": "report",
    "POST /api/rectifications/{item_id}/hand-ins": "hand_in",
    "POST /api/rectifications/{item_id}/first-pass": "review",
    "POST /api/rectifications/{item_id}/returns": "review",
    "POST /api/rectifications/{item_id}/closure": "review",
    "POST /api/rectifications/{item_id}/voiding": "voiding",
    "POST /api/rectifications/{item_id}/measures": "measure",
    "POST /api/rectifications/{item_id}/hand-ins/{hand_in_id}/confirmation": "confirmation",
    "POST /api/rectifications/{item_id}/measures/{measure_id}/completion": "measure_end",
    "POST /api/rectifications/{item_id}/measures/{measure_id}/dropping": "measure_end",
    "POST /api/rectifications/{item_id}/objections": "objection",
    "POST /api/rectifications/{item_id}/objections/{objection_id}/decision": "objection_ruling",
    "POST /api/rectifications/{item_id}/extensions": "extension",
    "POST /api/rectifications/{item_id}/extensions/{extension_id}/decision": "extension_decision",
    "POST /api/rectifications/{item_id}/site-checks": "site_check",
    "POST /api/rectifications/{item_id}/site-checks/{check_id}/conclusion": "site_check_conclusion",
    "POST /api/rectifications/{item_id}/publicity": "publicity",
    "POST /api/rectifications/{item_id}/publicity/{publicity_id}/objections": "public_objection",
    "POST /api/rectifications/{item_id}/public-objections/{objection_id}/decision": "public_objection_ruling",
    "POST /api/rectifications/{item_id}/hanging": "hanging",
    "POST /api/rectifications/{item_id}/resumption": "resumption",
    "POST /api/rectifications/{item_id}/look-backs": "look_back",
    "POST /api/rectifications/{item_id}/reopening": "reopening",
    "PUT /api/monthly/records/{record_id}": "monthly_record",
    "PUT /api/monthly/exemptions/{exemption_id}": "monthly_exemption",
    "POST /api/monthly/rules": "monthly_rule",
    "POST /api/feedback": "feedback",
    "POST /api/feedback/{feedback_id}/answers": "feedback_answer",
}
BODILESS = {"POST /api/visits/{visit_id}/submission", "PUT /api/evidence/{evidence_id}"}
BARE = {  # nothing of their own is stored under an id from the phone
    "PUT /api/visits/{visit_id}/checklists",
    "POST /api/rectifications/{item_id}/issue",
    "POST /api/rectifications/{item_id}/dropping",
    "POST /api/rectifications/{item_id}/voiding/confirmation",
    "POST /api/rectifications/{item_id}/voiding/refusal",
    "PUT /api/rectifications/{item_id}/household",
    "POST /api/evidence/{evidence_id}/explanations",  # answered with the file, and so with the receipt of the file
    "POST /api/evidence/{evidence_id}/original-access",
    "POST /api/rectifications/batch",
    "POST /api/feedback/{feedback_id}/closing",
    "POST /api/monthly/records/{record_id}/withdrawal",
    "POST /api/monthly/exemptions/{exemption_id}/decision",
    "POST /api/monthly/exemptions/{exemption_id}/revocation",
    "POST /api/monthly/rules/{rule_id}/decision",
    "POST /api/monthly/rules/{rule_id}/ending",
    "POST /api/rectifications/batches/{batch_id}/stop",
}


@pytest.fixture
async def it(client, noon):
    return await make.cast()


def read(answer: dict[str, Any]) -> Receipt:
    return receipts.read(answer["receipt"], signing.public_keys())


def test_every_kind_of_receipt_is_given_by_some_call():
    assert set(RECEIPTED.values()) == KINDS.keys()


def test_a_new_write_of_the_main_loop_says_whether_it_is_attested():
    loop = ("/api/visits", "/api/evidence", "/api/rectifications", "/api/feedback", "/api/monthly")
    assert {name for name in calls.WRITES if name.split()[1].startswith(loop)} == RECEIPTED.keys() | BARE


@pytest.mark.parametrize("name", RECEIPTED)
async def test_what_was_written_is_attested_and_its_repetition_in_the_same_words(client, it, noon, name):
    call = await calls.WRITES[name](it)
    said = await call.made(client)
    assert said.status_code in (200, 201), said.text
    receipt = read(said.json())
    sent = said.request.content
    assert receipt.kind == RECEIPTED[name]
    assert receipt.sha256 == hashlib.sha256(sent).hexdigest()
    assert receipt.stored_at == clock.now()
    named = call.body["id"] if isinstance(call.body, dict) and "id" in call.body else call.path
    assert str(receipt.id) in named
    manifest = call.body.get("evidence", []) if isinstance(call.body, dict) else []
    assert [(str(id), sha256) for id, sha256 in receipt.files] == [(line["id"], line["sha256"]) for line in manifest]
    with clock.frozen(noon + timedelta(hours=5)):
        again = await call.made(client)
    assert again.status_code == said.status_code, again.text
    assert again.json()["receipt"] == said.json()["receipt"]


async def test_the_hash_is_that_of_the_bytes_as_they_came_not_of_their_meaning(client, it):
    call = await calls.file_finding(it)
    spaced = json.dumps(call.body, indent=3, ensure_ascii=False).encode()
    said = await call.made(client, content=spaced, headers=call.headers | {"content-type": "application/json"})
    assert read(said.json()).sha256 == hashlib.sha256(spaced).hexdigest()


async def test_a_body_that_nobody_asked_for_is_attested_as_it_came_too(client, it):
    call = await calls.WRITES["POST /api/visits/{visit_id}/submission"](it)
    said = await client.request(call.method, call.path, content=b"{}", headers=call.headers)
    assert said.status_code == 201, said.text
    assert read(said.json()).sha256 == hashlib.sha256(b"{}").hexdigest()


async def test_a_refused_request_gets_no_receipt(client, it):
    call = await calls.file_finding(it)
    call.body["facts"] = " "
    assert "receipt" not in (await call.made(client)).json()


async def test_a_file_has_a_receipt_for_its_declarer_and_its_readers_once_it_is_stored(client, it, noon):
    declared = await calls.send_evidence(it)
    path, office = declared.path, await make.signed_in(it.staff)
    assert "receipt" not in (await client.get(path, headers=declared.headers)).json()
    with clock.frozen(noon + timedelta(minutes=7)):
        sent = (await declared.made(client)).json()
    receipt = read(sent)
    assert (receipt.kind, receipt.sha256, receipt.size) == ("file", sent["sha256"], len(make.photo()))
    assert receipt.stored_at == noon + timedelta(minutes=7)
    for headers in (declared.headers, office):
        assert (await client.get(path, headers=headers)).json()["receipt"] == sent["receipt"]


async def test_a_file_sent_in_pieces_has_a_receipt_too(client, it):
    phone, content = await uploads_make.phone(client, it.inspector), make.photo(40)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    for at in range(0, len(content), 300):
        await phone.send(path, at, content[at : at + 300])
    shown = (await client.get(f"/api/evidence/{id}", headers=await make.signed_in(it.inspector))).json()
    assert (read(shown).id, read(shown).sha256) == (id, hashlib.sha256(content).hexdigest())


async def test_lists_are_not_slowed_down_by_receipts(client, it):
    call = await calls.file_finding(it)
    await call.made(client)
    listed = (await client.get(f"/api/visits/{it.visit}/findings", headers=call.headers)).json()["items"][0]
    assert "receipt" not in listed and "receipt" not in listed["evidence"][0]


async def test_a_receipt_says_nothing_of_a_person_and_nothing_of_the_case(client, it):
    call = await calls.file_finding(it)
    text = (await call.made(client)).json()["receipt"]
    for secret in (it.inspector.name, str(it.inspector.person), str(it.visit), "管网", "124.9", make.YAOZHAN):
        assert secret not in text


FILE = Receipt("file", UUID(int=7), "ab" * 32, clock.now(), 1234)
RECORD = Receipt("hand_in", UUID(int=8), "cd" * 32, clock.now(), None, ((UUID(int=9), "ef" * 32),))


@pytest.mark.parametrize("receipt", [FILE, RECORD], ids=["file", "record"])
def test_a_receipt_is_read_as_it_was_written(receipt):
    assert receipts.read(signing.signed(receipt.text()), signing.public_keys()) == receipt


@pytest.mark.parametrize(
    ("receipt", "field"),
    [
        *((FILE, field) for field in ("kind", "id", "sha256", "size", "stored")),
        *((RECORD, field) for field in ("kind", "id", "sha256", "stored", "file")),
    ],
)
def test_no_field_can_be_changed_afterwards(receipt, field):
    note = signing.signed(receipt.text())
    changed = [
        line[:-1] + chr(ord(line[-1]) ^ 1) if line.startswith(f"{field} ") else line for line in note.split("\n")
    ]
    if changed != note.split("\n"):
        with pytest.raises(Unsigned, match="not the one that was signed"):
            receipts.read("\n".join(changed), signing.public_keys())


async def test_a_time_token_is_no_receipt_and_a_receipt_no_time_token(it):
    token = time_tokens.issue(it.inspector, clock.now()).token
    with pytest.raises(Unsigned, match="no receipt"):
        receipts.read(token, signing.public_keys())
    with pytest.raises(Unsigned, match="no time token"):
        time_tokens.read(signing.signed(FILE.text()), signing.public_keys())


@pytest.mark.parametrize(
    "text",
    [
        FILE.text().replace("v1", "v2"),
        FILE.text().replace("kind file", "kind other"),
        FILE.text() + "more of it\n",
        FILE.text().replace("size 1234", "size １２３４"),
        FILE.text().replace(str(FILE.id), str(FILE.id).upper().replace("-", "")),
        "\n",
    ],
)
def test_a_signed_text_of_another_form_is_no_receipt(text):
    with pytest.raises(Unsigned, match="no receipt"):
        receipts.read(signing.signed(text), signing.public_keys())


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────


def verify(*arguments: Any) -> tuple[int, str]:
    """In a process that has no settings, no key of the server and no database."""
    done = subprocess.run(
        [sys.executable, "-m", "backend", "verify-receipt", *map(str, arguments)],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "DUBAN_VAR": "/nonexistent"}, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
async def handed(client, it, tmp_path) -> dict[str, Path]:
    """What a person who was handed a receipt has: it, the photo, and the list of keys as everybody can fetch it."""
    call = await calls.send_evidence(it)
    sent = (await call.made(client)).json()
    keys = await client.get("/api/receipt-keys")
    files = {"receipt": sent["receipt"].encode(), "photo": make.photo(), "keys": keys.content}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in files}


def test_a_receipt_is_checked_offline_without_the_servers_key(handed):
    code, said = verify(handed["receipt"], "--keys", handed["keys"], "--file", handed["photo"])
    assert code == 0 and "回执真实" in said and "2026-11-24 12:00:00" in said and "就是已存妥的那一个文件" in said


def test_another_photo_is_not_the_one_of_the_receipt(handed, tmp_path):
    (tmp_path / "other").write_bytes(make.photo() + b"\0")
    code, said = verify(handed["receipt"], "--keys", handed["keys"], "--file", tmp_path / "other")
    assert code == 1 and "不是已存妥的那一个文件" in said


def test_a_changed_receipt_proves_nothing(handed):
    text = handed["receipt"].read_text()
    handed["receipt"].write_text(text.replace("size ", "size 1"))
    code, said = verify(handed["receipt"], "--keys", handed["keys"])
    assert code == 1 and "已被改动" in said and "回执真实" not in said


def test_keys_of_another_server_prove_nothing(handed):
    other = signing.PublicKey("duban", bytes(range(32)))
    handed["keys"].write_text(json.dumps({"items": [{"key": str(other)}]}))
    code, said = verify(handed["receipt"], "--keys", handed["keys"])
    assert code == 1 and "不能证明" in said


@pytest.mark.parametrize(
    "arguments", [["{receipt}"], ["{receipt}", "--keys", "{photo}"], ["{receipt}.gone", "--keys", "{keys}"]]
)
def test_what_cannot_be_checked_is_said_in_a_sentence(handed, arguments):
    code, said = verify(*(word.format(**handed) for word in arguments))
    assert code == 1 and "duban: " in said and "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [("photo", 0, "就是其中登记的文件"), ("body", 0, "就是所收的请求内容"), ("other", 1, "不是其中登记的文件")],
)
async def test_a_record_is_compared_with_what_was_sent_and_its_manifest(client, it, tmp_path, capsys, name, code, said):
    filed = await (await calls.file_finding(it)).made(client)
    files = {"photo": make.photo(), "other": make.photo(1), "body": filed.request.content}
    (tmp_path / "receipt").write_text(filed.json()["receipt"] + "\n")
    (tmp_path / name).write_bytes(files[name])
    assert receipt_check.run([str(tmp_path / "receipt"), "--file", str(tmp_path / name)]) == code
    assert said in capsys.readouterr().out


# ── the published keys ───────────────────────────────────────────────────────────────────────────────────────────


async def test_public_keys_are_for_everybody_and_retired_ones_stay(client, monkeypatch):
    old = signing.public_keys()[0]
    receipt = signing.signed(FILE.text())
    await raw("INSERT INTO signing_key (id, public, published_at) VALUES ($1, $2, $3)", uuid7(), str(old), clock.now())
    monkeypatch.setenv("DUBAN_SIGNING_KEYS", "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")
    signing.forget()
    listed = (await client.get("/api/receipt-keys")).json()["items"]
    monkeypatch.undo()
    signing.forget()
    assert [(key["use"], key["id"]) for key in listed] == [("signs", listed[0]["id"]), ("retired", old.id.hex())]
    keys = [signing.PublicKey.read(key["key"]) for key in listed]
    assert receipts.read(receipt, keys) == FILE
    with pytest.raises(Unsigned):
        receipts.read(receipt, keys[:1])


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}甲"
        case [{"sha256": str()} as line, *_]:
            return [line | {"id": str(uuid7())}]
        case [*_]:
            return []
        case {"lat": float() as lat}:
            return value | {"lat": lat + 0.001}
        case _:
            return None


@pytest.mark.parametrize("name", [name for name in RECEIPTED if name not in BODILESS])
async def test_no_receipt_is_given_for_anything_but_what_was_stored(client, it, name):
    call = await calls.WRITES[name](it)
    body = dict(call.body)
    assert (await call.made(client)).status_code in (200, 201)
    attested = []
    for field in body.keys() - {"id"}:
        call.body = body | {field: changed(body[field])}
        if "receipt" in (await call.made(client)).json():
            attested.append(field)
    assert attested == []
