"""The whole gate for a 12-megapixel photo, against libvips doing the same job and bare Pillow making two copies."""

import argparse
import asyncio
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pylopdf_fonts_zh_cn
from PIL import Image

from backend import settings
from backend.clock import SHANGHAI
from backend.evidence import gate, gate_pool
from backend.evidence.captions import Told, bar
from backend.evidence.gate_caption import INK, PAPER
from backend.evidence.gate_child import DISPLAY, QUALITY, THUMBNAIL, TURNS, fit
from backend.evidence.rules import Caption, Source

os.environ.setdefault("VIPS_CONCURRENCY", "1")  # like the others: one core
FONT = Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf"
ORIENTATION = 0x0112
AT = datetime(2026, 11, 24, 9, 12, 33, tzinfo=SHANGHAI)
CAPTION = bar(
    Caption("贵州省六盘水市水城区阿戛镇高峰村", "督检〔2026〕12号 发现3", "六盘水市委市政府督查室"),
    Told(AT, Source.camera, 26.57012, 104.95045, 12.3, AT),
)


@dataclass(slots=True)
class Measured:
    """Seconds of each photo."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


def main(argv: list[str]) -> int:
    """Prints the figures; leaves nothing behind."""
    parser = argparse.ArgumentParser(prog="duban bench photos", description=__doc__)
    parser.add_argument("--photos", type=int, default=40, help="how many each way makes, in turn")
    parser.add_argument("--file", type=Path, help="a JPEG of your own instead of those that are made up")
    wanted = parser.parse_args(argv)
    given = settings.load()
    given.var.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.var) as name:
        original = Path(name, "original.jpg")
        if wanted.file:
            asyncio.run(_run(original, wanted.file.read_bytes(), wanted.photos))
        else:
            asyncio.run(_run(original, made_up(1), wanted.photos))
            asyncio.run(_run(original, made_up(6), wanted.photos))
    return 0


async def _run(original: Path, content: bytes, photos: int) -> None:
    original.write_bytes(content)  # noqa: ASYNC240 -- nothing else is going on
    with Image.open(original) as image:
        turned = "turned" if image.getexif().get(ORIENTATION, 1) > 1 else "upright"
        print(f"\n{image.width} × {image.height}, {turned}, {len(content) / 1e6:.1f} MB; {photos} each way")
    folder = original.parent
    bare, vips, ours, child = Measured(), Measured(), Measured(), Measured()
    for number in range(-3, photos):  # three that do not count
        figures = [Measured()] * 4 if number < 0 else [bare, vips, ours, child]
        _timed(figures[0], lambda: by_pillow(original, folder))
        _timed(figures[1], lambda: by_vips(original, folder))
        await _through_the_gate(original, folder, figures[2], figures[3])
    gate_pool.close()
    told = {"Pillow": bare, "libvips": vips, "gate": ours, "  its child": child}
    for name, measured in told.items():
        wall = f"wall {median(measured.wall) * 1e3:6.1f} ms" if measured.wall else ""
        print(f"{name:12} CPU {median(measured.cpu) * 1e3:6.1f} ms   {wall}")
    print(f"CPU   gate to Pillow  {median(ours.cpu) / median(bare.cpu):.2f}  (goal: at most 1.3)")
    print(f"CPU   gate to libvips {median(ours.cpu) / median(vips.cpu):.2f}  (goal: under 1)")
    walls = median(ours.wall) / median(bare.wall), median(ours.wall) / median(vips.wall)
    print(f"wall  gate to Pillow  {walls[0]:.2f}, to libvips {walls[1]:.2f}")


def _timed(into: Measured, work: Callable[[], None]) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    into.cpu.append(time.process_time() - cpu)
    into.wall.append(time.perf_counter() - wall)


async def _through_the_gate(original: Path, folder: Path, ours: Measured, child: Measured) -> None:
    """Everything counts: what this process does, the fork server, the child."""
    cpu, wall = time.process_time() + _of_server(), time.perf_counter()
    made = await gate.prepare(original, folder / "display.jpg", folder / "thumbnail.jpg", caption=CAPTION)
    assert isinstance(made, gate.Prepared), made
    ours.wall.append(time.perf_counter() - wall)
    ours.cpu.append(time.process_time() + _of_server() - cpu + made.cost.cpu)
    child.cpu.append(made.cost.cpu)


def _of_server() -> float:
    """Processor time of the fork server itself, without its children."""
    pid = gate_pool.server_pid()
    if pid is None:
        return 0.0
    times = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(times[0]) / 1e9


def by_pillow(original: Path, folder: Path) -> None:
    """As fast as Pillow does it: scaled while decoding, upright, no colours looked at, no fsync."""
    with Image.open(original) as source:
        target = fit(source.size, DISPLAY)
        source.draft("RGB", target)
        large = source.resize(target, Image.Resampling.BILINEAR, reducing_gap=1.5)
        if turn := TURNS.get(source.getexif().get(ORIENTATION, 1)):
            large = large.transpose(turn)
    large.save(folder / "p-display.jpg", quality=QUALITY)
    small = large.resize(fit(large.size, THUMBNAIL), Image.Resampling.BILINEAR, reducing_gap=1.5)
    small.save(folder / "p-thumbnail.jpg", quality=QUALITY)


def by_vips(original: Path, folder: Path) -> None:
    """The same job its own fast way: shrink on load, EXIF's time and place read, a bar of text below the copy, the
    thumbnail from the copy that is in memory, both files fsynced. What it looks like is not asked."""
    import pyvips

    pyvips.cache_set_max(0)  # each photo has a caption of its own
    large = pyvips.Image.thumbnail(str(original), DISPLAY, height=DISPLAY, size="down").copy_memory()
    tags = [large.get(name) for name in large.get_fields() if name.startswith("exif-")]
    assert tags
    _kept(large.join(_bar_by_vips(large.width), "vertical"), folder / "v-display.jpg")
    _kept(large.thumbnail_image(THUMBNAIL, height=THUMBNAIL, size="down"), folder / "v-thumbnail.jpg")


def _bar_by_vips(width: int) -> Any:
    import pyvips

    said = "\n".join([CAPTION.headline, *(f"{label} {value}" for label, value in CAPTION.facts)])
    text = pyvips.Image.text(said, font="Noto Sans SC 40", fontfile=str(FONT), width=width - 80, dpi=72)
    ink = text.embed(40, 40, width, text.height + 80)
    return ink.ifthenelse(list(INK), list(PAPER), blend=True).copy(interpretation="srgb")


def _kept(image: Any, path: Path) -> None:
    image.jpegsave(str(path), Q=QUALITY, keep="none")
    with path.open("rb") as written:
        os.fsync(written.fileno())


def made_up(orientation: int) -> bytes:
    """A JPEG of a phone's size with detail everywhere, about 3.5 MB, and EXIF."""
    shapes = Image.effect_mandelbrot((2000, 1500), (-2, -1.5, 1, 1.5), 60)
    grain = Image.effect_noise((2000, 1500), 50)
    channels = [Image.blend(shapes, grain, part) for part in (0.25, 0.3, 0.35)]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F], exif[0x0110], exif[0x9003] = "HUAWEI", "HUAWEI P60", "2026:11:24 09:12:33"
    out = io.BytesIO()
    Image.merge("RGB", channels).resize((4000, 3000), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
