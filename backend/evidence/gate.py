"""Has a photo decoded, read and redrawn by a child process with limits (gate_child.py). Touches no pixel itself."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from backend.errors import Incomplete, NoRoom
from backend.evidence import format, gate_pool, storage
from backend.evidence.captions import Bar
from backend.evidence.reading import Reading, judged

STOPPED = (-9, -14)  # killed from outside, or by its own alarm when nobody was left to do so


@dataclass(frozen=True, slots=True)
class Limits:
    """What one photo may cost. Bytes and seconds."""

    memory: int = 700 * 2**20
    cpu: int = 5
    output: int = 8 * 2**20
    wall: float = 20.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one photo did cost its child: seconds of processor time, bytes at most."""

    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Copy:
    """A redrawn copy: pixels and bytes."""

    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """The photo's own size in pixels, upright, its two copies, and what decoding told of it."""

    width: int
    height: int
    display: Copy
    thumbnail: Copy
    reading: Reading
    cost: Cost = field(compare=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no copy. `try_again`: the child was stopped from outside, the machine may be to blame."""

    code: str
    sentence: str
    try_again: bool = False
    cost: Cost = field(default=Cost(), compare=False)


class _Declined(Exception):
    def __init__(self, code: str = format.UNDECODABLE, *, try_again: bool = False, cost: Cost = Cost()) -> None:
        self.answer = Refused(code, format.SENTENCES[code], try_again, cost)


async def prepare(
    original: Path, display: Path, thumbnail: Path, *, caption: Bar | None = None, limits: Limits = LIMITS
) -> Prepared | Refused:
    """Writes the two copies (JPEG, upright, sRGB, no metadata, long side at most 1600 and 320 pixels).

    With a caption a bar below the display copy adds to its height, and to its width where that is very small.
    Whatever the file does to the child is an answer, Refused, and leaves earlier copies alone. Raises NoRoom,
    and OSError when the original is missing or no child can be started: those are not the photo's fault.
    """
    photo = os.open(original, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with storage.replacing(display) as large, storage.replacing(thumbnail) as small:
            reply, cost = await _ask_child((photo, large.fd, small.fd), caption, limits)
            size = _pair(reply, "size")
            copies = _checked(large, reply, "display"), _checked(small, reply, "thumbnail")
            return Prepared(*size, *copies, judged(reply.get("exif"), reply.get("looks"), size), cost)
    except _Declined as declined:
        return declined.answer
    finally:
        os.close(photo)


async def _ask_child(
    descriptors: tuple[int, int, int], caption: Bar | None, limits: Limits
) -> tuple[dict[str, Any], Cost]:
    asked = asdict(limits) | {"caption": caption and [caption.headline, caption.facts]}
    try:
        ended = await gate_pool.ask(descriptors, asked, limits.wall)
    except TimeoutError:
        raise _Declined(try_again=True) from None
    cost = Cost(ended.cpu, ended.memory)
    if ended.status != 0:
        raise _Declined(try_again=ended.status is None or ended.status in STOPPED, cost=cost)
    return _understood(ended.text, cost), cost


def _understood(text: bytes, cost: Cost) -> dict[str, Any]:
    """The child's answer, believed no further than needed: hostile bytes may be speaking through it."""
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        raise _Declined(cost=cost) from None
    if not isinstance(reply, dict):
        raise _Declined(cost=cost)
    if reply.get("trouble") == "no_room":
        raise NoRoom(storage.FULL_SENTENCE)
    if "refused" in reply:
        code = reply["refused"]
        raise _Declined(code if isinstance(code, str) and code in format.SENTENCES else format.UNDECODABLE, cost=cost)
    return reply


def _pair(reply: dict[str, Any], key: str) -> tuple[int, int]:
    match reply.get(key):
        case [int(width), int(height)] if 0 < width < 2**31 and 0 < height < 2**31:
            return width, height
    raise _Declined


def _checked(draft: storage.Draft, reply: dict[str, Any], key: str) -> Copy:
    try:
        picture = format.inspect(draft.path)
    except Incomplete:
        raise _Declined from None
    if (picture.media_type, picture.width, picture.height) != ("image/jpeg", *_pair(reply, key)):
        raise _Declined
    return Copy(picture.width, picture.height, os.fstat(draft.fd).st_size)
