"""Recordings, films and papers as phones and browsers write them: their first bytes, and something behind."""

import struct

from backend.evidence.rules import MediaType


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _ftyp(major: bytes, *compatible: bytes) -> bytes:
    return _box(b"ftyp", major + bytes(4) + b"".join((major, *compatible))) + _box(b"mdat", bytes(100))


def _page(packet: bytes) -> bytes:
    """The first page of an Ogg stream (RFC 3533, 6)."""
    return b"OggS\0\2" + bytes(8) + b"\1\2\3\4" + bytes(8) + bytes((1, len(packet))) + packet


# EBML header as Chrome's MediaRecorder writes it: sizes of one byte, DocType "webm".
_WEBM = bytes.fromhex(
    "1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806701ffffffffffffff"
)
_ADTS = bytes.fromhex("fff15080201ffc")
_WAV = b"RIFF" + struct.pack("<I", 136) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)

STARTS: dict[MediaType, list[bytes]] = {
    MediaType.m4a: [_ftyp(b"M4A ", b"mp42", b"isom"), _ftyp(b"iso5", b"hlsf"), _ftyp(b"mp42", b"isom")],
    MediaType.aac: [_ADTS, b"\xff\xf9" + _ADTS[2:]],
    MediaType.mp3: [b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64", b"\xff\xfb\x90\x64", b"\xff\xf3\x84\xc4"],
    MediaType.ogg: [_page(b"OpusHead\1\1" + bytes(9)), _page(b"\1vorbis" + bytes(23))],
    MediaType.weba: [_WEBM],
    MediaType.wav: [_WAV],
    MediaType.mp4: [_ftyp(b"isom", b"iso2", b"avc1", b"mp41"), _ftyp(b"mp42", b"isom"), _ftyp(b"iso5", b"avc1")],
    MediaType.mov: [_ftyp(b"qt  ")],
    MediaType.webm: [_WEBM],
    MediaType.pdf: [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"],
}
# What begins alike: nobody looks further than that.
ALIKE = [{MediaType.m4a, MediaType.mp4}, {MediaType.weba, MediaType.webm}]
STRANGE = {
    "a HEIC photo": _ftyp(b"heic", b"mif1", b"heic"),
    "an AVIF photo": _ftyp(b"avif", b"mif1", b"miaf"),
    "a 3GP film": _ftyp(b"3gp5", b"isom"),
    "Matroska": _WEBM.replace(b"\x84webm", b"\x84matr"),
    "an Ogg film": _page(b"\x80theora" + bytes(23)),
    "AVI": b"RIFF" + bytes(4) + b"AVI LIST",
    "MPEG layer II": b"\xff\xfd\x90\x64",
    "AMR": b"#!AMR\n\x3c",
    "a web page": b"<!doctype html><script>alert(1)</script>",
    "a program": b"\x7fELF\2\1\1",
    "a PDF behind something": b"\n%PDF-1.7",
    "half a box": b"\0\0\0\x18ftyp",
    "one byte": b"\xff",
}


def recording(media_type: MediaType, which: int = 0, number: int = 0) -> bytes:
    """One that begins as this kind does, another one for each number."""
    return STARTS[media_type][which] + f"test {number}".encode() * 20
