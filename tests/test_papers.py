"""The press: text stays text whatever it is, the same paper gives the same bytes, and no paper takes the house down."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from backend import settings
from backend.errors import Busy
from backend.papers import press, text
from backend.settings import BadSettings
from tests import make

AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


def paper(*blocks: tuple[str, Any]) -> dict[str, Any]:
    return {
        "kind": "一案一档", "title": "整改事项卷宗", "number": "ZG-1", "author": "督查办周",
        "running": "整改事项卷宗　ZG-1", "subject": "饮水安全", "cover": [("状态", "已销号")],
        "sections": [{"title": "发现问题", "fresh": True, "blocks": blocks}],
    }  # fmt: skip


async def read(*blocks: tuple[str, Any], pictures: dict[str, Path] | None = None) -> PdfReader:
    with await press.pdf("dossier.typ", paper(*blocks), pictures or {}, AT) as file:
        return PdfReader(io.BytesIO(file.read()))


def words(pdf: PdfReader) -> str:
    """All text, without the spaces, line ends and places to break that layout puts in."""
    return "".join("".join(page.extract_text() for page in pdf.pages).replace(text.MAY_BREAK, "").split())


@pytest.mark.parametrize(
    "said",
    [
        '#set page(fill: red) #panic("!") #include "sheet.typ"',
        "$x^2$ *bold* _it_ `raw` ``` ~ -- --- ... ' \" <label> @reference [content] {code}",
        "= heading / term: - item + item // comment /* comment */ https://example.org/a?b=c&d=%20",
        r"\ \n \u{41} \# backslash at the end \\",
        '"); #read("/etc/passwd") ("',
        '{"facts": "x"}, \\"quoted\\"',
    ],
)
async def test_markup_stays_what_was_typed(said):
    blocks = [("text", said), ("rows", [("说明", said)]), ("heading", said), ("note", said)]
    table = {"head": [said], "widths": [None], "mono": [], "bold": [], "rows": [[said]]}
    found = words(await read(*blocks, ("table", table)))
    assert found.count("".join(said.split())) == 6


async def test_a_hundred_thousand_characters_fill_pages_and_lose_nothing():
    facts = "饮水管网冻裂，三户无水。" * 8400
    pdf = await read(("text", facts))
    assert len(facts) > 100_000 and len(pdf.pages) > 60
    assert words(pdf).count("冻") == 8400
    assert str(len(pdf.pages)) in pdf.pages[0].extract_text()


async def test_a_word_without_an_end_is_broken_and_not_cut_off():
    assert words(await read(("text", "x" * 5000), ("rows", [("说明", "W" * 900)]))).count("x") == 5000
    pdf = await read(("rows", [("说明", "W" * 900)]))
    right = [0.0]

    def note(said: str, _: Any, at: list[float], *more: Any) -> None:
        right.append(at[4])

    pdf.pages[1].extract_text(visitor_text=note)
    assert max(right) < 210 / 25.4 * 72


async def test_what_cannot_be_seen_or_has_no_glyph_is_shown_by_its_number():
    said = "甲\x01乙\u202e丙\ufeff丁😀戊𠮷己\u2028庚\r\n辛\t壬 العربية"
    found = words(await read(("text", said)))
    assert "甲〔U+0001〕乙〔U+202E〕丙〔U+FEFF〕丁〔U+1F600〕戊〔U+20BB7〕己庚辛壬" in found
    assert "〔U+5E9A〕" not in found and "䶮㐀" in words(await read(("text", "䶮㐀")))


def test_every_way_to_end_a_line_becomes_one():
    assert text.printable("a\r\nb\rc\u2028d\x0be\x85f") == "a\nb\nc\nd\ne\nf"


@given(st.text() | st.text("a0-é(", min_size=20, max_size=80))
def test_nothing_printable_is_hidden_and_no_run_is_long(said):
    done = text.printable(said)
    assert not text.HIDDEN.search(done) and "\t" not in done
    runs = [run for piece in done.split(text.MAY_BREAK) for run in text.LONG_RUN.findall(piece)]
    assert all(text.HALF_HASH.fullmatch(run) for run in runs)


def test_half_a_hash_stays_in_one_piece_to_be_copied():
    half = "23f20022f001ff20d9f0a7131b97b61f"
    assert text.printable(f"{half}\n{half}") == f"{half}\n{half}"
    assert text.MAY_BREAK in text.printable(half + "0")


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_only_places_to_break_are_added_to_plain_text(said):
    assert text.printable(said).replace(text.MAY_BREAK, "") == said


async def test_the_same_paper_gives_the_same_bytes_and_carries_the_date_it_was_given():
    photo = press.desk() / "test.jpg"
    photo.write_bytes(make.photo(3, size=(640, 480)))
    drawn = {"name": "前1", "picture": "p.jpg", "instead": "未送达", "lines": []}
    made = [
        (await press.pdf("dossier.typ", paper(("photos", [(drawn, None)])), {"p.jpg": photo}, at)).read()
        for at in (AT, AT, AT.replace(year=2025))
    ]
    photo.unlink()
    assert made[0] == made[1] != made[2]
    pdf = PdfReader(io.BytesIO(made[0]))
    assert pdf.metadata and pdf.metadata.creation_date == AT and pdf.metadata.author == "督查办周"
    assert len(pdf.pages[1].images) == 1 and "未送达" not in words(pdf)


async def test_a_photo_that_is_not_there_says_so():
    drawn = {"name": "前1", "picture": "p.jpg", "instead": "展示件不在磁盘上", "lines": ["送达 2026-11-24"]}
    pdf = await read(("photos", [(drawn, None)]), pictures={"p.jpg": Path("/nowhere/p.jpg")})
    assert "展示件不在磁盘上" in words(pdf) and len(pdf.pages[1].images) == 0


async def test_a_photo_is_printed_no_larger_than_paper_shows(tmp_path):
    (tmp_path / "p.jpg").write_bytes(make.photo(4, size=(1600, 1200)))
    drawn = {"name": "前1", "picture": "p.jpg", "instead": "", "lines": []}
    pdf = await read(("photos", [(drawn, None)]), pictures={"p.jpg": tmp_path / "p.jpg"})
    image = pdf.pages[1].images[0].image
    assert image and image.size == (800, 600)


async def test_pages_are_a4_and_numbered_outside():
    pdf = await read(("text", "饮水。\n" * 200))
    assert {(round(float(it.mediabox.width)), round(float(it.mediabox.height))) for it in pdf.pages} == {(595, 842)}
    assert ["— 2 —" in pdf.pages[1].extract_text(), "— 1 —" in pdf.pages[0].extract_text()] == [True, False]


async def test_a_paper_that_takes_too_long_is_given_up_and_leaves_nothing_behind():
    impatient = press.Limits(wall=0.01)
    with pytest.raises(Busy) as refused:
        await press.pdf("dossier.typ", paper(), {}, AT, limits=impatient)
    assert refused.value.code == "press_too_slow"
    assert list(press.desk().iterdir()) == []
    assert words(await read(("text", "下一份照常")))


async def test_a_paper_that_takes_too_much_ends_its_child_only():
    with pytest.raises(press.Unprintable):
        await press.pdf("dossier.typ", paper(), {}, AT, limits=press.Limits(memory=64 * 2**20))
    assert words(await read(("text", "下一份照常")))


async def test_papers_wait_for_their_turn_and_not_for_ever():
    async with press._workshop(press.LIMITS):
        with pytest.raises(Busy) as refused:
            await press.pdf("dossier.typ", paper(), {}, AT, limits=press.Limits(turn=0.01))
    assert (refused.value.code, refused.value.details["retry_after"]) == ("press_taken", 5)


def test_the_offices_own_fonts_come_first(tmp_path, monkeypatch):
    assert len(press.font_folders()) == 1
    monkeypatch.setenv("DUBAN_FONTS", str(tmp_path))
    assert press.font_folders()[0] == tmp_path and len(press.font_folders()) == 2
    with pytest.raises(BadSettings, match="no such folder"):
        settings.load({"DUBAN_FONTS": str(tmp_path / "missing")})
