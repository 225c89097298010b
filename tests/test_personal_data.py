"""Personal data in free text and its masks, against published numbers and made-up ones with a right checksum."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend import masks
from backend.personal_data import Kind, found_in, is_id_number, normal

PUBLISHED = "11010519491231002X"  # the example of GB 11643-1999, as is 440524188001010014
CARD = "6222021234567890128"  # 19 digits that pass the Luhn check
FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def finds(text: str) -> list[tuple[Kind, str]]:
    return [(found.kind, text[found.start : found.end]) for found in found_in(text)]


def id_of(birth: date, region: str = "210422", serial: int = 1) -> str:
    digits = f"{region}{birth:%Y%m%d}{serial:03}"
    return next(digits + sign for sign in "0123456789X" if is_id_number(digits + sign))


@pytest.mark.parametrize("number", [PUBLISHED, "440524188001010014"])
def test_published_numbers_are_valid_and_their_neighbours_are_not(number):
    assert is_id_number(number)
    for place in range(17):
        for digit in "0123456789":
            if digit != number[place]:
                assert not is_id_number(number[:place] + digit + number[place + 1 :]), place


@pytest.mark.parametrize(
    "number",
    [
        "",
        "110105194912310021",
        PUBLISHED.lower(),
        PUBLISHED[:17],
        "110105194902310020",
        "00010519491231002X",
        "１" * 18,
    ],
)
def test_what_only_looks_like_an_id_number_is_none(number):
    assert not is_id_number(number)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"户主身份证{PUBLISHED}，住腰站村", [(Kind.id_number, PUBLISHED)]),
        ("11010519491231002x", [(Kind.id_number, "11010519491231002x")]),
        (PUBLISHED.translate(FULL_WIDTH), [(Kind.id_number, PUBLISHED.translate(FULL_WIDTH))]),
        ("110105 19491231 002X", [(Kind.id_number, "110105 19491231 002X")]),
        ("110105-1949-1231-002-X。", [(Kind.id_number, "110105-1949-1231-002-X")]),
        ("1101\u200b0519491231\u200b002X", [(Kind.id_number, "1101\u200b0519491231\u200b002X")]),
        (f"编号88{PUBLISHED}13812345678", [(Kind.id_number, PUBLISHED), (Kind.mobile_number, "13812345678")]),
        (f"{PUBLISHED}{PUBLISHED}", [(Kind.id_number, PUBLISHED)] * 2),
        ("电话：13812345678。", [(Kind.mobile_number, "13812345678")]),
        ("138-1234-5678", [(Kind.mobile_number, "138-1234-5678")]),
        ("138 - 1234 - 5678", [(Kind.mobile_number, "138 - 1234 - 5678")]),
        ("１３８　１２３４　５６７８", [(Kind.mobile_number, "１３８　１２３４　５６７８")]),
        ("1 3 8 1 2 3 4 5 6 7 8", [(Kind.mobile_number, "1 3 8 1 2 3 4 5 6 7 8")]),
        ("+86 13812345678", [(Kind.mobile_number, "86 13812345678")]),
        ("008613812345678", [(Kind.mobile_number, "008613812345678")]),
        ("13812345678 19912345678", [(Kind.mobile_number, "13812345678"), (Kind.mobile_number, "19912345678")]),
        (f"卡号{CARD}", [(Kind.bank_card, CARD)]),
        ("6222 0212 3456 7890 128", [(Kind.bank_card, "6222 0212 3456 7890 128")]),
        ("4111-1111-1111-1111", [(Kind.bank_card, "4111-1111-1111-1111")]),
        (f"138 1234 5678 {CARD}", [(Kind.mobile_number, "138 1234 5678"), (Kind.bank_card, CARD)]),
    ],
)
def test_it_is_found_where_it_stands(text, expected):
    assert finds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026年11月24日，3户、12人，资金304万元，占比93.72%。",
        "ZG-210422-20261124-0001",
        "抚脱贫督〔2026〕31号",
        "12345678901",  # no mobile begins with 12
        "138123456789",  # one digit too many
        "1381234567",
        "024-12345678",
        "138\n1234\n5678",  # a column of figures
        "210422108204",  # a region code
        "6222021234567890123",  # fails the Luhn check
        "1222021234567890120",
        "138，1234，5678",
        "X" * 40,
    ],
)
def test_other_numbers_are_left_alone(text):
    assert finds(text) == []


signs = st.text(alphabet="村户年，。：a\n", max_size=8)
between = st.sampled_from(["", " ", "-", "－", "\u3000", " - ", "\u200b"])


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.integers(0, 999), signs, signs, st.data())
def test_every_id_number_is_found_whatever_stands_around_and_between(birth, serial, before, after, data):
    number = id_of(birth, serial=serial)
    told = number.translate(FULL_WIDTH) if data.draw(st.booleans()) else number
    cut = sorted(data.draw(st.lists(st.integers(1, 17), max_size=4, unique=True)))
    parts = [told[start:end] for start, end in zip([0, *cut], [*cut, 18], strict=True)]
    written = data.draw(between).join(parts)
    text = before + written + after
    assert (Kind.id_number, written) in finds(text)
    assert normal(written) == number


@given(st.text(max_size=200))
def test_any_text_can_be_scanned_and_finds_never_overlap(text):
    found = found_in(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))


def test_masks_keep_what_domain_i_6_keeps():
    assert [masks.name(text) for text in ("", "张", "张明", "张小明", "欧阳小明")] == [
        "",
        "*",
        "张*",
        "张*明",
        "欧**明",
    ]
    assert masks.phone("13812341234") == "138****1234"
    assert [masks.phone(text) for text in ("", "5678901")] == ["", "*******"]
    assert masks.id_number("440784199001011234") == "440784********1234"
    assert masks.id_number("4407841990") == "*" * 10
