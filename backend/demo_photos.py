"""Photos of the demo: drawn, marked DEMO across the picture, the same for the same words. No camera, no real place."""

import io
import random
from datetime import datetime
from enum import StrEnum

from PIL import Image, ImageDraw, ImageEnhance, ImageFont, ImageOps

from backend import clock

SIZE = WIDTH, HEIGHT = 1600, 1200
GROUND = 720  # rows of sky and hills
SNOW, EARTH, DARK, WATER, STEEL, RED = "#e8ecef", "#8a7358", "#3d342b", "#5aa7d6", "#9aa4ad", "#c0392b"


class Scene(StrEnum):
    """What is in the picture; each can be drawn broken and mended."""

    pipe = "pipe"
    tap = "tap"
    roof = "roof"
    board = "board"
    greenhouse = "greenhouse"


def photo(scene: Scene, mended: bool, place: str, at: datetime, number: int = 1) -> bytes:
    """A JPEG of 1600 by 1200 pixels. `place` is in Latin letters: Pillow's own font has no Chinese."""
    chance = random.Random(f"{scene} {mended} {place} {number}")
    picture = Image.new("RGB", SIZE, "#c9d6df")
    draw = ImageDraw.Draw(picture)
    _landscape(draw, random.Random(place))
    _DRAWN[scene](draw, mended, chance)
    picture = _framed(picture, chance)
    _label(ImageDraw.Draw(picture), f"{place}  {scene} {'after' if mended else 'before'} {number}", at)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=72)
    return out.getvalue()


def _framed(picture: Image.Image, chance: random.Random) -> Image.Image:
    """From another spot and in another light each time: nobody takes the same photo twice."""
    part = chance.uniform(0.55, 0.85)
    left, top = chance.uniform(0, 1 - part) * WIDTH, chance.uniform(0, 1 - part) * HEIGHT
    box = (round(left), round(top), round(left + part * WIDTH), round(top + part * HEIGHT))
    picture = picture.resize(SIZE, Image.Resampling.BILINEAR, box=box)
    if chance.random() < 0.5:
        picture = ImageOps.mirror(picture)
    return ImageEnhance.Color(ImageEnhance.Brightness(picture).enhance(chance.uniform(0.7, 1.15))).enhance(
        chance.uniform(0.5, 1.5)
    )


def _landscape(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    for row in range(0, GROUND, 8):
        shade = 170 + row * 70 // GROUND
        draw.rectangle((0, row, WIDTH, row + 8), fill=(shade - 25, shade - 8, min(shade + 12, 255)))
    for base, colour in ((520, "#7d8f92"), (610, "#5f6f62")):
        tops = [(x, base - chance.randint(0, 160)) for x in range(0, WIDTH + 200, 200)]
        draw.polygon([(0, GROUND), *tops, (WIDTH, GROUND)], fill=colour)
    draw.rectangle((0, GROUND, WIDTH, HEIGHT), fill=EARTH)
    for _ in range(140):
        x, y = chance.randint(0, WIDTH), chance.randint(GROUND, HEIGHT)
        draw.ellipse((x, y, x + chance.randint(8, 60), y + chance.randint(3, 12)), fill=SNOW)


def _pipe(draw: ImageDraw.ImageDraw, mended: bool, chance: random.Random) -> None:
    draw.polygon([(150, 820), (1450, 820), (1560, 1040), (40, 1040)], fill=EARTH if mended else DARK)
    parts = [(120, 1480)] if mended else [(120, 720), (860, 1480)]
    for left, right in parts:
        draw.rounded_rectangle((left, 880, right, 960), 20, fill=STEEL, outline="black", width=4)
    if mended:
        draw.rectangle((720, 866, 860, 974), fill="#34495e", outline="black", width=4)
        return
    draw.ellipse((560, 930, 1040, 1060), fill=WATER)
    for _ in range(40):
        x = 790 + chance.randint(-120, 120)
        draw.line((790, 915, x, 930 - chance.randint(20, 260)), fill=SNOW, width=5)


def _tap(draw: ImageDraw.ImageDraw, mended: bool, _: random.Random) -> None:
    draw.rectangle((500, 300, 1100, 1080), fill="#b7ab98")
    draw.line((800, 420, 800, 520, 960, 520, 960, 600), fill=STEEL, width=46, joint="curve")
    draw.rectangle((740, 380, 860, 420), fill=RED)
    draw.polygon([(840, 860), (1080, 860), (1050, 1060), (870, 1060)], fill="#2e86c1", outline="black")
    if mended:
        draw.rectangle((948, 600, 972, 880), fill=WATER)
        draw.ellipse((846, 840, 1074, 886), fill=WATER)
    else:
        draw.ellipse((846, 840, 1074, 886), fill=DARK)
        for x in (938, 960, 982):
            draw.polygon([(x - 8, 600), (x + 8, 600), (x, 690)], fill=SNOW)


def _roof(draw: ImageDraw.ImageDraw, mended: bool, chance: random.Random) -> None:
    draw.rectangle((360, 600, 1240, 1040), fill="#d8c7a6", outline="black", width=4)
    draw.rectangle((720, 760, 880, 1040), fill="#6e4f30")
    for left in (460, 1000):
        draw.rectangle((left, 720, left + 140, 860), fill="#34495e", outline="white", width=8)
    draw.polygon([(300, 620), (800, 300), (1300, 620)], fill="#2e6da4" if mended else "#7a5b45")
    if mended:
        return
    draw.polygon([(880, 420), (1060, 480), (1100, 580), (930, 540)], fill="black")
    points = [(430, 620)]
    while points[-1][1] < 1000:
        points.append((points[-1][0] + chance.randint(-20, 40), points[-1][1] + chance.randint(25, 60)))
    draw.line(points, fill="black", width=10)


def _board(draw: ImageDraw.ImageDraw, mended: bool, chance: random.Random) -> None:
    for left in (330, 1230):
        draw.rectangle((left, 300, left + 40, 1080), fill="#6e4f30")
    draw.rectangle((300, 320, 1300, 860), fill="#1f618d", outline="#6e4f30", width=20)
    if not mended:
        draw.polygon([(360, 380), (560, 370), (540, 560), (380, 590)], fill="#bfb79f")
        return
    for left in range(360, 1200, 210):
        draw.rectangle((left, 380, left + 180, 640), fill="white")
        for row in range(410, 620, 26):
            draw.line((left + 18, row, left + 80 + chance.randint(20, 80), row), fill="#555555", width=6)


def _greenhouse(draw: ImageDraw.ImageDraw, mended: bool, chance: random.Random) -> None:
    draw.chord((220, 480, 1380, 1300), 180, 360, fill="#dbe9e4" if mended else "#9aa08f")
    for x in range(300, 1380, 120):
        draw.line((x, 890, x, 560), fill="#7b8a8b", width=8)
    for row in range(930, 1060, 40):
        for x in range(240, 1360, 40):
            if mended or chance.random() < 0.15:
                draw.ellipse((x, row, x + 26, row + 26), fill="#3f8f3f")
    if not mended:
        draw.polygon([(620, 540), (900, 520), (860, 860), (700, 800)], fill=DARK)


_DRAWN = {
    Scene.pipe: _pipe,
    Scene.tap: _tap,
    Scene.roof: _roof,
    Scene.board: _board,
    Scene.greenhouse: _greenhouse,
}


def _label(draw: ImageDraw.ImageDraw, text: str, at: datetime) -> None:
    large, small = ImageFont.load_default(150), ImageFont.load_default(34)
    draw.text((WIDTH // 2, 150), "DEMO", font=large, fill="white", stroke_width=8, stroke_fill=RED, anchor="mm")
    draw.rectangle((0, HEIGHT - 90, WIDTH, HEIGHT), fill="black")
    stamp = clock.local(at).strftime("%Y-%m-%d %H:%M")
    draw.text((30, HEIGHT - 68), f"DEMO  not a real photo  {text}  {stamp} UTC+8", font=small, fill="white")
