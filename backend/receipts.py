"""What a receipt says: that a file, or a record with its manifest, was stored, and when. Signed; never stored itself.

Ed25519 signs the same text the same way each time, so a receipt is made anew from the rows whenever it is asked for
(decision 0022). It says nothing secret and nothing personal: ids, hashes, sizes and a time of the server.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from backend import signing
from backend.signing import PublicKey, Unsigned

FIRST_LINE = "duban receipt v1"  # no other note begins like this

# What a receipt can be for, with its word. Closed: who checks one must know them all.
KINDS = {
    "file": "佐证材料",
    "visit": "下达检查",
    "arrival": "到达记录",
    "finding": "发现问题",
    "submission": "提交检查",
    "checklist_answer": "检查表作答",
    "draft": "登记整改事项",
    "acknowledgement": "签收",
    "report": "进展报告",
    "hand_in": "申请销号",
    "review": "审核意见",
    "measure": "整改措施",
    "confirmation": "负责人答复",
    "measure_end": "整改措施办结",
    "objection": "异议",
    "objection_ruling": "异议裁定",
    "extension": "延期申请",
    "extension_decision": "延期审批",
    "site_check": "指派现场核查",
    "site_check_conclusion": "现场核查结论",
    "publicity": "公示",
    "public_objection": "公示异议",
    "public_objection_ruling": "公示异议处理",
    "hanging": "挂账",
    "resumption": "解除挂账",
    "look_back": "回头看",
    "reopening": "重开",
    "voiding": "申请作废",
    "monthly_record": "每月检查记录",
    "monthly_exemption": "每月检查豁免申请",
    "monthly_rule": "每月检查规则",
    "feedback": "投诉建议",
    "feedback_answer": "投诉建议答复",
}

# SHA-256 of the body of the running HTTP request, exactly as it came; StrictRequest sets it.
body_sha256: ContextVar[str] = ContextVar("body_sha256")
NO_BODY = hashlib.sha256().hexdigest()

_UTC = "%Y-%m-%dT%H:%M:%S.%fZ"


class HasHash(Protocol):
    """A file of a manifest."""

    @property
    def id(self) -> UUID: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was stored under an id, and when by the server's clock.

    `sha256` is that of the file, or of the request body of a record; `size` that of a file; `files` the manifest.
    """

    kind: str
    id: UUID
    sha256: str
    stored_at: datetime
    size: int | None = None
    files: tuple[tuple[UUID, str], ...] = ()

    def text(self) -> str:
        lines = [FIRST_LINE, f"kind {self.kind}", f"id {self.id}", f"sha256 {self.sha256}"]
        lines += [f"size {self.size}"] if self.size is not None else []
        lines += [f"stored {self.stored_at.astimezone(UTC).strftime(_UTC)}"]
        lines += [f"file {id} {sha256}" for id, sha256 in self.files]
        return "".join(f"{line}\n" for line in lines)


def of_file(id: UUID, sha256: str, size: int, stored_at: datetime) -> str:
    """For a declared file whose bytes are on disk and whose row is committed."""
    return signing.signed(Receipt("file", id, sha256, stored_at, size).text())


def of_record(kind: str, id: UUID, stored_at: datetime, files: Iterable[HasHash] = ()) -> str:
    """For what the running request wrote, or a first one wrote and this one repeats. After the commit only.

    A repetition was compared with what is stored: the receipt says of its body what it said of the first one's.
    """
    KINDS[kind]
    listed = tuple((file.id, file.sha256) for file in files)
    return signing.signed(Receipt(kind, id, body_sha256.get(NO_BODY), stored_at, files=listed).text())


def read(note: str, keys: Sequence[PublicKey]) -> Receipt:
    """A receipt that one of these keys signed. Raises Unsigned, also for a note that is none."""
    text = signing.opened(note, keys)
    try:
        receipt = _parsed(text)
    except (ValueError, IndexError, KeyError):
        raise Unsigned("signed, but no receipt") from None
    if receipt.text() != text:
        raise Unsigned("signed, but no receipt")
    return receipt


def _parsed(text: str) -> Receipt:
    """Of lines that `Receipt.text` may have written; the caller compares. Raises ValueError and the like otherwise."""
    lines = [line.split(" ") for line in text.splitlines()[1:]]
    said = {name: rest[0] for name, *rest in lines if name != "file"}
    return Receipt(
        kind=said["kind"] if KINDS[said["kind"]] else "",
        id=UUID(said["id"]),
        sha256=said["sha256"],
        stored_at=datetime.strptime(said["stored"], _UTC).replace(tzinfo=UTC),
        size=int(said["size"]) if "size" in said else None,
        files=tuple((UUID(rest[0]), rest[1]) for name, *rest in lines if name == "file"),
    )
