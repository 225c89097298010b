"""What people do to a photo before they hand it in again: the edits that bench/reuse.py looks through."""

import io
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

Edit = Callable[[Image.Image, random.Random], Image.Image]
BICUBIC = Image.Resampling.BICUBIC


def edited(name: str, image: Image.Image, number: int) -> Image.Image:
    """The edit, and what always comes with one: saved as JPEG again, at some quality."""
    made = random.Random(f"{name} {number}")
    return _jpeg(EDITS[name](image, made), 30 if name == "re-compressed" else made.randint(60, 92))


def _jpeg(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def _same(image: Image.Image, _: random.Random) -> Image.Image:
    return image


def _smaller(image: Image.Image, made: random.Random) -> Image.Image:
    by = made.uniform(0.25, 0.8)
    return image.resize((round(image.width * by), round(image.height * by)), BICUBIC)


def _cut(image: Image.Image, left: float, upper: float, right: float, lower: float) -> Image.Image:
    """Without these parts of the whole on each side."""
    w, h = image.size
    return image.crop((round(w * left), round(h * upper), round(w * (1 - right)), round(h * (1 - lower))))


def _cropped(image: Image.Image, made: random.Random) -> Image.Image:
    return _cut(image, *(made.uniform(0, 0.05) for _ in range(4)))


def _cropped_most(image: Image.Image, _: random.Random) -> Image.Image:
    return _cut(image, 0.05, 0.05, 0.05, 0.05)


def _cropped_on_one_side(image: Image.Image, made: random.Random) -> Image.Image:
    sides = [0.0, 0.0, 0.0, 0.0]
    sides[made.randrange(4)] = made.uniform(0.05, 0.10)
    return _cut(image, *sides)


def _our_bar(image: Image.Image, made: random.Random) -> Image.Image:
    """A dark bar over the lower part, two or three lines of white text."""
    image, (w, h) = image.copy(), image.size
    lines = made.randint(2, 3)
    tall = round(h * 0.045 * lines)
    image.paste(Image.blend(image.crop((0, h - tall, w, h)), Image.new("RGB", (w, tall)), 0.7), (0, h - tall))
    _text(image, made, (w * 0.02, h - tall * 0.95, w * made.uniform(0.5, 0.9), h), lines)
    return image


def _camera_mark(image: Image.Image, made: random.Random) -> Image.Image:
    """Time, place and weather in a corner, as watermark cameras draw them: a panel or bare text."""
    image, (w, h) = image.copy(), image.size
    wide, tall = w * made.uniform(0.3, 0.5), h * made.uniform(0.12, 0.25)
    x = made.choice((0.02 * w, w * 0.98 - wide))
    y = made.choice((h * 0.98 - tall, h * 0.98 - tall, h * 0.02))
    box = round(x), round(y), round(x + wide), round(y + tall)
    if made.random() < 0.5:
        panel = Image.new("RGB", (box[2] - box[0], box[3] - box[1]), made.choice(((20, 60, 140), (30, 30, 30))))
        image.paste(Image.blend(image.crop(box), panel, 0.5), box)
    _text(image, made, box, 4)
    return image


def _text(image: Image.Image, made: random.Random, box: tuple[float, float, float, float], lines: int) -> None:
    """Something that covers what text of so many lines would cover."""
    draw, (left, upper, right, lower) = ImageDraw.Draw(image), box
    line = (lower - upper) / lines
    for row in range(lines):
        x, end = left + line * 0.2, left + (right - left) * made.uniform(0.6, 1)
        while x < end:
            draw.rectangle(
                (x, upper + line * (row + 0.2), x + line * 0.5, upper + line * (row + 0.75)), (245, 245, 245)
            )
            x += line * 0.7


def _brighter(image: Image.Image, made: random.Random) -> Image.Image:
    image = ImageEnhance.Brightness(image).enhance(made.choice((0.75, 1.25)))
    return ImageEnhance.Contrast(image).enhance(made.choice((0.75, 1.25)))


def _blurred(image: Image.Image, made: random.Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(image.width / 640 * made.uniform(0.8, 2.0)))


def _screenshot(image: Image.Image, made: random.Random) -> Image.Image:
    """On a phone's screen, fitted to its width, black or white above and below."""
    w, h = image.width, round(image.width * made.uniform(1.3, 2.1))
    screen = Image.new("RGB", (w, h), made.choice(("black", "white")))
    screen.paste(image, (0, round((h - image.height) * made.uniform(0.3, 0.7))))
    return screen


def _several(image: Image.Image, made: random.Random) -> Image.Image:
    """What a careful cheat does: cut a little, brightened, marked anew, smaller."""
    image = _cut(image, *(made.uniform(0, 0.025) for _ in range(4)))
    image = ImageEnhance.Brightness(image).enhance(made.uniform(0.85, 1.15))
    return _smaller(_our_bar(image, made), made)


EDITS: dict[str, Edit] = {
    "re-compressed": _same,
    "smaller": _smaller,
    "cropped ≤ 5 % a side": _cropped,
    "cropped 5 % a side": _cropped_most,
    "cropped 5–10 % on one": _cropped_on_one_side,
    "our caption bar": _our_bar,
    "camera's watermark": _camera_mark,
    "brightness, contrast ± 25 %": _brighter,
    "blurred": _blurred,
    "screenshot": _screenshot,
    "several of them": _several,
}
