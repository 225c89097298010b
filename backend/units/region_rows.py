"""Regions as text: 12-digit codes, levels, parents, and reading them from CSV. No database, no files."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

LONGEST_NAME = 60
MOST_ERRORS = 200

# In the four municipalities and under "90", counties may hang on the province itself (GB/T 2260).
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})
_DIRECTLY_UNDER_PROVINCE = "90"
_UPPER_COLUMNS = ("provincecode", "citycode", "areacode", "streetcode")
# Control characters and turns of direction. Private-use characters stay: rare village names need them.
_UNFIT = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]")


class Level(StrEnum):
    """From the top: 省、市、县、乡、村 (the five steps of GB/T 2260 and GB/T 10114 codes)."""

    province = "province"
    prefecture = "prefecture"
    county = "county"
    township = "township"
    village = "village"


_LENGTHS = frozenset({2, 4, 6, 9, 12})
DIGITS = {Level.province: 2, Level.prefecture: 4, Level.county: 6, Level.township: 9, Level.village: 12}


class RegionRow(NamedTuple):
    """One region. `code` and `parent` have 12 digits; only a province has no parent."""

    code: str
    parent: str | None
    level: Level
    name: str


class RowError(NamedTuple):
    """What is wrong with a line of the file (the header is line 1), as a sentence for who brought it."""

    line: int
    message: str


def read(lines: Iterable[bytes], errors: list[RowError], known: Collection[str] = frozenset()) -> Iterator[RegionRow]:
    """The good rows of a CSV file, one by one; what is wrong goes to `errors`, complete when the rows are.

    Takes UTF-8 with or without a mark, commas, and a header with at least `code,name`: our own
    `code,parent,level,name`, or the columns of china-division (`provinceCode`, `cityCode`, `areaCode`,
    `streetCode`), in any order. Parents come before children, in the file or in `known` (a set of codes
    loaded earlier, which may come again). Stops after 200 errors. Never raises because of content.
    """
    table = csv.reader(_decoded(lines))
    codes = _Codes(known)
    try:
        columns = _columns(next(table, []))
        if columns is None:
            errors.append(RowError(1, "第一行应为列名，至少有 code 和 name 两列，用英文逗号分隔。"))
            return
        for cells in table:
            row = _row(cells, columns, codes) if any(cells) else None
            if isinstance(row, RegionRow):
                yield row
            elif row is not None:
                errors.append(RowError(table.line_num, row))
                if len(errors) >= MOST_ERRORS:
                    errors.append(RowError(table.line_num, f"错误已达{MOST_ERRORS}条，其后的行没有再检查。"))
                    return
    except UnicodeDecodeError:
        errors.append(RowError(table.line_num + 1, "文件不是 UTF-8 编码，请另存为“CSV UTF-8”后重试。"))
    except csv.Error:
        errors.append(RowError(table.line_num, "这一行的引号或换行不完整，无法识别。"))


def padded(text: str) -> str | None:
    """The 12-digit form of a code of 2, 4, 6, 9 or 12 digits; None when it is no such code."""
    coded = _coded(text)
    return coded[0] if coded else None


def level_of(code: str) -> Level:
    """The level of a 12-digit code: that of its last part that is not zero. Raises ValueError on others.

    The code of a city without counties (441900000000 东莞) is that of the prefecture.
    """
    coded = _coded(code)
    if coded is None or coded[0] != code:
        raise ValueError(f"not a region code: {code!r}")
    return coded[1]


def upper_codes(code: str) -> tuple[str, ...]:
    """The codes that a 12-digit code's digits name above it, from the province down. Not all need exist."""
    uppers = (code[:digits].ljust(12, "0") for digits in (2, 4, 6, 9))
    return tuple(dict.fromkeys(upper for upper in uppers if upper != code))


def subtree(code: str) -> tuple[str, str]:
    """The half-open range of 12-digit codes at and below a region: `low <= code < high`, compared as text.

    Raises ValueError when `code` is none.
    """
    digits = DIGITS[level_of(code)]
    return code, str(int(code[:digits]) + 1).ljust(12, "0")


def ancestors(code: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """The regions above `code` from the province down, itself not among them. Follows `parents`, not digits.

    Raises ValueError when the parents run in a circle.
    """
    chain: list[str] = []
    while parent := parents.get(code):
        if parent == code or parent in chain:
            raise ValueError(f"region {code} is above itself")
        chain.append(parent)
        code = parent
    return tuple(reversed(chain))


@dataclass(slots=True)
class _Codes:
    """Which codes may be parents: loaded earlier or met in this file."""

    known: Collection[str]
    met: set[str] = field(default_factory=set)
    with_counties: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.with_counties = {code[:4] for code in self.known if code[4:6] != "00" and code.endswith("000000")}

    def have(self, code: str) -> bool:
        return code in self.met or code in self.known


class _Columns(NamedTuple):
    width: int
    code: int
    name: int
    parent: int | None
    level: int | None
    uppers: tuple[int, ...]


def _decoded(lines: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.decode("utf-8-sig" if number == 0 else "utf-8")


def _columns(header: list[str]) -> _Columns | None:
    at = {name.strip().lower(): index for index, name in enumerate(header)}
    if "code" not in at or "name" not in at:
        return None
    uppers = tuple(at[name] for name in _UPPER_COLUMNS if name in at)
    return _Columns(len(header), at["code"], at["name"], at.get("parent"), at.get("level"), uppers)


def _row(cells: list[str], columns: _Columns, codes: _Codes) -> RegionRow | str:
    """The row, or what is wrong with it."""
    if len(cells) != columns.width:
        return f"这一行有{len(cells)}列，列名有{columns.width}列。"
    coded = _coded(cells[columns.code].strip())
    if coded is None:
        return _bad_code(cells[columns.code])
    code, level = coded
    if code in codes.met:
        return f"代码 {code} 在本文件中重复。"
    name = cells[columns.name].strip()
    if wrong := _wrong_name(name) or _disagreement(cells, columns, code, level):
        return wrong
    said = cells[columns.parent].strip() if columns.parent is not None else ""
    parent = nearest = _nearest(code)
    if nearest and not codes.have(nearest):
        parent = _farther(code, level, padded(said), codes)
        if parent is None:
            return f"代码 {code} 的上级区划不在前面的行中，也未载入过；请补上上级，并按代码从小到大排列。"
    if said and said != parent and padded(said) != parent:
        return f"上级代码 {_short(said)} 与代码 {code} 不符。"
    codes.met.add(code)
    if level is Level.county:
        codes.with_counties.add(code[:4])
    return RegionRow(code, parent, level, name)


def _bad_code(text: str) -> str:
    hint = "（表格软件可能把它改成了科学计数，请把该列设为文本）" if "e+" in text.lower() else ""
    return f"代码“{_short(text)}”不是2、4、6、9或12位的区划代码{hint}。"


def _wrong_name(name: str) -> str | None:
    if not name:
        return "名称为空。"
    if len(name) > LONGEST_NAME:
        return f"名称超过{LONGEST_NAME}个字。"
    return "名称含有换行或不可见字符。" if _UNFIT.search(name) else None


def _disagreement(cells: list[str], columns: _Columns, code: str, level: Level) -> str | None:
    """A level or an upper code in the row that its own code contradicts."""
    if columns.level is not None and (said := cells[columns.level].strip()) and said != level.value:
        return f"级别“{_short(said)}”与代码 {code} 不符，按代码应为 {level}。"
    for index in columns.uppers:
        said = cells[index].strip()
        if not code.startswith(said) and padded(said) not in upper_codes(code):
            return f"上级代码 {_short(said)} 与代码 {code} 不符。"
    return None


def _farther(code: str, level: Level, said: str | None, codes: _Codes) -> str | None:
    """The parent when the next level up does not exist: where the row says, or past a level never made."""
    uppers = upper_codes(code)
    if said in uppers and codes.have(said):
        return said
    prefecture = code[:4].ljust(12, "0")
    if level is Level.township and code[:4] not in codes.with_counties and codes.have(prefecture):
        # 嘉峪关 and its like have no county at all. With other counties present, a row was forgotten.
        return prefecture
    straight = code[:2] in _MUNICIPALITIES or code[2:4] == _DIRECTLY_UNDER_PROVINCE
    return uppers[0] if level is Level.county and straight and codes.have(uppers[0]) else None


def _nearest(code: str) -> str | None:
    for digits in (9, 6, 4, 2):
        upper = code[:digits].ljust(12, "0")
        if upper != code:
            return upper
    return None


def _coded(text: str) -> tuple[str, Level] | None:
    """The 12-digit code and its level; None for anything else, also for a village of no township."""
    if len(text) not in _LENGTHS or not (text.isascii() and text.isdigit() and "10" < text[:2] < "99"):
        return None
    code = text.ljust(12, "0")
    if code[2:4] == "00":
        return (code, Level.province) if code[4:] == "00000000" else None
    if code[9:] != "000":
        return (code, Level.village) if code[6:9] != "000" else None
    if code[6:9] != "000":
        return code, Level.township
    return code, Level.prefecture if code[4:6] == "00" else Level.county


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:20] + "…"
