"""Signed notes: a text, a blank line, signature lines (C2SP signed-note, Ed25519), and the ring of keys that sign.

What is signed stands in receipts.py and time_tokens.py; the first line of a text says which of them it is, so that one
can never pass for the other. Keys are made and listed by keys.py (decision 0022).
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backend import settings
from backend.settings import BadSettings

NAME = "duban"  # of every key of ours; two servers differ by the id behind it
MOST_LENGTH = 20_000  # of a note; a receipt for thirty files has some four thousand
MOST_SIGNATURES = 16

_ED25519 = b"\x01"
_NO_TEXT = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_ID_BYTES, _KEY_BYTES = 4, 32


class Unsigned(Exception):
    """A note that none of the known keys signed, or that was changed afterwards; the text says which."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a signature is checked with."""

    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.raw).digest()[:_ID_BYTES]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key in eight groups, to be read aloud or printed."""
        digest = hashlib.sha256(self.raw).hexdigest()
        return " ".join(digest[at : at + 8] for at in range(0, 64, 8))

    def __str__(self) -> str:
        """As other programs read it: a C2SP verifier key, `name+id+base64`."""
        return f"{self.name}+{self.id.hex()}+{_text_of(_ED25519 + self.raw)}"

    @classmethod
    def read(cls, text: str) -> "PublicKey":
        """Of what `str()` wrote. Raises ValueError for anything else."""
        name, _, rest = text.strip().partition("+")
        id, _, encoded = rest.partition("+")
        given = base64.b64decode(encoded, validate=True)
        key = cls(name, given[1:])
        if not _name_is_right(name) or given[:1] != _ED25519 or len(key.raw) != _KEY_BYTES or id != key.id.hex():
            raise ValueError("no Ed25519 verifier key")
        return key


def signed(text: str) -> str:
    """The text as a note under the newest key. It ends in a line break and holds no other control character.

    Raises BadSettings when there is no key yet.
    """
    if not text.endswith("\n") or not _is_text(text):
        raise ValueError("a note is lines of text")
    if not _ring():
        raise BadSettings("There is no signing key yet: run ./duban migrate, or set DUBAN_SIGNING_KEYS.")
    key, public = _ring()[0]
    return f"{text}\n— {public.name} {_text_of(public.id + key.sign(text.encode()))}\n"


def opened(note: str, keys: Sequence[PublicKey]) -> str:
    """The text of a note that one of these keys signed. Raises Unsigned.

    Signatures of keys that are not among them are passed over, so that a line of another algorithm (SM2), or of a
    witness, may be added; a line under the name and id of one of them must be right.
    """
    text, lines = _parts(note)
    known = {(key.name, key.id): Ed25519PublicKey.from_public_bytes(key.raw) for key in keys}
    right = False
    for line in lines:
        name, signature = _signature(line)
        if key := known.get((name, signature[:_ID_BYTES])):
            try:
                key.verify(signature[_ID_BYTES:], text.encode())
            except InvalidSignature:
                raise Unsigned("the text is not the one that was signed") from None
            right = True
    if not right:
        raise Unsigned("no signature by a known key")
    return text


def public_keys() -> list[PublicKey]:
    """Of this process's ring, the one that signs first."""
    return [public for _, public in _ring()]


def forget() -> None:
    """Reads the keys anew at the next use: they were changed by this process."""
    _ring.cache_clear()


@cache
def _ring() -> tuple[tuple[Ed25519PrivateKey, PublicKey], ...]:
    """Newest first."""
    keys = [Ed25519PrivateKey.from_private_bytes(secret) for secret in settings.load().signing_keys]
    return tuple((key, PublicKey(NAME, key.public_key().public_bytes_raw())) for key in keys)


def _parts(note: str) -> tuple[str, list[str]]:
    """The text with its last line break, and the signature lines."""
    if len(note) > MOST_LENGTH or not _is_text(note):
        raise Unsigned("not a signed note")
    text, blank, rest = note.rpartition("\n\n")
    lines = rest.split("\n")
    if not blank or lines.pop() or not 0 < len(lines) <= MOST_SIGNATURES:
        raise Unsigned("not a signed note")
    return f"{text}\n", lines


def _is_text(text: str) -> bool:
    """Lines that UTF-8 can say, without control characters."""
    return not _NO_TEXT.search(text)


def _signature(line: str) -> tuple[str, bytes]:
    """The name, and the key's id with the signature behind it."""
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    # Two texts may stand for the same bytes (RFC 4648, 3.5); only one of them is what a signer wrote.
    if dash != "—" or not _name_is_right(name) or len(signature) <= _ID_BYTES or _text_of(signature) != encoded:
        raise Unsigned("not a signature line")
    return name, signature


def _name_is_right(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def _text_of(given: bytes) -> str:
    return base64.b64encode(given).decode()
