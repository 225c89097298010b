"""What becomes of photos and of attacks in the decoding child: backend/evidence/gate.py."""

import asyncio
import io
import time
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from backend.evidence import gate, gate_pool
from backend.evidence.gate import Limits, Prepared, Refused
from tests import hostile_files as hostile

CANARIES = (b"canary", hostile.PAYLOAD, b"Exif", b"ICC_PROFILE", b"adobe", b"Photoshop", b"IPTC", b"MPF")
FORMAT = {"L": "JPEG", "CMYK": "JPEG", "1": "PNG", "P": "PNG", "RGBA": "WEBP", "LA": "PNG"}


class Bench:
    """One photo's three places."""

    def __init__(self, folder: Path) -> None:
        self.original, self.display, self.thumbnail = (
            folder / "o",
            folder / "d" / "d.jpg",
            folder / "t" / "t.jpg",
        )

    async def prepare(self, content: bytes, **limits: float) -> Prepared | Refused:
        self.original.write_bytes(content)
        return await gate.prepare(
            self.original,
            self.display,
            self.thumbnail,
            limits=Limits(**limits),  # pyright: ignore[reportArgumentType]
        )

    async def shown(self, content: bytes) -> Image.Image:
        made = await self.prepare(content)
        assert isinstance(made, Prepared), made
        return Image.open(io.BytesIO(self.display.read_bytes()))

    def nothing_made(self) -> bool:
        return not [path for path in (*self.display.parent.iterdir(), *self.thumbnail.parent.iterdir())]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def near(pixel: object, colour: tuple[int, int, int], by: int = 12) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= by for one, other in zip(pixel, colour, strict=True))


async def test_a_12_megapixel_photo_gets_both_copies(bench):
    made = await bench.prepare(hostile.photo())
    assert isinstance(made, Prepared)
    assert (made.width, made.height) == (4000, 3000)
    assert (made.display.width, made.display.height) == (1600, 1200)
    assert (made.thumbnail.width, made.thumbnail.height) == (320, 240)
    assert made.display.size == bench.display.stat().st_size < 1_000_000
    assert made.thumbnail.size == bench.thumbnail.stat().st_size < 60_000
    for path, size in ((bench.display, (1600, 1200)), (bench.thumbnail, (320, 240))):
        with Image.open(path) as copy:
            copy.load()
            assert (copy.format, copy.mode, copy.size) == ("JPEG", "RGB", size)


async def test_a_small_photo_is_never_enlarged_and_a_thin_one_keeps_a_pixel(bench):
    assert (await bench.shown(hostile.encoded(hostile.picture(64, 48)))).size == (64, 48)
    assert (await bench.shown(hostile.encoded(Image.new("RGB", (1, 9000)), "PNG"))).size == (1, 1600)


@pytest.mark.parametrize(
    ("orientation", "red", "blue"),
    [
        (1, (5, 20), (58, 20)),
        (2, (58, 20), (5, 20)),
        (3, (58, 20), (5, 20)),
        (6, (20, 5), (20, 58)),
        (8, (20, 58), (20, 5)),
    ],
)
async def test_exif_turns_the_picture_upright(bench, orientation, red, blue):
    shown = await bench.shown(hostile.encoded(hostile.picture(), exif=hostile.exif(orientation)))
    assert shown.size == ((48, 64) if orientation >= 5 else (64, 48))
    assert near(shown.getpixel(red), hostile.RED) and near(shown.getpixel(blue), hostile.BLUE)


async def test_size_is_told_upright_and_nonsense_orientation_is_ignored(bench):
    made = await bench.prepare(hostile.encoded(hostile.picture(), exif=hostile.exif(5)))
    assert isinstance(made, Prepared) and (made.width, made.height) == (48, 64)
    assert (await bench.shown(hostile.encoded(hostile.picture(), exif=hostile.exif(99)))).size == (64, 48)
    broken = hostile.with_segments(
        hostile.encoded(hostile.picture()), hostile.segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff")
    )
    assert (await bench.shown(broken)).size == (64, 48)


async def test_no_metadata_and_no_payload_reaches_a_copy(bench):
    content = hostile.talkative()
    assert all(canary in content for canary in CANARIES[:3] + CANARIES[4:7])
    for body in (
        content,
        hostile.two_in_one(),
        hostile.encoded(hostile.picture(), "PNG", exif=hostile.exif()),
    ):
        assert isinstance(await bench.prepare(body), Prepared)
        for path in (bench.display, bench.thumbnail):
            copy = path.read_bytes()
            assert copy.startswith(b"\xff\xd8\xff\xe0") and copy.endswith(b"\xff\xd9")
            assert [marker for marker in (*range(0xE1, 0xF0), 0xFE) if bytes((0xFF, marker)) in copy] == []
            assert not [canary for canary in CANARIES if canary in copy]


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "P", "RGBA", "LA"])
async def test_every_colour_mode_becomes_the_same_picture(bench, mode):
    grey = Image.new("L", (64, 48), 0)
    grey.paste(255, (32, 0, 64, 48))
    shown = await bench.shown(hostile.encoded(grey.convert("RGB").convert(mode), FORMAT[mode]))
    assert near(shown.getpixel((5, 20)), (0, 0, 0)) and near(shown.getpixel((58, 20)), (255, 255, 255))


async def test_sixteen_bit_grey_keeps_its_shades(bench):
    shades = Image.new("I;16", (64, 48))
    shades.putdata([x * 1024 for _ in range(48) for x in range(64)])
    shown = await bench.shown(hostile.encoded(shades, "PNG"))
    for x in (2, 16, 32, 60):
        assert near(shown.getpixel((x, 20)), (x * 4, x * 4, x * 4))


async def test_clear_parts_are_white(bench):
    clear = hostile.picture().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 32, 48))
    palette = hostile.picture().convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    hidden = palette.getpixel((5, 20))
    for content in (hostile.encoded(clear, "PNG"), hostile.encoded(palette, "PNG", transparency=hidden)):
        shown = await bench.shown(content)
        assert near(shown.getpixel((5, 20)), (255, 255, 255)) and near(shown.getpixel((58, 20)), hostile.BLUE)


async def test_an_embedded_profile_is_applied_and_a_useless_one_ignored(bench):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = (
        srgb.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ").replace(b"sRGB", b"none")
    )
    utf16 = swapped.replace("sRGB".encode("utf-16-be"), "none".encode("utf-16-be"))
    shown = await bench.shown(hostile.encoded(hostile.picture(), icc_profile=utf16))
    assert near(shown.getpixel((5, 20)), hostile.BLUE) and near(shown.getpixel((58, 20)), hostile.RED)
    for useless in (srgb, srgb[:200], b"none"):
        shown = await bench.shown(hostile.encoded(hostile.picture(), icc_profile=useless))
        assert near(shown.getpixel((5, 20)), hostile.RED)


async def test_the_first_picture_of_an_mpo_is_shown(bench):
    shown = await bench.shown(hostile.two_in_one())
    assert near(shown.getpixel((5, 20)), hostile.RED)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PPM", "eps", "psd", "pdf", "empty"])
async def test_other_formats_are_not_decoded_even_when_the_door_was_left_open(bench, kind):
    content = hostile.NOT_PICTURES.get(kind)
    made = await bench.prepare(hostile.encoded(hostile.picture(), kind) if content is None else content)
    assert isinstance(made, Refused) and made.code == "evidence.undecodable" and "照片" in made.sentence
    assert not made.try_again and bench.nothing_made()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_several_frames_are_refused(bench, kind):
    made = await bench.prepare(hostile.animated(kind))
    assert isinstance(made, Refused) and made.code == "evidence.several_frames" and bench.nothing_made()


async def test_pixel_floods_are_refused_quickly(bench):
    for flood in (
        hostile.flat_png(20_000, 20_000, 0),
        hostile.flat_webp(16_383, 16_383),
        hostile.flat_webp(8_000, 8_000),
    ):
        assert len(flood) < 600_000
        made = await bench.prepare(flood)
        assert isinstance(made, Refused) and made.code == "evidence.too_many_pixels", made
        assert made.cost.cpu < 2


@pytest.mark.parametrize("flood", [hostile.flat_png, hostile.flat_webp])
async def test_the_largest_allowed_picture_stays_below_700_megabytes(bench, flood):
    made = await bench.prepare(flood(7_000, 7_000))
    assert isinstance(made, Prepared) or made.code == "evidence.undecodable"
    assert 50 * 2**20 < made.cost.memory < 700 * 2**20


async def test_a_child_that_wants_too_much_memory_is_refused(bench):
    made = await bench.prepare(hostile.flat_png(7_000, 7_000), memory=200 * 2**20)
    assert isinstance(made, Refused) and made.code == "evidence.undecodable" and bench.nothing_made()


async def test_a_scan_bomb_is_stopped_by_its_processor_time(bench):
    made = await bench.prepare(hostile.scan_bomb(5_000), cpu=1)
    assert made == Refused("evidence.undecodable", gate.format.SENTENCES["evidence.undecodable"])
    assert bench.nothing_made() and made.cost.cpu < 3


async def test_a_child_that_takes_too_long_is_killed_and_may_be_tried_again(bench):
    began = time.monotonic()
    made = await bench.prepare(hostile.scan_bomb(20_000), cpu=60, wall=0.4)
    assert isinstance(made, Refused) and made.try_again and bench.nothing_made()
    assert time.monotonic() - began < 20  # of the sixty


async def test_a_cancelled_wait_kills_the_child_and_leaves_nothing(bench):
    await bench.prepare(hostile.photo(64, 48))
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await bench.prepare(hostile.scan_bomb(20_000), cpu=60)
    assert bench.nothing_made() is False and len(list(bench.display.parent.iterdir())) == 1  # the earlier copy
    assert at_work() == [] and time.monotonic() - began < 20


def at_work() -> list[int]:
    """The process ids of the gate's children, dead ones that nobody waited for among them."""
    server = gate_pool.server_pid()
    return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]


async def test_a_copy_larger_than_allowed_is_refused(bench):
    made = await bench.prepare(hostile.photo(1600, 1200), output=50_000)
    assert isinstance(made, Refused) and bench.nothing_made()


async def test_a_comment_that_unfolds_to_60_megabytes_costs_nothing(bench):
    made = await bench.prepare(hostile.png_text_bomb(), memory=200 * 2**20)
    assert isinstance(made, Prepared | Refused) and made.cost.cpu < 3


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
async def test_a_cut_off_file_is_refused_and_earlier_copies_stay(bench, format):
    content = hostile.encoded(Image.effect_noise((640, 480), 80).convert("RGB"), format)
    assert isinstance(await bench.prepare(content), Prepared)
    before = bench.display.read_bytes()
    made = await bench.prepare(content[: len(content) // 2])
    assert isinstance(made, Refused) and made.code == "evidence.undecodable"
    assert bench.display.read_bytes() == before and len(list(bench.display.parent.iterdir())) == 1


async def test_a_missing_original_is_our_fault_not_the_photos(bench):
    with pytest.raises(FileNotFoundError):
        await gate.prepare(bench.original, bench.display, bench.thumbnail)


@pytest.mark.parametrize("source", [None, "import nothing_of_this_name"])
async def test_a_gate_that_cannot_start_is_our_fault_too(bench, monkeypatch, tmp_path, source):
    script = tmp_path / "server.py"
    if source:
        script.write_text(source)
    gate_pool.close()
    monkeypatch.setattr(gate_pool, "SCRIPT", script)
    with pytest.raises(OSError, match="does not run here"):
        await bench.prepare(hostile.encoded(hostile.picture()))
    assert bench.nothing_made()
    monkeypatch.undo()
    assert isinstance(await bench.prepare(hostile.encoded(hostile.picture())), Prepared)


async def test_damaged_photos_never_bring_down_more_than_their_child(bench):
    content = hostile.encoded(hostile.picture(320, 240), exif=hostile.exif())
    for place in range(2, len(content), len(content) // 5):
        made = await bench.prepare(content[:place] + b"\xff\xda\x00" + content[place + 3 :])
        assert isinstance(made, Prepared | Refused)
