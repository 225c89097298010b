"""The request class: JSON bodies read strictly, so that what is checked is what was sent."""

import json
import re
from typing import Any

from litestar import Request

from backend.errors import BadRequest

MOST_BYTES = 256 * 1024  # JSON routes; evidence has a route of its own
DEEPEST = 32

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


class StrictRequest(Request[Any, Any, Any]):
    """Refuses duplicate keys, NUL characters, NaN and deep nesting with 400 (ASVS 5.0.0-1.5.3; trust.md A1, A2)."""

    async def json(self) -> Any:
        return parse(await self.body())


def parse(body: bytes) -> Any:
    """Plain values of one JSON text. Raises BadRequest with a code per fault."""
    if _NUL.search(body) or b"\0" in body:
        raise BadRequest("文字中含有空字符（NUL）。", "nul_character")
    if _depth(body) > DEEPEST:
        raise BadRequest("JSON 嵌套太深。", "too_deep")
    try:
        return json.loads(body, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except (ValueError, UnicodeDecodeError) as wrong:
        raise BadRequest("不是有效的 JSON。", "not_json", said=str(wrong)[:200]) from wrong


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))
        raise BadRequest("同一个字段出现了两次。", "duplicate_key", field=twice)
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _depth(body: bytes) -> int:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return 0
    deepest = depth = 0
    for mark in _NESTING.finditer(body):
        if mark[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark[0] in b"]}":
            depth -= 1
    return deepest
