"""Door: gives the built screens to browsers: files of web/dist, their caching and what a page of ours may do."""

import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Controller, Request, Response, get, head
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import NotFound
from backend.settings import ROOT

PHONE = ROOT / "web/dist/phone"
NOT_BUILT = "手机端页面还没有构建：请在服务器上运行 ./duban up，看它说缺什么。"

TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript", ".woff2": "font/woff2"}
SQUEEZED = (("br", ".br"), ("gzip", ".gz"))  # made by the build beside each text, the smaller first

# What a page of ours may load and do (ASVS 5.0.0-3.4.3). Its own server only; pictures that it makes itself
# are blob:. No inline script, no eval, no frame, no other host.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "frame-src blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
PERMISSIONS = "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), display-capture=()"
FOR_EVER, ASK_EACH_TIME = "public, max-age=31536000, immutable", "no-cache"


@dataclass(frozen=True, slots=True)
class Page:
    """One file as it is given. `etag` changes with its bytes."""

    body: bytes
    media_type: str
    etag: str
    encoding: str | None


class ScreenController(Controller):
    path = "/"
    tags = ["screens"]
    include_in_schema = True

    @get("/", summary="To the phone app", status_code=302)
    async def start(self) -> Redirect:
        return Redirect("/phone/", status_code=302)

    @get("/phone", summary="The phone app")
    async def phone(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer(request, "index.html")

    @get("/phone/{path:path}", summary="A file of the phone app")
    async def phone_file(self, request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
        return answer(request, path.lstrip("/") or "index.html")

    @head(["/phone", "/phone/{path:path}"], summary="What the same would answer, without its bytes")
    async def phone_head(self, request: Request[Any, Any, Any], path: FromPath[str] = "") -> Response[None]:
        told = answer(request, path.lstrip("/") or "index.html")
        headers = told.headers | {"Content-Length": str(len(told.content))}
        return Response(None, status_code=told.status_code, headers=headers, media_type=told.media_type)


def answer(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    """The file, or 304 when the browser has it. Raises NotFound, with the reason when nothing is built."""
    page = _page(name, request.headers.get("accept-encoding", ""))
    headers = {
        "ETag": page.etag,
        "Cache-Control": FOR_EVER if name.startswith("assets/") else ASK_EACH_TIME,
        "Vary": "Accept-Encoding",
        "Content-Security-Policy": POLICY,
        "Permissions-Policy": PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    if page.encoding:
        headers["Content-Encoding"] = page.encoding
    known = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if page.etag in known:
        return Response(b"", status_code=304, headers=headers, media_type=page.media_type)
    return Response(page.body, headers=headers, media_type=page.media_type)


def _page(name: str, accepted: str) -> Page:
    path = (PHONE / name).resolve()
    if not path.is_relative_to(PHONE) or not path.is_file() or path.suffix in (".br", ".gz"):
        if not (PHONE / "index.html").is_file():
            raise NotFound(NOT_BUILT, "not_built")
        raise NotFound("没有这个页面。请从首页重新打开。", "no_such_page")
    codings = {word.split(";")[0].strip() for word in accepted.lower().split(",") if "q=0" not in word.replace(" ", "")}
    for coding, ending in SQUEEZED:
        smaller = path.with_name(path.name + ending)
        if coding in codings and smaller.is_file():
            return _read(smaller, _type(path), coding, smaller.stat().st_mtime_ns)
    return _read(path, _type(path), None, path.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _read(path: Path, media_type: str, encoding: str | None, changed: int) -> Page:
    """`changed` makes a rebuilt file another one."""
    body = path.read_bytes()
    return Page(body, media_type, f'"{sha256(body).hexdigest()[:20]}"', encoding)


def _type(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
