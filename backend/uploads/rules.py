"""The words of tus 1.0.0 that we speak, read strictly from headers, and the limits of an upload. No bytes, no rows."""

import base64
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from backend.errors import BadRequest, TooLarge, WrongVersion

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = {"sha1": 20, "sha256": 32}  # and the bytes of a digest
BODY = "application/offset+octet-stream"

OPEN_FOR = timedelta(days=7)  # since its last byte
OF_NO_USE_AFTER = timedelta(hours=1)  # since its last byte, when its file is stored already
LOST_AFTER = timedelta(hours=1)  # a phone that begins the same file anew does not know of this one any more
MOST_OPEN = 100  # of one person
MOST_METADATA = 4096
EVIDENCE_ID = "evidence_id"

_NUMBER = re.compile(r"[0-9]{1,15}")
_WORD = re.compile(r"[!-+\--~]+")  # ASCII without spaces and commas


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the body of one request must come to."""

    algorithm: str
    digest: bytes


def check_version(said: str | None) -> None:
    if said != VERSION:
        raise WrongVersion("请使用 tus 1.0.0 协议上传。", field="Tus-Resumable", speaks=VERSION)


def length(said: str | None, deferred: str | None, most: int) -> int:
    """Upload-Length. Raises BadRequest, or TooLarge above `most`."""
    if said is None and deferred is not None:
        raise BadRequest("须先说明文件的大小。", "upload.deferred_length", field="Upload-Defer-Length")
    size = _number(said, "Upload-Length")
    if size < 1:
        raise BadRequest("文件是空的。", "upload.empty", field="Upload-Length")
    if size > most:
        raise TooLarge(f"文件超过 {most // 2**20} MB。", "evidence.too_large", field="Upload-Length")
    return size


def offset(said: str | None) -> int:
    return _number(said, "Upload-Offset")


def evidence_of(metadata: str | None) -> UUID:
    """The id of the declared file, out of Upload-Metadata; whatever else stands there is only kept."""
    if metadata is None or len(metadata) > MOST_METADATA:
        raise _bad_metadata("缺少文件编号 evidence_id。" if metadata is None else "文件说明太长。")
    said: dict[str, bytes] = {}
    for pair in metadata.split(","):
        name, _, value = pair.strip(" ").partition(" ")
        if name in said or not _WORD.fullmatch(name):
            raise _bad_metadata("文件说明的格式不对。")
        said[name] = _decoded(value)
    try:
        text = said[EVIDENCE_ID].decode("ascii")
        id = UUID(text)
    except (KeyError, ValueError):
        raise _bad_metadata("缺少文件编号 evidence_id，或编号不对。") from None
    if str(id) != text.lower():
        raise _bad_metadata("文件编号 evidence_id 不对。")
    return id


def checksum(said: str | None) -> Checksum | None:
    """Upload-Checksum. Raises BadRequest for an algorithm that we do not have."""
    if said is None:
        return None
    algorithm, _, value = said.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if ALGORITHMS.get(algorithm) != len(digest):
        raise BadRequest("校验值的格式不对。", "upload.bad_checksum", field="Upload-Checksum", algorithms=[*ALGORITHMS])
    return Checksum(algorithm, digest)


def _number(said: str | None, field: str) -> int:
    if said is None or not _NUMBER.fullmatch(said):
        raise BadRequest("应为不小于零的整数。", "upload.bad_number", field=field)
    return int(said)


def _decoded(value: str) -> bytes:
    try:
        decoded = base64.b64decode(value, validate=True)
    except ValueError:
        raise _bad_metadata("文件说明的格式不对。") from None
    if b"\0" in decoded:
        raise _bad_metadata("文件说明中含有空字符（NUL）。")
    return decoded


def _bad_metadata(sentence: str) -> BadRequest:
    return BadRequest(sentence, "upload.bad_metadata", field="Upload-Metadata")
