"""The blocks that backend/papers/dossier.typ draws, as data: rows, texts, tables, photos. No case is known here."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from backend.evidence.rules import State
from tasks.case_files import wording
from tasks.case_files.queries import Batch, Photo

Block = tuple[str, Any]
Rows = list[tuple[str, str]]


def rows(told: Iterable[tuple[str, str | None]]) -> list[Block]:
    """Label and words, side by side; what was not said is left out."""
    known = filled(told)
    return [("rows", known)] if known else []


def filled(told: Iterable[tuple[str, str | None]]) -> Rows:
    return [(label, words) for label, words in told if words]


def said(heading: str, words: str) -> list[Block]:
    return [("heading", heading), ("text", words)] if words.strip() else []


def table(
    *columns: tuple[str, int | None], rows: list[list[str]], mono: tuple[int, ...] = (), bold: tuple[int, ...] = ()
) -> Block:
    """Columns by head and width in millimetres; one without a width takes what is left. `mono`, `bold`: by number."""
    head, widths = zip(*columns, strict=True)
    return "table", {"head": head, "widths": widths, "mono": mono, "bold": bold, "rows": rows}


def gallery(batch: Batch) -> list[Block]:
    """The photos of one batch, two to a row, and what is beside them by name."""
    drawn = [photo(it) for it in batch.pictures]
    pairs = list(zip_longest(drawn[::2], drawn[1::2]))
    shown: list[Block] = [("photos", pairs)] if pairs else []
    return [("heading", batch.count), *shown, *beside(batch)] if batch.photos else []


def beside(batch: Batch) -> list[Block]:
    """What came with a batch and cannot be printed, by its name in the list of files."""
    names = "、".join(f"{it.name}（{wording.media(it.file.media_type)}）" for it in batch.others)
    return [("note", f"另有 {names}，校验值见佐证材料清单。")] if names else []


def compared(before: Batch, after: Batch) -> list[Block]:
    """Each photo of afterwards beside one of before; what is left over of before stands with the finding."""
    pairs = [
        (photo(old) if old else None, photo(new))
        for old, new in zip_longest(before.pictures[: len(after.pictures)], after.pictures)
    ]
    head = ["整改前", "整改后"]
    shown: list[Block] = [("heading", "整改前后对照"), ("pairs", {"head": head, "rows": pairs})] if pairs else []
    return [*shown, *beside(after)]


def photo(it: Photo) -> dict[str, Any]:
    """A photo with its caption, or what to say in its place."""
    file = it.file
    instead = wording.FILE_STATE[file.state]
    if file.state == State.refused:
        instead = f"{instead}：{wording.refusal(file.refusal)}"
    elif file.state == State.ready:
        instead = "展示件不在磁盘上，请联系管理员"
    lines = [
        f"拍摄 {wording.moment(file.captured_at)}（手机上报）" if file.captured_at else "",
        f"送达 {wording.moment(file.received_at)}" if file.received_at else "",
        wording.spot(file.lat, file.lng, file.accuracy_m),
    ]
    return {"name": it.name, "picture": it.member, "instead": instead, "lines": list(filter(None, lines))}
