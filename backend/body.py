"""The request class: JSON bodies read strictly, so that what is checked is what was sent."""

import hashlib
import json
import re
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException

from backend import receipts
from backend.errors import BadRequest
from backend.shapes import shaped

MOST_BYTES = 256 * 1024  # JSON routes; evidence has a route of its own
DEEPEST = 32

_HALF = re.compile("[\ud800-\udfff]")  # half of a pair that has lost the other (a lone surrogate)
# A string left open ends with the text, or each of its quotes would start a search to the end of the body.
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


class StrictRequest(Request[Any, Any, Any]):
    """Takes only JSON (415); refuses duplicate keys, NUL, halves of characters, NaN and deep nesting (400).

    ASVS 5.0.0-1.5.3; trust.md A1, A2.
    """

    async def json(self) -> Any:
        if self.content_type[0].lower() != "application/json":
            raise HTTPException(status_code=415)
        wanted = self.route_handler.parsed_data_field
        return shaped(parse(await self.attested()), wanted.annotation if wanted else Any)

    async def attested(self) -> bytes:
        """The body as it came, whose hash a receipt of this request will say; also where nothing in it is asked for."""
        body = await self.body()
        receipts.body_sha256.set(hashlib.sha256(body).hexdigest())
        return body


def parse(body: bytes) -> Any:
    """Plain values of one JSON text in UTF-8. Raises BadRequest with a code per fault."""
    if _too_deep(body):
        raise BadRequest("JSON 嵌套太深。", "too_deep")
    try:
        values = json.loads(body.decode(), object_pairs_hook=_once_each, parse_constant=_no_constant)
    except ValueError as wrong:
        raise BadRequest("不是有效的 JSON。", "not_json", said=str(wrong)[:200]) from wrong
    _check_text(values)
    return values


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: set[str] = set()
    for name, _ in pairs:
        _check_text(name)
        if name in seen:
            raise BadRequest("同一个字段出现了两次。", "duplicate_key", field=name)
        seen.add(name)
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _check_text(value: Any, field: str | None = None) -> None:
    """Raises BadRequest for what PostgreSQL cannot keep, wherever it stands; names the field it stands in."""
    if isinstance(value, dict):
        for name, member in value.items():
            _check_text(member, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for place, member in enumerate(value):
            _check_text(member, f"{field}[{place}]" if field else None)
    elif isinstance(value, str):
        if "\0" in value:
            raise BadRequest("文字中含有空字符（NUL）。", "nul_character", field=field)
        if _HALF.search(value):
            raise BadRequest("文字中含有不能保存的字符。", "bad_text", field=field)


def _too_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for mark in _NESTING.finditer(body):
        if mark[0] in b"[{":
            depth += 1
            if depth > DEEPEST:
                return True
        elif mark[0] in b"]}":
            depth -= 1
    return False
