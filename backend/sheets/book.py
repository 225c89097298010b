"""Spreadsheets out: typed columns and rows in, the bytes of an .xlsx out. Nothing is ever a formula or a link.

The same sheets and date give the same bytes. Dates and instants are those of Asia/Shanghai; rates come as hundredths of
a percent and stand there as percentages that can be reckoned with.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from backend import clock
from backend.papers.text import HIDDEN

FONT = "宋体"  # every Excel and WPS in China has it
LONGEST_TEXT = 32_767  # characters of a cell, by the format
MORE = "……（余下从略）"

Value = str | int | date | datetime | None


class Type(StrEnum):
    """What a column holds."""

    text = "text"
    mark = "mark"  # short, in the middle of its cell
    number = "number"
    percent = "percent"  # hundredths of a percent
    day = "day"
    moment = "moment"


@dataclass(frozen=True, slots=True)
class Column:
    """`width` in characters of Latin letters; a Chinese one takes two."""

    title: str
    width: int
    type: Type = Type.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A title, a table with a frozen head, and notes below. `total`: the last row is a sum, and looks like one."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    notes: Sequence[str] = ()
    total: bool = False
    frozen: int = 1  # columns that stay when the rest is pushed aside


def workbook(sheets: Sequence[Sheet], *, title: str, author: str, made_at: datetime) -> bytes:
    """The whole workbook, printed on A4 across, each sheet as wide as a page."""
    out = io.BytesIO()
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(out, options) as book:
        book.set_properties({"title": title, "author": author, "created": clock.local(made_at).replace(tzinfo=None)})
        looks = _looks(book)
        for sheet in sheets:
            _write(book.add_worksheet(sheet.name), sheet, looks)
    return out.getvalue()


HEAD_ROW = 1  # below the title
NUMBER_FORMATS = {
    Type.mark: "General",
    Type.number: "#,##0",
    Type.percent: "0.00%",
    Type.day: "yyyy-mm-dd",
    Type.moment: "yyyy-mm-dd hh:mm",
}


def _looks(book: Any) -> dict[str, Format]:
    """Formats by what they are for: "title", "head", "note", and each type, plain and as a total."""
    common = {"font_name": FONT, "font_size": 11, "valign": "vcenter"}
    line = {**common, "border": 1, "border_color": "#9AA3AE", "text_wrap": True}
    looks = {
        "title": {**common, "font_size": 16, "bold": True},
        "head": {**line, "bold": True, "bg_color": "#E8EDF3", "align": "center"},
        "note": {**common, "font_size": 10, "font_color": "#5B6472", "text_wrap": True},
    }
    for type in Type:
        middle = {} if type == Type.text else {"align": "right" if type in (Type.number, Type.percent) else "center"}
        looks[type] = {**line, **middle, "num_format": NUMBER_FORMATS.get(type, "@")}
        looks[f"total {type}"] = {**looks[type], "bold": True, "bg_color": "#F4F6F8"}
    return {name: book.add_format(look) for name, look in looks.items()}


def _write(page: Worksheet, sheet: Sheet, looks: dict[str, Format]) -> None:
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width)
    page.set_row(0, 30)
    page.write_string(0, 0, _text(sheet.title), looks["title"])
    page.set_row(HEAD_ROW, 32)
    for place, column in enumerate(sheet.columns):
        page.write_string(HEAD_ROW, place, column.title, looks["head"])
    last = HEAD_ROW
    for last, row in enumerate(sheet.rows, HEAD_ROW + 1):
        total = "total " if sheet.total and last == HEAD_ROW + len(sheet.rows) else ""
        page.set_row(last, _height(sheet.columns, row))
        for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            _cell(page, (last, place), value, column.type, looks[f"{total}{column.type}"])
    wide = sum(column.width for column in sheet.columns)
    for place, note in enumerate(sheet.notes, last + 2):
        page.set_row(place, _lines(note, wide) * 14 + 4)
        page.merge_range(place, 0, place, len(sheet.columns) - 1, "", looks["note"])
        page.write_string(place, 0, _text(note), looks["note"])
    page.freeze_panes(HEAD_ROW + 1, sheet.frozen)
    if sheet.rows:
        page.autofilter(HEAD_ROW, 0, HEAD_ROW + len(sheet.rows) - sheet.total, len(sheet.columns) - 1)
    _print(page, sheet)


def _print(page: Worksheet, sheet: Sheet) -> None:
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(0, HEAD_ROW)
    page.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
    page.set_footer(f"&C第 &P 页，共 &N 页&R{sheet.name}")


def _cell(page: Worksheet, at: tuple[int, int], value: Value, type: Type, look: Format) -> None:
    """By what it is. A text that looks like a number, a formula or a link is a text."""
    match value:
        case None | "":
            page.write_blank(*at, None, look)
        case datetime():
            page.write_datetime(*at, clock.local(value).replace(tzinfo=None), look)
        case date():
            page.write_datetime(*at, datetime(value.year, value.month, value.day), look)  # noqa: DTZ001 (no instant)
        case int():
            page.write_number(*at, value / 10_000 if type == Type.percent else value, look)
        case str():
            page.write_string(*at, _text(value), look)


def _text(value: str) -> str:
    """What cannot be seen is left out: a spreadsheet that holds it does not open everywhere."""
    text = HIDDEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - len(MORE)] + MORE


def _height(columns: Sequence[Column], row: Sequence[Value]) -> float:
    """Rows do not grow by themselves where they are written by a program."""
    lines = max(
        (_lines(value, column.width) for column, value in zip(columns, row, strict=True) if isinstance(value, str)),
        default=1,
    )
    return min(max(lines, 1) * 15 + 5, 400)


def _lines(text: str, width: int) -> int:
    return sum(-(-max(_width(line), 1) // max(width - 2, 1)) for line in text.split("\n"))


def _width(line: str) -> int:
    return sum(2 if ord(sign) >= 0x2E80 else 1 for sign in line)
