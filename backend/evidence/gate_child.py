"""Decodes one photo, reads what it says of itself, redraws it small, shut in by hard limits. Forked by gate_server.py.

Imports nothing of ours but its own parts, and asks nothing of the machine: everything is open and loaded before.
"""

import ctypes
import errno
import gc
import io
import json
import os
import resource
import signal
import socket
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageCms, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

from backend.evidence import gate_caption, gate_exif
from backend.evidence.looks import looks

# Every decoder is loaded now: once shut in, nothing more can be opened.
Image.preinit()
PLUGINS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 50_000_000
DISPLAY, THUMBNAIL = 1600, 320
QUALITY = 82
NOBODY = 65534
BROKEN = 70
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2); a change of user clears it
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """Its text is one of the codes in format.py."""


def one_photo(parts: Sequence[int], line: socket.socket, fonts: gate_caption.Fonts, server: int) -> None:
    """The whole life of a child: one request and one answer on the line, a JSON line each. Never returns."""
    asked = json.loads(_line_of_text(line))
    gc.disable()  # it ends before garbage matters
    shut_in(*(asked[name] for name in ("memory", "cpu", "output", "wall")))
    if LIBC is not None:
        LIBC.prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != server:
        os._exit(BROKEN)
    try:
        answer = redraw(parts, asked["caption"], fonts)
    except Refused as reason:
        answer = {"refused": str(reason)}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        answer = {"refused": "evidence.too_many_pixels"}
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        answer = {"trouble": "no_room"} if full else {"refused": "evidence.undecodable"}
    except Exception:
        answer = {"refused": "evidence.undecodable"}
    line.sendall(json.dumps(answer).encode() + b"\n")
    os._exit(0)  # tearing down hundreds of megabytes in order serves nobody


def _line_of_text(line: socket.socket) -> bytes:
    text = b""
    while not text.endswith(b"\n"):
        more = line.recv(65536)
        if not more:
            os._exit(BROKEN)  # who asked has hung up
        text += more
    return text


def shut_in(memory: int, cpu: int, file_size: int, wall: float) -> None:
    """From here on: no rights, no new file, socket or process, and bounded memory, time and output."""
    os.nice(10)
    signal.setitimer(signal.ITIMER_REAL, wall)  # should nobody be left to stop it
    at_most(resource.RLIMIT_CPU, cpu, cpu + 1)  # SIGXCPU first: a SIGKILL would look like the system's own
    at_most(resource.RLIMIT_AS, memory, memory)
    at_most(resource.RLIMIT_FSIZE, file_size, file_size)
    at_most(resource.RLIMIT_CORE, 0, 0)
    at_most(resource.RLIMIT_NPROC, 0, 0)
    at_most(resource.RLIMIT_NOFILE, 0, 0)  # what is open stays usable
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        except OSError:  # a container whose root may not change users
            pass
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    # Other warnings are about odd metadata, which real phones write and we drop.
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def at_most(what: int, soft: int, hard: int) -> None:
    """Lowers one limit; where the operator set a lower one, that stays."""
    ceiling = resource.getrlimit(what)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(what, (soft, hard))


def redraw(parts: Sequence[int], caption: Sequence[Any] | None, fonts: gate_caption.Fonts) -> dict[str, object]:
    """Writes both copies and says how large everything is; the photo's own size is given upright."""
    photo, display, thumbnail = parts
    with os.fdopen(photo, "rb") as file:
        source = Image.open(file, formats=FORMATS)
        width, height = source.size
        if width * height > MOST_PIXELS:
            raise Refused("evidence.too_many_pixels")
        if source.format != "MPO" and getattr(source, "n_frames", 1) > 1:
            raise Refused("evidence.several_frames")
        target = fit(source.size, DISPLAY)
        source.draft("RGB", target)  # the exact target: a bounding box would not be scaled (libjpeg, n/8)
        large = averageable(source).resize(target, Image.Resampling.BILINEAR, reducing_gap=1.5)
        tags, profile = gate_exif.tags(source), source.info.get("icc_profile")
        del source  # what comes next is drawn where it was: memory that is there already
    turn = TURNS.get(gate_exif.orientation(tags))
    if turn is not None:
        large = large.transpose(turn)
        if turn >= Image.Transpose.ROTATE_90 and turn != Image.Transpose.ROTATE_180:
            width, height = height, width
    large = opaque(large, profile)
    # By whole factors first, then little or nothing: a third of the time, and no difference to see at 320 pixels.
    small = large.resize(fit(large.size, THUMBNAIL), Image.Resampling.BILINEAR, reducing_gap=1.0)
    said = {"exif": gate_exif.said(tags), "looks": looks(small)}
    save(small, thumbnail)
    if caption:
        large = gate_caption.with_bar(large, gate_caption.Caption(*caption), fonts)
    save(large, display)
    return {"size": (width, height), "display": large.size, "thumbnail": small.size, **said}


def fit(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size with its long side at most `longest`: never larger than it was, never zero."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def averageable(image: Image.Image) -> Image.Image:
    """The same picture in a mode whose values may be averaged, eight bits a channel."""
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value * (1 / 256) + 0).convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def opaque(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture in sRGB, white where it was clear, that carries nothing but pixels."""
    if image.mode == "RGBA":
        sheet = Image.new("RGB", image.size, "white")
        sheet.paste(standard(image.convert("RGB"), profile), mask=image.getchannel("A"))
    else:
        sheet = standard(image, profile)
    sheet.info = {}  # Pillow hands comment, profile and the like on from here when it saves
    return sheet


def standard(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The colours brought to sRGB by the embedded profile; left as they are when it is useless."""
    if profile:
        try:
            origin = ImageCms.getOpenProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(origin):
                image = (
                    ImageCms.profileToProfile(image, origin, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
                )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image if image.mode == "RGB" else image.convert("RGB")


def save(image: Image.Image, descriptor: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        image.save(file, "JPEG", quality=QUALITY)
