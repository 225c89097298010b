"""Spreadsheets out: what is a number is one, what is a text stays one, and what cannot be seen is not in it."""

import io
from datetime import UTC, date, datetime
from typing import Any
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from backend.sheets.book import LONGEST_TEXT, Column, Sheet, Type, Value, workbook

AT = datetime(2026, 11, 15, 16, 0, tzinfo=UTC)
COLUMNS = (
    Column("文字", 20), Column("数", 8, Type.number), Column("率", 8, Type.percent), Column("日", 12, Type.day),
    Column("时", 18, Type.moment), Column("标", 8, Type.mark),
)  # fmt: skip


def made(*rows: tuple[Value, ...], **said: Any) -> bytes:
    sheet = Sheet(**{"name": "甲", "title": "标题", "columns": COLUMNS, "rows": rows} | said)
    return workbook([sheet], title="标题", author="督办系统", made_at=AT)


def read(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name("甲").to_python()


def part(content: bytes, name: str) -> str:
    with ZipFile(io.BytesIO(content)) as folder:
        return folder.read(name).decode()


def test_values_keep_their_kind() -> None:
    head, row = read(made(("甲村", 1234, 9372, date(2026, 2, 15), AT, "● 3")))[1:]
    assert head == ["文字", "数", "率", "日", "时", "标"]
    assert row == ["甲村", 1234.0, 0.9372, date(2026, 2, 15), date(2026, 11, 16), "● 3"], "midnight in China"


@pytest.mark.parametrize("text", [
    "=1+1", "+86 138", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "{=1}", "http://x.test", "1.0", "00123", "2026-01-01",
    "mailto:a@b", "true", "  空格  ",
])  # fmt: skip
def test_a_text_is_a_text_whatever_it_looks_like(text: str) -> None:
    content = made((text, 1, None, None, None, None))
    assert read(content)[2][0] == text
    sheet = part(content, "xl/worksheets/sheet1.xml")
    assert "<f>" not in sheet and "<hyperlink" not in sheet


def test_what_cannot_be_seen_is_left_out_and_what_is_too_long_is_cut() -> None:
    dirty = made(("甲\x00乙\u202e丙\ufeff\r\n丁", 0, None, None, None, None))
    assert read(dirty)[2][0] == "甲乙丙\n丁"
    long = read(made(("长" * 40_000, 0, None, None, None, None)))[2][0]
    assert len(long) == LONGEST_TEXT and long.endswith("从略）")


def test_the_same_sheets_give_the_same_bytes_that_print_on_a4_across() -> None:
    row = ("甲", 1, 5000, None, None, None)
    content = made(row, row, total=True, notes=["注：" + "字" * 300])
    assert content == made(row, row, total=True, notes=["注：" + "字" * 300])
    sheet = part(content, "xl/worksheets/sheet1.xml")
    assert 'paperSize="9"' in sheet and 'orientation="landscape"' in sheet and 'state="frozen"' in sheet
    assert 'fitToHeight="0"' in sheet and '<autoFilter ref="A2:F3"/>' in sheet, "the sum is not filtered away"
    assert "mergeCell" in sheet and "2026-11-16" in part(content, "docProps/core.xml")


def test_a_sheet_without_rows_still_has_its_head_and_notes() -> None:
    rows = read(made(notes=["没有记录。"]))
    assert rows[1][0] == "文字" and rows[-1][0] == "没有记录。"
