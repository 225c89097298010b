"""Evidence over HTTP: bytes arrive whole or not at all, are seen by those who may, and only as redrawn copies."""

import asyncio
import errno
import hashlib
import io
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from backend import clock
from backend.app import app
from backend.columns import uuid7
from backend.db import raw
from backend.errors import NoRoom
from backend.evidence import gate_pool, jobs, storage
from backend.evidence.rules import MOST_TRIES, Declaration, MediaType, Source
from backend.evidence.stores import disk, intake
from inspections.findings import commands as findings
from tasks.rectifications.item import Status
from tests import calls, hostile_files, make

MOST = MediaType.jpeg.most_bytes


async def declared(it: make.Cast, content: bytes, media_type: MediaType = MediaType.jpeg, size: int = 0) -> UUID:
    """The id under which the inspector has promised this file, on a finding of the cast's visit."""
    id, digest = uuid7(), hashlib.sha256(content).hexdigest()
    line = Declaration(id, digest, size or len(content), media_type, clock.now(), Source.camera, None)
    await findings.file(it.visit, it.inspector, make.filing(it), id=uuid7(), manifest=[line])
    return id


async def state(id: UUID) -> str:
    return (await raw("SELECT state FROM evidence WHERE id = $1", id))[0]["state"]


async def stored_events() -> int:
    return (await raw("SELECT count(*) AS n FROM event WHERE verb = 'evidence.stored'"))[0]["n"]


def half_sent() -> list[Path]:
    return list(intake().folder("incoming").iterdir())


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def sender(it):
    return await make.signed_in(it.inspector)


async def test_a_file_arrives_and_is_there_whole(client, it, sender):
    content = make.photo(20)
    id = await declared(it, content)
    answer = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["id"], told["state"], told["size"]) == (str(id), "received", len(content))
    assert (told["width"], told["height"], told["sha256"]) == (64, 48, hashlib.sha256(content).hexdigest())
    assert told["received_at"].startswith("2026-11-24T")
    assert disk().path(storage.original(told["sha256"])).read_bytes() == content
    assert await stored_events() == 1 and not half_sent()


async def test_the_same_file_again_changes_nothing(client, it, sender):
    content = make.photo(21)
    id = await declared(it, content)
    first = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    with clock.frozen(clock.now() + timedelta(hours=1)):
        second = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    assert (second.status_code, second.json()) == (200, first.json())
    assert await stored_events() == 1 and not half_sent()


async def test_twenty_phones_at_once_make_one_event(client, it, sender):
    content = make.photo(22)
    id = await declared(it, content)
    answers = await asyncio.gather(
        *(client.put(f"/api/evidence/{id}", content=content, headers=sender) for _ in range(20))
    )
    assert {answer.status_code for answer in answers} == {200} and len({answer.text for answer in answers}) == 1
    assert await stored_events() == 1 and not half_sent()


async def test_one_photo_under_two_ids_is_stored_once_and_counts_twice(client, it, sender):
    content = make.photo(23)
    ids = [await declared(it, content) for _ in range(2)]
    answers = [await client.put(f"/api/evidence/{id}", content=content, headers=sender) for id in ids]
    assert [answer.status_code for answer in answers] == [200, 200] and await stored_events() == 2


async def test_wrong_bytes_are_refused_and_the_right_ones_still_welcome(client, it, sender):
    content = make.photo(24)
    id = await declared(it, content)
    other = content[:-1] + bytes([content[-1] ^ 1])

    async def in_chunks(whole: bytes):
        for at in range(0, len(whole), 100):
            yield whole[at : at + 100]

    before = await calls.snapshot()
    for sent, status, code, field in (
        (other, 422, "evidence.hash_mismatch", "sha256"),
        (content + b"x", 413, "evidence.size_mismatch", "size"),
        (content[:-1], 422, "evidence.size_mismatch", "size"),
        (b"", 422, "evidence.size_mismatch", "size"),
        (in_chunks(content + b"x"), 413, "evidence.size_mismatch", "size"),
        (in_chunks(content[:-1]), 422, "evidence.hash_mismatch", "sha256"),
        (b"x" * (MOST + 2), 413, "evidence.size_mismatch", "size"),
        (in_chunks(b"x" * (MOST // 8)), 413, "evidence.size_mismatch", "size"),
    ):
        answer = await client.put(f"/api/evidence/{id}", content=sent, headers=sender)
        told = make.problem(answer)
        assert (answer.status_code, told["code"], told.get("field")) == (status, code, field)
    assert await calls.snapshot() == before and not half_sent()
    assert (await client.put(f"/api/evidence/{id}", content=content, headers=sender)).status_code == 200
    answer = await client.put(f"/api/evidence/{id}", content=other, headers=sender)
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict")
    assert disk().path(storage.original(hashlib.sha256(content).hexdigest())).read_bytes() == content
    assert await stored_events() == 1 and not half_sent()


async def test_what_is_not_a_photo_is_refused(client, it, sender):
    png = hostile_files.encoded(hostile_files.picture(), "PNG")
    refused = {**hostile_files.NOT_PICTURES, "animated png": hostile_files.animated("PNG")}
    refused |= {"gif": hostile_files.encoded(hostile_files.picture(), "GIF"), "png called jpeg": png}
    for name, content in refused.items():
        if not content:
            continue  # nothing of no bytes can be declared
        id = await declared(it, content)
        before = await calls.snapshot()
        answer = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
        assert answer.status_code == 422, (name, answer.text)
        assert make.problem(answer)["code"].startswith("evidence."), name
        assert await calls.snapshot() == before and not half_sent()
        assert not disk().path(storage.original(hashlib.sha256(content).hexdigest())).exists()
    id = await declared(it, png, MediaType.png)
    assert (await client.put(f"/api/evidence/{id}", content=png, headers=sender)).status_code == 200


def worked() -> float:
    """Processor seconds of this process, and of the gate's server with the children that it has had."""
    server = gate_pool.server_pid()
    theirs = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[11:15] if server else []
    return time.process_time() + sum(map(int, theirs)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("make_bomb", "media_type"),
    [
        (lambda: hostile_files.flat_png(30_000, 30_000, colour=0), MediaType.png),
        (lambda: hostile_files.flat_webp(16_000, 16_000), MediaType.webp),
        (lambda: hostile_files.scan_bomb(400), MediaType.jpeg),
        (hostile_files.png_text_bomb, MediaType.png),
    ],
    ids=["pixels", "pixels in 38 bytes", "scans", "text"],
)
async def test_bombs_do_no_harm(client, it, sender, make_bomb, media_type):
    content = make_bomb()
    id = await declared(it, content, media_type)
    began = worked()
    answer = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    await jobs.prepare(id)
    assert worked() - began < 10
    assert answer.status_code in (200, 422) and not half_sent()
    assert await state(id) == ("refused" if answer.status_code == 200 else "declared")
    look = await client.get(f"/api/evidence/{id}/display", headers=sender)
    assert (look.status_code, make.problem(look)["code"]) == (409, "evidence.not_ready")


async def test_a_photo_that_breaks_off_is_refused_by_the_job_and_says_why(client, it, sender):
    whole = hostile_files.photo(400, 300)
    content = whole[: len(whole) // 2]
    id = await declared(it, content)
    answer = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    if answer.status_code == 200:
        await jobs.prepare(id)
        told = (await client.get(f"/api/evidence/{id}", headers=sender)).json()
        assert told["state"] == "refused" and told["refusal"].startswith("evidence.")
    else:
        assert make.problem(answer)["code"].startswith("evidence.")


async def test_copies_are_shown_after_the_job_and_the_original_never(client, it, sender):
    content = hostile_files.talkative()
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    early = await client.get(f"/api/evidence/{id}/display", headers=sender)
    assert (early.status_code, make.problem(early)["code"]) == (409, "evidence.not_ready")
    await jobs.prepare(id)
    assert (await client.get(f"/api/evidence/{id}", headers=sender)).json()["state"] == "ready"
    for copy, longest in (("display", 1600), ("thumbnail", 320)):
        shown = await client.get(f"/api/evidence/{id}/{copy}", headers=sender)
        assert shown.status_code == 200 and shown.headers["content-type"] == "image/jpeg"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in shown.headers["content-security-policy"]
        assert "private" in shown.headers["cache-control"]
        assert max(Image.open(io.BytesIO(shown.content)).size) <= longest
        assert hostile_files.PAYLOAD not in shown.content and b"canary" not in shown.content
    for copy in ("originals", "Display", "%2e%2e", "display.jpg", "playback", str(id)):
        answer = await client.get(f"/api/evidence/{id}/{copy}", headers=sender)
        assert answer.status_code == 404, copy
    assert (await client.get(f"/api/evidence/{id}/original", headers=sender)).status_code == 403
    events = await raw("SELECT verb FROM event WHERE subject = $1 ORDER BY at, id", id)
    assert sorted(row["verb"] for row in events) == ["evidence.ready", "evidence.stored"]


async def test_the_job_twice_makes_the_copies_once(client, it, sender):
    content = make.photo(25)
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    await asyncio.gather(jobs.prepare(id), jobs.prepare(id))
    await jobs.prepare(id)
    assert await state(id) == "ready"
    events = await raw("SELECT verb FROM event WHERE subject = $1 AND verb = 'evidence.ready'", id)
    assert len(events) == 1


async def test_what_decoding_told_is_kept_with_the_photo_once_it_is_ready(client, it, sender):
    content = hostile_files.encoded(hostile_files.picture(), exif=hostile_files.exif())
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    assert await raw("SELECT 1 FROM evidence_reading") == []
    await jobs.prepare(id)
    (kept,) = await raw("SELECT * FROM evidence_reading")
    assert (kept["evidence"], kept["camera"], kept["read_at"]) == (id, "Make", clock.now())
    assert (kept["exif_at"], kept["exif_zone_known"], kept["traces"]) == (None, None, [])
    assert kept["exif_lat"] == pytest.approx(26.57) and kept["exif_lng"] == pytest.approx(106.700278, abs=1e-6)
    assert all(-(2**63) <= look < 2**63 for look in kept["looks"])


async def test_a_photo_that_is_refused_has_no_reading(client, it, sender):
    content = hostile_files.photo(400, 300)[:-9000]
    id = await declared(it, content)
    assert (await client.put(f"/api/evidence/{id}", content=content, headers=sender)).status_code == 200
    await jobs.prepare(id)
    assert await state(id) == "refused" and await raw("SELECT 1 FROM evidence_reading") == []


async def test_a_lost_job_is_found_by_the_sweeper(client, it, sender):
    content = make.photo(26)
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    assert await jobs.sweep_received() == 0  # the job may still come
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert await jobs.sweep_received() == 1
    assert await state(id) == "ready"


async def test_a_round_of_the_sweep_is_as_long_as_its_time_allows(client, it, sender, monkeypatch):
    content = make.photo(26)
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    await raw(
        "INSERT INTO evidence SELECT (json_populate_record(one, json_build_object('id', gen_random_uuid()))).* "
        "FROM evidence AS one, generate_series(1, 59)"
    )
    prepared: list[UUID] = []

    async def note(file: UUID, _: Any) -> None:
        prepared.append(file)

    monkeypatch.setattr(jobs, "prepare", note)
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert await jobs.sweep_received(seconds=0.0) == 1 == len(prepared)
        assert await jobs.sweep_received(seconds=3600.0) == 60 == len(set(prepared))


async def test_a_file_whose_job_keeps_failing_is_given_up_in_sight(client, it, sender):
    content = make.photo(27)
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    await raw("UPDATE evidence SET tries = 5 WHERE id = $1", id)
    await jobs.prepare(id)
    told = (await client.get(f"/api/evidence/{id}", headers=sender)).json()
    assert (told["state"], told["refusal"]) == ("refused", "evidence.gave_up")


async def test_a_full_disk_costs_a_photo_none_of_its_tries(client, it, sender, monkeypatch):
    content = make.photo(31)
    id = await declared(it, content)
    await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    opened = os.open

    def full(path: Any, *how: Any, **where: Any) -> int:
        if str(path).endswith(".part"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, *how, **where)

    with clock.frozen(clock.now() + timedelta(minutes=2)):
        monkeypatch.setattr(os, "open", full)
        for _ in range(MOST_TRIES + 1):
            with pytest.raises(NoRoom):
                await jobs.sweep_received()
        assert await raw("SELECT tries, state FROM evidence WHERE id = $1", id) == [(0, "received")]
        monkeypatch.undo()
        assert await jobs.sweep_received() == 1
    assert await state(id) == "ready"


async def test_a_photo_whose_original_is_gone_is_given_up_and_holds_up_no_other(client, it, sender):
    ids = []
    for number in (32, 33):
        content = make.photo(number)
        ids.append(await declared(it, content))
        with clock.frozen(clock.now() + timedelta(seconds=number)):
            answer = await client.put(f"/api/evidence/{ids[-1]}", content=content, headers=sender)
    gone = (await client.get(f"/api/evidence/{ids[0]}", headers=sender)).json()["sha256"]
    disk().path(storage.original(gone)).unlink()
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        for _ in range(MOST_TRIES + 1):
            await jobs.sweep_received()
    assert answer.status_code == 200 and [await state(id) for id in ids] == ["refused", "ready"]


async def test_somebody_elses_and_missing_evidence_are_the_same_404(client, it):
    content = make.photo(28)
    id = await declared(it, content)
    stranger = await make.signed_in(it.stranger)
    refused = [
        await client.request(method, f"/api/evidence/{which}{copy}", content=content, headers=stranger)
        for method, copy in (("PUT", ""), ("GET", ""), ("GET", "/display"))
        for which in (id, uuid7())
    ]
    told = [{**make.problem(answer), "request_id": ""} for answer in refused]
    assert all(answer.status_code == 404 for answer in refused) and all(one == told[0] for one in told)
    assert await state(id) == "declared" and not half_sent()
    # Who sees the finding sees the file, and still cannot send it.
    lead = await make.signed_in(it.lead)
    assert (await client.get(f"/api/evidence/{id}", headers=lead)).status_code == 200
    assert (await client.put(f"/api/evidence/{id}", content=content, headers=lead)).status_code == 404


async def test_a_file_is_seen_through_the_rectification_it_hangs_on(client, it):
    draft = await make.rectification(it, Status.draft)
    file = (await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", draft))[0]["evidence"]
    people = (it.handler, it.reviewer, it.stranger, it.staff, it.leader)
    headers = [await make.signed_in(person) for person in people]

    async def statuses(id: UUID) -> list[int]:
        return [(await client.get(f"/api/evidence/{id}", headers=header)).status_code for header in headers]

    assert await statuses(file) == [404, 404, 404, 200, 200]  # a draft is not yet anybody's
    item = await make.rectification(it, Status.handed_in)
    before = (await raw("SELECT evidence FROM finding_evidence WHERE finding = $1", item))[0]["evidence"]
    after = (await raw("SELECT evidence FROM hand_in_evidence"))[0]["evidence"]
    assert await statuses(before) == [200, 200, 404, 200, 200]
    assert await statuses(after) == [200, 200, 404, 200, 200]


async def test_a_manifest_names_its_wrong_line(client, it, sender):
    line = make.manifest_line(make.photo(29))
    before = await calls.snapshot()
    for wrong, field in (
        ({"sha256": "X" * 64}, "evidence[1].sha256"),
        ({"size": 0}, "evidence[1].size"),
        ({"size": MOST + 1}, "size"),
        ({"media_type": "image/gif"}, "evidence[1].media_type"),
        ({"captured_at": "2026-11-24T11:58:00"}, "evidence[1].captured_at"),
        ({"captured_at": "0001-01-01T00:00:00+14:00"}, "captured_at"),
        ({"received_at": "2026-11-24T11:58:00Z"}, "evidence[1].received_at"),
        ({"position": {"lat": 91, "lng": 0, "accuracy_m": 1}}, "evidence[1].position.lat"),
        ({"position": {"lat": 41, "lng": 0}}, "evidence[1].position.accuracy_m"),
        ({"media_type": "image/\x00"}, "evidence[1].media_type"),
    ):
        body = calls.finding_body(it, evidence=[make.manifest_line(make.photo()), line | wrong])
        answer = await client.put(f"/api/visits/{it.visit}/findings/{uuid7()}", json=body, headers=sender)
        assert (answer.status_code, make.problem(answer)["field"]) == (400, field), answer.text
    body = calls.finding_body(it, evidence=[line, line])
    answer = await client.put(f"/api/visits/{it.visit}/findings/{uuid7()}", json=body, headers=sender)
    assert (answer.status_code, make.problem(answer)["code"]) == (422, "evidence.listed_twice")
    assert await calls.snapshot() == before


async def test_a_file_declared_by_another_person_cannot_be_claimed(client, it, sender):
    line = make.manifest_line(make.photo(30))
    path = f"/api/visits/{it.visit}/findings"
    body = calls.finding_body(it, evidence=[line])
    assert (await client.put(f"{path}/{uuid7()}", json=body, headers=sender)).status_code == 201
    before = await calls.snapshot()
    lead = await make.signed_in(it.lead)
    answer = await client.put(f"{path}/{uuid7()}", json=body, headers=lead)
    assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict")
    for other in ({"source": "gallery"}, {"position": {**line["position"], "datum": "gcj02"}}):
        changed = calls.finding_body(it, evidence=[line | other])
        answer = await client.put(f"{path}/{uuid7()}", json=changed, headers=sender)
        assert (answer.status_code, make.problem(answer)["code"]) == (409, "conflict"), other
    assert await calls.snapshot() == before


async def test_signed_out_senders_are_refused_before_their_bytes_are_read(client, it):
    id = await declared(it, make.photo())
    read = 0

    async def endless():
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b"x" * 65536

    answer = await client.put(f"/api/evidence/{id}", content=endless())
    assert (answer.status_code, read) == (401, 0)


def test_the_document_says_that_the_body_is_the_file():
    operation = app.openapi_schema.to_schema()["paths"]["/api/evidence/{evidence_id}"]["put"]
    assert operation["requestBody"]["content"]["application/octet-stream"]["schema"]["format"] == "binary"
