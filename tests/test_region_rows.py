"""Reading regions: the four shipped areas, the columns of the national files, what is said of errors."""

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from backend.units.region_rows import (
    MOST_ERRORS,
    Level,
    RegionRow,
    RowError,
    ancestors,
    level_of,
    padded,
    read,
    subtree,
    upper_codes,
)

FIXTURE = Path(__file__).parent.parent / "backend" / "units" / "region_fixture.csv"

JIANGMEN = "44,广东省\n4407,江门市\n440703,蓬江区\n440704,江海区\n"


def rows_of(text: str | bytes, known: frozenset[str] = frozenset()) -> tuple[list[RegionRow], list[RowError]]:
    errors: list[RowError] = []
    content = text if isinstance(text, bytes) else text.encode()
    return list(read(BytesIO(content), errors, known)), errors


def only_error(text: str | bytes) -> RowError:
    _, errors = rows_of(text)
    assert len(errors) == 1, errors
    return errors[0]


@pytest.fixture(scope="module")
def shipped() -> list[RegionRow]:
    rows, errors = rows_of(FIXTURE.read_bytes())
    assert errors == []
    return rows


@pytest.mark.parametrize(
    ("code", "counties", "townships", "villages"),
    [
        pytest.param("440700000000", 7, 82, 1348, id="江门市"),
        pytest.param("341823000000", 1, 11, 127, id="泾县"),
        pytest.param("640422000000", 1, 19, 308, id="西吉县"),
        pytest.param("210400000000", 7, 72, 931, id="抚顺市"),
    ],
)
def test_shipped_areas_have_the_counts_of_their_source(
    shipped: list[RegionRow], code: str, counties: int, townships: int, villages: int
) -> None:
    low, high = subtree(code)
    levels = [row.level for row in shipped if low <= row.code < high]
    assert levels.count(Level.county) == counties
    assert levels.count(Level.township) == townships
    assert levels.count(Level.village) == villages


def test_shipped_rows_keep_their_oddities(shipped: list[RegionRow]) -> None:
    names = {row.code: row.name for row in shipped}
    assert len(shipped) == len(names) == 2922
    assert (names["440784401000"], names["440705450000"]) == ("广东省江门监狱", "圭峰区")
    assert (names["341823201000"], names["640422100000"]) == ("昌桥乡", "吉强镇")


def test_every_shipped_chain_leads_to_its_province(shipped: list[RegionRow]) -> None:
    parents = {row.code: row.parent for row in shipped if row.parent}
    order = list(Level)
    levels = {row.code: row.level for row in shipped}
    for row in shipped:
        chain = [levels[code] for code in ancestors(row.code, parents)]
        assert chain == order[: order.index(row.level)]


def test_parents_are_found_without_being_told(shipped: list[RegionRow]) -> None:
    bare = "code,name\n" + "".join(f"{row.code},{row.name}\n" for row in shipped)
    rows, errors = rows_of(bare)
    assert errors == []
    assert rows == shipped


def test_short_codes_are_padded_and_give_the_level() -> None:
    rows, errors = rows_of(f"code,name\n{JIANGMEN}440703001,环市街道\n440703001001,群星社区居委会\n")
    assert errors == []
    assert [(row.code, row.parent, row.level) for row in rows] == [
        ("440000000000", None, Level.province),
        ("440700000000", "440000000000", Level.prefecture),
        ("440703000000", "440700000000", Level.county),
        ("440704000000", "440700000000", Level.county),
        ("440703001000", "440703000000", Level.township),
        ("440703001001", "440703001000", Level.village),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "code,name,streetCode,provinceCode,cityCode,areaCode",
        "name,areaCode,code,cityCode,streetCode,provinceCode",
    ],
)
def test_national_villages_are_read_in_any_order_of_columns(header: str) -> None:
    values = {
        "code": "440703001001",
        "name": '"群星社区居委会"',
        "streetCode": "440703001",
        "provinceCode": "44",
        "cityCode": "4407",
        "areaCode": "440703",
    }
    line = ",".join(values[column] for column in header.split(","))
    rows, errors = rows_of(f"{header}\r\n{line}\r\n", known=frozenset({"440703001000"}))
    assert errors == []
    assert rows == [RegionRow("440703001001", "440703001000", Level.village, "群星社区居委会")]


def test_national_files_load_one_after_the_other() -> None:
    loaded: set[str] = set()
    files = [
        "code,name\n44,广东省\n62,甘肃省\n",
        "code,name,provinceCode\n4407,江门市,44\n4419,东莞市,44\n6202,嘉峪关市,62\n",
        "code,name,cityCode,provinceCode\n440703,蓬江区,4407,44\n441900,东莞市,4419,44\n620201,嘉峪关市,6202,62\n",
        "code,name,areaCode,provinceCode,cityCode\n440703001,环市街道,440703,44,4407\n"
        "441900003,东城街道,441900,44,4419\n620201100,新城镇,620201,62,6202\n",
    ]
    for text in files:
        rows, errors = rows_of(text, frozenset(loaded))
        assert errors == []
        loaded |= {row.code for row in rows}
    assert {"441900003000", "620201100000", "440703001000"} <= loaded


def test_townships_of_a_city_without_counties_hang_on_the_city() -> None:
    rows, errors = rows_of(
        "code,name\n44,广东省\n4419,东莞市\n441900003,东城街道\n441900003001,岗贝社区\n"
        "62,甘肃省\n6202,嘉峪关市\n620201100,新城镇\n"
    )
    assert errors == []
    parents = {row.code: row.parent for row in rows}
    assert parents["441900003000"] == "441900000000"
    assert parents["620201100000"] == "620200000000"
    assert parents["441900003001"] == "441900003000"


def test_township_whose_county_was_forgotten_is_not_hung_on_the_city() -> None:
    error = only_error(f"code,name\n{JIANGMEN}440705001,会城街道\n")
    assert error.line == 6
    assert "上级" in error.message


def test_counties_straight_under_a_province_need_no_prefecture() -> None:
    rows, errors = rows_of("code,name\n42,湖北省\n429004,仙桃市\n11,北京市\n110101,东城区\n")
    assert errors == []
    assert [row.parent for row in rows] == [None, "420000000000", None, "110000000000"]
    assert only_error("code,name\n42,湖北省\n420102,江岸区\n").line == 3


def test_codes_loaded_earlier_also_tell_where_counties_are() -> None:
    known = frozenset({"440000000000", "440700000000", "440703000000"})
    rows, errors = rows_of("code,name\n440705001,会城街道\n", known)
    assert (rows, len(errors)) == ([], 1)


def test_byte_order_mark_blank_lines_and_spaces_do_no_harm() -> None:
    rows, errors = rows_of(b"\xef\xbb\xbf" + "Code , Name\r\n\r\n 44 , 广东省 \r\n,\r\n".encode())
    assert errors == []
    assert rows == [RegionRow("440000000000", None, Level.province, "广东省")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("4407X3,某区", "区划代码"),
        ("44070,某区", "区划代码"),
        ("４４０７,某市", "区划代码"),
        ("00,某省", "区划代码"),
        ("440703000201,无乡之村", "区划代码"),
        ("440003,无市之区", "区划代码"),
        ("4.40703E+11,某区", "科学计数"),
        ("4407,江门市", "重复"),
        ("440703000000,蓬江区", "重复"),
        ("440703001,", "名称为空"),
        ("440703001,　 ", "名称为空"),
        (f"440703001,{'长' * 61}", "名称超过60个字"),
        ('440703001,"环市\n街道"', "不可见字符"),
        ("440703001,环市\x00街道", "不可见字符"),
        ("440703001,环市\u202e街道", "不可见字符"),
        ("450101,兴宁区", "上级"),
        ("440703002001,某村", "上级"),
        ("440703001", "列"),
        ("440703001,环市街道,多余", "列"),
    ],
)
def test_bad_line_is_named_with_a_sentence_and_the_good_ones_stay(line: str, words: str) -> None:
    rows, errors = rows_of(f"code,name\n{JIANGMEN}{line}\n4413,惠州市\n")
    assert [row.name for row in rows] == ["广东省", "江门市", "蓬江区", "江海区", "惠州市"]
    assert len(errors) == 1
    assert errors[0].line == 6 + line.count("\n")
    assert words in errors[0].message


def test_sixty_characters_are_a_name() -> None:
    rows, errors = rows_of(f"code,name\n44,{'长' * 60}\n")
    assert (len(rows), errors) == (1, [])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("440703001000,440704000000,township,环市街道", "上级代码 440704000000"),
        ("440703001000,440700000000,township,环市街道", "上级代码 440700000000"),
        ("440703001000,nonsense,township,环市街道", "上级代码 nonsense"),
        ("440703001000,440703000000,county,环市街道", "级别"),
        ("440703001000,440703000000,乡镇,环市街道", "级别"),
        ("450000000000,440000000000,province,某省", "上级代码 440000000000"),
    ],
)
def test_parent_or_level_that_contradicts_the_code_is_refused(line: str, words: str) -> None:
    head = "code,parent,level,name\n44,,province,广东省\n4407,44,prefecture,江门市\n440703,4407,county,蓬江区\n"
    error = only_error(f"{head}{line}\n")
    assert error.line == 5
    assert words in error.message


def test_national_columns_that_contradict_the_code_are_refused() -> None:
    _, errors = rows_of("code,name,areaCode\n440703001,环市街道,440704\n", frozenset({"440703000000"}))
    assert len(errors) == 1
    assert "440704" in errors[0].message


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_wrong_encoding_is_one_sentence(encoding: str) -> None:
    error = only_error(f"code,name\n{JIANGMEN}".encode(encoding))
    assert "UTF-8" in error.message
    assert error.line == (2 if encoding == "gb18030" else 1)


@pytest.mark.parametrize("text", ["", "\n", "代码,名称\n44,广东省\n", "code;name\n44;广东省\n", "code\n44\n"])
def test_file_without_our_column_names_is_one_sentence(text: str) -> None:
    error = only_error(text)
    assert (error.line, "列名" in error.message) == (1, True)


@pytest.mark.parametrize("text", ['code,name\n44,"' + "广" * 200_000, "code,name\r44,广东省\r"])
def test_broken_quotes_and_line_ends_are_one_sentence(text: str) -> None:
    assert "无法识别" in only_error(text).message


def test_reading_stops_after_many_errors() -> None:
    rows, errors = rows_of("code,name\n" + "x,y\n" * 5000 + "44,广东省\n")
    assert rows == []
    assert len(errors) == MOST_ERRORS + 1
    assert "没有再检查" in errors[-1].message


@pytest.mark.parametrize(
    ("code", "high"),
    [
        ("210000000000", "220000000000"),
        ("210400000000", "210500000000"),
        ("210421000000", "210422000000"),
        ("210421100000", "210421101000"),
        ("210421100201", "210421100202"),
        ("210499999999", "210500000000"),
        ("980000000000", "990000000000"),
        ("441900000000", "442000000000"),
    ],
)
def test_subtree_is_a_half_open_range_of_text(code: str, high: str) -> None:
    assert subtree(code) == (code, high)
    assert len(high) == 12
    assert code < high


def test_subtree_holds_its_region_and_what_is_below_and_nothing_else(shipped: list[RegionRow]) -> None:
    parents = {row.code: row.parent for row in shipped if row.parent}
    for region in [row for row in shipped if row.level is not Level.village]:
        low, high = subtree(region.code)
        by_range = {row.code for row in shipped if low <= row.code < high}
        if region.level is Level.township:
            assert by_range == {region.code} | {code for code, parent in parents.items() if parent == region.code}
        else:
            assert by_range >= {region.code} | {code for code, parent in parents.items() if parent == region.code}
    county = {c for c in parents if "210421000000" in ancestors(c, parents)} | {"210421000000"}
    low, high = subtree("210421000000")
    assert {row.code for row in shipped if low <= row.code < high} == county


@pytest.mark.parametrize("code", ["", "44", "440703000201", "99", "990000000000", "4407030010０1", "44070300100x"])
def test_what_is_no_code_has_no_level_and_no_subtree(code: str) -> None:
    with pytest.raises(ValueError, match="region code"):
        level_of(code)
    with pytest.raises(ValueError, match="region code"):
        subtree(code)


def test_padding_takes_only_codes() -> None:
    assert padded("4407") == "440700000000"
    assert padded("440703001001") == "440703001001"
    assert [padded(text) for text in ("", "4", "440", "4400000", " 44", "99", "0407")] == [None] * 7


def test_upper_codes_name_a_city_without_counties_once() -> None:
    assert upper_codes("440703001001") == ("440000000000", "440700000000", "440703000000", "440703001000")
    assert upper_codes("441900003000") == ("440000000000", "441900000000")
    assert upper_codes("440000000000") == ()


def test_ancestors_follow_the_parents_not_the_digits() -> None:
    parents = {"620201100000": "620200000000", "620200000000": "620000000000", "620000000000": ""}
    assert ancestors("620201100000", parents) == ("620000000000", "620200000000")
    assert ancestors("620000000000", parents) == ()
    assert ancestors("110000000000", parents) == ()


@pytest.mark.parametrize("parents", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_circle_of_parents_is_refused(parents: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="above itself"):
        ancestors("a", parents)


def country(villages: int) -> Iterator[bytes]:
    """A made-up province of at least so many villages, in the columns of the national file, as lines."""
    yield b"code,name,provinceCode\n"
    yield "44,某省,\n".encode()
    left = villages
    for place in range(10_000):
        prefecture, county = f"44{place // 10 % 90 + 1:02}", f"44{place // 10 % 90 + 1:02}{place % 10 + 1:02}"
        if place % 10 == 0:
            yield f"{prefecture},某市,44\n".encode()
        yield f"{county},某县,44\n".encode()
        for township in range(100, 120):
            yield f"{county}{township},某镇,44\n".encode()
            for village in range(200, 260):
                yield f"{county}{township}{village},某某村村民委员会,44\n".encode()
                left -= 1
        if left <= 0:
            return


def test_hundred_thousand_rows_stream_in_a_few_seconds() -> None:
    errors: list[RowError] = []
    start = time.process_time()
    seen = sum(1 for _ in read(country(100_000), errors))
    assert errors == []
    assert seen > 100_000
    assert time.process_time() - start < 5


def test_rows_come_before_the_file_has_ended() -> None:
    def endless() -> Iterator[bytes]:
        yield from [b"code,name\n", "44,广东省\n".encode()]
        raise AssertionError("read ahead")

    assert next(read(endless(), [])).name == "广东省"
