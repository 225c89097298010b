"""Resumable uploads over HTTP: begun before or after the finding, cut off anywhere, ended once."""

import asyncio
import base64
import errno
import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

import httpx
import pytest

from backend import clock
from backend.app import app
from backend.columns import uuid7
from backend.db import DB, raw
from backend.evidence import api, receiving, storage
from backend.evidence.incoming import Intake
from backend.evidence.rules import MediaType
from backend.evidence.stores import disk, intake
from backend.uploads import commands, jobs, rules
from backend.uploads.partials import Partial
from inspections.findings import commands as findings
from tests import calls, make, uploads_make
from tests.recordings import recording
from tests.test_evidence_api import declared, half_sent, state, stored_events
from tests.uploads_make import PIECE, TUS, Phone, described, lying


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def phone(client, it) -> Phone:
    return await uploads_make.phone(client, it.inspector)


async def test_a_file_in_pieces_is_evidence_with_its_last_byte(it, phone):
    content = make.photo(40)
    id = await declared(it, content)
    created = await phone.create(id, len(content))
    assert (created.status_code, created.headers["Tus-Resumable"]) == (201, "1.0.0")
    path = created.headers["Location"]
    for at in range(0, len(content), 300):
        assert await phone.offset(path) == at
        answer = await phone.send(path, at, content[at : at + 300])
        assert answer.status_code == 204, answer.text
        assert int(answer.headers["Upload-Offset"]) == min(at + 300, len(content))
    assert await state(id) == "received" and await stored_events() == 1
    assert disk().path(storage.original(hashlib.sha256(content).hexdigest())).read_bytes() == content
    assert await phone.offset(path) == len(content) and lying() == [] and not half_sent()


async def test_a_phone_that_lost_the_answer_to_its_first_bytes_may_send_them_again(it, phone):
    content = make.photo(59)
    id = await declared(it, content)
    for _ in range(3):  # the second time they are stored already
        answer = await phone.create(id, len(content), content=content, headers=PIECE)
        assert (answer.status_code, answer.headers.get("Upload-Offset")) == (201, str(len(content))), answer.text
    assert await state(id) == "received" and await stored_events() == 1 and lying() == []


async def test_whole_but_not_yet_declared_they_may_be_sent_again_too(it, phone):
    content, id = make.photo(60), uuid7()
    told = [await phone.create(id, len(content), content=content, headers=PIECE) for _ in range(2)]
    assert [answer.headers.get("Upload-Offset") for answer in told] == [str(len(content))] * 2
    assert told[0].headers["Location"] == told[1].headers["Location"] and lying() == [".whole"]
    assert (await phone.end(told[0].headers["Location"])).status_code == 204 and lying() == []


async def test_a_new_beginning_takes_the_place_of_one_whose_address_was_lost(it, phone):
    content = make.photo(61)
    id = await declared(it, content)
    for _ in range(rules.MOST_OPEN + 1):  # and so never uses up what a person may have open
        answer = await phone.create(id, len(content), content=content[:100], headers=PIECE)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "100")
    assert lying() == [".part"]
    assert (await phone.send(answer.headers["Location"], 100, content[100:])).status_code == 204
    assert await state(id) == "received" and lying() == []


async def begun_and_sent(phone: Phone, id: UUID, content: bytes) -> httpx.Response:
    return await phone.send(await phone.begin(id, len(content)), 0, content)


# ── before and after the finding ─────────────────────────────────────────────────────────────────────────────────


async def test_a_file_may_come_before_its_finding_and_is_taken_in_afterwards(it, phone):
    content, id = make.photo(41), uuid7()
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content)).status_code == 204
    assert await phone.offset(path) == len(content) and lying() == [".whole"]
    assert await jobs.sweep_whole() == 0  # nobody has declared it
    line = replace(make.declaration(content), id=id)
    await findings.file(it.visit, it.inspector, make.filing(it), id=uuid7(), manifest=[line])
    assert await state(id) == "declared"
    assert await jobs.sweep_whole() == 1 and await jobs.sweep_whole() == 0
    assert await state(id) == "received" and await stored_events() == 1 and lying() == []
    [event] = await raw("SELECT actor, payload FROM event WHERE verb = 'evidence.stored'")
    assert event["actor"] == it.inspector.person and b"inspector" in event["payload"]
    assert await phone.offset(path) == len(content)


async def test_what_another_person_declared_is_never_taken_from_this_upload(it, phone):
    content, id = make.photo(42), uuid7()
    path = await phone.begin(id, len(content))
    line = replace(make.declaration(content), id=id)
    await findings.file(it.visit, it.lead, make.filing(it), id=uuid7(), manifest=[line])
    assert (await phone.send(path, 0, content)).status_code == 204
    assert await jobs.sweep_whole() == 0 and await state(id) == "declared" and lying() == [".whole"]


async def test_a_file_that_does_not_fit_its_later_declaration_is_dropped_and_may_come_again(it, phone):
    content, id = make.photo(43), uuid7()
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content)).status_code == 204
    right = content[:-1] + bytes([content[-1] ^ 1])
    line = replace(make.declaration(right), id=id)
    await findings.file(it.visit, it.inspector, make.filing(it), id=uuid7(), manifest=[line])
    assert await jobs.sweep_whole() == 1
    assert await state(id) == "declared" and lying() == [] and (await phone.ask(path)).status_code == 404
    assert (await begun_and_sent(phone, id, right)).status_code == 204 and await state(id) == "received"


async def test_an_end_that_was_cut_off_is_made_up_for_by_whoever_asks_or_by_the_sweeper(it, phone):
    """The process died between the last byte and the answer: before it was sealed, or before the row was written."""
    for number, sealed, swept in ((44, False, False), (45, True, False), (46, True, True)):
        content = make.photo(number)
        id = await declared(it, content)
        path = await phone.begin(id, len(content))
        part = intake().folder("partials") / f"{path.rsplit('/', 1)[1]}.part"
        part.write_bytes(content)
        if sealed:
            part.rename(part.with_suffix(".whole"))
        if swept:
            assert await jobs.sweep_whole() == 1
        assert await phone.offset(path) == len(content)
        assert await state(id) == "received" and lying() == []
    assert await stored_events() == 3


async def test_a_disk_that_fills_up_at_the_very_end_loses_nothing(it, phone, monkeypatch):
    content = make.photo(68)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)
    answer = await phone.send(path, 0, content)
    assert (answer.status_code, make.problem(answer)["code"]) == (507, "no_room")
    assert (await phone.ask(path)).status_code == 507 and await jobs.sweep_whole() == 1
    assert await state(id) == "declared" and lying() == [".whole"]
    monkeypatch.undo()
    assert await phone.offset(path) == len(content) and await state(id) == "received" and lying() == []


async def test_a_disk_that_says_only_in_the_sync_that_it_is_full_loses_nothing_either(it, phone, monkeypatch):
    content = make.photo(68)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))

    def full(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(os, "fsync", full)
    answer = await phone.send(path, 0, content)
    assert (answer.status_code, make.problem(answer)["code"]) == (507, "no_room")
    assert await state(id) == "declared"
    monkeypatch.undo()
    assert await phone.offset(path) == len(content) and await state(id) == "received" and lying() == []


async def test_recordings_come_in_pieces_too(it, phone):
    content = recording(MediaType.mp4, number=7)
    id = await declared(it, content, MediaType.mp4)
    assert (await begun_and_sent(phone, id, content)).status_code == 204 and await state(id) == "ready"


# ── what is refused, and what is left then ───────────────────────────────────────────────────────────────────────


async def test_on_a_full_disk_what_others_left_idle_goes_and_what_is_gone_on_with_stays(it, phone, monkeypatch):
    contents = [make.photo(number) for number in (51, 52, 53)]
    ids = [await declared(it, content) for content in contents]
    paths = [await phone.begin(id, len(content)) for id, content in zip(ids, contents, strict=True)]
    long_ago = (clock.now() - timedelta(days=3)).timestamp()
    for path, content in zip(paths, contents, strict=True):
        assert (await phone.send(path, 0, content[:100])).status_code == 204
        os.utime(Partial(intake(), UUID(path.rsplit("/", 1)[1])).part, (long_ago, long_ago))
    monkeypatch.setattr(Intake, "_lacks", lambda self, size: len(lying()) > 2)
    assert (await phone.send(paths[0], 100, contents[0][100:])).status_code == 204
    offsets = [(await phone.ask(path)).headers.get("Upload-Offset") for path in paths]
    assert offsets[0] == str(len(contents[0])) and sorted(offsets[1:], key=str) == ["100", None]
    gone = offsets.index(None)
    path = await phone.begin(ids[gone], len(contents[gone]))
    assert (await phone.send(path, 0, contents[gone])).status_code == 204 and await state(ids[gone]) == "received"


async def test_a_cleared_folder_costs_only_what_was_in_it(it, phone):
    content = make.photo(66)
    id = await declared(it, content)
    for sent in (b"", content[:9]):
        path = await phone.begin(id, len(content))
        if sent:
            await phone.send(path, 0, sent)
        for file in intake().folder("partials").iterdir():
            file.unlink()
        assert (await phone.ask(path)).status_code == 404
    assert (await begun_and_sent(phone, id, content)).status_code == 204 and await state(id) == "received"


async def test_a_late_double_of_a_beginning_does_not_end_what_is_written_to(it, phone):
    content = make.photo(67)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content[:9])).status_code == 204
    assert await phone.begin(id, len(content)) != path
    double = await phone.create(id, len(content), headers=PIECE, content=content[:5])
    assert (double.status_code, int(double.headers["Upload-Offset"])) in ((201, 9), (201, 5))
    assert (await phone.send(path, 9, content[9:])).status_code == 204 and await state(id) == "received"
    with clock.frozen(clock.now() + timedelta(hours=2)):
        phone.headers = await make.signed_in(it.inspector)
        other = await declared(it, content)
        lost = await phone.begin(other, len(content))
        assert (await phone.send(lost, 0, content[:9])).status_code == 204
    with clock.frozen(clock.now() + timedelta(hours=4)):
        phone.headers = await make.signed_in(it.inspector)
        assert (await phone.begin(other, len(content))) != lost and (await phone.ask(lost)).status_code == 404


@pytest.mark.parametrize(
    ("sent", "media_type", "code"),
    [
        (lambda photo: photo[:-1] + bytes([photo[-1] ^ 1]), MediaType.jpeg, "evidence.hash_mismatch"),
        (lambda photo: photo, MediaType.png, "evidence.other_media_type"),
        (lambda photo: photo, MediaType.pdf, "evidence.other_media_type"),
    ],
    ids=["another hash", "another kind of photo", "another kind"],
)
async def test_a_whole_file_that_is_not_what_was_declared_is_refused_and_forgotten(it, phone, sent, media_type, code):
    content = make.photo(47)
    id = await declared(it, content, media_type)
    path = await phone.begin(id, len(content))
    answer = await phone.send(path, 0, sent(content))
    assert (answer.status_code, make.problem(answer)["code"]) == (422, code)
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert (await phone.ask(path)).status_code == 404 and lying() == [] and await state(id) == "declared"
    assert await raw("SELECT 1 FROM upload") == []


async def test_another_length_than_declared_is_refused_at_once(it, phone):
    content = make.photo(48)
    id = await declared(it, content)
    for length, status in ((len(content) + 1, 413), (len(content) - 1, 422)):
        answer = await phone.create(id, length)
        assert (answer.status_code, make.problem(answer)["code"]) == (status, "evidence.size_mismatch")
    assert lying() == [] and await raw("SELECT 1 FROM upload") == []


async def test_of_a_stored_file_an_upload_is_over_as_soon_as_it_begins(client, it, phone):
    """The phone lost the answer, and perhaps its memory of the upload, too."""
    content = make.photo(49)
    id = await declared(it, content)
    assert (await client.put(f"/api/evidence/{id}", content=content, headers=phone.headers)).status_code == 200
    answer = await phone.create(id, len(content))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(content)))
    path = answer.headers["Location"]
    assert await phone.offset(path) == len(content)
    assert (await phone.send(path, len(content), b"")).status_code == 204
    answer = await phone.send(path, 0, content)  # as a client does that has just begun
    assert (answer.status_code, make.problem(answer)["details"]) == (409, {"offset": len(content)})
    answer = await phone.create(id, len(content) + 1)
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict")
    assert await stored_events() == 1 and lying() == []


async def test_the_plain_put_may_overtake_an_upload(client, it, phone):
    content = make.photo(50)
    id = await declared(it, content)
    same, other = await phone.begin(id, len(content)), uuid7()
    assert (await phone.send(same, 0, content[:100])).status_code == 204
    assert (await client.put(f"/api/evidence/{id}", content=content, headers=phone.headers)).status_code == 200
    assert (await phone.send(same, 100, content[100:])).status_code == 204
    assert await stored_events() == 1 and lying() == []
    id = await declared(it, make.photo(51))
    other = await phone.begin(id, len(make.photo(51)))
    assert (await phone.send(other, 0, b"x")).status_code == 204
    await client.put(f"/api/evidence/{id}", content=make.photo(51), headers=phone.headers)
    answer = await phone.send(other, 1, make.photo(51)[1:])  # whose first byte was wrong
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict") and lying() == []


async def test_wrong_offsets_are_refused_with_the_right_one(it, phone):
    content = make.photo(52)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content[:100])).status_code == 204
    for at in (0, 99, 101, len(content), 10**14):
        answer = await phone.send(path, at, content[100:])
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told["details"]) == (409, "upload.wrong_offset", {"offset": 100}), at
        assert await phone.offset(path) == 100
    for long in (content[100:] + b"x", b"x" * 5000):
        answer = await phone.send(path, 100, long)
        assert (answer.status_code, make.problem(answer)["code"]) == (413, "upload.too_long")
        assert await phone.offset(path) == 100

    async def unannounced():
        yield content[100:200]
        yield content[200:] + b"x"

    answer = await phone.send(path, 100, unannounced())
    assert (answer.status_code, make.problem(answer)["code"]) == (413, "upload.too_long")
    assert await phone.offset(path) == 200  # what fits is kept
    assert (await phone.send(path, 200, content[200:])).status_code == 204 and await state(id) == "received"


async def test_a_damaged_piece_is_dropped_and_a_whole_one_is_not(it, phone):
    content = make.photo(53)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))

    def sum_of(piece: bytes, algorithm: str) -> dict[str, str]:
        digest = hashlib.new(algorithm, piece).digest()
        return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}

    for at, algorithm in ((0, "sha1"), (200, "sha256")):
        piece = content[at : at + 200]
        answer = await phone.send(path, at, bytes([piece[0] ^ 1]) + piece[1:], **sum_of(piece, algorithm))
        assert (answer.status_code, make.problem(answer)["code"]) == (460, "upload.checksum_mismatch")
        assert await phone.offset(path) == at
        assert (await phone.send(path, at, piece, **sum_of(piece, algorithm))).status_code == 204
    rest = content[400:]
    answer = await phone.send(path, 400, rest[:-1] + bytes([rest[-1] ^ 1]), **sum_of(rest, "sha256"))
    assert answer.status_code == 460 and await phone.offset(path) == 400 and lying() == [".part"]
    assert (await phone.send(path, 400, rest, **sum_of(rest, "sha256"))).status_code == 204
    assert await state(id) == "received"


async def test_a_sender_who_falls_silent_is_let_go_and_may_go_on(it, phone, monkeypatch):
    content = make.photo(55)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    monkeypatch.setattr(receiving, "STALLED_AFTER", 0.05)  # of both ways in
    monkeypatch.setattr(api, "HEARD_WITHIN", 0.05)

    async def falls_silent():
        yield content[:120]
        await asyncio.sleep(5)
        yield content[120:]

    answer = await phone.send(path, 0, falls_silent())
    assert (answer.status_code, make.problem(answer)["code"]) == (408, "evidence.stalled")
    answer = await phone.client.put(f"/api/evidence/{id}", content=falls_silent(), headers=phone.headers)
    assert (answer.status_code, make.problem(answer)["code"]) == (408, "evidence.stalled") and not half_sent()
    assert await phone.offset(path) == 120 and (await phone.send(path, 120, content[120:])).status_code == 204


# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_first_bytes_may_come_with_the_creation(it, phone):
    content = make.photo(56)
    id, whole = await declared(it, content), await declared(it, content)
    answer = await phone.create(id, len(content), headers=PIECE, content=content[:300])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "300")
    assert (await phone.send(answer.headers["Location"], 300, content[300:])).status_code == 204
    answer = await phone.create(whole, len(content), headers=PIECE, content=content)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(content)))
    assert [await state(id), await state(whole)] == ["received", "received"]
    wrong = await declared(it, make.photo(57))
    answer = await phone.create(wrong, len(make.photo(57)), headers=PIECE, content=bytes(len(make.photo(57))))
    assert (answer.status_code, make.problem(answer)["code"]) == (422, "evidence.hash_mismatch") and lying() == []


async def test_beginning_twice_is_once_until_a_byte_has_come(it, phone):
    """The answer to the first try was lost: nothing is left over by it."""
    content = make.photo(58)
    id = await declared(it, content)
    paths = {await phone.begin(id, len(content)) for _ in range(5)}
    assert len(paths) == 1 and lying() == [".part"]
    answers = await asyncio.gather(*(phone.create(id, len(content)) for _ in range(10)))
    assert {answer.headers["Location"] for answer in answers} == paths
    [path] = paths
    assert (await phone.send(path, 0, content[:10])).status_code == 204
    other = await phone.begin(id, len(content))  # a client that has just begun goes on from zero
    assert other != path and await phone.offset(other) == 0 and await phone.offset(path) == 10


async def test_nobody_has_more_than_a_hundred_open(it, phone, monkeypatch):
    monkeypatch.setattr(commands, "MOST_OPEN", 3)
    for _ in range(3):
        await phone.begin(uuid7(), 5)
    before = await calls.snapshot()
    answer = await phone.create(uuid7(), 5)
    assert (answer.status_code, make.problem(answer)["code"]) == (429, "upload.too_many_open")
    assert await calls.snapshot() == before and len(lying()) == 3


@pytest.mark.parametrize(
    ("said", "status", "code", "field"),
    [
        ({"Tus-Resumable": ""}, 412, "wrong_version", "Tus-Resumable"),
        ({"Tus-Resumable": "0.2.2"}, 412, "wrong_version", "Tus-Resumable"),
        ({"Upload-Length": ""}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": None}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": "-1"}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": "+5"}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": "5.0"}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": "٥"}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": "9" * 400}, 400, "upload.bad_number", "Upload-Length"),
        ({"Upload-Length": "0"}, 400, "upload.empty", "Upload-Length"),
        ({"Upload-Length": None, "Upload-Defer-Length": "1"}, 400, "upload.deferred_length", "Upload-Defer-Length"),
        ({"Upload-Length": str(100 * 2**20 + 1)}, 413, "evidence.too_large", "Upload-Length"),
        ({"Upload-Length": "999999999999999"}, 413, "evidence.too_large", "Upload-Length"),
        ({"Upload-Metadata": None}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": ""}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": "filename eA=="}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": "evidence_id"}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": "evidence_id *"}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": "evidence_id é"}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": described("1")}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": described("{" + str(UUID(int=7)) + "}")}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": described("督" * 36)}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": described(UUID(int=7), filename="a\0b")}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": described(UUID(int=7)) + ",,"}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": ",".join([described(UUID(int=7))] * 2)}, 400, "upload.bad_metadata", "Upload-Metadata"),
        ({"Upload-Metadata": described(UUID(int=7), name="x" * 4000)}, 400, "upload.bad_metadata", "Upload-Metadata"),
    ],
)  # fmt: skip
async def test_a_careless_beginning_is_refused_explained_and_leaves_nothing(
    client, it, phone, said, status, code, field
):
    usual = {**TUS, "Upload-Length": "5", "Upload-Metadata": described(uuid7()), **phone.headers}
    before = await calls.snapshot()
    headers = [(name, value.encode("utf-8")) for name, value in (usual | said).items() if value is not None]
    answer = await client.post("/api/uploads", headers=headers)
    told = make.problem(answer)
    assert (answer.status_code, told["code"], told["field"]) == (status, code, field)
    assert (answer.headers["Tus-Resumable"], answer.headers["Tus-Version"]) == ("1.0.0", "1.0.0")
    assert await calls.snapshot() == before and lying() == []


@pytest.mark.parametrize(
    ("said", "status", "code", "field"),
    [
        ({"Tus-Resumable": "2"}, 412, "wrong_version", "Tus-Resumable"),
        ({"Content-Type": ""}, 415, "wrong_content_type", "Content-Type"),
        ({"Content-Type": "image/jpeg"}, 415, "wrong_content_type", "Content-Type"),
        ({"Upload-Offset": None}, 400, "upload.bad_number", "Upload-Offset"),
        ({"Upload-Offset": "-1"}, 400, "upload.bad_number", "Upload-Offset"),
        ({"Upload-Offset": "zero"}, 400, "upload.bad_number", "Upload-Offset"),
        ({"Upload-Offset": "1e3"}, 400, "upload.bad_number", "Upload-Offset"),
        ({"Upload-Checksum": ""}, 400, "upload.bad_checksum", "Upload-Checksum"),
        ({"Upload-Checksum": "md5 1B2M2Y8AsgTpgAmY7PhCfg=="}, 400, "upload.bad_checksum", "Upload-Checksum"),
        ({"Upload-Checksum": "sha1 AAAA"}, 400, "upload.bad_checksum", "Upload-Checksum"),
        ({"Upload-Checksum": "sha1 é"}, 400, "upload.bad_checksum", "Upload-Checksum"),
        ({"Upload-Checksum": "sha256"}, 400, "upload.bad_checksum", "Upload-Checksum"),
        ({"Content-Length": "five"}, 400, "malformed", None),
    ],
)  # fmt: skip
async def test_a_careless_piece_is_refused_explained_and_leaves_nothing(client, it, phone, said, status, code, field):
    path = await phone.begin(uuid7(), 5)
    usual = {**PIECE, "Upload-Offset": "0", "Content-Length": "5", **phone.headers}
    before = await calls.snapshot()
    headers = [(name, value.encode("utf-8")) for name, value in (usual | said).items() if value is not None]
    for method, more in (("PATCH", []), ("POST", [("X-HTTP-Method-Override", b"PATCH")])):
        answer = await client.request(method, path, headers=[*headers, *more], content=b"12345")
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told.get("field")) == (status, code, field), told
    assert await calls.snapshot() == before and await phone.offset(path) == 0


# ── whose it is ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_signed_out_nothing_is_told_or_read(client, it, phone):
    path = await phone.begin(uuid7(), 5)
    nobody = Phone(client, {})
    for answer in (await nobody.create(uuid7(), 5), await nobody.send(path, 0, b"12345"), await nobody.end(path)):
        assert (answer.status_code, make.problem(answer)["code"]) == (401, "sign_in_needed")
    assert (await nobody.ask(path)).status_code == 401 and await phone.offset(path) == 0


async def test_others_uploads_and_evidence_are_not_there(client, it, phone):
    content = make.photo(59)
    id = await declared(it, content)
    path, nothing = await phone.begin(id, len(content)), f"/api/uploads/{uuid7()}"
    before = await calls.snapshot()
    lead = Phone(client, await make.signed_in(it.lead))  # who sees the finding and its files
    for where in (path, nothing):
        for answer in (await lead.send(where, 0, b"x"), await lead.end(where)):
            assert (answer.status_code, make.problem(answer)["code"]) == (404, "not_found")
    assert [(await lead.ask(where)).status_code for where in (path, nothing)] == [404, 404]
    answer = await lead.create(id, len(content))
    assert (answer.status_code, make.problem(answer)["code"]) == (404, "not_found")
    assert await calls.snapshot() == before and await phone.offset(path) == 0 and lying() == [".part"]


async def test_a_browser_sends_with_its_cookie_and_its_header(client, it, phone):
    content = make.photo(62)
    id = await declared(it, content)
    token = phone.headers["Authorization"].removeprefix("Bearer ")
    cookie = {"Cookie": f"__Host-duban={token}"}
    browser = Phone(client, {**cookie, "X-Duban": "1"})
    path = await browser.begin(id, len(content))
    assert (await browser.send(path, 0, content[:50])).status_code == 204 and await browser.offset(path) == 50
    forged = Phone(client, cookie)
    for answer in (await forged.send(path, 50, content[50:]), await forged.end(path), await forged.create(id, 5)):
        assert (answer.status_code, make.problem(answer)["code"]) == (403, "cross_site")
    assert (await browser.send(path, 50, content[50:])).status_code == 204 and await state(id) == "received"
    other = await browser.begin(uuid7(), 5)
    assert (await browser.end(other)).status_code == 204


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_upload_given_up_is_gone_and_what_is_stored_stays(client, it, phone):
    content = make.photo(63)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content[:10])).status_code == 204
    assert (await phone.end(path)).status_code == 204 and lying() == []
    assert (await phone.ask(path)).status_code == 404 and (await phone.end(path)).status_code == 404
    answer = await phone.send(path, 10, content[10:])
    assert (answer.status_code, make.problem(answer)["code"]) == (404, "not_found")
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content)).status_code == 204
    headers = {**TUS, **phone.headers, "X-HTTP-Method-Override": "DELETE"}
    assert (await client.post(path, headers=headers)).status_code == 204
    assert (await phone.ask(path)).status_code == 404 and await state(id) == "received"
    assert disk().path(storage.original(hashlib.sha256(content).hexdigest())).exists()
    for method in ("", "GET", "PUT"):
        answer = await client.post(path, headers={**headers, "X-HTTP-Method-Override": method})
        assert (answer.status_code, make.problem(answer)["code"]) == (400, "upload.bad_override")


async def test_an_upload_given_up_in_the_middle_of_a_piece_stays_gone(it, phone):
    content = make.photo(64)
    path = await phone.begin(await declared(it, content), len(content))

    async def ended_meanwhile():
        yield content[:100]
        assert (await phone.end(path)).status_code == 204
        yield content[100:]

    answer = await phone.send(path, 0, ended_meanwhile())
    assert (answer.status_code, make.problem(answer)["code"]) == (404, "not_found") and lying() == []


async def test_an_upload_expires_seven_days_after_its_last_byte(it, phone, noon):
    content = make.photo(65)
    id = await declared(it, content)
    created = await phone.create(id, len(content))
    path = created.headers["Location"]
    assert parsedate_to_datetime(created.headers["Upload-Expires"]) == noon + rules.OPEN_FOR
    with clock.frozen(noon + timedelta(days=3)):
        phone.headers = await make.signed_in(it.inspector)
        answer = await phone.send(path, 0, content[:100])
        assert parsedate_to_datetime(answer.headers["Upload-Expires"]) == clock.now() + rules.OPEN_FOR
    with clock.frozen(noon + timedelta(days=9)):
        phone.headers = await make.signed_in(it.inspector)
        assert await jobs.sweep_expired() == 0 and await phone.offset(path) == 100
    with clock.frozen(noon + timedelta(days=10)):
        phone.headers = await make.signed_in(it.inspector)
        assert (await phone.ask(path)).status_code == 404  # before it is swept, too
        assert lying() == [".part"] and await jobs.sweep_expired() == 1 and lying() == []
        assert await raw("SELECT 1 FROM upload") == []
        assert (await begun_and_sent(phone, id, content)).status_code == 204 and await state(id) == "received"


async def test_files_without_a_row_are_swept_and_those_with_one_are_not(it, phone):
    path = await phone.begin(uuid7(), 5)
    folder = intake().folder("partials")
    for name in (f"{uuid7()}.part", f"{uuid7()}.whole"):
        (folder / name).write_bytes(b"12345")
    with clock.frozen(datetime.now(UTC) + timedelta(minutes=59)):
        assert await jobs.sweep_expired() == 0 and len(lying()) == 3
    await raw("UPDATE upload SET expires_at = $1", datetime.now(UTC) + timedelta(days=1))
    with clock.frozen(datetime.now(UTC) + timedelta(minutes=61)):
        assert await jobs.sweep_expired() == 2 and [it.stem for it in folder.iterdir()] == [path.rsplit("/", 1)[1]]


async def test_asking_tells_length_offset_metadata_and_expiry(it, phone):
    id = uuid7()
    path = await phone.begin(id, 5)
    told = (await phone.ask(path)).headers
    assert (told["Upload-Length"], told["Upload-Offset"], told["Upload-Metadata"]) == ("5", "0", described(id))
    assert told["Cache-Control"] == "no-store" and told["Upload-Expires"].endswith("GMT")


async def test_an_upload_that_is_gone_on_with_in_its_last_moment_is_not_swept(it, phone, noon):
    content = make.photo(66)
    await phone.begin(await declared(it, content), len(content))
    with clock.frozen(noon + timedelta(days=8)):
        async with DB.pool.acquire() as line, line.transaction():
            await line.execute("UPDATE upload SET expires_at = $1", clock.now() + rules.OPEN_FOR)
            assert await jobs.sweep_expired() == 0
        assert await jobs.sweep_expired() == 0 and lying() == [".part"]


async def test_a_round_forgets_no_more_expired_uploads_than_it_may_however_planned(it, phone, noon, monkeypatch):
    """A table analyzed while it held one row is looped over, and a subquery would be asked anew for each."""
    content = make.photo(66)
    await phone.begin(await declared(it, content), len(content))
    await raw("ANALYZE upload")
    await raw(
        "INSERT INTO upload SELECT (json_populate_record(one, json_build_object('id', gen_random_uuid()))).* "
        "FROM upload AS one, generate_series(1, 4)"
    )
    monkeypatch.setattr(commands, "AT_ONCE", 2)
    with clock.frozen(noon + timedelta(days=8)):
        assert [len(await commands.forget_expired()) for _ in range(4)] == [2, 2, 1, 0]


async def test_options_tell_what_is_spoken(client, phone):
    for path in ("/api/uploads", f"/api/uploads/{uuid7()}"):
        answer = await client.options(path, headers=phone.headers)
        assert answer.status_code == 204 and answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,checksum,expiration,termination"
        assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
        assert answer.headers["Tus-Max-Size"] == str(100 * 2**20)


def test_the_document_says_that_the_body_is_the_file():
    paths = app.openapi_schema.to_schema()["paths"]
    for path, method in (("/api/uploads", "post"), ("/api/uploads/{upload_id}", "patch")):
        said = paths[path][method]
        assert said["requestBody"]["content"]["application/offset+octet-stream"]["schema"]["format"] == "binary"
        assert {"Tus-Resumable", "Upload-Checksum"} <= {header["name"] for header in said["parameters"]}


async def test_an_upload_whose_file_came_in_another_way_does_not_stay_for_a_week(it, phone):
    content = make.photo(62)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content[:100])).status_code == 204
    sent = await phone.client.put(f"/api/evidence/{id}", content=content, headers=phone.headers)
    assert sent.status_code == 200 and await jobs.sweep_expired() == 0 and lying() == [".part"]
    with clock.frozen(clock.now() + timedelta(hours=2)):
        assert await jobs.sweep_expired() == 1 and lying() == []


async def test_what_was_begun_besides_goes_with_the_upload_that_is_whole_first(it, phone):
    content = make.photo(63)
    id = await declared(it, content)
    lost = await phone.begin(id, len(content))
    assert (await phone.send(lost, 0, content[:100])).status_code == 204
    known = await phone.begin(id, len(content))
    assert known != lost and (await phone.send(known, 0, content)).status_code == 204
    assert lying() == [] and (await phone.ask(lost)).status_code == 404
    assert await state(id) == "received" and await phone.offset(known) == len(content)


async def test_the_file_of_a_finished_upload_goes_where_a_kill_left_it(it, phone):
    content = make.photo(64)
    id = await declared(it, content)
    path = await phone.begin(id, len(content))
    assert (await phone.send(path, 0, content)).status_code == 204 and lying() == []
    left = intake().folder("partials") / f"{path.rsplit('/', 1)[1]}.whole"
    left.write_bytes(content)
    assert await jobs.sweep_expired() == 0 and lying() == [".whole"]
    earlier = (clock.now() - timedelta(hours=2)).timestamp()
    os.utime(left, (earlier, earlier))
    assert await jobs.sweep_expired() == 1 and lying() == [] and await phone.offset(path) == len(content)
