"""Protected fields: short texts encrypted one by one, and an index that finds one without reading any (decision 0019).

What a stored value looks like: `1.KEYID.BASE64(nonce, ciphertext, tag)`. Which columns are protected, and commands over
all of them, stand in keys.py; how what was read is shown stands in masks.py.
"""

import base64
import binascii
import hmac
import logging
import os
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend import settings
from backend.errors import Unreadable
from backend.settings import BadSettings

FORM = "1"  # of stored values; another algorithm gets another number
KEY_BYTES = 32
_NONCE_BYTES = 12
_BLOCK = 32  # texts are filled up to it, so that the length of a name does not show

log = logging.getLogger("duban.protected")


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    """What one secret is used for: each use has a key of its own (HKDF-SHA256, RFC 5869)."""

    id: str
    cipher: AESGCM
    index: bytes


def encrypt(text: str, column: str, row: UUID) -> str:
    """The text as it may be stored in `column` ("household.phone") of this row, and nowhere else (AES-256-GCM).

    Raises ValueError for text with NUL, which no request can hold.
    """
    if "\0" in text:
        raise ValueError("NUL in a protected text")
    key, nonce = _ring()[0], os.urandom(_NONCE_BYTES)
    plain = text.encode()
    padded = plain.ljust(max(1, -(-len(plain) // _BLOCK)) * _BLOCK, b"\0")
    sealed = nonce + key.cipher.encrypt(nonce, padded, _bound_to(column, row))
    return f"{FORM}.{key.id}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(stored: str, column: str, row: UUID) -> str:
    """The text. Raises Unreadable when the key is not there, or the value was damaged, exchanged or moved."""
    form, _, rest = stored.partition(".")
    id, _, sealed = rest.partition(".")
    key = next((key for key in _ring() if key.id == id), None)
    if form == FORM and key:
        try:
            given = base64.b64decode(sealed, altchars=b"-_", validate=True)
            plain = key.cipher.decrypt(given[:_NONCE_BYTES], given[_NONCE_BYTES:], _bound_to(column, row))
            return plain.rstrip(b"\0").decode()
        except (InvalidTag, binascii.Error, ValueError):
            pass
    why = "damaged or moved" if key else f"key {id!r} is missing"
    log.error("protected value %s of row %s cannot be read: %s", column, row, why)
    raise Unreadable("受保护的信息无法读取：密钥不符，或内容被改动。请联系系统管理员。", column=column)


def index(text: str, use: str) -> str:
    """What stands beside a protected value so that the same text is found again: HMAC-SHA256 under the newest key.

    Equal for equal texts of the same `use`; says nothing about the text to who has no key.
    """
    return _index(_ring()[0], text, use)


def indexes(text: str, use: str) -> list[str]:
    """The index under every key, newest first: rows not re-encrypted yet have an older one."""
    return [_index(key, text, use) for key in _ring()]


def key_ids() -> list[str]:
    """Of every key at hand, newest first."""
    return [key.id for key in _ring()]


def key_of(stored: str) -> str:
    """The id of the key a stored value was encrypted with."""
    return stored.split(".")[1] if stored.count(".") == 2 else ""


def new_key() -> str:
    """A new secret as it stands in DUBAN_PROTECTED_KEYS or in the key file."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def forget() -> None:
    """Reads the keys anew at the next use: they were changed by this process."""
    _ring.cache_clear()


def _bound_to(column: str, row: UUID) -> bytes:
    return f"{FORM}|{column}|{row}".encode()


def _index(key: _Key, text: str, use: str) -> str:
    return hmac.digest(key.index, f"{use}\0{text}".encode(), "sha256").hex()


@cache
def _ring() -> tuple[_Key, ...]:
    """The keys of this process, newest first. Raises BadSettings when there is none."""
    secrets = settings.load().protected_keys
    if not secrets:
        raise BadSettings("There is no key for protected fields yet: run ./duban migrate, or set DUBAN_PROTECTED_KEYS.")
    return tuple(
        _Key(_derived(secret, "id", 4).hex(), AESGCM(_derived(secret, "field")), _derived(secret, "index"))
        for secret in secrets
    )


def _derived(secret: bytes, use: str, length: int = 32) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"duban protected {use} {FORM}".encode()).derive(secret)
