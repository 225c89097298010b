"""Recordings, films and papers as evidence: typed by how they begin, stored as they are, decoded by nobody."""

import hashlib

import pytest

from backend.columns import uuid7
from backend.evidence import format, jobs, storage
from backend.evidence.rules import MediaType, State
from backend.evidence.stores import disk
from tests import calls, make
from tests.recordings import ALIKE, STARTS, STRANGE, recording
from tests.test_evidence_api import declared, half_sent, stored_events

CASES = [(kind, which) for kind, starts in STARTS.items() for which in range(len(starts))]


@pytest.fixture
async def it(client, noon):
    return await make.cast()


@pytest.fixture
async def sender(it):
    return await make.signed_in(it.inspector)


def test_every_kind_that_is_no_photo_is_known_by_how_it_begins():
    assert {kind for kind in MediaType if not kind.photo} == set(STARTS) == {MediaType(it) for it in format._STARTS}


@pytest.mark.parametrize(("kind", "which"), CASES)
def test_what_begins_as_a_kind_is_that_kind_and_no_other(tmp_path, kind, which):
    path = tmp_path / "file"
    path.write_bytes(recording(kind, which))
    alike = next((group for group in ALIKE if kind in group), {kind})
    assert {other for other in STARTS if format.carries(path, other)} == alike


@pytest.mark.parametrize("what", STRANGE)
def test_what_begins_as_something_else_is_none_of_them(tmp_path, what):
    path = tmp_path / "file"
    path.write_bytes(STRANGE[what])
    assert [kind for kind in STARTS if format.carries(path, kind)] == []


@pytest.mark.parametrize("kind", STARTS)
async def test_it_is_stored_and_ready_at_once_and_has_no_copies(client, it, sender, kind):
    content = recording(kind)
    id = await declared(it, content, kind)
    answer = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    told = answer.json()
    assert (answer.status_code, told["state"], told["media_type"]) == (200, "ready", kind), told
    assert (told["width"], told["height"], told["refusal"]) == (None, None, None)
    assert disk().path(storage.original(told["sha256"])).read_bytes() == content
    again = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
    assert (again.status_code, again.json()) == (200, told) and await stored_events() == 1
    await jobs.prepare(id)  # nothing to do
    assert await jobs.sweep_received() == 0
    shown = await client.get(f"/api/evidence/{id}", headers=sender)
    assert (shown.status_code, shown.json()["state"]) == (200, "ready"), shown.text
    for copy in ("display", "thumbnail"):
        look = await client.get(f"/api/evidence/{id}/{copy}", headers=sender)
        assert (look.status_code, make.problem(look)["code"]) == (404, "evidence.no_display")


async def test_bytes_of_another_kind_than_declared_are_refused(client, it, sender):
    for kind, content, code in (
        (MediaType.mp4, make.photo(60), "evidence.other_media_type"),
        (MediaType.pdf, recording(MediaType.mp4, number=1), "evidence.other_media_type"),
        (MediaType.jpeg, recording(MediaType.pdf, number=1), "evidence.not_an_image"),
        (MediaType.m4a, STRANGE["a HEIC photo"], "evidence.other_media_type"),
    ):
        id = await declared(it, content, kind)
        before = await calls.snapshot()
        answer = await client.put(f"/api/evidence/{id}", content=content, headers=sender)
        assert (answer.status_code, make.problem(answer)["code"]) == (422, code), kind
        assert await calls.snapshot() == before and not half_sent()
        assert not disk().path(storage.original(hashlib.sha256(content).hexdigest())).exists()


@pytest.mark.parametrize(
    ("kind", "most"), [("image/png", 12), ("audio/mpeg", 20), ("video/mp4", 100), ("application/pdf", 30)]
)
async def test_every_kind_has_a_size_of_its_own(client, it, sender, kind, most):
    async def filed(size: int) -> tuple[int, str]:
        line = make.manifest_line(b"x", media_type=kind) | {"size": size}
        body = calls.finding_body(it, evidence=[line])
        answer = await client.put(f"/api/visits/{it.visit}/findings/{uuid7()}", json=body, headers=sender)
        return answer.status_code, "" if answer.is_success else make.problem(answer)["field"]

    assert await filed(most * 2**20) == (201, "")
    status, field = await filed(most * 2**20 + 1)
    assert status == 400 and field in ("size", "evidence[0].size")


async def test_a_photo_is_asked_for_and_a_recording_is_none(client, it):
    """An item found on site is cleared with a photo of how it is now; a recording may come beside it."""
    call = await calls.hand_in(it)
    voice = make.manifest_line(recording(MediaType.m4a), media_type="audio/mp4")
    answer = await call.made(client, json={**call.body, "evidence": [voice]})
    assert (answer.status_code, make.problem(answer)["field"]) == (422, "evidence"), answer.text
    answer = await call.made(client, json={**call.body, "evidence": [voice, *call.body["evidence"]]})
    assert answer.is_success, answer.text
    sent = await client.put(f"/api/evidence/{voice['id']}", content=recording(MediaType.m4a), headers=call.headers)
    assert (sent.status_code, sent.json()["state"]) == (200, State.ready)
