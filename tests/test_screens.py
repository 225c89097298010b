"""The door of the screens: what a browser is given of web/dist, and what it is told about keeping and running it."""

from pathlib import Path

import pytest

from backend import screens
from tests import make

PAGE = "<!doctype html><title>督办</title>"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small app as the build leaves it."""
    phone = tmp_path / "dist/phone"
    (phone / "assets").mkdir(parents=True)
    (phone / "index.html").write_text(PAGE)
    (phone / "sw.js").write_text("self")
    (phone / "manifest.webmanifest").write_text("{}")
    (phone / "assets/main-Ab12.js").write_text("let a = 1")
    (phone / "assets/main-Ab12.js.br").write_bytes(b"squeezed")
    (tmp_path / "dist/secret.txt").write_text("not a page")
    monkeypatch.setattr(screens, "PHONE", phone)
    return phone


async def test_the_app_is_given_without_a_sign_in_and_asked_for_each_time(client, built):
    for path in ("/phone", "/phone/", "/phone/index.html"):
        answer = await client.get(path)
        assert (answer.status_code, answer.text) == (200, PAGE), path
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
    again = await client.get("/phone/", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    (built / "index.html").write_text(PAGE + " ")
    changed = await client.get("/phone/", headers={"If-None-Match": answer.headers["etag"]})
    assert changed.status_code == 200 and changed.headers["etag"] != answer.headers["etag"]


async def test_head_says_what_get_would_without_the_bytes(client, built):
    for path in ("/phone", "/phone/", "/phone/assets/main-Ab12.js", "/phone/none.js"):
        got, asked = await client.get(path), await client.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b""), path
        for name in ("content-type", "content-length", "content-encoding", "etag", "cache-control"):
            assert asked.headers.get(name) == got.headers.get(name), (path, name)
    known = {"If-None-Match": (await client.get("/phone/")).headers["etag"]}
    assert (await client.head("/phone/", headers=known)).status_code == 304


async def test_what_has_a_hash_in_its_name_is_kept_for_ever(client, built):
    answer = await client.get("/phone/assets/main-Ab12.js", headers={"Accept-Encoding": "identity"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8" and answer.text == "let a = 1"


@pytest.mark.parametrize(("accepted", "coding"), [("br, gzip", "br"), ("gzip", None), ("br;q=0", None), ("", None)])
async def test_the_squeezed_copy_is_given_only_to_who_takes_it(client, built, accepted, coding):
    async with client.stream("GET", "/phone/assets/main-Ab12.js", headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding and answer.headers["vary"] == "Accept-Encoding"
    assert body == (b"squeezed" if coding else b"let a = 1")


@pytest.mark.parametrize(
    ("name", "kind"), [("sw.js", "text/javascript"), ("manifest.webmanifest", "application/manifest+json")]
)
async def test_worker_and_manifest_have_their_types(client, built, name, kind):
    answer = await client.get(f"/phone/{name}")
    assert answer.headers["content-type"].split(";")[0] == kind and answer.headers["cache-control"] == "no-cache"


async def test_a_page_may_run_nothing_that_is_not_ours_and_use_camera_and_place(client, built):
    headers = (await client.get("/phone/")).headers
    policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'" and policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy and "unsafe" not in headers["content-security-policy"]
    assert "camera=(self)" in headers["permissions-policy"] and "geolocation=(self)" in headers["permissions-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers.get_list("content-security-policy").__len__() == 1


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "assets/../../secret.txt",
        "none.js",
        "assets",
        "assets/main-Ab12.js.br",
    ],
)
async def test_nothing_else_is_given(client, built, path):
    answer = await client.get(f"/phone/{path}")
    assert answer.status_code == 404 and "not a page" not in answer.text


async def test_without_a_build_a_sentence_says_what_to_do(client, tmp_path, monkeypatch):
    monkeypatch.setattr(screens, "PHONE", tmp_path / "nowhere")
    answer = await client.get("/phone/")
    assert answer.status_code == 404 and make.problem(answer)["code"] == "not_built"
    assert "./duban up" in make.problem(answer)["detail"]


async def test_the_bare_address_leads_to_the_phone_app(client):
    answer = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/phone/")
