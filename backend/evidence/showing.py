"""How bytes are given out: under which name and type, inline or to be saved, and which part of them. Pure."""

import re
from enum import Enum
from uuid import UUID

from backend.errors import NotSatisfiable
from backend.evidence.rules import MediaType

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE)

# Bytes that came from outside: a browser must never run them, nor guess what they are (trust.md F6).
SAFE = {
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}


class Disposition(Enum):
    inline = "inline"
    attachment = "attachment"


def played(kind: MediaType) -> Disposition | None:
    """How a file is given to a screen as it was sent; None for photos, which have display copies.

    A PDF only to be saved: what it holds would run in the viewer of the browser.
    """
    if kind.photo:
        return None
    return Disposition.attachment if kind is MediaType.pdf else Disposition.inline


def file_name(evidence: UUID, kind: MediaType) -> str:
    """Never the sender's: the kinds are named by their extensions."""
    return f"{evidence}.{kind.name}"


def span(asked: str | None, size: int) -> tuple[int, int] | None:
    """Which bytes a Range header wants, from [0] up to, not including, [1]; None for all of them.

    What is no single range of bytes is ignored, as RFC 9110, 14.2 allows. Raises NotSatisfiable.
    """
    found = _RANGE.fullmatch(asked or "")
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        first, last = max(size - int(found[2]), 0), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    if first >= size or last < first:
        raise NotSatisfiable("请求的范围超出了文件。", "range_not_satisfiable", field="Range", size=size)
    return first, last + 1
