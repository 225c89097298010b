"""What is given out of either store: every route with every kind, its headers, its parts; and a store that is away."""

import io
import os
from typing import Any, get_args, get_origin
from uuid import UUID

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.response import File, Stream
from PIL import Image

from backend.app import CONTROLLERS
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import jobs, stores
from backend.evidence.rules import MOST_TRIES, MediaType
from backend.evidence.storage import StoreAway
from backend.uploads import jobs as uploads
from tests import calls, hostile_files, make, stores_make
from tests.recordings import STARTS, recording
from tests.stores_make import stored
from tests.test_case_files import a_case, opened
from tests.test_evidence_api import declared, half_sent, state
from tests.test_uploads_api import Phone, lying

PAYLOAD = hostile_files.PAYLOAD
ROUTES = ("display", "thumbnail", "playback", "original")
OTHER_STREAMS = {"/api/rectifications/{item_id:uuid}/case-file.pdf", "/api/rectifications/{item_id:uuid}/case-file.zip"}


def polyglots() -> dict[str, tuple[MediaType, bytes]]:
    """Files of every kind that are a web page, a script or an archive as well."""
    page = b"<!doctype html><html><body>" + PAYLOAD + b"</body></html>"
    archive = b"PK\x03\x04" + bytes(26) + PAYLOAD
    photo = hostile_files.encoded(hostile_files.picture())
    said = hostile_files.segment(0xFE, b"*/" + PAYLOAD + b"/*")
    png, webp = (hostile_files.encoded(hostile_files.picture(), name) for name in ("PNG", "WEBP"))
    found = {
        "jpeg, page behind": (MediaType.jpeg, photo + page),
        "jpeg, archive behind": (MediaType.jpeg, photo + archive),
        "jpeg, script in a comment": (MediaType.jpeg, hostile_files.with_segments(photo, said)),
        "png, page behind": (MediaType.png, png + page),
        "webp, page behind": (MediaType.webp, webp + page),
    }
    return found | {f"{kind.name}, page behind": (kind, recording(kind) + page) for kind in STARTS}


@pytest.fixture
async def it(client, noon, side):
    return await make.cast()


async def get(client: httpx.AsyncClient, path: str, person: Any, method: str = "GET", **headers: str) -> httpx.Response:
    return await client.request(method, path, headers={**await make.signed_in(person), **headers})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, make.problem(answer)["code"]


def test_this_walk_knows_every_route_that_gives_bytes():
    giving = {
        f"{controller.path}{path}"
        for controller in CONTROLLERS
        for name in dir(controller)
        if isinstance(handler := getattr(controller, name), HTTPRouteHandler) and "GET" in handler.http_methods
        for path in handler.paths
        if _gives_bytes(handler.fn.__annotations__["return"]) or "." in path
    }
    assert giving - OTHER_STREAMS == {f"/api/evidence/{{evidence_id:uuid}}/{route}" for route in ROUTES}


def _gives_bytes(annotated: Any) -> bool:
    return (get_origin(annotated) or annotated) in (Stream, File) or bool({Stream, File} & set(get_args(annotated)))


def expected(file: UUID, kind: MediaType) -> dict[str, tuple[str, str] | None]:
    """Content-Disposition and Content-Type by route; None where there is nothing of this kind."""
    copy = (f'inline; filename="{file}.jpg"', "image/jpeg") if kind.photo else None
    saved = (f'attachment; filename="{file}.{kind.name}"', kind.value)
    played = saved if kind is MediaType.pdf else (f'inline; filename="{file}.{kind.name}"', kind.value)
    return {"display": copy, "thumbnail": copy, "playback": None if kind.photo else played, "original": saved}


async def test_every_route_gives_every_kind_as_nothing_a_browser_would_run(client, it):
    for name, (kind, content) in polyglots().items():
        file = await stored(client, it, content, kind)
        await jobs.prepare(file)
        asked = {"id": str(uuid7()), "reason": "复核拍摄地点。"}
        staff = await make.signed_in(it.staff)
        assert (await client.post(f"/api/evidence/{file}/original-access", json=asked, headers=staff)).is_success
        for route, told in expected(file, kind).items():
            answer = await client.get(f"/api/evidence/{file}/{route}", headers={**staff, "Accept": "text/html"})
            headers = answer.headers
            assert headers["x-content-type-options"] == "nosniff", (name, route)
            if told is None:
                assert answer.status_code == 404, (name, route)
                assert headers["content-type"] == "application/problem+json", (name, route)
                continue
            assert answer.status_code == 200, (name, route, answer.text)
            assert (headers["content-disposition"], headers["content-type"]) == told, (name, route)
            assert headers["content-security-policy"] == "sandbox; default-src 'none'", (name, route)
            assert headers["cross-origin-resource-policy"] == "same-origin", (name, route)
            assert headers["content-length"] == str(len(answer.content)), (name, route)
            kept = "no-store" if route == "original" else "private, max-age=3600"
            assert headers["cache-control"] == kept, (name, route)
            if route in ("playback", "original"):
                assert answer.content == content, (name, route)
                there = await client.head(f"/api/evidence/{file}/{route}", headers=staff)
                same = {"content-type", "content-length", "content-disposition", "accept-ranges", "etag"}
                assert {key: there.headers[key] for key in same} == {key: headers[key] for key in same}, (name, route)
                assert there.status_code == 200 and there.content == b"", (name, route)
            else:
                assert PAYLOAD not in answer.content and b"PK\x03\x04" not in answer.content, (name, route)
                known = {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
                assert Image.open(io.BytesIO(answer.content)).info.keys() <= known, (name, route)


@pytest.fixture
async def voice(client, it) -> tuple[UUID, bytes]:
    """A voice note of 700 kB."""
    content = recording(MediaType.m4a) + os.urandom(700_000)
    return await stored(client, it, content, MediaType.m4a), content


async def test_a_recording_is_played_in_parts_as_browsers_ask_for_them(client, it, voice):
    file, content = voice
    path, size = f"/api/evidence/{file}/playback", len(content)
    for asked, first, end in (
        ("bytes=0-1", 0, 2),  # how Safari begins
        ("bytes=0-", 0, size),
        ("bytes=300000-300099", 300_000, 300_100),
        ("bytes=-1000", size - 1000, size),
        (f"bytes={size - 1}-{size + 5000}", size - 1, size),
    ):
        answer = await get(client, path, it.staff, Range=asked)
        assert answer.status_code == 206 and answer.content == content[first:end], asked
        assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
        assert answer.headers["content-length"] == str(end - first) and answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "audio/mp4"
    pieces = [
        (await get(client, path, it.staff, Range=f"bytes={at}-{at + 99_999}")).content for at in range(0, size, 100_000)
    ]
    assert b"".join(pieces) == content
    for ignored in ("bytes=0-1,5-9", "bytes=9-5", "lines=1-2", "bytes=x"):
        answer = await get(client, path, it.staff, Range=ignored)
        assert (answer.status_code, answer.content) == (200, content) and "content-range" not in answer.headers
    past = await get(client, path, it.staff, Range=f"bytes={size}-")
    assert code(past) == (416, "range_not_satisfiable") and past.headers["content-range"] == f"bytes */{size}"


async def test_a_part_is_given_only_of_the_file_it_belongs_to(client, it, voice):
    file, content = voice
    path = f"/api/evidence/{file}/playback"
    etag = (await get(client, path, it.staff, "HEAD")).headers["etag"]
    same = await get(client, path, it.staff, **{"Range": "bytes=0-9", "If-Range": etag})
    other = await get(client, path, it.staff, **{"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200) and other.content == content


async def test_who_sees_the_finding_hears_its_voice_note_and_nobody_else(client, it, voice):
    path = f"/api/evidence/{voice[0]}/playback"
    for method in ("GET", "HEAD"):
        assert (await client.request(method, path)).status_code == 401
        heard = {person: (await get(client, path, person, method)).status_code for person in (it.inspector, it.lead)}
        assert set(heard.values()) == {200}
        for stranger in (it.stranger, it.handler):
            assert (await get(client, path, stranger, method)).status_code == 404
    waiting = await declared(it, recording(MediaType.mp3, number=9), MediaType.mp3)
    assert code(await get(client, f"/api/evidence/{waiting}/playback", it.staff)) == (409, "evidence.not_ready")


# ── a store that is away ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def away(monkeypatch):
    """Nobody listens where the store should be; and then it is back."""

    def goes(is_away: bool) -> None:
        monkeypatch.setenv("DUBAN_S3_ENDPOINT", "http://127.0.0.1:1" if is_away else there)
        stores.forget()

    there = os.environ.get("DUBAN_S3_ENDPOINT", "")
    return goes


in_s3 = pytest.mark.parametrize("side", ["s3"], indirect=True)


@in_s3
async def test_a_file_that_the_store_does_not_take_is_not_acknowledged_and_comes_again(client, it, away, side):
    content = make.photo(70)
    file, sender = await declared(it, content), await make.signed_in(it.inspector)
    before = await calls.snapshot()
    away(True)
    answer = await client.put(f"/api/evidence/{file}", content=content, headers=sender)
    assert code(answer) == (503, "evidence.store_away") and answer.headers["retry-after"] == "30"
    assert "手机" in make.problem(answer)["detail"] and stores_make.SECRET not in answer.text
    assert await calls.snapshot() == before and not half_sent() and side.names() == set()
    away(False)
    assert (await client.put(f"/api/evidence/{file}", content=content, headers=sender)).status_code == 200


@in_s3
async def test_a_resumed_upload_whose_last_piece_meets_no_store_waits_and_is_taken_in_later(client, it, away, side):
    content = make.photo(73)
    file, phone = await declared(it, content), Phone(client, await make.signed_in(it.inspector))
    path = await phone.begin(file, len(content))
    assert (await phone.send(path, 0, content[:100])).status_code == 204
    away(True)
    assert code(await phone.send(path, 100, content[100:])) == (503, "evidence.store_away")
    assert await state(file) == "declared" and lying() == [".whole"]
    assert await uploads.sweep_whole() == 1 and await state(file) == "declared" and lying() == [".whole"]
    away(False)
    assert await uploads.sweep_whole() == 1
    assert await state(file) == "received" and lying() == [] and len(side.names()) == 1


@in_s3
async def test_a_store_that_is_full_is_507(client, it, monkeypatch):
    content = make.photo(71)
    file, sender = await declared(it, content), await make.signed_in(it.inspector)
    async with stores_make.answering(stores_make.refusal("507 Insufficient Storage", "XMinioStorageFull")) as address:
        monkeypatch.setenv("DUBAN_S3_ENDPOINT", address)
        stores.forget()
        answer = await client.put(f"/api/evidence/{file}", content=content, headers=sender)
    assert code(answer) == (507, "no_room") and await state(file) == "declared"


@in_s3
async def test_a_store_that_is_away_costs_no_try_and_shows_a_sentence(client, it, away):
    file = await stored(client, it, make.photo(72))
    away(True)
    for _ in range(MOST_TRIES + 1):
        with pytest.raises(StoreAway):
            await jobs.prepare(file)
    assert await raw("SELECT tries, state FROM evidence WHERE id = $1", file) == [(0, "received")]
    away(False)
    await jobs.prepare(file)
    assert await state(file) == "ready"
    away(True)
    assert code(await get(client, f"/api/evidence/{file}/display", it.staff)) == (503, "evidence.store_away")


@in_s3
async def test_a_store_that_breaks_off_while_a_film_is_played_ends_the_answer_and_nothing_else(
    client, it, voice, monkeypatch, caplog
):
    file, content = voice
    head = [
        "HTTP/1.1 200 OK",
        f"Content-Length: {len(content)}",
        'ETag: "1"',
        "Last-Modified: Tue, 24 Nov 2026 04:00:00 GMT",
    ]
    async with stores_make.answering("\r\n".join([*head, "", "half"]).encode()) as address:
        monkeypatch.setenv("DUBAN_S3_ENDPOINT", address)
        stores.forget()
        answer = await get(client, f"/api/evidence/{file}/playback", it.staff)
    assert answer.headers["content-length"] == str(len(content)) and len(answer.content) < len(content)
    assert "unexpected failure" not in caplog.text, caplog.text


@in_s3
async def test_readiness_tells_of_a_store_that_is_away(client, it, away):
    well = (await client.get("/readyz")).json()
    away(True)
    ill = await client.get("/readyz")
    assert "store" not in well["degraded"] and "store" in ill.json()["degraded"] and ill.status_code == 200


@in_s3
async def test_a_case_file_brings_its_photos_from_the_bucket_and_leaves_none_behind(client, it, side):
    id = await a_case(it)
    answer = await get(client, f"/api/rectifications/{id}/case-file.zip", it.staff)
    photos = {name: content for name, content in opened(answer).items() if name.startswith("photos/")}
    assert {*photos.values()} == {side.take(name) for name in side.names() if name.startswith("display/")}
    assert len(photos) == 5 and not half_sent()
