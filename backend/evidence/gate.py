"""Has a photo decoded and redrawn by a child process with limits (gate_child.py). Touches no pixel itself."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from pathlib import Path

from backend.errors import Incomplete, NoRoom
from backend.evidence import format, storage

CHILD = Path(__file__).with_name("gate_child.py")
REPLY = 4096
NEVER_RAN = (1, 2)  # the interpreter's own: no such script, an import failed. Not the photo's doing
# Nothing of ours but Pillow's block allocator, which is faster with few large blocks, and one malloc arena.
ENVIRONMENT = {"PILLOW_BLOCK_SIZE": "16m", "PILLOW_BLOCKS_MAX": "64", "MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one photo may cost. Bytes and seconds."""

    memory: int = 700 * 2**20
    cpu: int = 5
    output: int = 8 * 2**20
    wall: float = 20.0


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Copy:
    """A redrawn copy: pixels and bytes."""

    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """The photo's own size in pixels, upright, and its two copies."""

    width: int
    height: int
    display: Copy
    thumbnail: Copy


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there is no copy. `try_again`: the child was stopped from outside, the machine may be to blame."""

    code: str
    sentence: str
    try_again: bool = False


class _Declined(Exception):
    def __init__(self, code: str = format.UNDECODABLE, *, try_again: bool = False) -> None:
        self.answer = Refused(code, format.SENTENCES[code], try_again)


async def prepare(original: Path, display: Path, thumbnail: Path, *, limits: Limits = LIMITS) -> Prepared | Refused:
    """Writes the two copies (JPEG, upright, sRGB, no metadata, long side at most 1600 and 320 pixels).

    Whatever the file does to the child is an answer, Refused, and leaves earlier copies alone. Raises NoRoom,
    and OSError when the original is missing or no child can be started: those are not the photo's fault.
    """
    photo = os.open(original, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with storage.replacing(display) as large, storage.replacing(thumbnail) as small:
            reply = await _ask_child((photo, large.fd, small.fd), limits)
            return Prepared(
                *_pair(reply, "size"), _checked(large, reply, "display"), _checked(small, reply, "thumbnail")
            )
    except _Declined as declined:
        return declined.answer
    finally:
        os.close(photo)


async def _ask_child(descriptors: tuple[int, int, int], limits: Limits) -> dict[str, object]:
    numbers = map(str, (*descriptors, limits.memory, limits.cpu, limits.output))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-B", str(CHILD), *numbers, env=ENVIRONMENT, pass_fds=descriptors,
        stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(limits.wall):
            text = await process.stdout.read(REPLY)
            await process.wait()
    except TimeoutError:
        raise _Declined(try_again=True) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _understood(text, process.returncode)


def _understood(text: bytes, status: int | None) -> dict[str, object]:
    """The child's answer, believed no further than needed: hostile bytes may be speaking through it."""
    if status in NEVER_RAN and not text:
        raise OSError(f"{CHILD.name} does not run here: start it by hand to see why")
    if status != 0:
        raise _Declined(try_again=status == -9)
    try:
        reply = json.loads(text)
    except ValueError:
        raise _Declined from None
    if not isinstance(reply, dict):
        raise _Declined
    if reply.get("trouble") == "no_room":
        raise NoRoom(storage.FULL_SENTENCE)
    if "refused" in reply:
        raise _Declined(reply["refused"] if reply["refused"] in format.SENTENCES else format.UNDECODABLE)
    return reply


def _pair(reply: dict[str, object], key: str) -> tuple[int, int]:
    match reply.get(key):
        case [int(width), int(height)]:
            return width, height
    raise _Declined


def _checked(draft: storage.Draft, reply: dict[str, object], key: str) -> Copy:
    try:
        picture = format.inspect(draft.path)
    except Incomplete:
        raise _Declined from None
    if (picture.media_type, picture.width, picture.height) != ("image/jpeg", *_pair(reply, key)):
        raise _Declined
    return Copy(picture.width, picture.height, os.fstat(draft.fd).st_size)
