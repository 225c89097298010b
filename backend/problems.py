"""HTTP's side of refusals: any exception becomes application/problem+json (RFC 9457) with a stable code."""

import logging
import re
from typing import Any
from uuid import uuid4

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException, ValidationException

from backend import events
from backend.errors import BadRequest, Busy, Problem

log = logging.getLogger("duban.http")

GONE = "client disconnected prematurely"  # what litestar says when a phone goes away while sending

GENERIC = {
    400: ("malformed", "请求的格式不对。"),
    401: ("sign_in_needed", "请先登录。"),
    403: ("not_yours_to_do", "没有这项权限。"),
    404: ("not_found", "没有这个地址。"),
    405: ("method_not_allowed", "这个地址不支持这种操作。"),
    413: ("too_large", "内容太大。"),
    415: ("wrong_content_type", "请求的内容类型不对，应为 application/json。"),
    429: ("too_many", "请求太频繁，请稍后再试。"),
}


class Answer(msgspec.Struct, omit_defaults=True):
    """What a refused request is told. `details` says more where there is more to say."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    request_id: str | None = None
    details: dict[str, Any] = {}


def answer(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """The response for a problem. Expected ones are not logged as errors."""
    body = Answer(
        type=f"urn:duban:problem:{problem.code}",
        title=type(problem).__name__,
        status=problem.status,
        code=problem.code,
        detail=problem.message,
        field=problem.field,
        request_id=events.request_id.get(),
        details=problem.details,
    )
    headers = {"Retry-After": str(problem.details["retry_after"])} if "retry_after" in problem.details else {}
    if problem.status == 416:
        headers["Content-Range"] = f"bytes */{problem.details['size']}"
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        msgspec.json.encode(body, enc_hook=str),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )


def of_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    return answer(request, problem)


def of_http(request: Request[Any, Any, Any], refusal: HTTPException) -> Response[bytes]:
    """litestar's own refusals: validation, unknown routes, wrong methods, bodies over the cap."""
    if isinstance(refusal, ValidationException):
        return answer(request, _of_validation(refusal))
    if refusal.status_code >= 500:
        return of_bug(request, refusal)
    code, sentence = GENERIC.get(refusal.status_code, GENERIC[400])
    problem = Problem(sentence, code)
    problem.status = refusal.status_code
    response = answer(request, problem)
    if "Allow" in (refusal.headers or {}):
        response.set_header("Allow", (refusal.headers or {})["Allow"])
    return response


def of_recursion(request: Request[Any, Any, Any], _: RecursionError) -> Response[bytes]:
    """JSON nested deeper than any form of ours (trust.md A1)."""
    return answer(request, BadRequest("JSON 嵌套太深。", "too_deep"))


def of_bug(request: Request[Any, Any, Any], bug: Exception) -> Response[bytes]:
    """A defect of ours: logged whole, told in one sentence with the id to ask about."""
    if isinstance(bug, InternalServerException) and bug.detail == GONE:  # nobody is there to read an answer
        return answer(request, BadRequest("连接中断。", "connection_lost"))
    log.error("unexpected failure in %s %s", request.method, _path(request), exc_info=bug)
    if events.request_id.get() is None:
        events.request_id.set(uuid4().hex)
    return answer(request, Problem("系统出错，已记录。请稍后再试；仍不行请把编号告诉管理员。", "bug"))


def of_lost_database(request: Request[Any, Any, Any], lost: Exception) -> Response[bytes]:
    """The database is starting again or went away: nothing was done, the phone tries again."""
    log.warning("database away in %s %s: %s", request.method, _path(request), lost)
    return answer(request, Busy("系统正在恢复，请稍后再试。", retry_after=5))


def _path(request: Request[Any, Any, Any]) -> str:
    """For the log: without what could be a secret address (a calendar's), which is longer than any id."""
    return re.sub(r"[^/]{40,}", "…", request.url.path)


def _of_validation(refusal: ValidationException) -> Problem:
    """Query and path parameters; bodies are read in body.py. litestar puts the first wrong one under `extra`."""
    extra = refusal.extra
    first: Any = extra[0] if isinstance(extra, list) and extra else {}
    said, where = str(first.get("message") or refusal.detail)[:200], first.get("key")
    if (said, where) == ("'data'", "data"):  # all that litestar says about an empty body
        return BadRequest("请求没有内容。", "empty_body")
    return BadRequest("内容不符合要求。", "malformed", field=where, said=said)
