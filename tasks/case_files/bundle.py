"""The case file as one zip: the same bytes for the same case, written and read in pieces, never whole in memory."""

import asyncio
import hashlib
import io
import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import msgspec

from backend import clock
from backend.evidence.queries import arrived
from backend.papers import press
from tasks.case_files import wording
from tasks.case_files.queries import Case, Copies, Photo

PIECE = 256 * 2**10
UNIX, ORDINARY_FILE = 3, 0o100644 << 16

README = """\
整改事项卷宗（一案一档）

事项编号：{number}
数据截至：{as_of}
导出：{taken_by}，{taken_on}

一、内容
case-file.pdf    卷宗全文，可打印
item.json        事项的全部记录（与系统接口的内容一致，电话等个人信息已脱敏）
timeline.json    办理经过
photos/          照片展示件：before 为整改前，after-1 为第 1 次申请销号的整改后，依此类推；
                 objection 为异议证明，check 为现场核查，look-back 为回头看，reopening 为重开
manifest.json    本压缩包每个文件的大小和 SHA-256，以及每张照片原件的 SHA-256
README.txt       本说明

{counts}。
照片原件保存在系统中，不随本压缩包导出。展示件由系统缩小重绘，不含拍摄参数；拍摄时间和位置由手机上报，未经核验，\
送达时间以服务器接收为准。

二、怎样核对
对照 manifest.json 中 members 一栏的 sha256，逐个文件计算：
Windows：打开“命令提示符”，输入  certutil -hashfile case-file.pdf SHA256
Linux：  sha256sum case-file.pdf photos/*
macOS：  shasum -a 256 case-file.pdf photos/*
算出的值与 manifest.json 中的一致，说明文件没有改动。manifest.json 不列自己；整个压缩包的 SHA-256 记在系统的审计记录里。
originals 一栏是照片原件的 SHA-256，用来与系统中保存的原件核对。
"""


async def zipped(case: Case, copies: Copies, pdf: BinaryIO) -> BinaryIO:
    """The zip, open at its beginning and gone from the disk when closed. `pdf` is closed."""
    return await asyncio.to_thread(_written, case, copies, pdf)


def digest(file: BinaryIO) -> tuple[str, int]:
    """SHA-256 and size; the file is at its beginning again afterwards. Blocking."""
    found, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        found.update(piece)
        size += len(piece)
    file.seek(0)
    return found.hexdigest(), size


def _written(case: Case, copies: Copies, pdf: BinaryIO) -> BinaryIO:
    target = tempfile.TemporaryFile(dir=press.desk())
    try:
        with pdf, ZipFile(target, "w", ZIP_STORED) as archive:
            members = [_add(archive, name, source, case.as_of) for name, source in _members(case, copies, pdf)]
            _add(archive, "manifest.json", io.BytesIO(_pretty(_manifest(case, copies, members))), case.as_of)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


def _members(case: Case, copies: Copies, pdf: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    """In the order of their names; the manifest, which has their hashes, comes behind them."""
    counts = "；".join(batch.count for batch in case.batches)
    readme = README.format(
        number=case.number,
        as_of=wording.moment(case.as_of),
        taken_by=case.taken_by,
        taken_on=wording.day(case.taken_on),
        counts=counts,
    )
    yield "README.txt", io.BytesIO(readme.replace("\n", "\r\n").encode("utf-8-sig"))  # so that Notepad shows it right
    yield "case-file.pdf", pdf
    yield "item.json", io.BytesIO(_pretty(case.told()))
    for member, path in sorted(copies.items()):
        with path.open("rb") as copy:
            yield f"photos/{member}", copy
    yield "timeline.json", io.BytesIO(_pretty({"items": case.steps}))


def _add(archive: ZipFile, name: str, source: IO[bytes], at: datetime) -> dict[str, object]:
    local = clock.local(at)
    info = ZipInfo(name, (local.year, local.month, local.day, local.hour, local.minute, 0))
    info.create_system, info.external_attr = UNIX, ORDINARY_FILE
    found, size = hashlib.sha256(), 0
    with archive.open(info, "w") as member:
        while piece := source.read(PIECE):
            found.update(piece)
            size += len(piece)
            member.write(piece)
    return {"name": name, "size": size, "sha256": found.hexdigest()}


def _manifest(case: Case, copies: Copies, members: list[dict[str, object]]) -> dict[str, object]:
    files = [photo.file for photo in case.photos()]
    return {
        "item": case.item.id,
        "number": case.item.number,
        "as_of": case.as_of,
        "taken_by": case.taken_by,
        "taken_on": case.taken_on,
        "declared": len(files),
        "arrived": arrived(files),
        "members": members,
        "originals": [_original(photo, copies) for photo in case.photos()],
    }


def _original(photo: Photo, copies: Copies) -> dict[str, Any]:
    file = photo.file
    return {
        "name": photo.name,
        "evidence": file.id,
        "sha256": file.sha256,
        "size": file.size,
        "media_type": file.media_type,
        "state": file.state,
        "refusal": file.refusal,
        "captured_at": file.captured_at,
        "received_at": file.received_at,
        "copy": f"photos/{photo.member}" if photo.member in copies else None,
    }


def _pretty(content: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
