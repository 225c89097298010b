"""The bar below a display copy: what it says (captions.py), how it is drawn (gate_caption.py), who gives the words."""

import io
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

import pylopdf_fonts_zh_cn
import pytest
from PIL import Image

from backend import clock, redraw, worker
from backend.clock import SHANGHAI
from backend.columns import uuid7
from backend.db import raw
from backend.evidence import gate, gate_caption, jobs, storage
from backend.evidence.captions import Bar, Told, bar
from backend.evidence.gate_caption import Caption as Drawn
from backend.evidence.rules import Caption, Source
from backend.evidence.stores import disk
from inspections.findings import commands as filing
from inspections.findings import queries as findings
from inspections.piccolo_migrations import inspections_finding_number_given
from tasks.rectifications import objections
from tasks.rectifications import queries as rectifications
from tasks.rectifications.item import Status
from tasks.rectifications.words import Ground
from tests import hostile_files as hostile
from tests import make

TAKEN = datetime(2026, 11, 24, 9, 12, 33, tzinfo=SHANGHAI)
CAME = datetime(2026, 11, 24, 12, 0, 7, tzinfo=SHANGHAI)
TOLD = Told(TAKEN, Source.camera, 26.57012, 104.95045, 12.3, CAME)
SAID = Caption("贵州省六盘水市水城区阿戛镇高峰村", "督检〔2026〕12号 发现3", "六盘水市督查室")
FACTS = bar(SAID, TOLD).facts
LONG = "新疆维吾尔自治区克孜勒苏柯尔克孜自治州阿合奇县哈拉奇乡阿合奇镇吾曲村民委员会第三村民小组安全饮水管网末端"


@cache
def fonts() -> gate_caption.Fonts:
    return gate_caption.Fonts([pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_zh_cn.serif_path()])


def photo(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (20, 90, 40))


def drawn(width: int, height: int, headline: str = SAID.place, facts: object = FACTS) -> Image.Image:
    return gate_caption.with_bar(photo(width, height), Drawn(headline, facts), fonts())  # pyright: ignore[reportArgumentType]


def inked(image: Image.Image, box: tuple[int, int, int, int]) -> int:
    """Dark pixels in a part of the picture."""
    return sum(image.crop(box).convert("L").histogram()[:110])


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_phones_claims_and_the_servers_time_are_named_as_such():
    assert bar(SAID, TOLD) == Bar(
        "贵州省六盘水市水城区阿戛镇高峰村",
        (
            ("手机时间", "2026-11-24 09:12:33"),
            ("服务器收到", "2026-11-24 12:00:07"),
            ("手机定位", "北纬 26.57012° 东经 104.95045° ±12 米"),
            ("编号", "督检〔2026〕12号 发现3"),
            ("单位", "六盘水市督查室"),
        ),
    )


def test_what_a_phone_did_not_say_is_said_to_be_missing():
    facts = dict(bar(Caption("某地", "", "某单位"), Told(None, Source.gallery, None, None, None, CAME)).facts)
    assert facts == {
        "手机时间": "未报（相册照片）", "服务器收到": "2026-11-24 12:00:07", "手机定位": "未报", "单位": "某单位",
    }  # fmt: skip


def test_texts_become_one_bounded_line_without_letters_nobody_sees():
    said = bar(Caption("一\n二\u202e三\0四" + "很" * 500, "\ue000\U00030000", "e\u0301"), TOLD)
    assert said.headline.startswith("一 二三四很") and len(said.headline) == 120 and said.headline.endswith("…")
    assert dict(said.facts)["编号"] == "\ue000\U00030000" and dict(said.facts)["单位"] == "é"


# ── how it is drawn ──────────────────────────────────────────────────────────────────────────────────────────────

SHAPES = {
    "landscape": (1600, 1200), "portrait": (1200, 1600), "narrow portrait": (720, 1600), "panorama": (1600, 380),
    "thin panorama": (1600, 90), "square": (1600, 1600), "small": (640, 480), "tiny": (64, 48), "thread": (1, 1600),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("headline", [SAID.place, LONG * 2])
def test_the_photo_stays_whole_and_the_bar_is_below_it_in_proportion(shape, headline):
    width, height = SHAPES[shape]
    out = drawn(width, height, headline[:120])
    left = (out.width - width) // 2
    assert out.width == max(width, gate_caption.NARROWEST)
    above = out.crop((left, 0, left + width, height))
    assert above.getcolors() == [(width * height, (20, 90, 40))], "nothing of the photo is covered"
    letter = out.width / gate_caption.MOST_EMS
    assert 4 * letter < out.height - height < max(0.45 * height, 12 * 1.6 * letter)
    assert inked(out, (0, height + 8, out.width, out.height)) > 800


@pytest.mark.parametrize("headline", ["", "高", SAID.place, LONG, LONG * 2, "A" * 400, "https://example.org/" * 9])
def test_no_line_runs_out_of_the_bar(headline):
    for width, height in SHAPES.values():
        out = drawn(width, height, headline)
        margin = 4
        for box in (
            (0, height + 8, margin, out.height),
            (out.width - margin, height + 8, out.width, out.height),
            (0, out.height - margin, out.width, out.height),
        ):
            assert inked(out, box) == 0, (headline, width, height)


def test_another_text_is_another_picture_and_each_letter_is_drawn():
    first, other = drawn(1600, 1200, "高峰村"), drawn(1600, 1200, "高峯村")
    assert first.size == other.size and first.tobytes() != other.tobytes()
    longer = drawn(1600, 1200, "高峰村高峰村")
    bottom = (0, 1210, 1600, 1270)
    assert 1.9 < inked(longer, bottom) / inked(drawn(1600, 1200, "高峰村"), bottom) < 2.1


def test_ink_stands_out_from_paper_as_text_must():
    """WCAG 2.2, 1.4.3: 4.5 to 1."""

    def luminance(colour: tuple[int, int, int]) -> float:
        linear = [(c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (gate_caption.INK, gate_caption.LABEL):
        assert (luminance(gate_caption.PAPER) + 0.05) / (luminance(colour) + 0.05) >= 4.5


def test_a_line_never_begins_with_a_closing_mark_and_words_are_torn_only_when_they_must():
    for count in range(20, 44):
        lines = gate_caption._wrapped("很" * count + "，（甲）。BC-2026/12号", 42, 1500, fonts())
        assert not [line for line in lines if line[0] in gate_caption.NEVER_FIRST]
        assert "BC-2026/12" in " ".join(lines)
    torn = gate_caption._wrapped("A" * 300, 42, 500, fonts())
    assert "".join(torn) == "A" * 300 and all(fonts().width(line, 42) <= 500 for line in torn)


def test_letters_no_font_has_are_shown_as_their_number_never_as_a_box():
    rare = "㑇䶮𬮿𪚥\ue000\U00032000鿾"
    shown = fonts().readable(rare)
    assert shown == "㑇䶮𬮿〔U+2A6A5〕〔U+E000〕〔U+32000〕鿾"
    for letter in shown:
        box = fonts()._faces[42].getmask("\U0010ffff")
        assert fonts().glyph(letter, 42).mask.tobytes() != bytes(box)


def test_all_letters_of_the_common_standard_are_there():
    """通用规范汉字表 lies within what GB 2312 and the CJK block hold; the whole block is covered by the two fonts."""
    block = "".join(map(chr, range(0x4E00, 0xA000)))
    assert fonts().readable(block) == block


def test_a_font_of_the_office_is_asked_for_what_ours_lack_and_rubbish_beside_it_is_passed_over(tmp_path):
    (tmp_path / "note.ttf").write_text("not a font")
    (tmp_path / "empty.otf").write_bytes(b"")
    ours = gate_caption.Fonts([pylopdf_fonts_zh_cn.sans_path(), tmp_path / "note.ttf", tmp_path / "empty.otf"])
    assert ours.readable("鿾") == "〔U+9FFE〕"
    more = gate_caption.Fonts(
        [pylopdf_fonts_zh_cn.sans_path(), tmp_path / "note.ttf", pylopdf_fonts_zh_cn.serif_path()]
    )
    assert more.readable("鿾") == "鿾"
    out = gate_caption.with_bar(photo(1600, 1200), Drawn("鿾鿾鿾", []), more)
    assert inked(out, (0, 1210, 1600, out.height)) > 500


def test_opening_fonts_leaves_no_descriptor_that_children_would_share():
    before = sorted(path.name for path in Path("/proc/self/fd").iterdir())
    gate_caption.Fonts([pylopdf_fonts_zh_cn.sans_path(), pylopdf_fonts_zh_cn.serif_path()])
    assert sorted(path.name for path in Path("/proc/self/fd").iterdir()) == before


# ── through the gate ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_display_copy_bears_the_bar_and_the_thumbnail_does_not(tmp_path):
    (tmp_path / "o").write_bytes(hostile.talkative())
    made = await gate.prepare(tmp_path / "o", tmp_path / "d.jpg", tmp_path / "t.jpg", caption=bar(SAID, TOLD))
    assert isinstance(made, gate.Prepared) and (made.width, made.height) == (64, 48)
    assert made.display.width == gate_caption.NARROWEST and made.display.height > 100
    assert (made.thumbnail.width, made.thumbnail.height) == (64, 48)
    for name in ("d.jpg", "t.jpg"):
        content = (tmp_path / name).read_bytes()
        assert markers(content) <= {0xD8, 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9}, "nothing beyond JFIF"
        assert content.endswith(b"\xff\xd9") and hostile.PAYLOAD not in content


def markers(jpeg: bytes) -> set[int]:
    """Every segment of a JPEG file, walked from its start to its scan, and what follows the scan."""
    found, at = {0xD8}, 2
    while jpeg[at + 1] != 0xDA:
        assert jpeg[at] == 0xFF
        found.add(jpeg[at + 1])
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    scan = jpeg[at + 2 :].replace(b"\xff\x00", b"")
    return found | {0xDA} | {scan[i + 1] for i in range(len(scan) - 1) if scan[i] == 0xFF}


async def test_the_same_photo_with_and_without_a_caption_looks_the_same(tmp_path):
    (tmp_path / "o").write_bytes(hostile.photo(800, 600))
    plain = await gate.prepare(tmp_path / "o", tmp_path / "d.jpg", tmp_path / "t.jpg")
    bare = (tmp_path / "t.jpg").read_bytes()
    captioned = await gate.prepare(tmp_path / "o", tmp_path / "d.jpg", tmp_path / "t.jpg", caption=bar(SAID, TOLD))
    assert isinstance(plain, gate.Prepared) and isinstance(captioned, gate.Prepared)
    assert plain.reading == captioned.reading and (tmp_path / "t.jpg").read_bytes() == bare


# ── who gives the words ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def it(client, noon):
    return await make.cast()


async def sent(client, it: make.Cast, content: bytes) -> UUID:
    """A photo of a new finding that has come in."""
    line = make.declaration(content)
    await filing.file(it.visit, it.inspector, make.filing(it), id=uuid7(), manifest=[line])
    await client.put(f"/api/evidence/{line.id}", content=content, headers=await make.signed_in(it.inspector))
    return line.id


async def display(client, it: make.Cast, file: UUID) -> Image.Image:
    answer = await client.get(f"/api/evidence/{file}/display", headers=await make.signed_in(it.inspector))
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


async def test_findings_are_counted_within_their_visit_in_the_order_they_came(client, it):
    first, second = await make.finding(it), await make.finding(it)
    it.visit = await make.visit(it)
    elsewhere = await make.finding(it)
    rows = await raw("SELECT id, number FROM finding")
    assert {row["id"]: row["number"] for row in rows} == {first: 1, second: 2, elsewhere: 1}
    shown = await client.get(f"/api/visits/{it.visit}/findings", headers=await make.signed_in(it.inspector))
    assert [finding["number"] for finding in shown.json()["items"]] == [1]


async def test_a_findings_photo_names_region_number_and_the_inspectors_unit(client, it):
    await make.finding(it)
    file = await sent(client, it, make.photo(3))
    (place,) = await raw("SELECT full_name FROM region WHERE code = $1", make.YAOZHAN)
    assert await findings.caption(file) == Caption(place["full_name"], "抚督〔2026〕7号 发现2", "市扶贫办")
    assert await rectifications.caption(file) is None


async def test_a_hand_ins_photo_names_the_items_number_and_the_unit_that_hands_in(client, it):
    item = await make.row(await make.rectification(it, Status.handed_in))
    (file,) = await raw("SELECT evidence FROM hand_in_evidence")
    (place,) = await raw("SELECT full_name FROM region WHERE code = $1", make.YAOZHAN)
    (unit,) = await raw("SELECT name FROM unit WHERE id = $1", it.responsible)
    said = await rectifications.caption(file["evidence"])
    assert said == Caption(place["full_name"], item["number"], unit["name"])
    assert await findings.caption(file["evidence"]) is None


async def test_a_photo_of_an_objection_names_the_item_and_the_senders_unit(client, it):
    id = await make.rectification(it)
    line = make.declaration(make.photo(9))
    await objections.object_to(
        id, it.principal, id=uuid7(), ground=Ground.fact, note="不属实。", duplicate_of=None, manifest=[line]
    )
    said = await rectifications.caption(line.id)
    assert said is not None and said.number == (await make.row(id))["number"]


async def test_what_hangs_on_nothing_has_no_caption(client, it):
    assert [await captioner(uuid7()) for captioner in worker.CAPTIONERS] == [None, None, None]


async def test_the_worker_draws_the_bar_and_two_findings_of_one_photo_get_their_own(client, it):
    content = hostile.encoded(hostile.picture(800, 600))
    shown: list[Image.Image] = []
    for _ in range(2):
        file = await sent(client, it, content)
        await worker.JOBS["prepare"](file)
        shown.append(await display(client, it, file))
    first, second = shown
    assert first.size == second.size == (800, first.height) and first.height > 680
    assert first.tobytes() != second.tobytes(), "发现1 and 发现2"


async def test_the_sweeper_draws_it_as_well(client, it):
    file = await sent(client, it, hostile.encoded(hostile.picture(800, 600)))
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        await worker.CRON["sweep_received"][0]()
    assert (await display(client, it, file)).height > 680


async def test_copies_are_drawn_anew_from_the_originals(client, it):
    content = hostile.encoded(hostile.picture(800, 600))
    files = [await sent(client, it, content) for _ in range(2)]
    for file in files:
        await jobs.prepare(file)  # as it was before there were captions
        assert (await display(client, it, file)).size == (800, 600)
    disk().path(storage.derived("thumbnail", files[0])).unlink()
    await raw("DELETE FROM evidence_reading")
    assert await redraw.everything() == (2, 0)
    for file in files:
        assert (await display(client, it, file)).height > 680
    assert disk().path(storage.derived("thumbnail", files[0])).is_file()
    assert len(await raw("SELECT 1 FROM evidence_reading")) == 2
    assert len(await raw("SELECT 1 FROM event WHERE verb = 'evidence.ready'")) == 2, "nothing new has happened"
    assert await redraw.everything(since=clock.now() + timedelta(days=1)) == (0, 0)


async def test_a_lost_original_is_counted_and_its_copies_stay(client, it):
    content = hostile.encoded(hostile.picture(800, 600))
    file = await sent(client, it, content)
    await worker.JOBS["prepare"](file)
    (row,) = await raw("SELECT sha256 FROM evidence WHERE id = $1", file)
    disk().path(storage.original(row["sha256"])).unlink()
    assert await redraw.everything() == (0, 1)
    assert (await display(client, it, file)).height > 680


async def test_findings_from_before_are_numbered_as_they_came(it):
    ids = []
    for minute in range(3):
        with clock.frozen(clock.now() + timedelta(minutes=minute)):
            ids.append(await make.finding(it))
    await raw("UPDATE finding SET number = 100 - number")
    await raw(inspections_finding_number_given.NUMBERED)
    assert [row["id"] for row in await raw("SELECT id FROM finding ORDER BY number")] == ids
    assert [row["number"] for row in await raw("SELECT number FROM finding ORDER BY number")] == [1, 2, 3]
