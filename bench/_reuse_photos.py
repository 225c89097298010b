"""Made-up photos for bench/reuse.py: ten kinds of scene, always the same for the same number. They are not photographs.

Seven kinds vary freely; three are hard on purpose: the same framing again and again (houses, record sheets, walls), in
which only what an inspector would look at differs.
"""

import random
from collections.abc import Callable
from math import cos, pi, sin

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

SIZE = 640, 480
Colour = tuple[int, int, int]


def photo(kind: str, number: int) -> Image.Image:
    """The scene as a phone would have taken it: with grain, a colour cast and darker corners."""
    made = random.Random(f"{kind} {number}")
    image = ImageEnhance.Color(KINDS[kind](made)).enhance(made.uniform(0.25, 0.7))  # villages are not painted so gaily
    cast = [made.uniform(0.92, 1.08) for _ in range(3)]
    image = image.point([min(255, int(level * by)) for by in cast for level in range(256)])
    dark = made.uniform(0, 0.35)
    corners = Image.radial_gradient("L").resize(SIZE).point([int(far * dark) for far in range(256)])
    image = Image.composite(Image.new("RGB", SIZE), image, corners)
    return Image.blend(image, _grain(made, 1, 60), made.uniform(0.02, 0.10))


def _colour(made: random.Random, low: int = 30, high: int = 230) -> Colour:
    return made.randint(low, high), made.randint(low, high), made.randint(low, high)


def _near(made: random.Random, colour: Colour, by: int = 25) -> Colour:
    r, g, b = (max(0, min(255, level + made.randint(-by, by))) for level in colour)
    return r, g, b


def _grain(made: random.Random, scale: int, strength: float, colour: bool = True) -> Image.Image:
    """Noise of one scale in pixels."""
    size = max(2, SIZE[0] // scale), max(2, SIZE[1] // scale)
    bands = [Image.frombytes("L", size, made.randbytes(size[0] * size[1])) for _ in range(3 if colour else 1)]
    bands = [band.point(lambda level: int(128 + (level - 128) * strength / 100)) for band in bands]
    image = Image.merge("RGB", bands if colour else bands * 3)
    return image if size == SIZE else image.resize(SIZE, Image.Resampling.BICUBIC)


def _texture(made: random.Random, base: Colour, scales: tuple[int, ...], strength: float) -> Image.Image:
    image = Image.new("RGB", SIZE, base)
    for scale in scales:
        image = Image.blend(image, _grain(made, scale, 100, colour=made.random() < 0.3), strength / len(scales))
    return image


def _slope(top: Colour, bottom: Colour) -> Image.Image:
    return Image.composite(
        Image.new("RGB", SIZE, bottom), Image.new("RGB", SIZE, top), Image.linear_gradient("L").resize(SIZE)
    )


def _ridge(made: random.Random, height: float, rough: float) -> list[tuple[float, float]]:
    waves = [(made.uniform(0.5, 9), made.uniform(0, 2 * pi), made.uniform(0, rough)) for _ in range(6)]
    line = [
        (x, height + sum(sin(x / SIZE[0] * f * pi + p) * a / f**0.6 for f, p, a in waves))
        for x in range(0, SIZE[0] + 8, 8)
    ]
    return [(0, SIZE[1]), *line, (SIZE[0], SIZE[1])]


def _tree(made: random.Random, draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float) -> None:
    draw.rectangle((x - tall / 20, foot - tall * 0.5, x + tall / 20, foot), _near(made, (80, 60, 40)))
    leaves = _near(made, (60, 100, 50), 40)
    for _ in range(12):
        dx, dy, r = made.gauss(0, tall / 7), made.gauss(0, tall / 7), made.uniform(tall / 12, tall / 5)
        at = x + dx, foot - tall * 0.7 + dy
        draw.ellipse((at[0] - r, at[1] - r, at[0] + r, at[1] + r), _near(made, leaves, 18))


def _house(made: random.Random, draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float]) -> None:
    """Walls, a roof, a door, one to five windows, sometimes a chimney and a plinth."""
    left, top, right, bottom = box
    wide, tall = right - left, bottom - top
    wall, roof = made.choice([(205, 190, 165), (180, 90, 70), (225, 225, 220), (160, 150, 140)]), (90, 60, 55)
    draw.rectangle(box, _near(made, wall, 30))
    rise, over = made.uniform(0.1, 0.5) * tall, made.uniform(0, 0.08) * wide
    ridge = made.uniform(0.05, 0.5)
    corners = [
        (left - over, top),
        (left + wide * ridge, top - rise),
        (right - wide * ridge, top - rise),
        (right + over, top),
    ]
    draw.polygon(corners, _near(made, roof, 45))
    if made.random() < 0.5:
        draw.rectangle((left, bottom - tall * made.uniform(0.1, 0.3), right, bottom), _near(made, (120, 110, 100), 30))
    door = left + wide * made.uniform(0.05, 0.8)
    draw.rectangle(
        (door, bottom - tall * made.uniform(0.45, 0.7), door + wide * 0.12, bottom), _near(made, (90, 40, 30), 50)
    )
    for place in range(count := made.randint(1, 5)):
        x, y = left + wide * (place + made.uniform(0.1, 0.4)) / count, top + tall * made.uniform(0.12, 0.35)
        size = wide * made.uniform(0.07, 0.13), tall * made.uniform(0.2, 0.4)
        draw.rectangle((x, y, x + size[0], y + size[1]), _near(made, (60, 75, 95), 40), (220, 220, 220), 2)
    if made.random() < 0.4:
        x = left + wide * made.uniform(0.2, 0.8)
        draw.rectangle((x, top - rise - tall * 0.2, x + wide * 0.06, top - rise * 0.6), _near(made, roof, 30))


def _outdoors(made: random.Random, horizon: float) -> Image.Image:
    sky = _near(made, made.choice([(150, 185, 225), (205, 210, 215), (225, 200, 170), (120, 130, 145)]))
    image = _slope(sky, _near(made, (225, 225, 225), 20))
    ground = _texture(
        made, _near(made, made.choice([(125, 110, 85), (95, 115, 70), (165, 160, 150)])), (3, 12, 50), 0.4
    )
    cover = Image.new("L", SIZE)
    ImageDraw.Draw(cover).rectangle((0, horizon, *SIZE), 255)
    image.paste(ground, mask=cover)
    return image


def _village(made: random.Random) -> Image.Image:
    width, height = SIZE
    horizon = height * made.uniform(0.35, 0.65)
    image = _outdoors(made, horizon)
    draw = ImageDraw.Draw(image)
    for far in range(made.randint(1, 3)):
        hill = Image.new("L", SIZE)
        ImageDraw.Draw(hill).polygon(_ridge(made, horizon - 60 + far * 25, 30), 255)
        ImageDraw.Draw(hill).rectangle((0, horizon, *SIZE), 0)
        image.paste(_near(made, (110 - 15 * far, 130 - 10 * far, 120 - 20 * far)), mask=hill)
    for _ in range(made.randint(1, 6)):
        size, foot = made.uniform(60, 260), horizon + made.uniform(-5, 120)
        x = made.uniform(-40, width - 80)
        _house(made, draw, (x, foot - size * made.uniform(0.35, 0.6), x + size, foot))
    for _ in range(made.randint(0, 7)):
        _tree(made, draw, made.uniform(0, width), horizon + made.uniform(0, 120), made.uniform(60, 260))
    return image


def _field(made: random.Random) -> Image.Image:
    """Rows that run to a point on the horizon; a channel or a road among them."""
    width, height = SIZE
    horizon, goal = height * made.uniform(0.15, 0.5), width * made.uniform(-0.2, 1.2)
    image = _outdoors(made, horizon)
    draw = ImageDraw.Draw(image)
    crop, step = _near(made, (80, 120, 60), 40), made.uniform(30, 140)
    for row in range(-30, 50):
        x = row * step
        draw.polygon([(goal, horizon), (x, height), (x + step * 0.45, height)], _near(made, crop, 12))
    if made.random() < 0.6:
        x = made.uniform(0, width)
        draw.polygon([(goal - 4, horizon), (x, height), (x + made.uniform(60, 220), height), (goal + 4, horizon)],
                     _near(made, (150, 160, 170), 40))  # fmt: skip
    for _ in range(made.randint(0, 8)):
        _tree(made, draw, made.uniform(0, width), horizon + made.uniform(0, 30), made.uniform(20, 120))
    return image.filter(ImageFilter.GaussianBlur(0.7))


def _things(made: random.Random) -> Image.Image:
    """Objects on a table, a floor, a heap."""
    image = _texture(made, _colour(made, 60, 200), (2, 9, 40, 160), made.uniform(0.2, 0.7))
    draw = ImageDraw.Draw(image)
    for _ in range(made.randint(3, 40)):
        x, y, r = made.uniform(0, SIZE[0]), made.uniform(0, SIZE[1]), made.expovariate(1 / 45) + 6
        corners = [
            (x + r * made.uniform(0.5, 1.6) * cos(2 * pi * a / 7), y + r * made.uniform(0.5, 1.3) * sin(2 * pi * a / 7))
            for a in range(7)
        ]
        colour = _colour(made)
        shadow = [(cx + r / 6, cy + r / 5) for cx, cy in corners]
        if made.random() < 0.5:
            draw.polygon(shadow, (40, 38, 35))
            draw.polygon(corners, colour)
        else:
            draw.ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), colour, _near(made, colour, 60), 3)
    return image.filter(ImageFilter.GaussianBlur(made.uniform(0.3, 1.5)))


def _room(made: random.Random) -> Image.Image:
    """Floor, three walls, a window or a lamp, furniture."""
    width, height = SIZE
    left, right = made.uniform(0.1, 0.35) * width, made.uniform(0.65, 0.9) * width
    top, bottom = made.uniform(0.05, 0.25) * height, made.uniform(0.55, 0.8) * height
    wall = _colour(made, 120, 235)
    image = Image.new("RGB", SIZE, wall)
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 0), (left, top), (left, bottom), (0, height)], _near(made, wall, 30))
    draw.polygon([(width, 0), (right, top), (right, bottom), (width, height)], _near(made, wall, 45))
    draw.polygon([(0, height), (left, bottom), (right, bottom), (width, height)], _colour(made, 60, 180))
    draw.polygon([(0, 0), (left, top), (right, top), (width, 0)], (235, 235, 230))
    for _ in range(made.randint(0, 3)):
        x, y = made.uniform(left, right - 60), made.uniform(top, bottom - 60)
        draw.rectangle(
            (x, y, x + made.uniform(40, 140), y + made.uniform(40, 130)), _colour(made, 90, 255), (80, 70, 60), 4
        )
    for _ in range(made.randint(2, 8)):
        x, y = made.uniform(0, width), made.uniform(bottom - 60, height)
        size = made.uniform(40, 170)
        draw.rectangle((x, y - size * made.uniform(0.4, 1.2), x + size, y), _colour(made, 30, 200), (40, 35, 30), 2)
    return Image.blend(image, _texture(made, wall, (4, 60), 0.8), 0.12)


def _texture_only(made: random.Random) -> Image.Image:
    """Rubble, water, grass, cloth: nothing but texture, at several scales."""
    scales = tuple(made.sample((2, 4, 8, 16, 32, 64, 128, 256), made.randint(3, 5)))
    image = _texture(made, _colour(made, 60, 190), scales, made.uniform(0.4, 0.8))
    return (
        image.rotate(made.uniform(-20, 20), Image.Resampling.BILINEAR, fillcolor=_colour(made))
        if made.random() < 0.2
        else image
    )


def _night(made: random.Random) -> Image.Image:
    """A few lamps and what they show."""
    image = Image.new("RGB", SIZE, _near(made, (14, 14, 20), 10))
    for _ in range(made.randint(1, 5)):
        r = made.randint(60, 300)
        lamp = Image.radial_gradient("L").resize((2 * r, 2 * r)).point([max(0, 255 - far * 2) for far in range(256)])
        image.paste(
            _near(made, (230, 190, 120), 25), (made.randint(-r, SIZE[0] - r), made.randint(-r, SIZE[1] - r)), lamp
        )
    scene = _village(made)
    return Image.blend(image, Image.composite(scene, Image.new("RGB", SIZE), image.convert("L")), 0.6)


def _board(made: random.Random) -> Image.Image:
    """A notice board, in a street or a hall, with sheets on it."""
    image = _village(made) if made.random() < 0.5 else _room(made)
    draw = ImageDraw.Draw(image)
    left, top = made.uniform(0, 0.3) * SIZE[0], made.uniform(0.05, 0.35) * SIZE[1]
    right, bottom = made.uniform(0.6, 1.0) * SIZE[0], made.uniform(0.6, 0.95) * SIZE[1]
    draw.rectangle((left, top, right, bottom), _colour(made, 40, 220), (120, 120, 125), 7)
    draw.rectangle((left, top, right, top + 40), (170, 30, 30))
    for _ in range(made.randint(2, 12)):
        x, y = made.uniform(left, right - 60), made.uniform(top + 45, bottom - 50)
        _sheet(made, draw, (x, y, x + made.uniform(50, 120), y + made.uniform(50, 120)), 9)
    return image


def _sheet(made: random.Random, draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], line: float) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, _near(made, (240, 238, 230), 12))
    y = top + line * 1.5
    while y < bottom - line:
        x = left + line
        while x < right - line:
            word = made.uniform(0.5, 5) * line
            if made.random() < 0.85:
                draw.rectangle((x, y, min(x + word, right - line), y + line * 0.45), _near(made, (60, 60, 65), 20))
            x += word + line * 0.5
        y += line * (1.3 if made.random() < 0.9 else 2.6)


def _same_house(made: random.Random) -> Image.Image:
    """Hard: one house filling the middle, taken from the road, as for a ledger of dangerous houses."""
    image = _outdoors(made, SIZE[1] * 0.62)
    draw = ImageDraw.Draw(image)
    jitter = [made.uniform(-14, 14) for _ in range(4)]
    _house(made, draw, (120 + jitter[0], 170 + jitter[1], 520 + jitter[2], 350 + jitter[3]))
    for _ in range(made.randint(0, 3)):
        _tree(made, draw, made.choice((40, 90, 560, 610)) + made.uniform(-30, 30), 350, made.uniform(80, 250))
    return image


def _same_sheet(made: random.Random) -> Image.Image:
    """Hard: one form after the other, photographed from above, filled in differently."""
    image = Image.new("RGB", SIZE, _near(made, (120, 95, 70), 20))
    draw = ImageDraw.Draw(image)
    dx, dy = made.uniform(-12, 12), made.uniform(-10, 10)
    draw.rectangle((70 + dx, 25 + dy, 570 + dx, 455 + dy), _near(made, (238, 236, 228), 8))
    draw.rectangle((200 + dx, 45 + dy, 440 + dx, 62 + dy), (50, 50, 50))
    for row in range(10):
        for column in range(4):
            x, y = 95 + column * 113 + dx, 85 + row * 35 + dy
            draw.rectangle((x, y, x + 113, y + 35), outline=(70, 70, 70))
            if made.random() < 0.75:
                draw.rectangle((x + 8, y + 11, x + made.uniform(20, 104), y + 23), _near(made, (70, 70, 80), 25))
    if made.random() < 0.6:
        x, y = made.uniform(350, 480) + dx, made.uniform(320, 400) + dy
        draw.ellipse((x, y, x + 75, y + 75), outline=(200, 40, 40), width=5)
    return image.filter(ImageFilter.GaussianBlur(0.8))


def _same_wall(made: random.Random) -> Image.Image:
    """Hard: plaster or bricks from nearby, a crack or a damp patch in them."""
    base = _near(made, made.choice([(190, 185, 175), (165, 95, 75)]), 15)
    image = _texture(made, base, (2, 6, 30, 120), made.uniform(0.12, 0.3))
    draw = ImageDraw.Draw(image)
    if base[2] < 120:
        for row in range(0, 480, 24):
            draw.line((0, row, 640, row), _near(made, (185, 180, 170), 10), 3)
            for x in range((row // 24 % 2) * 32, 640, 64):
                draw.line((x, row, x, row + 24), _near(made, (185, 180, 170), 10), 3)
    for _ in range(made.randint(1, 3)):
        x, y, way = made.uniform(0, 640), made.uniform(0, 480), made.uniform(0, 2 * pi)
        for _ in range(made.randint(8, 40)):
            way += made.gauss(0, 0.4)
            to = x + 16 * cos(way), y + 16 * sin(way)
            draw.line((x, y, *to), (60, 55, 50), made.randint(1, 5))
            x, y = to
    if made.random() < 0.6:
        damp = Image.new("L", SIZE)
        x, y, r = made.uniform(0, 640), made.uniform(0, 480), made.uniform(50, 200)
        ImageDraw.Draw(damp).ellipse((x - r, y - r * 0.7, x + r, y + r * 0.7), 120)
        image.paste((70, 65, 60), mask=damp.filter(ImageFilter.GaussianBlur(25)))
    return image


KINDS: dict[str, Callable[[random.Random], Image.Image]] = {
    "village": _village, "field": _field, "things": _things, "room": _room, "texture": _texture_only,
    "night": _night, "board": _board, "same house": _same_house, "same sheet": _same_sheet, "same wall": _same_wall,
}  # fmt: skip
HARD = ("same house", "same sheet", "same wall")
