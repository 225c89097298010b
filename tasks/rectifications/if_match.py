"""If-Match on moves (RFC 9110, 13.1.1): who decides on what is on the screen is told when it is not so any more."""

import re

from litestar import Request

from backend.errors import BadRequest
from tasks.rectifications.queries import expected


async def expect(request: Request) -> None:
    """Before every request: the version that the person has seen, as `If-Match: "7"`. Raises BadRequest for anything
    that no answer of ours has called a version."""
    said = request.headers.get("if-match")
    if said is None or said.strip() == "*":
        expected.set(None)
        return
    version = re.fullmatch(r'\s*"?(\d{1,9})"?\s*', said)
    if version is None:
        raise BadRequest("If-Match 要写事项的 version。", "bad_version", field="If-Match")
    expected.set(int(version[1]))
