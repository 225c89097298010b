"""Sets one paper with typst, shut in by limits. Run by press.py; imports nothing of ours.

Reads one JSON document, writes `paper.pdf` (or pages as PNG) into its folder, answers one JSON line.
"""

import errno
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typst
from PIL import Image, ImageDraw, ImageFont

LONGEST = 800  # pixels: 270 dpi where photos stand two to a row, and half a display copy, which decodes fast
QUALITY = 82
COMMON = ((0x3000, 0x303F), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))  # what every Chinese font has
FIRST_RARE = 0x2E80
JOINERS = {0xFE0E, 0xFE0F}
FONT_FILES = {".otf", ".ttf", ".ttc", ".otc"}


def main() -> None:
    asked = json.load(sys.stdin)
    shut_in(asked["memory"], asked["cpu"], asked["output"])
    try:
        set_paper(asked)
        answer: dict[str, object] = {"set": True}
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        answer = {"trouble": "no_room" if full else f"{type(error).__name__}: {error}"}
    except typst.TypstError as error:
        answer = {"trouble": f"{error.message} {error.diagnostic}"[:2000]}
    os.write(1, json.dumps(answer).encode())
    os._exit(0)


def shut_in(memory: int, cpu: int, output: int) -> None:
    """A paper that is too much for these ends this process and nothing else."""
    for what, most in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
    ):
        ceiling = resource.getrlimit(what)[1]
        most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
        resource.setrlimit(what, (most, most))
    os.nice(5)


def set_paper(asked: dict[str, Any]) -> None:
    folder = Path(asked["folder"])
    paper = without_gaps(asked["paper"], asked["fonts"])
    there = [name for name, path in asked["pictures"].items() if scaled(Path(path), folder / name)]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=asked["fonts"])
    typst.compile(
        str(folder / asked["template"]),
        output=str(folder / asked["result"]),
        format="png" if asked["result"].endswith(".png") else "pdf",
        ppi=asked["ppi"],
        root=str(folder),
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"paper": json.dumps(paper), "pictures": json.dumps(there)},
        timestamp=asked["made_at"],
    )


def scaled(source: Path, target: Path) -> bool:
    """A copy no larger than paper can show; False when there is nothing to copy. typst keeps every pixel in memory."""
    try:
        with Image.open(source, formats=("JPEG",)) as image:
            scale = min(1.0, LONGEST / max(image.size))
            size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
            image.draft("RGB", size)  # the exact target: a bounding box would not be scaled (libjpeg, n/8)
            image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0).save(target, "JPEG", quality=QUALITY)
    except FileNotFoundError:
        return False
    return True


def without_gaps(paper: Any, folders: list[str]) -> Any:
    """The paper with every character that no font has written as its number: an empty box would tell nothing."""
    rare = {letter for letter in json.dumps(paper, ensure_ascii=False) if is_rare(ord(letter))}
    if not rare:
        return paper
    has = drawn_by(folders)
    told = {ord(letter): f"〔U+{ord(letter):04X}〕" for letter in rare if not has(letter)}
    told |= {joiner: "" for joiner in JOINERS}
    return mapped(paper, told)


def is_rare(code: int) -> bool:
    return code >= FIRST_RARE and not any(first <= code <= last for first, last in COMMON)


def drawn_by(folders: list[str]) -> Callable[[str], bool]:
    """Whether one of the fonts draws a character otherwise than one that cannot exist."""
    files = [
        file for folder in folders for file in sorted(Path(folder).rglob("*")) if file.suffix.lower() in FONT_FILES
    ]
    fonts = [ImageFont.truetype(file, 24) for file in files]
    nothing = [drawing(font, "\U0010fffe") for font in fonts]
    return lambda letter: any(drawing(font, letter) != none for font, none in zip(fonts, nothing, strict=True))


def drawing(font: ImageFont.FreeTypeFont, letter: str) -> bytes:
    sheet = Image.new("L", (40, 40))
    ImageDraw.Draw(sheet).text((4, 4), letter, 255, font)
    return sheet.tobytes()


def mapped(value: Any, told: dict[int, str]) -> Any:
    if isinstance(value, str):
        return value.translate(told)
    if isinstance(value, list):
        return [mapped(inner, told) for inner in value]
    return {key: mapped(inner, told) for key, inner in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    main()
